"""Calls wait for their turn."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, get_ident
from typing import Any

import anyio
import pytest
import trio
from trio.testing import MockClock

from fiber import (
    NO_RETRY,
    Fiber,
    FiberConnectionError,
    FiberError,
    FiberFallbackError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberRateLimitError,
    FiberValidationError,
    MemoryStore,
    RateLimit,
    RateLimiter,
    RetryPolicy,
    Timeouts,
    default_layers,
)
from fiber.stores.base import Turn
from fiber.testing.fake import EPOCH, FakeTransport, json_reply, sse_reply
from fiber.transports.choice import for_loops
from tests.kit import START, answer, eventually, piece, refused, scripted, streamed, whole

SLOW = RateLimit(requests=6)
"""One comes in ten seconds, and no more than one is kept."""


def limited(*script: Any, limit: RateLimit = SLOW, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client with one limit over *script*."""
    traits = {name: options.pop(name) for name in ("store", "on_failure", "learn") if name in options}
    limiter = RateLimiter({"openai": limit}, **traits)
    return scripted(*script, rate_limits=limiter, **{"retry": NO_RETRY, **options})


def turns(fiber: Fiber, transport: FakeTransport, count: int, **options: Any) -> list[float]:
    """Make *count* calls one after another; return how long each waited."""
    waits = []
    for _ in range(count):
        before = len(transport.slept)
        fiber.sync.chat("Hi", **options)
        waits.append(round(sum(transport.slept[before:]), 6))
    return waits


async def on_loop(fiber: Fiber) -> Any:
    """Call asynchronously."""
    return await fiber.chat("Hi")


async def on_stream(fiber: Fiber) -> Any:
    """Stream asynchronously."""
    return await fiber.chat_stream("Hi").collect()


WORLDS: dict[str, Callable[[Fiber], Any]] = {
    "asyncio": lambda fiber: anyio.run(on_loop, fiber, backend="asyncio"),
    "trio": lambda fiber: anyio.run(on_loop, fiber, backend="trio"),
    "blocking": lambda fiber: fiber.sync.chat("Hi"),
    "asyncio stream": lambda fiber: anyio.run(on_stream, fiber, backend="asyncio"),
    "trio stream": lambda fiber: anyio.run(on_stream, fiber, backend="trio"),
    "blocking stream": lambda fiber: fiber.sync.chat_stream("Hi").collect(),
}


# -- waiting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_a_call_waits_for_its_turn(world: str) -> None:
    """Ten together after a pause, and then one in a second, in each world."""
    reply = streamed if "stream" in world else whole
    fiber, transport = limited(*(reply() for _ in range(13)), limit=RateLimit(requests=60))

    for _ in range(13):
        result = WORLDS[world](fiber)

    assert transport.slept == [1.0, 1.0, 1.0]
    assert result.receipt.attempts[0].waited_seconds == 1.0


@pytest.mark.parametrize("world", WORLDS)
def test_who_would_wait_too_long_is_refused_at_once(world: str) -> None:
    """Before anything is sent, with the time to wait; nothing is taken."""
    reply = streamed if "stream" in world else whole
    fiber, transport = limited(reply(), reply(), timeouts=Timeouts(total=8))
    WORLDS[world](fiber)
    for _ in range(2):
        with pytest.raises(FiberRateLimitError) as caught:
            WORLDS[world](fiber)
    transport.clock = 2.5
    slept = list(transport.slept)
    WORLDS[world](fiber)

    error = caught.value
    assert (error.outcome, error.retry_after, error.status_code, error.attempts) == ("not_sent", 10.0, None, ())
    assert (error.provider, error.model, error.parameter) == ("openai", "gpt-test", "rate_limits")
    assert not error.is_retryable
    assert slept == []
    assert round(sum(transport.slept), 6) == 7.5
    assert len(transport.requests) == 2


def test_who_waits_longer_than_a_while_asks_again_on_the_way() -> None:
    """After a quarter of what is left, but not more often than once in a second."""
    fiber, transport = limited(whole(), whole())
    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")

    assert transport.slept == [2.5, 1.875, 1.40625, 1.054688, 1.0, 1.0, 1.0, 0.164062]


def test_a_wait_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """With the limit and how long it was; who need not wait says nothing."""
    fiber, _ = limited(whole(), whole())
    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")

    (record,) = [record for record in caplog.records if record.message == "rate_limited"]
    assert (record.__dict__["limit"], record.__dict__["wait_ms"]) == ("openai", 10000.0)


def test_each_attempt_takes_a_turn() -> None:
    """Retries too: this layer is inside of them."""
    once = RetryPolicy(max_attempts=2, max_backoff_seconds=0)
    fiber, transport = limited(refused(503), whole(), retry=once)
    fiber.sync.chat("Hi")

    assert round(sum(transport.slept), 3) == 10
    assert len(transport.requests) == 2


def test_a_retry_that_would_be_too_late_raises_what_was_before() -> None:
    """Why there was to be another attempt says more than that it has no turn."""
    fiber, transport = limited(refused(503), timeouts=Timeouts(total=8), retry=RetryPolicy(max_attempts=4))
    with pytest.raises(FiberOverloadedError):
        fiber.sync.chat("Hi")

    assert len(transport.requests) == 1


def test_the_next_model_is_asked_at_once() -> None:
    """When the first one's turn would be too late; when all are, the error has the shortest wait."""
    limits = {"openai:gpt-test": SLOW, "openai:other": RateLimit(requests=3)}
    fiber, transport = scripted(
        *(whole() for _ in range(2)), rate_limits=limits, timeouts=Timeouts(total=8), fallback=["openai:other"]
    )
    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    with pytest.raises(FiberFallbackError) as caught:
        fiber.sync.chat("Hi")

    assert [request.json()["model"] for request in transport.requests] == ["gpt-test", "other"]
    assert transport.slept == []
    assert (caught.value.retry_after, caught.value.outcome) == (10.0, "not_sent")


def test_calls_without_a_limit_do_not_wait() -> None:
    """Of other providers, and of other models."""
    fiber, transport = scripted(*(whole() for _ in range(3)), rate_limits={"openai:o9": SLOW, "anthropic": SLOW})

    assert turns(fiber, transport, 3) == [0, 0, 0]


def test_without_a_deadline_a_call_waits_as_long_as_it_takes() -> None:
    """Nothing is refused."""
    fiber, transport = limited(whole(), whole(), limit=RateLimit(requests=0.01), timeouts=Timeouts(total=None))

    assert turns(fiber, transport, 2) == [0, pytest.approx(6000)]


def test_each_key_of_a_pool_has_a_line_of_its_own() -> None:
    """Two keys go twice as fast as one; one whose turn would be too late lets the next one go."""
    keys = {"openai": ["first-of-the-keys", "second-of-the-keys"]}
    fiber, transport = limited(*(whole() for _ in range(4)), api_keys=keys, timeouts=Timeouts(total=8))
    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    with pytest.raises(FiberRateLimitError) as caught:
        fiber.sync.chat("Hi")

    assert len(transport.requests) == 2
    assert (caught.value.outcome, caught.value.retry_after, transport.slept) == ("not_sent", 10.0, [])


# -- tokens -------------------------------------------------------------------------------------------------------


def test_what_was_used_is_settled() -> None:
    """A hundred tokens of output are taken at first, of ten that are there, and five used; then five are taken."""
    fiber, transport = limited(*(whole() for _ in range(5)), limit=RateLimit(output_tokens=60))

    assert turns(fiber, transport, 5, max_tokens=100) == [0, 0, 5, 5, 5]


def test_a_call_larger_than_the_whole_goes_when_the_meter_is_full() -> None:
    """And what comes later pays for it: here the answers tell no usage."""
    unknown = json_reply(answer(usage=None))
    fiber, transport = limited(unknown, unknown, limit=RateLimit(output_tokens=60))

    assert turns(fiber, transport, 2, max_tokens=100) == [0, pytest.approx(100, abs=0.01)]


def test_input_counts_by_its_size() -> None:
    """A token for four bytes, until the provider tells."""
    fiber, transport = limited(whole(), whole(), limit=RateLimit(input_tokens=60, tokens=60_000))
    fiber.sync.chat("x" * 4000)
    fiber.sync.chat("Hi")

    assert transport.slept == []


ENDINGS: dict[str, Callable[[Fiber], None]] = {}


def ending(function: Callable[[Fiber], None]) -> Callable[[Fiber], None]:
    """Note a way to end a stream before its end."""
    ENDINGS[function.__name__] = function
    return function


@ending
def closed(fiber: Fiber) -> None:
    """Leave the block."""
    with fiber.sync.chat_stream("Hi", max_tokens=20) as stream:
        next(stream)


@ending
def cancelled(fiber: Fiber) -> None:
    """Cancel it."""
    stream = fiber.sync.chat_stream("Hi", max_tokens=20)
    next(stream)
    stream.cancel()


@ending
def dropped(fiber: Fiber) -> None:
    """Forget it."""
    next(iter(fiber.sync.chat_stream("Hi", max_tokens=20)))


@ending
def cut(fiber: Fiber) -> None:
    """Lose the connection."""
    with pytest.raises(FiberError):
        fiber.sync.chat_stream("Hi", max_tokens=20).collect()


@pytest.mark.parametrize("how", ENDINGS)
def test_a_left_stream_counts_as_what_was_taken(how: str) -> None:
    """Nobody knows how much came; its place is free again."""
    broken = sse_reply(START, piece("Hello"), cut=True)
    fiber, transport = limited(broken, whole(), limit=RateLimit(output_tokens=60, concurrency=1))
    ENDINGS[how](fiber)

    assert turns(fiber, transport, 1, max_tokens=5) == [pytest.approx(15)]


# -- failures -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "wait"),
    [
        (FiberConnectionError("no", outcome="not_sent"), 0.0),
        (FiberConnectionError("lost", outcome="unknown"), 25.0),
        (refused(400), 10.0),
    ],
    ids=["not sent", "unknown", "rejected"],
)
def test_what_a_failed_attempt_took_depends_on_what_is_known(failure: Any, wait: float) -> None:
    """Nothing when it was not sent; a request when it was rejected; all when nobody knows."""
    limit = RateLimit(requests=6, output_tokens=60)
    fiber, transport = limited(failure, whole(), limit=limit)
    with pytest.raises(FiberError):
        fiber.sync.chat("Hi", max_tokens=25)

    assert turns(fiber, transport, 1, max_tokens=25) == [pytest.approx(wait, abs=0.01)]


def test_what_is_refused_before_it_is_sent_takes_nothing() -> None:
    """A parameter that the format does not have."""
    fiber, transport = limited(whole())
    with pytest.raises(FiberError):
        fiber.sync.chat("Hi", top_k=3)

    assert turns(fiber, transport, 1) == [0]


# -- learning -----------------------------------------------------------------------------------------------------


def test_a_lower_limit_in_the_headers_holds() -> None:
    """Sixty in a minute were configured; the provider says six."""
    replies = [whole(x_ratelimit_limit_requests="6") for _ in range(3)]
    fiber, transport = limited(*replies, limit=RateLimit(requests=60))
    blind, other = limited(*replies, limit=RateLimit(requests=60), learn=False)

    assert turns(fiber, transport, 3) == [0, 0, pytest.approx(10, abs=0.01)]
    assert turns(blind, other, 3) == [0, 0, 0]


@pytest.mark.parametrize("world", ["blocking", "blocking stream"])
def test_what_the_headers_say_is_left_counts(world: str) -> None:
    """Others use the same key."""
    reply = streamed if "stream" in world else whole
    replies = reply(x_ratelimit_remaining_requests="0"), reply(), reply()
    fiber, transport = limited(*replies, limit=RateLimit(requests=60))
    for _ in range(3):
        WORLDS[world](fiber)

    assert transport.slept == [1.0, 1.0]


def test_a_refusal_closes_the_line_for_as_long_as_the_provider_says() -> None:
    """And makes the pace slower; so the next call waits for that, and for its turn."""
    replies = refused(429, retry_after="30"), whole(), whole()
    fiber, transport = limited(*replies, limit=RateLimit(requests=60))
    blind, other = limited(*replies, limit=RateLimit(requests=60), learn=False)
    for client in (fiber, blind):
        with pytest.raises(FiberRateLimitError):
            client.sync.chat("Hi")

    assert turns(fiber, transport, 2) == [pytest.approx(30 + 1 / 0.95, abs=0.001), pytest.approx(1 / 0.95, abs=0.001)]
    assert turns(blind, other, 2) == [0, 0]


def test_a_refusal_closes_the_line_for_two_minutes_at_most() -> None:
    """A longer time may be a mistake, and the next call asks again."""
    fiber, transport = limited(refused(429, retry_after="999999999"), whole(), limit=RateLimit(requests=60))
    with pytest.raises(FiberRateLimitError):
        fiber.sync.chat("Hi")

    assert turns(fiber, transport, 1) == [pytest.approx(121.053, abs=0.001)]


def test_the_lessons_of_very_many_keys_are_bounded() -> None:
    """Those not used for longest are forgotten."""
    limiter = RateLimiter({"openai": SLOW})
    fiber, _ = scripted(whole(), rate_limits=limiter)
    limiter._lessons.update({str(number): object() for number in range(1024)})  # type: ignore[misc]
    fiber.sync.chat("Hi")

    assert len(limiter._lessons) == 1024
    assert "0" not in limiter._lessons


# -- many at one time ---------------------------------------------------------------------------------------------


class OnTrio(FakeTransport):
    """A script over trio's clock; an answer takes five seconds."""

    def __init__(self, *script: Any, seconds: float = 5.0) -> None:
        super().__init__(*script)
        self.seconds = seconds
        self.sent: list[float] = []
        self.most = self.running = 0

    def now(self) -> float:
        """Return trio's time."""
        return trio.current_time()

    def wall(self) -> float:
        """Return it as a date."""
        return EPOCH + trio.current_time()

    async def sleep(self, seconds: float) -> None:
        """Let others go on."""
        await trio.sleep(seconds)

    async def open(self, *arguments: Any) -> Any:
        """Answer after a while."""
        self.sent.append(round(trio.current_time() - began(), 2))
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await trio.sleep(self.seconds)
            return await super().open(*arguments)
        finally:
            self.running -= 1


STARTED: list[float] = []


def began() -> float:
    """Return when the run began, on trio's clock."""
    return STARTED[-1]


def together(main: Callable[[], Any]) -> None:
    """Run on a virtual clock."""

    async def run() -> None:
        STARTED.append(trio.current_time())
        await main()

    trio.run(run, clock=MockClock(autojump_threshold=0))


def test_who_comes_first_goes_first() -> None:
    """Thirty callers at once: each at its moment, in their order."""
    transport = OnTrio(*(whole() for _ in range(30)))
    fiber, _ = limited(limit=RateLimit(requests=60), transport=transport)
    done: list[int] = []

    async def one(number: int) -> None:
        await trio.sleep(number / 1000)
        await fiber.chat("Hi")
        done.append(number)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(one, number)

    together(main)

    assert transport.sent[10:] == [pytest.approx(number + 1, abs=0.05) for number in range(20)]
    assert done == list(range(30))


def test_so_many_run_at_one_time() -> None:
    """Ten calls of five seconds, two at a time; the third goes when the first is over."""
    transport = OnTrio(*(whole() for _ in range(10)))
    fiber, _ = limited(limit=RateLimit(concurrency=2), transport=transport)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(fiber.chat, "Hi")

    together(main)

    assert transport.most == 2
    assert transport.sent[-1] == pytest.approx(20, abs=0.5)


def test_a_stream_has_its_place_until_it_ends() -> None:
    """The next one goes then."""
    transport = OnTrio(streamed(), whole(), seconds=0)
    fiber, _ = limited(limit=RateLimit(concurrency=1), transport=transport)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            async with fiber.chat_stream("Hi") as stream:
                await anext(stream)
                nursery.start_soon(fiber.chat, "Hi")
                await trio.sleep(7)

    together(main)

    assert transport.sent == [0, pytest.approx(7, abs=0.05)]


def test_a_place_that_does_not_become_free_is_waited_for_until_the_deadline() -> None:
    """The call is refused then, before it is sent."""
    fiber, transport = limited(streamed(), limit=RateLimit(concurrency=1), timeouts=Timeouts(total=3))
    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)
        with pytest.raises(FiberRateLimitError) as caught:
            fiber.sync.chat("Hi")

    assert caught.value.outcome == "not_sent"
    assert 2.9 < sum(transport.slept) <= 3.0001  # to within a step of the waiting


def test_who_is_cancelled_while_waiting_gives_back_what_was_taken() -> None:
    """Those behind move up."""
    transport = OnTrio(*(whole() for _ in range(3)))
    fiber, _ = limited(transport=transport)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fiber.chat, "Hi")
            await trio.sleep(0.1)
            for seconds in (5, 100):
                nursery.start_soon(patiently, seconds)
                await trio.sleep(0.1)

    async def patiently(seconds: float) -> None:
        with trio.move_on_after(seconds):
            await fiber.chat("Hi")

    together(main)

    assert transport.sent == [0, pytest.approx(10, abs=0.05)]


def test_a_stream_that_is_cancelled_while_it_waits_is_not_sent() -> None:
    """By another task; and what it wanted is free."""
    transport = OnTrio(whole(), streamed())
    fiber, _ = limited(transport=transport)

    async def main() -> None:
        await fiber.chat("Hi")
        stream = fiber.chat_stream("Hi")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, stream)
            await trio.sleep(1)
            stream.cancel()
        assert trio.current_time() - began() < 10
        await fiber.chat_stream("Hi").collect()

    async def read(stream: Any) -> None:
        assert [event async for event in stream] == []

    together(main)

    assert transport.sent == [0, pytest.approx(10, abs=0.05)]


def test_a_call_that_is_cancelled_on_the_wire_counts() -> None:
    """The provider may have done it; its place is free again."""
    transport = OnTrio(whole())
    fiber, _ = limited(limit=RateLimit(requests=6, concurrency=1), transport=transport)

    async def main() -> None:
        with trio.move_on_after(2):
            await fiber.chat("Hi")
        await fiber.chat("Hi")

    together(main)

    assert transport.sent == [0, pytest.approx(10, abs=0.05)]


# -- the store ----------------------------------------------------------------------------------------------------


class Slow(MemoryStore):
    """A store that waits, as one over a network does."""

    quick = False

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []
        self.gate, self.begun = Event(), Event()
        self.gate.set()

    def take(self, *arguments: Any, **options: Any) -> Turn:
        """Wait for the gate."""
        self.threads.append(get_ident())
        self.begun.set()
        self.gate.wait(10)
        return super().take(*arguments, **options)

    def leave(self, *arguments: Any, **options: Any) -> None:
        """Note where."""
        self.threads.append(get_ident())
        super().leave(*arguments, **options)


class OnLoop(FakeTransport):
    """A script over a loop that can wait for threads."""

    def __init__(self, *script: Any) -> None:
        super().__init__(*script)
        real: Any = for_loops(lambda: "", lambda: "", lambda scheme, place: "")
        self.aside, self.detach = real.aside, real.detach


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_store_that_waits_holds_no_loop(backend: str) -> None:
    """It is used in threads."""
    store = Slow()
    transport = OnLoop(whole(), streamed())
    fiber, _ = limited(store=store, transport=transport, limit=RateLimit(requests=60))

    async def main() -> None:
        await fiber.chat("Hi")
        await fiber.chat_stream("Hi").collect()

    anyio.run(main, backend=backend)
    eventually(lambda: len(store.threads) == 4)

    assert get_ident() not in store.threads
    assert len(transport.requests) == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_is_cancelled_while_it_takes_a_turn_has_none(backend: str) -> None:
    """What the store gave to nobody is given back."""
    store = Slow()
    store.gate.clear()
    transport = OnLoop(whole())
    fiber, _ = limited(store=store, transport=transport)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(fiber.chat, "Hi")
            while not store.begun.is_set():  # noqa: ASYNC110 - it is set in a thread
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
        store.gate.set()
        eventually(lambda: len(store.threads) >= 2)
        await fiber.chat("Hi")

    anyio.run(main, backend=backend)

    assert len(transport.requests) == 1
    assert transport.slept == []


class Broken(MemoryStore):
    """A store that fails."""

    def take(self, *arguments: Any, **options: Any) -> Turn:
        """Fail."""
        raise OSError("down")


def test_while_the_store_fails_calls_go_on_or_not(caplog: pytest.LogCaptureFixture) -> None:
    """As was chosen; failures are counted, and told once in a minute."""
    limiter = RateLimiter({"openai": SLOW}, store=Broken())
    fiber, transport = scripted(*(whole() for _ in range(3)), rate_limits=limiter)
    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    transport.clock = 61
    fiber.sync.chat("Hi")
    strict, other = limited(whole(), store=Broken(), on_failure="refuse", retry=RetryPolicy())
    with pytest.raises(FiberRateLimitError, match="cannot be checked") as caught:
        strict.sync.chat("Hi")

    assert limiter.failures == 3
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "rate_limit_error"
    ] * 3
    assert (caught.value.outcome, other.requests, transport.slept) == ("not_sent", [], [])


def test_a_turn_that_cannot_be_ended_breaks_no_call() -> None:
    """It ends by itself."""

    class Forgetful(MemoryStore):
        def leave(self, *arguments: Any, **options: Any) -> None:
            raise OSError("down")

    limiter = RateLimiter({"openai": RateLimit(concurrency=1)}, store=Forgetful())
    fiber, transport = scripted(whole(), whole(), rate_limits=limiter, timeouts=Timeouts(total=5))
    fiber.sync.chat("Hi")
    with pytest.raises(FiberRateLimitError):
        fiber.sync.chat("Hi")
    transport.clock = 66

    assert fiber.sync.ask("Hi") == "Hello"
    assert limiter.failures == 2


# -- configuration ------------------------------------------------------------------------------------------------


def test_limits_are_checked_when_they_are_made() -> None:
    """Names, values and the word for failures; and a provider that nobody knows is no silent mistake."""
    wrong: list[Callable[[], Any]] = [
        lambda: RateLimiter({"": SLOW}),
        lambda: RateLimiter({":gpt": SLOW}),
        lambda: RateLimiter({"openai": 5}),  # type: ignore[dict-item]
        lambda: RateLimiter({}, on_failure="hope"),  # type: ignore[arg-type]
        lambda: Fiber(rate_limits={"openai": SLOW}, layers=default_layers()),
    ]
    for make in wrong:
        with pytest.raises(FiberValidationError) as caught:
            make()
        assert caught.value.parameter == "rate_limits"
    with pytest.raises((FiberValidationError, FiberModelNotFoundError), match="opnai"):
        Fiber(rate_limits={"opnai": SLOW})


def test_the_layer_is_inside_of_retries_and_outside_of_the_breaker() -> None:
    """A client without limits has none."""
    limiter = RateLimiter({"openai": SLOW})
    *_, innermost = default_layers(rate_limits=limiter)

    assert innermost is limiter
    assert len(default_layers()) == len(default_layers(rate_limits=limiter)) - 1
