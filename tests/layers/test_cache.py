"""Answers kept for those who ask the same again."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from fiber import (
    NO_RETRY,
    Cache,
    ChatResult,
    Fiber,
    FiberBadRequestError,
    FiberConnectionError,
    FiberParsingError,
    FiberTimeoutError,
    FiberValidationError,
    FileStore,
    MemoryStore,
    TextDelta,
    Timeouts,
    default_layers,
)
from fiber._chain import Call, Handler
from fiber._engine import run_sync
from fiber._reply import Reply
from fiber.layers.cache import CacheStats
from fiber.layers.caching.entry import Entry
from fiber.testing.fake import FakeReply, FakeTransport, json_reply
from fiber.transports.choice import for_loops
from tests.kit import KEY, Watch, answer, eventually, refused, scripted, streamed, whole

WORLDS: dict[str, Callable[[Fiber, str], Any]] = {
    "asyncio": lambda fiber, policy: anyio.run(on_loop, fiber, policy, backend="asyncio"),
    "trio": lambda fiber, policy: anyio.run(on_loop, fiber, policy, backend="trio"),
    "blocking": lambda fiber, policy: fiber.sync.chat("Hi", cache_policy=policy),
    "asyncio stream": lambda fiber, policy: anyio.run(on_stream, fiber, policy, backend="asyncio"),
    "trio stream": lambda fiber, policy: anyio.run(on_stream, fiber, policy, backend="trio"),
    "blocking stream": lambda fiber, policy: fiber.sync.chat_stream("Hi", cache_policy=policy).collect(),
}


async def on_loop(fiber: Fiber, policy: Any) -> ChatResult:
    """Call asynchronously."""
    return await fiber.chat("Hi", cache_policy=policy)


async def on_stream(fiber: Fiber, policy: Any) -> ChatResult:
    """Stream asynchronously."""
    return await fiber.chat_stream("Hi", cache_policy=policy).collect()


def cached(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport, Cache]:
    """Make a client with a cache over *script*."""
    cache = options.pop("cache", None) or Cache()
    fiber, transport = scripted(*script, cache=cache, **{"cache_policy": "write_through", **options})
    return fiber, transport, cache


def stored(store: MemoryStore) -> list[bytes]:
    """Return what is in *store*."""
    return [value for value, _ in store._values.values()]


# -- policies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_a_hit_is_marked_free_and_asks_nobody(world: str) -> None:
    """Whole or as a stream, in each world, also when the other kind filled the cache."""
    first = streamed("Hello") if "stream" in world else whole("Hello")
    fiber, transport, cache = cached(first)

    asked = WORLDS[world](fiber, "write_through")
    hits = [WORLDS[other](fiber, "write_through") for other in WORLDS]

    assert not asked.cached
    assert {(hit.text, hit.cached, hit.finish_reason) for hit in hits} == {("Hello", True, "stop")}
    assert {(hit.usage.input_tokens, hit.usage.cost_usd) for hit in hits} == {(3, Decimal(0))}
    assert {(hit.receipt.attempts, hit.receipt.cost_source) for hit in hits} == {((), "cache")}
    assert len(transport.requests) == 1
    assert cache.stats == CacheStats(hits=6, misses=1, writes=1)


POLICIES = {
    # Requests sent when the policy calls twice on an empty cache, and how often it wrote; then over a full one.
    "off": (2, 0, 1),
    "read_through": (2, 0, 0),
    "write_through": (1, 1, 0),
    "refresh": (2, 2, 1),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("world", WORLDS)
def test_policies_differ(policy: str, world: str) -> None:
    """In what they read and in what they write."""
    sent, writes, over_full = POLICIES[policy]
    reply = streamed if "stream" in world else whole
    fiber, transport, cache = cached(*(reply(str(number)) for number in range(4)))

    for _ in range(2):
        WORLDS[world](fiber, policy)
    counts = (len(transport.requests), cache.stats.writes)
    WORLDS[world](fiber, "write_through")
    before = len(transport.requests)
    WORLDS[world](fiber, policy)

    assert counts == (sent, writes)
    assert len(transport.requests) - before == over_full


def test_what_is_old_is_asked_for_again() -> None:
    """After its time; the new answer takes its place."""
    fiber, transport, cache = cached(whole("old"), whole("new"), cache=Cache(ttl_seconds=10))

    said = []
    for moment in (0, 9.9, 10, 19.9):
        transport.clock = moment
        said.append(fiber.sync.ask("Hi"))

    assert said == ["old", "old", "new", "new"]
    assert cache.stats == CacheStats(hits=2, misses=2, writes=2)


def test_a_policy_needs_a_cache_and_a_name() -> None:
    """Before anything is sent; `off` needs none, and a request given whole is cached like any other."""
    fiber, _ = scripted(whole())
    cached_fiber, transport, _ = cached(whole())

    for client, policy in ((fiber, "write_through"), (cached_fiber, "always")):
        with pytest.raises(FiberValidationError) as caught:
            client.sync.chat("Hi", cache_policy=policy)  # type: ignore[arg-type]
        assert caught.value.parameter == "cache_policy"
    assert fiber.sync.ask("Hi", cache_policy="off") == "Hello"
    for _ in range(2):
        cached_fiber.sync.chat({"messages": ["Hi"]})
    assert len(transport.requests) == 1


def test_a_cache_stands_in_layers_or_beside_them() -> None:
    """Not both; a client without one has no such layer."""
    cache = Cache()
    fiber, _ = scripted(whole(), layers=default_layers(cache=cache), cache_policy="write_through")

    assert fiber.sync.ask("Hi") == fiber.sync.ask("Hi")
    assert len(default_layers(cache=cache)) == len(default_layers()) + 1
    with pytest.raises(FiberValidationError, match="default_layers"):
        Fiber(layers=(), cache=cache)


@pytest.mark.parametrize("name", ["ttl_seconds", "stale_seconds"])
@pytest.mark.parametrize("value", [-1, float("nan"), True, "1"])
def test_times_are_numbers(name: str, value: Any) -> None:
    """From zero."""
    with pytest.raises(FiberValidationError) as caught:
        Cache(**{name: value})

    assert caught.value.parameter == name


# -- what is kept -------------------------------------------------------------------------------------------------


class City(msgspec.Struct):
    """What is asked for."""

    name: str


@pytest.mark.parametrize(
    ("reply", "options"),
    [
        (json_reply(answer("cut", "length")), {}),
        (json_reply(answer("", "content_filter")), {}),
        (whole("no JSON"), {"response_format": {"type": "object", "properties": {}}}),
        (whole("{}"), {"tools": [{"name": "f"}]}),
        (whole("x"), {"extra_body": {"x": 1}, "messages": "\ud800"}),
    ],
    ids=["cut off", "filtered", "not what was asked for", "tools", "unnamed"],
)
def test_some_answers_are_not_kept(reply: FakeReply, options: dict[str, Any]) -> None:
    """What is not whole, or does not fit, is asked for again; so are tools, and what cannot be named."""
    fiber, transport, cache = cached(reply, reply)
    messages = options.pop("messages", "Hi")

    for _ in range(2):
        try:
            fiber.sync.chat(messages, **options)
        except (FiberParsingError, FiberValidationError):
            pass

    assert cache.stats.writes == cache.stats.hits == 0
    assert len(transport.requests) in (0, 2)


def test_tools_are_kept_on_request() -> None:
    """With the calls of the answer."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    reply = json_reply(answer(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}]))
    fiber, transport, _ = cached(reply, cache=Cache(tools=True))

    results = [fiber.sync.chat("Hi", tools=[{"name": "f"}]) for _ in range(2)]

    assert [result.tool_calls[0].arguments_json for result in results] == ['{"x": 1}'] * 2
    assert len(transport.requests) == 1


def test_a_value_is_made_anew() -> None:
    """`parsed` is not kept, its type is the caller's."""
    fiber, transport, _ = cached(whole('{"name": "Paris"}'))

    parsed = [fiber.sync.chat("Where?", response_format=City).parsed for _ in range(2)]

    assert parsed == [City("Paris")] * 2
    assert len(transport.requests) == 1


def test_a_stream_that_is_left_is_not_kept() -> None:
    """Only one that was read to its end is; its replay has the events of the answer."""
    fiber, transport, cache = cached(streamed("Hel", "lo"), streamed("Hel", "lo"))

    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)
    with fiber.sync.chat_stream("Hi") as stream:
        asked = [type(event) for event in stream]
    with fiber.sync.chat_stream("Hi") as stream:
        replayed = list(stream)

    assert [event.text for event in replayed if isinstance(event, TextDelta)] == ["Hello"]
    assert list(dict.fromkeys(asked)) == [type(event) for event in replayed]
    assert cache.stats == CacheStats(hits=1, misses=2, writes=1)
    assert len(transport.requests) == 2


def test_no_key_and_no_header_is_kept() -> None:
    """Neither in names nor in values."""
    store = MemoryStore()
    fiber, _, _ = cached(whole(x_request_id="req-1", x_ratelimit_remaining_requests="7"), cache=Cache(store))

    result = fiber.sync.chat("Hi")
    hit = fiber.sync.chat("Hi")

    assert result.rate_limits is not None
    assert (hit.rate_limits, hit.headers, hit.request_id) == (None, {}, "req-1")
    assert KEY.encode() not in b"".join([*stored(store), *(key.encode() for key in store._values)])


def test_tenants_do_not_see_each_others_answers() -> None:
    """Separated by a bound field, also where the question is the same."""
    fiber, transport, _ = cached(whole("one"), whole("two"))

    said = [fiber.bind(tenant=tenant).sync.ask("Hi") for tenant in ("t1", "t2", "t1", "t2")]

    assert said == ["one", "two", "one", "two"]
    assert len(transport.requests) == 2


def test_a_log_line_says_that_it_was_a_hit(caplog: pytest.LogCaptureFixture) -> None:
    """And counts no tokens, which the first call used up."""
    caplog.set_level(logging.INFO, "fiber")
    fiber, _, _ = cached(whole())

    for _ in range(2):
        fiber.sync.chat("Hi")

    first, second = caplog.records
    assert (first.__dict__.get("cached"), first.__dict__["tokens_in"]) == (None, 3)
    assert (second.__dict__["cached"], second.__dict__.get("tokens_in")) == (True, None)


def test_a_raw_request_passes_the_cache_by() -> None:
    """It has no policy."""
    fiber, transport, _ = cached(whole(), whole())

    for _ in range(2):
        fiber.sync.request("GET", "models", provider="openai")

    assert len(transport.requests) == 2


# -- damage -------------------------------------------------------------------------------------------------------


def poisons(good: bytes) -> dict[str, bytes]:
    """Return what may stand in a store instead of *good*."""
    entry = msgspec.msgpack.decode(good)
    return {
        "nothing": b"",
        "cut": good[: len(good) // 2],
        "text": b"hello",
        "pickle": b"\x80\x04cos\nsystem\n(S'x'\ntR.",
        "deep": b"\x91" * 5000,
        "version": msgspec.msgpack.encode({**entry, "version": 2}),
        "type": msgspec.msgpack.encode({**entry, "result": [1, 2]}),
        "role": good.replace(b"assistant", b"assassins"),
        "another's": msgspec.msgpack.encode({**entry, "key": "cache:v1:other"}),
    }


POISONS = poisons(msgspec.msgpack.encode(Entry(key="k", fresh_until=0.0, result=ChatResult())))


@pytest.mark.parametrize("poison", POISONS)
def test_a_damaged_entry_is_a_miss_and_is_replaced(poison: str) -> None:
    """Counted, and good again afterwards."""
    store = MemoryStore()
    fiber, transport, cache = cached(whole(), whole(), cache=Cache(store))
    fiber.sync.chat("Hi")
    (key,) = store._values
    store.set(key, poisons(stored(store)[0])[poison], seconds=1e9, now=1.7e9)

    again = fiber.sync.chat("Hi")
    damaged = cache.stats.damaged
    hit = fiber.sync.chat("Hi")

    assert (again.cached, hit.cached) == (False, True)
    assert damaged == 2  # looked at, and once more before it asked
    assert len(transport.requests) == 2


class Broken:
    """A store that fails."""

    quick = True

    def __init__(self) -> None:
        self.uses = 0

    def get(self, key: str, *, now: float) -> bytes | None:
        """Fail."""
        self.uses += 1
        raise OSError(errno.EIO, "broken")

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Fail."""
        self.uses += 1
        raise OSError(errno.EIO, "broken")


@pytest.mark.parametrize("world", WORLDS)
def test_a_broken_store_breaks_no_call(world: str, caplog: pytest.LogCaptureFixture) -> None:
    """Failures are counted, and told once in a while."""
    reply = streamed if "stream" in world else whole
    fiber, transport, cache = cached(*(reply("Hello") for _ in range(3)), cache=Cache(Broken()))

    said = [WORLDS[world](fiber, "write_through").text for _ in range(2)]
    transport.clock += 61
    said.append(WORLDS[world](fiber, "write_through").text)

    assert said == ["Hello"] * 3
    assert cache.stats.errors in (6, 9)
    assert [record.message for record in caplog.records] == ["cache_error", "cache_error"]


def test_a_full_disk_breaks_no_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call succeeds without the cache."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "replace", full)
    fiber, transport, cache = cached(whole(), whole(), cache=Cache(FileStore(tmp_path)))

    for _ in range(2):
        assert fiber.sync.ask("Hi") == "Hello"
    assert (cache.stats.errors, len(transport.requests)) == (2, 2)


@pytest.mark.parametrize("world", WORLDS)
def test_files_serve_every_world(world: str, tmp_path: Path) -> None:
    """Over a real transport of the world, which keeps the loop free."""
    reply = streamed("Hello") if "stream" in world else whole("Hello")
    fiber, transport, _ = cached(reply, cache=Cache(FileStore(tmp_path)))
    WORLDS[world](fiber, "write_through")

    hit = WORLDS[world](fiber, "read_through")

    assert (hit.text, hit.cached, len(transport.requests)) == ("Hello", True, 1)


# -- old answers while new ones come --------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_a_stale_answer_is_given_while_it_is_renewed(world: str) -> None:
    """One request renews it; the next call has the new one."""
    cache = Cache(ttl_seconds=10, stale_seconds=20)
    fiber, transport, _ = cached(whole("old"), whole("new"), cache=cache)
    fiber.sync.ask("Hi")
    transport.clock = 15

    stale = WORLDS[world](fiber, "write_through")
    renewed = WORLDS[world](fiber, "write_through")

    assert (stale.text, stale.cached, renewed.text) == ("old", True, "new")
    assert cache.stats == CacheStats(hits=2, stale_hits=1, misses=1, writes=2, refreshes=1)
    assert len(transport.requests) == 2


def test_a_renewal_that_fails_is_only_counted() -> None:
    """The stale answer goes on to be given, until its time is over; whoever only reads does not get it."""
    cache = Cache(ttl_seconds=10, stale_seconds=20)
    fiber, transport, _ = cached(whole("old"), refused(400), whole("read"), whole("new"), cache=cache)
    fiber.sync.ask("Hi")
    transport.clock = 15
    said = [fiber.sync.ask("Hi"), fiber.sync.ask("Hi", cache_policy="read_through")]
    transport.clock = 30
    said.append(fiber.sync.ask("Hi", timeout=Timeouts(total=None)))

    assert said == ["old", "read", "new"]
    assert cache.stats.errors == 1


class Slow(FakeTransport):
    """A transport that takes its time, on a loop or in threads; it counts what is under way."""

    def __init__(self, *script: Any) -> None:
        super().__init__(*script)
        self.gate = Event()
        self.begun = Event()

    async def open(self, *arguments: Any) -> Any:
        """Wait for the gate."""
        self.begun.set()
        while not self.gate.is_set():
            await self.real.sleep(0.001)
        return await super().open(*arguments)

    async def sleep(self, seconds: float) -> None:
        """Wait really."""
        await self.real.sleep(seconds)

    @property
    def real(self) -> Any:
        """A transport that knows its world."""
        return self._real

    def on_loop(self) -> Slow:
        """Serve coroutines."""
        self._real = for_loops(lambda: "", lambda: "", lambda scheme, place: "")
        self.later = self._real.later  # type: ignore[attr-defined]
        return self


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_renewals_run_beside_and_once(backend: str) -> None:
    """Stale hits come at once while a slow renewal is on its way."""
    cache = Cache(MemoryStore(), ttl_seconds=10, stale_seconds=20)
    transport = Slow(whole("old"), whole("new")).on_loop()
    fiber, _ = scripted(cache=cache, cache_policy="write_through", transport=transport)

    async def main() -> list[str]:
        transport.gate.set()
        said = [await fiber.ask("Hi")]
        transport.gate.clear()
        transport.clock = 15
        said += [await fiber.ask("Hi") for _ in range(5)]
        transport.gate.set()
        while cache.stats.writes < 2:  # noqa: ASYNC110 - a cache has no event to wait for
            await anyio.sleep(0.001)
        return [*said, await fiber.ask("Hi")]

    assert anyio.run(main, backend=backend) == ["old"] * 6 + ["new"]
    assert (cache.stats.refreshes, len(transport.requests)) == (1, 2)


# -- the same at the same time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_stampede_is_one_request(backend: str) -> None:
    """A hundred tasks, one answer; all but one are marked as cached."""
    transport = Slow(whole("Hello")).on_loop()
    fiber, _ = scripted(cache=(cache := Cache()), cache_policy="write_through", transport=transport)
    results: list[ChatResult] = []

    async def one() -> None:
        results.append(await fiber.chat("Hi"))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(one)
            await anyio.sleep(0.01)
            transport.gate.set()

    anyio.run(main, backend=backend)

    assert [result.text for result in results] == ["Hello"] * 100
    assert sum(result.cached for result in results) == 99
    assert (len(transport.requests), cache.stats.coalesced, cache.stats.misses) == (1, 99, 1)


class SlowThreads(Slow):
    """The same for threads."""

    def __init__(self, *script: Any) -> None:
        from fiber.transports.blocking import Threads

        super().__init__(*script)
        self._real = Threads()


def test_a_stampede_of_threads_is_one_request() -> None:
    """Also with `read_through`, where nothing is stored."""
    transport = SlowThreads(whole("Hello"))
    fiber, _ = scripted(cache=(cache := Cache()), cache_policy="read_through", transport=transport)

    with ThreadPoolExecutor(20) as pool:
        work = [pool.submit(fiber.sync.ask, "Hi") for _ in range(20)]
        transport.begun.wait(10)
        eventually(lambda: not pool._work_queue.qsize())
        run_sync(transport.sleep(0.05))
        transport.gate.set()
        said = [future.result() for future in work]

    assert said == ["Hello"] * 20
    assert len(transport.requests) == 1
    assert cache.stats.coalesced == 19


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_followers_of_a_cancelled_leader_go_on(backend: str) -> None:
    """One of them asks then, for all."""
    transport = Slow(whole("Hello")).on_loop()
    fiber, _ = scripted(cache=Cache(), cache_policy="write_through", transport=transport)
    said: list[str] = []

    async def follow() -> None:
        said.append(await fiber.ask("Hi"))

    async def lead(scope: anyio.CancelScope) -> None:
        with scope:
            await fiber.ask("Hi")

    async def main() -> None:
        async with anyio.create_task_group() as group:
            scope = anyio.CancelScope()
            group.start_soon(lead, scope)
            while not transport.begun.is_set():
                await anyio.lowlevel.checkpoint()
            for _ in range(5):
                group.start_soon(follow)
            await anyio.sleep(0.01)
            scope.cancel()
            await anyio.sleep(0.01)
            transport.gate.set()

    anyio.run(main, backend=backend)

    assert said == ["Hello"] * 5
    assert len(transport.requests) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_refusal_is_shared_and_not_kept(backend: str) -> None:
    """Each gets an error of his own; the next call asks again."""
    transport = Slow(refused(400), whole("Hello")).on_loop()
    fiber, _ = scripted(cache=Cache(), cache_policy="write_through", transport=transport)
    errors: list[BaseException] = []

    async def one() -> None:
        try:
            await fiber.chat("Hi")
        except FiberBadRequestError as error:
            errors.append(error)

    async def main() -> str:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(one)
            await anyio.sleep(0.01)
            transport.gate.set()
        return await fiber.ask("Hi")

    assert anyio.run(main, backend=backend) == "Hello"
    assert len({id(error) for error in errors}) == 5
    assert sorted(len(error.attempts) for error in errors) == [0, 0, 0, 0, 1]  # type: ignore[attr-defined]
    assert len(transport.requests) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_timer_is_not_shared(backend: str) -> None:
    """A leader with less time does not take it from the others; a follower keeps to its own."""
    transport = Slow(FiberTimeoutError("late", timer="total"), whole("Hello")).on_loop()
    transport.now = transport.real.now  # type: ignore[method-assign]
    fiber, _ = scripted(cache=Cache(), cache_policy="write_through", transport=transport)
    said: list[Any] = []

    async def one(timeout: float) -> None:
        try:
            said.append(await fiber.ask("Hi", timeout=timeout))
        except FiberTimeoutError as error:
            said.append((error.timer, error.outcome))

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(one, 30)
            while not transport.begun.is_set():
                await anyio.lowlevel.checkpoint()
            group.start_soon(one, 60)
            await one(0.02)
            transport.gate.set()

    anyio.run(main, backend=backend)

    assert said[0] == ("total", "not_sent")
    assert set(said[1:]) == {("total", "rejected"), "Hello"}


def test_an_answer_that_came_meanwhile_is_taken() -> None:
    """Between the first look and the turn to ask, another call may have stored it."""
    cache = Cache()
    fiber, transport, _ = cached(whole("Hello"), cache=cache)

    class Meanwhile:
        """Has another call ask, just when this one has looked and found nothing."""

        def __init__(self) -> None:
            self.join = cache._flights.join

        def __call__(self, key: str) -> Any:
            cache._flights.join = self.join  # type: ignore[method-assign]
            fiber.sync.ask("Hi")
            return self.join(key)

    cache._flights.join = Meanwhile()  # type: ignore[method-assign]

    assert fiber.sync.chat("Hi").cached
    assert len(transport.requests) == 1


def test_coalescing_can_be_left_out() -> None:
    """Then a miss asks at once."""
    fiber, _, cache = cached(whole(), cache=Cache(coalesce=False))

    assert [fiber.sync.chat("Hi").cached for _ in range(2)] == [False, True]
    assert cache.stats == CacheStats(hits=1, misses=1, writes=1)


def test_layers_above_see_a_hit_and_those_below_do_not() -> None:
    """The ending of a hit has no usage."""
    above, below = Watch(), Watch()
    fiber, _ = scripted(whole(), layers=(above, Cache(), below), cache_policy="write_through")

    for _ in range(2):
        fiber.sync.chat("Hi")

    assert [(ending.cached, ending.usage is None) for ending in above.endings] == [(False, False), (True, True)]
    assert len(below.calls) == 1


def test_a_failure_of_any_kind_frees_the_followers() -> None:
    """A layer below that raises what it should not leaves nobody waiting."""

    async def bad(call: Call, next: Handler) -> Reply:
        raise FiberConnectionError("no") if len(failures) else ZeroDivisionError

    failures: list[str] = []
    fiber, _ = scripted(layers=(cache := Cache(), bad), cache_policy="write_through")
    for kind in (ZeroDivisionError, FiberConnectionError):
        with pytest.raises(kind):
            fiber.sync.chat("Hi")
        failures.append(kind.__name__)

    assert cache._flights._flights == {}


def test_the_answer_of_a_fallback_is_not_kept() -> None:
    """It is not that of the model that was asked for."""
    fiber, transport, cache = cached(refused(503), whole("other"), whole("own"), retry=NO_RETRY)
    said = [fiber.sync.chat("Hi", fallback=["openai:other"]) for _ in range(3)]

    assert [(result.text, result.cached) for result in said] == [("other", False), ("own", False), ("own", True)]
    assert cache.stats.writes == 1
    assert len(transport.requests) == 3
