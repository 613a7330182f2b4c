"""Circuits that open, try and close."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from fiber import (
    NO_RETRY,
    BreakerPolicy,
    Fiber,
    FiberCircuitOpenError,
    FiberConnectionError,
    FiberError,
    FiberStreamInterruptedError,
    FiberValidationError,
    RetryPolicy,
    Timeouts,
    default_layers,
)
from fiber.layers.breaker import Breaker
from fiber.layers.retry import Retry
from fiber.testing.fake import FakeReply, FakeTransport, sse_reply
from tests.kit import KEY, START, piece, refused, scripted, streamed, whole
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world

TWICE = BreakerPolicy(failures=2, open_seconds=10)
BUSY = refused(503)
CUT = sse_reply(START, piece("x"), cut=True)


def client(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client whose circuits open after two failures, for ten seconds, without retries."""
    return scripted(*script, **{"breaker": TWICE, "retry": NO_RETRY, **options})


def fail(fiber: Fiber, *, stream: bool = False, **options: Any) -> FiberError:
    """Make a call that fails."""
    with pytest.raises(FiberError) as caught:
        blocking_world(fiber, stream, options)
    return caught.value


def opened(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client with an open circuit, and what comes then."""
    fiber, transport = client(BUSY, BUSY, *script, **options)
    fail(fiber)
    fail(fiber)
    return fiber, transport


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("stream", [False, True])
def test_a_circuit_opens_tries_and_closes(stream: bool, world: Callable[..., Any]) -> None:
    """The same for whole answers and streams, in all three worlds."""
    good = streamed("A") if stream else whole("A")
    fiber, transport = client(BUSY, BUSY, good, good)
    said = []
    for pause in (0, 0, 0, 4, 6, 0):
        transport.clock += pause
        try:
            said.append(world(fiber, stream, {}).text)
        except FiberError as error:
            said.append(f"{type(error).__name__} {error.retry_after}")

    assert said == [
        *("FiberOverloadedError None", "FiberOverloadedError None"),
        *("FiberCircuitOpenError 10.0", "FiberCircuitOpenError 6.0"),
        *("A", "A"),
    ]
    assert len(transport.requests) == 4


def test_the_error_says_when_to_try_again() -> None:
    """And that nothing was sent."""
    fiber, transport = opened()
    transport.clock = 2.5

    error = fail(fiber)

    assert isinstance(error, FiberCircuitOpenError)
    assert (error.retry_after, error.outcome, error.attempts) == (7.5, "not_sent", ())
    assert (error.provider, error.model) == ("openai", "gpt-test")
    assert "failed 2 times in a row and is left alone: try again in 7.5 s" in error.message


def test_a_failed_try_opens_the_circuit_again() -> None:
    """For the whole time, after one failure."""
    fiber, transport = opened(BUSY)
    transport.clock = 10

    errors = [fail(fiber), fail(fiber)]

    assert [error.retry_after for error in errors] == [None, 10.0]
    assert len(transport.requests) == 3


@pytest.mark.parametrize(
    "reply",
    [
        BUSY,
        refused(500),
        refused(529),
        FiberConnectionError("refused", outcome="not_sent"),
        FiberConnectionError("lost", outcome="unknown"),
        FakeReply(200, {"content-type": "text/html"}, (b"<p>",)),
        FakeReply(delay_seconds=6.0),
    ],
    ids=["503", "500", "529", "no connection", "lost", "not JSON", "first_event"],
)
def test_failures_of_the_provider_count(reply: Any) -> None:
    """Those of capacity, of connection, of format, and timers but `total`."""
    fiber, _ = client(reply, reply, timeouts=Timeouts(first_event=5))

    fail(fiber)
    fail(fiber)

    assert isinstance(fail(fiber), FiberCircuitOpenError)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 418, 422, 429])
def test_refusals_of_the_caller_do_not_count(status: int) -> None:
    """A provider that refuses is there: what was counted before is forgotten."""
    fiber, transport = client(BUSY, refused(status), BUSY, refused(status), BUSY)

    for _ in range(5):
        fail(fiber)

    assert len(transport.requests) == 5


def test_what_says_nothing_about_the_provider_changes_nothing() -> None:
    """A parameter that it does not have, and a deadline of the caller's own."""
    late = FakeReply(delay_seconds=99.0)
    fiber, transport = client(BUSY, late, BUSY, timeouts=Timeouts(total=5))

    kinds = [type(fail(fiber, **options)).__name__ for options in ({}, {"top_k": 3}, {}, {}, {})]

    assert kinds == [
        *("FiberOverloadedError", "FiberCapabilityError", "FiberTimeoutError"),
        *("FiberOverloadedError", "FiberCircuitOpenError"),
    ]
    assert len(transport.requests) == 3


def test_a_good_answer_forgets_failures() -> None:
    """Only those in a row count."""
    fiber, transport = client(BUSY, whole(), BUSY, whole())

    fail(fiber)
    fiber.sync.chat("Hi")
    fail(fiber)

    assert fiber.sync.chat("Hi").text == "Hello"
    assert len(transport.requests) == 4


def test_each_target_has_its_own_circuit() -> None:
    """Another model of the provider is asked as ever."""
    fiber, _ = opened(whole())

    assert fiber.sync.chat("Hi", model="openai:other").text == "Hello"


def test_streams_that_break_count_when_they_end() -> None:
    """One that begins well is not yet a good one."""
    fiber, transport = client(CUT, CUT)

    kinds = [type(fail(fiber, stream=True)) for _ in range(3)]

    assert kinds == [FiberStreamInterruptedError, FiberStreamInterruptedError, FiberCircuitOpenError]
    assert len(transport.requests) == 2


def test_a_stream_that_is_left_says_nothing() -> None:
    """Neither good nor bad."""
    fiber, transport = client(CUT, streamed("A", "B"), CUT)
    fail(fiber, stream=True)

    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)
    fail(fiber, stream=True)

    assert isinstance(fail(fiber), FiberCircuitOpenError)
    assert len(transport.requests) == 3


def test_a_stream_that_tries_closes_the_circuit_at_its_first_content() -> None:
    """Others need not wait for its end."""
    fiber, transport = opened(streamed("A", "B"), whole("C"))
    transport.clock = 10

    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)
        text = fiber.sync.chat("Hi").text

    assert text == "C"


def test_only_one_call_tries() -> None:
    """The others are told to wait for how it ends."""
    fiber, transport = opened(whole("A"))
    transport.clock = 10
    others: list[FiberError] = []
    real = transport.open

    async def open(*arguments: Any) -> Any:
        if not others:
            others.append(fail(fiber))
        return await real(*arguments)

    transport.open = open  # type: ignore[method-assign]

    assert fiber.sync.chat("Hi").text == "A"
    assert isinstance(others[0], FiberCircuitOpenError)
    assert others[0].retry_after == 10
    assert len(transport.requests) == 3


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_try_that_is_cancelled_lets_the_next_call_try(backend: str) -> None:
    """At once."""
    fiber, transport = opened(whole("A"))
    transport.clock = 10
    real = transport.open

    async def main() -> str:
        async def open(*arguments: Any) -> Any:
            await anyio.sleep_forever()

        transport.open = open  # type: ignore[method-assign]
        with anyio.move_on_after(0):
            await fiber.chat("Hi")
        transport.open = real  # type: ignore[method-assign]
        return (await fiber.chat("Hi")).text

    assert anyio.run(main, backend=backend) == "A"


def test_a_try_that_was_not_sent_lets_the_next_call_try() -> None:
    """It says nothing."""
    fiber, transport = opened(whole("A"))
    transport.clock = 10

    fail(fiber, top_k=3)

    assert fiber.sync.chat("Hi").text == "A"


def test_a_try_that_is_refused_closes_the_circuit() -> None:
    """The provider is there."""
    fiber, transport = opened(refused(400), whole("A"))
    transport.clock = 10

    fail(fiber)

    assert fiber.sync.chat("Hi").text == "A"


def test_late_failures_do_not_keep_the_circuit_open() -> None:
    """Calls that were sent before it opened count no more."""
    breaker = Breaker(TWICE)
    transport = FakeTransport(CUT, BUSY, BUSY, whole("A"))
    fiber = Fiber(api_keys={"openai": KEY}, default_model="openai:x", transport=transport, layers=(breaker,))
    stream = fiber.sync.chat_stream("Hi")
    with stream:
        next(stream)
        fail(fiber)
        fail(fiber)
        transport.clock = 6
        with pytest.raises(FiberStreamInterruptedError):
            list(stream)
    transport.clock = 10

    assert fiber.sync.chat("Hi").text == "A"


def test_the_error_that_opened_the_circuit_is_raised() -> None:
    """Not the refusal of the attempt that would have followed."""
    fiber, transport = client(*[BUSY] * 2, retry=RetryPolicy(base_backoff_seconds=0))

    error = fail(fiber)

    assert type(error).__name__ == "FiberOverloadedError"
    assert [attempt.status for attempt in error.attempts] == [503, 503]
    assert len(transport.requests) == 2
    assert isinstance(fail(fiber), FiberCircuitOpenError)


def test_an_open_circuit_moves_on_to_the_next_model() -> None:
    """Without a request to the first."""
    fiber, transport = opened(whole("A"))

    result = fiber.sync.chat("Hi", fallback=["openai:other"])

    assert result.text == "A"
    assert [request.json()["model"] for request in transport.requests[2:]] == ["other"]
    assert "FiberCircuitOpenError" in result.warnings[0]


def test_opening_and_closing_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """In the log."""
    with caplog.at_level(logging.WARNING, "fiber"):
        fiber, transport = opened(whole())
        transport.clock = 10
        fiber.sync.chat("Hi")

    told = [record for record in caplog.records if record.message.startswith("circuit")]
    assert [record.message for record in told] == ["circuit_open", "circuit_closed"]
    assert (told[0].failures, told[0].open_ms, told[0].error_kind) == (2, 10000, "FiberOverloadedError")  # type: ignore[attr-defined]


def test_circuits_of_many_targets_are_bounded() -> None:
    """Model names may come from users."""
    breaker = Breaker(TWICE)
    transport = FakeTransport(*[BUSY] * 1100)
    fiber = Fiber(api_keys={"openai": KEY}, transport=transport, layers=(breaker,))

    for number in range(1100):
        fail(fiber, model=f"openai:{number}")

    assert len(breaker._circuits) == 1024


def test_without_a_policy_there_is_no_layer() -> None:
    """And nothing to pay for; with one it is the innermost."""
    inside = default_layers(breaker=TWICE)

    assert not any(isinstance(layer, Breaker) for layer in default_layers())
    assert isinstance(inside[-1], Breaker)
    assert isinstance(inside[-2], Retry)


def test_a_policy_beside_other_layers_is_a_mistake() -> None:
    """It would be without effect."""
    with pytest.raises(FiberValidationError, match="is for the default layers"):
        Fiber(breaker=TWICE, layers=())


@pytest.mark.parametrize("value", [0, 1.5, True, None], ids=repr)
def test_failures_are_a_whole_number(value: Any) -> None:
    """From 1."""
    with pytest.raises(FiberValidationError, match="failures must be a whole number from 1"):
        BreakerPolicy(failures=value)


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), True, "9"], ids=repr)
def test_the_time_is_positive(value: Any) -> None:
    """And finite."""
    with pytest.raises(FiberValidationError, match="open_seconds must be a positive number"):
        BreakerPolicy(open_seconds=value)
