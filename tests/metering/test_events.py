"""Business events, and who is told of them."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import subprocess
import sys
import threading
from collections import Counter
from decimal import Decimal
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiber import (
    NO_RETRY,
    BusinessEvent,
    Cache,
    Events,
    Fiber,
    FiberAuthError,
    FiberError,
    FiberStreamInterruptedError,
    FiberValidationError,
)
from fiber.testing.fake import FakeReply, sse_reply
from tests.kit import START, eventually, piece, refused, scripted, streamed, whole
from tests.layers.test_budget import WORLDS, Flat

SIX = pytest.mark.parametrize("world", WORLDS)
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def told(*script: Any, **options: Any) -> tuple[Fiber, list[BusinessEvent]]:
    """Make a client over *script*, and the list of what it tells; complete once the client is closed."""
    events: list[BusinessEvent] = []
    fiber, _ = scripted(*script, on_event=events.append, prices=Flat(), **options)
    return fiber, events


def types(events: list[BusinessEvent]) -> list[str]:
    """Return the types of *events*."""
    return [event.event_type for event in events]


def reply_of(world: str) -> FakeReply:
    """Return the answer that fits."""
    return streamed() if "stream" in world else whole()


def numbers(fiber: Fiber) -> dict[str, Any]:
    """Return what the metrics count of what events tell."""
    snapshot = fiber.metrics.snapshot()
    return {
        "request": snapshot.total("request_count"),
        "response": snapshot.total("request_count", ok="true"),
        "error": snapshot.total("error_count"),
        "cache_hit": snapshot.total("cache_hit_count"),
        "cache_write": snapshot.total("cache_write_count"),
        "input_tokens": snapshot.total("tokens_in"),
        "output_tokens": snapshot.total("tokens_out"),
        "total_tokens": snapshot.total("tokens_total"),
        "cost_usd": snapshot.total("estimated_cost_usd"),
    }


def sums(events: list[BusinessEvent]) -> dict[str, Any]:
    """Return the same, of *events*."""
    used: list[Any] = [event.payload for event in events if event.event_type == "token_usage"]
    kinds = Counter(types(events))
    words = ("request", "response", "error", "cache_hit", "cache_write")
    tokens = ("input_tokens", "output_tokens", "total_tokens")
    return {
        **{word: kinds[word] for word in words},
        **{name: sum(getattr(payload, name) or 0 for payload in used) for name in tokens},
        "cost_usd": sum((payload.cost_usd or 0 for payload in used), Decimal(0)),
    }


# -- each call once -----------------------------------------------------------------------------------------------


@SIX
def test_a_call_is_told_once(world: str) -> None:
    """In its order, in each world, with the numbers of the metrics."""
    fiber, events = told(reply_of(world))

    WORLDS[world](fiber)
    fiber.sync.close()

    assert types(events) == ["request", "provider_call", "token_usage", "response"]
    assert sums(events) == numbers(fiber)
    assert len({event.event_id for event in events}) == 4
    assert len({event.call_id for event in events}) == 1


@SIX
def test_a_failed_call_is_told_once(world: str) -> None:
    """All its attempts, and one error."""
    fiber, events = told(refused(503), refused(401))

    with pytest.raises(FiberAuthError):
        WORLDS[world](fiber)
    fiber.sync.close()

    assert types(events) == ["request", "provider_call", "provider_call", "error"]
    assert sums(events) == numbers(fiber)


@SIX
def test_a_hit_of_the_cache_is_told_once(world: str) -> None:
    """Its answer was written once, used up nothing and asked nobody."""
    fiber, events = told(reply_of(world), cache=Cache(), cache_policy="write_through")

    for _ in range(2):
        WORLDS[world](fiber)
    fiber.sync.close()

    assert sorted(types(events)[:5]) == ["cache_write", "provider_call", "request", "response", "token_usage"]
    assert types(events)[5:] == ["request", "cache_hit", "response"]
    assert sums(events) == numbers(fiber)


@BACKENDS
def test_a_cancelled_call_is_told_once(backend: str) -> None:
    """As an error with the outcome `cancelled`; a stream that was never opened is no call."""
    begun = anyio.Event()

    async def waits(call: Any, next: Any) -> Any:
        begun.set()
        await anyio.sleep_forever()

    async def give_up() -> None:
        await fiber.chat_stream("Hi").close()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fiber.chat, "Hi")
            await begun.wait()
            tasks.cancel_scope.cancel()
        await fiber.close()

    fiber, events = told(layers=(waits,))

    anyio.run(give_up, backend=backend)

    assert types(events) == ["request", "error"]
    assert events[1].payload.outcome == "cancelled"  # type: ignore[union-attr]
    assert sums(events) == numbers(fiber)


CASES: dict[str, Any] = {
    "whole": ([whole()], lambda fiber: fiber.sync.chat("Hi")),
    "streamed": ([streamed()], lambda fiber: fiber.sync.chat_stream("Hi").collect()),
    "retried": ([refused(503), whole()], lambda fiber: fiber.sync.chat("Hi")),
    "refused": ([refused(401)], lambda fiber: fiber.sync.chat("Hi")),
    "cut": ([sse_reply(START, piece("a"))], lambda fiber: fiber.sync.chat_stream("Hi").collect()),
    "left": ([streamed("a", "b")], lambda fiber: next(iter(fiber.sync.chat_stream("Hi")))),
    "fallback": (
        [refused(503), whole()],
        lambda fiber: fiber.with_options(retry=NO_RETRY).sync.chat("Hi", fallback=["openai:second"]),
    ),
    "batch": (
        [whole(), refused(401), whole()],
        lambda fiber: fiber.sync.batch_chat("abc", concurrency=1, return_exceptions=True),
    ),
    "cached": (
        [whole()],
        lambda fiber: [fiber.sync.chat("Hi", cache_policy=policy) for policy in ("refresh", "write_through")],
    ),
    "raw": ([whole()], lambda fiber: fiber.sync.request("GET", "/models", provider="openai")),
    "wrong": ([], lambda fiber: fiber.sync.chat("Hi", temperature=-1)),
}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(CASES)), max_size=6))
def test_events_and_metrics_agree(names: list[str]) -> None:
    """Whatever is called, in whatever order: calls, outcomes, tokens and costs to the last unit."""
    fiber, events = told(*(reply for name in names for reply in CASES[name][0]), cache=Cache())

    for name in names:
        try:
            CASES[name][1](fiber)
        except FiberError:
            assert name in ("refused", "cut", "wrong")
        gc.collect()
    fiber.sync.close()

    assert sums(events) == numbers(fiber)


def test_calls_of_threads_are_told() -> None:
    """Those of a batch in blocking code: each of a hundred, each in its own order."""
    fiber, events = told(*(whole() for _ in range(100)))

    fiber.sync.batch_chat([str(number) for number in range(100)], concurrency=4)
    fiber.sync.close()
    calls: dict[str, list[str]] = {}
    for event in events:
        calls.setdefault(event.call_id, []).append(event.event_type)

    assert len(calls) == 100
    assert set(map(tuple, calls.values())) == {("request", "provider_call", "token_usage", "response")}


def test_clients_may_share_their_events() -> None:
    """Views always do."""
    events: list[BusinessEvent] = []
    shared = Events(events.append)
    first, _ = scripted(whole(), whole(), on_event=shared)
    second, _ = scripted(whole(), on_event=shared)

    first.sync.chat("Hi")
    first.bind(run="r").sync.chat("Hi")
    second.sync.chat("Hi")
    second.sync.close()

    assert Counter(types(events))["response"] == 3


# -- handlers of their own thread ---------------------------------------------------------------------------------


def test_a_slow_handler_holds_up_nobody() -> None:
    """It is given one event after another on a thread; what finds too many waiting is dropped and counted."""
    gate, seen = threading.Event(), []

    def slow(event: BusinessEvent) -> None:
        seen.append((event, threading.current_thread()))
        assert gate.wait(10)

    events = Events(slow, limit=4)
    fiber, _ = scripted(*(whole() for _ in range(5)), on_event=events)

    fiber.sync.chat("Hi")
    eventually(lambda: len(seen) == 1)
    for _ in range(4):
        fiber.sync.chat("Hi")
    dropped = events.dropped
    gate.set()
    fiber.sync.close()

    assert {thread for _, thread in seen}.isdisjoint({threading.current_thread()})
    assert dropped == events.dropped >= 20 - 4 - 4
    assert len(seen) == 20 - dropped


def test_a_failing_handler_fails_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Each failure is counted; the log hears of it once in a minute, and of the error's class alone."""

    def broken(event: BusinessEvent) -> None:
        raise SystemExit("canary")

    events = Events(broken)
    fiber, transport = scripted(*(whole() for _ in range(3)), on_event=events, layers=())

    for seconds in (0, 59, 61):
        transport.clock = seconds
        assert fiber.sync.ask("Hi") == "Hello"
    fiber.sync.close()
    said = [record for record in caplog.records if record.message == "event_error"]

    assert events.failures == 12
    assert [(record.levelno, record.name) for record in said] == [(logging.WARNING, "fiber")] * 2
    assert [vars(record)["failures"] for record in said] == [1, 9]
    assert vars(said[0])["error_kind"] == "SystemExit"
    assert "canary" not in caplog.text


def test_a_stream_that_is_dropped_is_told() -> None:
    """Wherever Python collects it."""
    fiber, events = told(streamed("a", "b"))
    stream = fiber.sync.chat_stream("Hi")
    next(iter(stream))

    del stream
    gc.collect()
    fiber.sync.close()

    assert types(events)[-1] == "error"


def test_what_waits_is_handed_over_at_the_end_of_the_process() -> None:
    """Also when nobody closed the client; a handler that hangs holds up its end for no longer than the bound."""
    probe = (
        "import sys, threading\n"
        "from fiber import Fiber\n"
        "from fiber.metering import courier\n"
        "from fiber.testing.fake import FakeTransport, json_reply\n"
        "courier._CLOSE_SECONDS = 0.2\n"
        "def handler(event):\n"
        "    print(event.event_type, flush=True)\n"
        "    if event.event_type == 'response':\n"
        "        threading.Event().wait()\n"
        "reply = json_reply({'choices': [{'message': {'content': 'Hi'}}], 'usage': {'prompt_tokens': 1}})\n"
        "fiber = Fiber(api_keys={'openai': 'k'}, transport=FakeTransport(reply), on_event=handler)\n"
        "fiber.sync.chat('Hi', model='gpt-5')\n"
    )

    output = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True, timeout=60)

    assert output.stdout.split() == ["request", "provider_call", "token_usage", "response"]
    assert output.stderr == ""


# -- handlers on a loop -------------------------------------------------------------------------------------------


@BACKENDS
def test_a_coroutine_function_runs_on_the_loop_of_the_call(backend: str) -> None:
    """So that what it holds of that loop works; closing the client hands over what waits."""
    events: list[BusinessEvent] = []

    async def main() -> None:
        lock = anyio.Lock()  # of this loop

        async def handler(event: BusinessEvent) -> None:
            async with lock:
                await anyio.lowlevel.checkpoint()
                events.append(event)

        fiber, _ = scripted(whole(), streamed(), on_event=handler)
        await fiber.chat("Hi")
        await fiber.chat_stream("Hi").collect()
        await fiber.close()

    anyio.run(main, backend=backend)

    assert types(events) == ["request", "provider_call", "token_usage", "response"] * 2


@BACKENDS
def test_a_coroutine_function_cannot_end_its_loop(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor can a log that is broken, too."""

    def broken(record: logging.LogRecord) -> bool:
        raise OSError("canary")

    async def handler(event: BusinessEvent) -> None:
        raise SystemExit(event.event_type)

    async def main() -> str:
        async with scripted(whole(), on_event=events, layers=())[0] as fiber:
            return await fiber.ask("Hi")

    events = Events(handler)
    monkeypatch.setattr(logging.getLogger("fiber"), "filters", [broken])

    assert anyio.run(main, backend=backend) == "Hello"
    assert events.failures == 4


@BACKENDS
def test_a_coroutine_function_that_fails_or_hangs_fails_nobody(
    backend: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing waits for it no longer than the bound; the end of the loop drops what waits, and counts it."""
    monkeypatch.setattr("fiber.metering.events._CLOSE_SECONDS", 0.01)

    async def handler(event: BusinessEvent) -> None:
        if event.event_type == "request":
            raise KeyError("canary")
        await anyio.sleep_forever()

    events = Events(handler)

    async def main() -> None:
        fiber, _ = scripted(whole(), on_event=events)
        assert await fiber.ask("Hi") == "Hello"
        await fiber.close()

    anyio.run(main, backend=backend)

    assert events.failures == 1
    assert events.dropped == 2
    assert "canary" not in caplog.text


def test_a_coroutine_function_is_refused_without_a_loop() -> None:
    """Before anything is sent; it is no call, and closing is fine."""

    async def handler(event: BusinessEvent) -> None:
        raise AssertionError

    fiber, transport = scripted(whole(), on_event=handler)

    with pytest.raises(FiberValidationError, match="plain function") as caught:
        fiber.sync.chat("Hi")
    fiber.sync.close()

    assert (caught.value.parameter, caught.value.outcome) == ("on_event", "not_sent")
    assert transport.requests == []
    assert numbers(fiber)["request"] == 0


def test_blocking_calls_inside_a_loop_are_told_on_it() -> None:
    """When it goes on; a blocking close does not wait for what it blocks itself."""
    events: list[BusinessEvent] = []

    async def handler(event: BusinessEvent) -> None:
        events.append(event)

    async def main() -> None:
        fiber, _ = scripted(whole(), on_event=handler)
        fiber.sync.chat("Hi")
        fiber.sync.close()
        assert events == []
        await fiber.close()

    asyncio.run(main())

    assert types(events) == ["request", "provider_call", "token_usage", "response"]


class Handler:
    """One with a state."""

    async def __call__(self, event: BusinessEvent) -> None:
        """Take *event*."""


@pytest.mark.parametrize("handler", [Handler(), functools.partial(Handler.__call__, Handler())])
def test_a_coroutine_function_is_known_in_any_shape(handler: Any) -> None:
    """An object with such a `__call__`, or a part of a function."""
    fiber, _ = scripted(whole(), on_event=handler)

    with pytest.raises(FiberValidationError, match="coroutine function"):
        fiber.sync.chat("Hi")


# -- not asked for, or wrongly ------------------------------------------------------------------------------------


def test_nothing_is_imported_when_nothing_is_told() -> None:
    """And a plain function needs no event loop."""
    probe = (
        "import sys\n"
        "from fiber import Fiber\n"
        "from fiber.testing.fake import FakeTransport, json_reply\n"
        "def ask(**options):\n"
        "    options |= {'transport': FakeTransport(json_reply({'choices': [{'message': {'content': 'Hi'}}]}))}\n"
        "    Fiber(api_keys={'openai': 'k'}, layers=(), **options).sync.chat('Hi', model='gpt-5')\n"
        "ask()\n"
        "print([name in sys.modules for name in ('fiber.metering.events', 'fiber.types.business')])\n"
        "ask(on_event=str)\n"
        "print('fiber.transports.desk' in sys.modules, 'asyncio' in sys.modules)\n"
    )

    output = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True).stdout

    assert output == "[False, False]\nFalse False\n"


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        *(({"on_event": wrong}, "on_event") for wrong in (True, "print", {})),
        *(({"limit": wrong}, "limit") for wrong in (0, -1, True, 1.5, "9")),
    ],
)
def test_a_wrong_argument_is_refused(options: dict[str, Any], parameter: str) -> None:
    """The message says what to pass."""
    with pytest.raises(FiberValidationError) as caught:
        Fiber(on_event=options["on_event"]) if "on_event" in options else Events(print, **options)

    assert (caught.value.parameter, caught.value.outcome) == (parameter, "not_sent")


def test_an_interrupted_stream_is_truncated() -> None:
    """What came of it is not told."""
    fiber, events = told(sse_reply(START, piece("canary")), retry=NO_RETRY)

    with pytest.raises(FiberStreamInterruptedError):
        fiber.sync.chat_stream("Hi").collect()
    fiber.sync.close()

    assert types(events) == ["request", "provider_call", "error"]
    assert "canary" not in str(events)
