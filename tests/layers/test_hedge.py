"""Second requests: when there is one, who wins, what is told, how many there may be."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from typing import Any

import pytest

from fiber import (
    NO_RETRY,
    BreakerPolicy,
    Fiber,
    FiberConnectionError,
    FiberError,
    FiberOverloadedError,
    FiberTimeoutError,
    HedgePolicy,
    RetryPolicy,
    Timeouts,
    default_layers,
)
from fiber._calls import prepare
from fiber._chain import Call
from fiber._engine import run_sync
from fiber._reply import Reply
from fiber._settings import over
from fiber.layers.breaker import Breaker
from fiber.layers.hedge import Hedge
from fiber.testing.fake import FakeReply, FakeTransport
from fiber.transports.base import Branch
from tests.kit import Watch, refused, scripted, streamed, whole
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world

SOON = HedgePolicy(after_seconds=2, max_share=1.0)
LOST = FiberConnectionError("lost", outcome="unknown")


def late(reply: FakeReply, seconds: float) -> FakeReply:
    """Return *reply* as it comes after so many seconds."""
    return dataclasses.replace(reply, delay_seconds=seconds)


def client(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client that hedges after two seconds, without retries."""
    return scripted(*script, **{"hedge": SOON, "retry": NO_RETRY, **options})


def told(result: Any) -> list[tuple[int, int | None, str | None, float | None]]:
    """Return what the receipt says of each attempt."""
    return [(each.number, each.status, each.error, each.seconds) for each in result.receipt.attempts]


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("stream", [False, True])
def test_the_second_request_wins_over_a_slow_first(stream: bool, world: Callable[..., Any]) -> None:
    """The first is cancelled, both stand in the receipt, and both answers are closed, in all three worlds."""
    make = streamed if stream else whole
    fiber, transport = client(late(make("slow"), 9), late(make("fast"), 1))

    result = world(fiber, stream, {})

    assert result.text == "fast"
    assert told(result) == [(1, None, "cancelled", 3), (2, 200, None, 1)]
    assert result.receipt.possible_duplicate_charge
    assert (transport.clock, transport.closed) == (3, 2)


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("stream", [False, True])
def test_the_first_may_still_win(stream: bool, world: Callable[..., Any]) -> None:
    """The second is cancelled, and stands before it in the receipt: the last is the one that answered."""
    make = streamed if stream else whole
    fiber, transport = client(late(make("first"), 3), late(make("second"), 9))

    result = world(fiber, stream, {})

    assert result.text == "first"
    assert told(result) == [(1, None, "cancelled", 1), (2, 200, None, 3)]
    assert result.receipt.possible_duplicate_charge
    assert (transport.clock, transport.closed) == (3, 2)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_in_time_is_alone(stream: bool) -> None:
    """One request, and nothing to be told."""
    fiber, transport = client(late(streamed("A") if stream else whole("A"), 2))

    result = blocking_world(fiber, stream, {})

    assert told(result) == [(1, 200, None, 2)]
    assert not result.receipt.possible_duplicate_charge
    assert len(transport.requests) == 1


def test_the_first_content_of_a_stream_is_what_counts() -> None:
    """A head, and a beginning without content, are no answer yet."""
    slow = streamed("slow")
    slow = dataclasses.replace(slow, chunks=(slow.chunks[0], 5.0, *slow.chunks[1:]))
    fiber, _ = client(slow, streamed("fast"))

    result = fiber.sync.chat_stream("Hi").collect()

    assert result.text == "fast"
    assert result.receipt.first_event_seconds == 2


def test_a_stream_that_won_is_read_as_ever() -> None:
    """An error in its middle is that of its attempt."""
    broken = streamed("x")
    broken = dataclasses.replace(broken, chunks=(*broken.chunks[:2], LOST))
    fiber, _ = client(late(streamed("slow"), 9), broken)

    with pytest.raises(FiberError) as caught:
        fiber.sync.chat_stream("Hi").collect()

    assert [attempt.error for attempt in caught.value.attempts] == ["cancelled", "FiberStreamInterruptedError"]


def test_a_failure_before_its_time_is_not_hedged() -> None:
    """So an outage has one request an attempt; that is for the retry layer."""
    fiber, transport = client(late(refused(503), 1))

    with pytest.raises(FiberOverloadedError):
        fiber.sync.chat("Hi")

    assert len(transport.requests) == 1


def test_a_failure_afterwards_leaves_it_to_the_other() -> None:
    """Whichever of the two fails."""
    one, _ = client(late(refused(503), 3), late(whole("second"), 4))
    other, _ = client(late(whole("first"), 9), late(refused(503), 1))

    results = [each.sync.chat("Hi") for each in (one, other)]

    assert [told(result) for result in results] == [
        [(1, 503, "FiberOverloadedError", 3), (2, 200, None, 4)],
        [(1, 503, "FiberOverloadedError", 1), (2, 200, None, 9)],
    ]
    assert [result.text for result in results] == ["second", "first"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (late(refused(503), 3), late(refused(429, "rate_limit_exceeded"), 4), FiberOverloadedError),
        (late(refused(503), 3), LOST, FiberConnectionError),
    ],
)
def test_both_may_fail(first: Any, second: Any, expected: type[FiberError]) -> None:
    """The failure is that of the first, unless the other leaves it open what was done."""
    fiber, _ = client(first, second)

    with pytest.raises(expected) as caught:
        fiber.sync.chat("Hi")

    assert [attempt.number for attempt in caught.value.attempts] == [1, 2]
    assert all(attempt.error != "cancelled" for attempt in caught.value.attempts)


def test_two_requests_are_one_attempt_of_retry() -> None:
    """Its waits are in the receipt once, and it makes as many attempts as ever."""
    failing = [late(refused(503, retry_after="7"), 3), refused(503, retry_after="7")]
    fiber, transport = client(*failing, whole("A"), retry=RetryPolicy(max_attempts=2))

    result = fiber.sync.chat("Hi")

    assert result.text == "A"
    assert transport.slept == [7]
    assert [attempt.waited_seconds for attempt in result.receipt.attempts] == [0, 0, 7]
    assert [attempt.number for attempt in result.receipt.attempts] == [1, 2, 3]


def test_the_next_key_is_asked() -> None:
    """Where there is a pool of them."""
    keys = ["sk-canary-one-0123", "sk-canary-two-0123"]
    fiber, transport = client(late(whole(), 9), whole("A"), api_keys={"openai": keys})

    result = fiber.sync.chat("Hi")

    assert [request.headers["authorization"][7:] for request in transport.requests] == keys
    assert result.receipt.attempts[-1].key == 2


def test_both_share_the_deadline() -> None:
    """When it is over, there is no second request."""
    fiber, transport = client(late(whole(), 9), late(whole(), 9), timeouts=Timeouts(total=5))
    hasty, alone = client(late(whole(), 9), timeouts=Timeouts(total=2.5), hedge=HedgePolicy(after_seconds=2.5))

    for each in (fiber, hasty):
        with pytest.raises(FiberTimeoutError):
            each.sync.chat("Hi")

    assert (transport.clock, len(transport.requests)) == (5, 2)
    assert len(alone.requests) == 1


def test_a_deadline_that_is_over_sends_nothing() -> None:
    """Also when the first does not look at it."""
    transport = FakeTransport()
    slow = Slow(transport)

    reply = run_sync(Hedge(SOON)(call_over(transport, deadline=1.0), slow))

    assert (reply.value, slow.asked) == ("A", 1)


def call_over(transport: FakeTransport, **changes: Any) -> Call:
    """Return a call over *transport*."""
    fiber, _ = scripted()
    return prepare(over(fiber._settings, transport), "Hi", {}, stream=False).replace(**changes)


class Slow:
    """
    A handler that takes nine seconds to answer, whatever the deadline.

    Attributes:
        asked: How often it was asked.
    """

    def __init__(self, transport: FakeTransport, meanwhile: Callable[[Call], object] = id) -> None:
        self._transport = transport
        self._meanwhile = meanwhile
        self.asked = 0

    async def __call__(self, call: Call) -> Reply:
        """Answer."""
        self.asked += 1
        self._transport.clock += 9
        self._meanwhile(call)
        return Reply("A")


@pytest.mark.parametrize(("share", "expected"), [(0.25, 26), (0.0625, 7), (1.0, 100)])
def test_second_requests_are_a_share_of_the_calls(share: float, expected: int) -> None:
    """One may come at once; a provider that is slow for ever gets no more than that."""
    calls = 100
    slow = [late(whole(), 3)] * (2 * calls)
    fiber, transport = client(*slow, hedge=HedgePolicy(after_seconds=2, max_share=share))

    for _ in range(calls):
        fiber.sync.chat("Hi")

    assert len(transport.requests) - calls == expected


def test_so_many_may_be_saved_up() -> None:
    """Not all that a thousand fast calls have earned."""
    calls = 30
    fiber, transport = client(*[whole()] * 400, *[late(whole(), 3)] * 2 * calls, hedge=HedgePolicy(after_seconds=2))

    for _ in range(400 + calls):
        fiber.sync.chat("Hi")

    assert len(transport.requests) == 400 + calls + 11  # ten, and one that these calls have earned


def test_a_token_may_be_spent_by_another_call_meanwhile() -> None:
    """Then there is no second request."""
    layer = Hedge(HedgePolicy(after_seconds=2, max_share=0.1))
    transport = FakeTransport()
    other = Slow(transport)
    slow = Slow(transport, lambda _: run_sync(layer(call_over(transport), other)))

    reply = run_sync(layer(call_over(transport), slow))

    assert reply.value == "A"
    assert (slow.asked, other.asked) == (1, 2)


@pytest.mark.parametrize(("method", "requests"), [("GET", 2), ("POST", 1)])
def test_only_what_may_be_repeated_is_hedged(method: str, requests: int) -> None:
    """A raw request that creates something is sent once."""
    fiber, transport = client(late(whole("slow"), 9), whole("fast"))

    fiber.sync.request(method, "/x", provider="openai")

    assert len(transport.requests) == requests


def test_it_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A line of the log, and one for the call."""
    fiber, _ = client(late(whole(), 9), whole())

    with caplog.at_level(logging.INFO, logger="fiber"):
        fiber.sync.chat("Hi")

    assert [record.message for record in caplog.records] == ["hedge", "chat_call"]
    assert vars(caplog.records[0])["after_ms"] == 2000
    assert vars(caplog.records[1])["attempt"] == 2


def test_layers_below_hear_how_the_loser_ended() -> None:
    """It was cancelled, and says nothing about the provider."""
    watch = Watch()
    made = default_layers(hedge=SOON)
    fiber, _ = scripted(late(streamed("slow"), 9), streamed("fast"), layers=(*made, watch), retry=NO_RETRY)

    fiber.sync.chat_stream("Hi").collect()

    assert watch.outcomes == ["cancelled", "complete"]


def test_a_loser_does_not_open_a_circuit() -> None:
    """Its connection was closed from here."""
    transport = FakeTransport()
    call = call_over(transport)

    async def closed(call: Call) -> Reply:
        call.journal.cancel()
        raise LOST

    breaker = Breaker(BreakerPolicy(failures=1))

    with pytest.raises(FiberConnectionError):
        run_sync(breaker(call, closed))
    reply = run_sync(breaker(call, Slow(transport)))

    assert reply.value == "A"


def test_a_cancelled_call_begins_nothing() -> None:
    """Neither request."""
    transport = FakeTransport()
    call, slow = call_over(transport), Slow(transport)
    call.journal.cancel()

    with pytest.raises(FiberConnectionError, match="cancelled"):
        run_sync(Hedge(SOON)(call, slow))

    assert slow.asked == 0


def test_a_first_that_won_stops_a_second_that_has_not_begun() -> None:
    """Also when its time has just come: it sends nothing."""
    layer, slow = Hedge(SOON), Slow(FakeTransport())

    class Close(FakeTransport):
        """A transport on which the second comes to run when it was stopped already."""

        async def race(self, first: Branch, second: Branch, seconds: float) -> Branch | None:
            second.stop()
            assert not await second.run()
            return first if await first.run() else None

    reply = run_sync(layer(call_over(Close()), slow))

    assert (reply.value, slow.asked) == ("A", 1)


def test_what_is_good_after_a_cancellation_is_ended() -> None:
    """The layers below hear of it, and no second request is begun."""
    transport = FakeTransport()
    call, watch = call_over(transport), Watch()
    slow = Slow(transport, lambda _: call.journal.cancel())

    with pytest.raises(FiberConnectionError, match="cancelled"):
        run_sync(Hedge(SOON)(call, lambda call: watch(call, slow)))

    assert (watch.outcomes, slow.asked) == (["cancelled"], 1)


def test_a_layer_that_is_configured_is_there() -> None:
    """Between retry and the keys."""
    names = [type(layer).__name__ for layer in default_layers(hedge=SOON, keys=True, breaker=BreakerPolicy())]

    assert names[-4:] == ["Retry", "Hedge", "Keys", "Breaker"]
