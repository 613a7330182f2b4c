"""Failure plans: what the provider does, and exactly how often and when it is asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import (
    NO_RETRY,
    RETRY_PRESETS,
    Fiber,
    FiberConnectionError,
    FiberError,
    FiberQuotaError,
    RetryPolicy,
    Timeouts,
)
from fiber.layers.deadline import deadline
from fiber.layers.fallback import fallback
from fiber.layers.retry import Retry
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, sse_reply
from tests.kit import FINISH, KEY, START, piece, refused, streamed, whole
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world


@dataclass(frozen=True)
class Plan:
    """
    What the provider does, and what must come of it; waits are at their upper bounds.

    Attributes:
        script: Its answers; asking once more than that fails the test.
        expected: Text of the result, or name of the error.
        waits: Seconds before the second attempt, the third and so on: all attempts but one.
        seconds: Time of the whole call, where it is more than the waits.
    """

    script: tuple[Any, ...]
    expected: str
    waits: tuple[float, ...] = ()
    seconds: float | None = None
    stream: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)


def limited(**headers: str) -> FakeReply:
    """Refuse for being too fast."""
    return refused(429, "rate_limit_exceeded", **headers)


def gemini(status: int, word: str, *details: dict[str, Any]) -> FakeReply:
    """Refuse as Gemini does."""
    return json_reply({"error": {"code": status, "message": "no", "status": word, "details": list(details)}}, status)


GEMINI = {"model": "gemini:gemini-test"}
FROM_GEMINI = json_reply({"candidates": [{"content": {"parts": [{"text": "A"}]}, "finishReason": "STOP"}]})
DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7.5s"}
DAILY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}],
}

GOOD = whole("A")
BUSY = refused(503)
BROKEN = refused(500)
UNSENT = FiberConnectionError("refused", outcome="not_sent")
LOST = FiberConnectionError("lost", outcome="unknown")
SLOW = FakeReply(delay_seconds=9.0)
CUT = sse_reply(START, piece("x"), cut=True)
EARLY = sse_reply(START, cut=True)
RESTART = RetryPolicy(on_midstream="restart")
DATE = {"date": "Sat, 21 Nov 2026 10:00:00 GMT"}


def timed(**limits: float | None) -> dict[str, Any]:
    """Make a client with other timers."""
    return {"timeouts": Timeouts(**limits)}


def policy(**members: Any) -> dict[str, Any]:
    """Make a client with another policy."""
    return {"retry": RetryPolicy(**members)}


def never(error: FiberError, attempt: int, context: Any) -> bool:
    """Forbid."""
    return False


def always(error: FiberError, attempt: int, context: Any) -> bool:
    """Force."""
    return True


def undecided(error: FiberError, attempt: int, context: Any) -> None:
    """Leave it to the rules."""


def by_status(error: FiberError, attempt: int, context: Any) -> bool | None:
    """Force one status, twice at most."""
    return attempt < 3 if error.status_code == 418 else None


PLANS: dict[str, Plan] = {
    # -- our own waits
    "good at once": Plan((GOOD,), "A"),
    "good at the second": Plan((BUSY, GOOD), "A", (0.2,)),
    "good at the third": Plan((BUSY, BUSY, GOOD), "A", (0.2, 0.4)),
    "good at the fourth": Plan((BUSY, BUSY, BUSY, GOOD), "A", (0.2, 0.4, 0.8)),
    "never good": Plan((BUSY,) * 4, "FiberOverloadedError", (0.2, 0.4, 0.8)),
    "never good, but for one": Plan((BUSY,), "FiberOverloadedError", client={"retry": NO_RETRY}),
    "waits are capped": Plan(
        (BUSY,) * 5,
        "FiberOverloadedError",
        (1.0, 2.0, 3.0, 3.0),
        client=policy(max_attempts=5, base_backoff_seconds=1, max_backoff_seconds=3),
    ),
    "conservative": Plan((BUSY,) * 2, "FiberOverloadedError", (0.5,), client={"retry": RETRY_PRESETS["conservative"]}),
    "aggressive": Plan(
        (BUSY,) * 8,
        "FiberOverloadedError",
        (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4),
        client={"retry": RETRY_PRESETS["aggressive"]},
    ),
    "no budget": Plan((BUSY,), "FiberOverloadedError", client=policy(budget_reserve=0, budget_ratio=0)),
    "a budget of two": Plan((BUSY,) * 3, "FiberOverloadedError", (0.2, 0.4), client=policy(budget_reserve=2)),
    # -- classes and statuses
    "connection refused for ever": Plan((UNSENT,) * 4, "FiberConnectionError", (0.2, 0.4, 0.8)),
    "connection refused once": Plan((UNSENT, GOOD), "A", (0.2,)),
    "connection lost once": Plan((LOST, GOOD), "A", (0.2,)),
    "connection lost twice": Plan((LOST, LOST), "FiberConnectionError", (0.2,)),
    "lost, busy, lost": Plan((LOST, BUSY, LOST), "FiberConnectionError", (0.2, 0.4)),
    "refused, lost, busy, good": Plan((UNSENT, LOST, BUSY, GOOD), "A", (0.2, 0.4, 0.8)),
    "500 once": Plan((BROKEN, GOOD), "A", (0.2,)),
    "500 twice": Plan((BROKEN, BROKEN), "FiberProviderError", (0.2,)),
    "502, then 503 for ever": Plan((refused(502), *(BUSY,) * 3), "FiberOverloadedError", (0.2, 0.4, 0.8)),
    "529": Plan((refused(529), GOOD), "A", (0.2,)),
    "408": Plan((refused(408), GOOD), "A", (0.2,)),
    "409": Plan((refused(409), GOOD), "A", (0.2,)),
    "bad request": Plan((refused(400),), "FiberBadRequestError"),
    "wrong key": Plan((refused(401),), "FiberAuthError"),
    "busy, then wrong key": Plan((BUSY, refused(401)), "FiberAuthError", (0.2,)),
    "an empty purse": Plan((refused(429, "insufficient_quota"),), "FiberQuotaError"),
    "an empty purse that names a time": Plan((refused(429, "insufficient_quota", retry_after="1"),), "FiberQuotaError"),
    "an HTML page": Plan((FakeReply(200, {"content-type": "text/html"}, (b"<p>",)),), "FiberParsingError"),
    # -- what the provider asks for
    "seconds": Plan((limited(retry_after="7"), GOOD), "A", (7.0,)),
    "a fraction": Plan((limited(retry_after="0.5"), GOOD), "A", (0.5,)),
    "milliseconds": Plan((limited(retry_after_ms="1500"), GOOD), "A", (1.5,)),
    "milliseconds win": Plan((limited(retry_after_ms="20", retry_after="9"), GOOD), "A", (0.02,)),
    "a date": Plan((limited(retry_after="Sat, 21 Nov 2026 10:00:30 GMT", **DATE), GOOD), "A", (30.0,)),
    "a date in the past": Plan((limited(retry_after="Sat, 21 Nov 2026 09:00:00 GMT", **DATE), GOOD), "A", (0.0,)),
    "a duration": Plan((limited(retry_after="1m2.5s"), GOOD), "A", (62.5,)),
    "nothing": Plan((limited(), GOOD), "A", (0.2,)),
    "negative": Plan((limited(retry_after="-5"), GOOD), "A", (0.2,)),
    "not a number": Plan((limited(retry_after="nan"), GOOD), "A", (0.2,)),
    "words": Plan((limited(retry_after="soon"), GOOD), "A", (0.2,)),
    "each its own": Plan((limited(retry_after="3"), BUSY, limited(retry_after="1"), GOOD), "A", (3.0, 0.4, 1.0)),
    "the longest that is obeyed": Plan((limited(retry_after="120"), GOOD), "A", (120.0,)),
    "too long": Plan((limited(retry_after="121"),), "FiberRateLimitError"),
    "for ever": Plan((limited(retry_after="999999999"),), "FiberRateLimitError"),
    "x-should-retry, although bad": Plan((refused(400, "x", x_should_retry="true"), GOOD), "A", (0.2,)),
    "x-should-retry, not although busy": Plan((refused(503, x_should_retry="false"),), "FiberOverloadedError"),
    "x-should-retry, but unknown": Plan((refused(500, x_should_retry="true"),) * 2, "FiberProviderError", (0.2,)),
    "Gemini's retryDelay": Plan((gemini(429, "RESOURCE_EXHAUSTED", DELAY), FROM_GEMINI), "A", (7.5,), options=GEMINI),
    "Gemini's daily quota": Plan((gemini(429, "RESOURCE_EXHAUSTED", DAILY, DELAY),), "FiberQuotaError", options=GEMINI),
    # -- the deadline
    "a wait that ends at the deadline": Plan(
        (limited(retry_after="30"),), "FiberRateLimitError", client=timed(total=30)
    ),
    "a wait that ends before it": Plan((limited(retry_after="29"), GOOD), "A", (29.0,), client=timed(total=30)),
    "several waits, of which the last does not fit": Plan(
        (limited(retry_after="12"),) * 3, "FiberRateLimitError", (12.0, 12.0), client=timed(total=30)
    ),
    "silence until the deadline": Plan(
        (FakeReply(delay_seconds=99),), "FiberTimeoutError", seconds=30, client=timed(total=30, first_event=None)
    ),
    "silence twice": Plan((SLOW, SLOW), "FiberTimeoutError", (0.2,), seconds=4.2, client=timed(first_event=2)),
    "silence once": Plan((SLOW, GOOD), "A", (0.2,), seconds=2.2, client=timed(first_event=2)),
    "an attempt is cut to what is left": Plan(
        (limited(retry_after="20"), FakeReply(delay_seconds=99)),
        "FiberTimeoutError",
        (20.0,),
        seconds=30,
        client=timed(total=30, first_event=25),
    ),
    # -- retry_if
    "retry_if forbids": Plan((BUSY,), "FiberOverloadedError", client=policy(retry_if=never)),
    "retry_if forces what is not repeated": Plan(
        (refused(400),) * 4, "FiberBadRequestError", (0.2, 0.4, 0.8), client=policy(retry_if=always)
    ),
    "retry_if forces what is unknown": Plan(
        (LOST,) * 3 + (GOOD,), "A", (0.2, 0.4, 0.8), client=policy(retry_if=always)
    ),
    "retry_if leaves it": Plan((BUSY, refused(400)), "FiberBadRequestError", (0.2,), client=policy(retry_if=undecided)),
    "retry_if decides about one status": Plan(
        (refused(418), BUSY, refused(418)), "FiberProviderError", (0.2, 0.4), client=policy(retry_if=by_status)
    ),
    "retry_if within the cap": Plan(
        (limited(retry_after="121"),), "FiberRateLimitError", client=policy(retry_if=always)
    ),
    # -- streams
    "a busy stream": Plan((BUSY, streamed("A")), "A", (0.2,), stream=True),
    "a stream lost before its content": Plan((EARLY, streamed("A")), "A", (0.2,), stream=True),
    "a stream lost before its content, twice": Plan((EARLY, EARLY), "FiberStreamInterruptedError", (0.2,), stream=True),
    "a stream lost after its content": Plan((CUT,), "FiberStreamInterruptedError", stream=True),
    "a stream begun anew": Plan((CUT, streamed("A")), "A", (0.2,), stream=True, client={"retry": RESTART}),
    "a stream begun anew once only": Plan(
        (CUT, CUT), "FiberStreamInterruptedError", (0.2,), stream=True, client={"retry": RESTART}
    ),
    "a stream begun anew, then busy": Plan(
        (CUT, BUSY, streamed("A")), "A", (0.2, 0.4), stream=True, client={"retry": RESTART}
    ),
    "a stream whose one unknown attempt is spent": Plan(
        (EARLY, CUT), "FiberStreamInterruptedError", (0.2,), stream=True, client={"retry": RESTART}
    ),
    "a stream that stalls and begins anew": Plan(
        (sse_reply(START, piece("x"), 9.0), sse_reply(START, piece("A"), FINISH)),
        "A",
        (0.2,),
        seconds=3.2,
        stream=True,
        client={"retry": RESTART, **timed(stall=3)},
    ),
    "a stream that reaches its deadline": Plan(
        (sse_reply(START, piece("x"), 9.0),),
        "FiberTimeoutError",
        seconds=3,
        stream=True,
        client={"retry": RESTART, **timed(total=3)},
    ),
}


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_plan(plan: Plan, world: Callable[..., Any]) -> None:
    """Attempts and waits are exactly so, on asyncio, on trio and in blocking code."""
    transport = FakeTransport(*plan.script)
    fiber = Fiber(
        api_keys={"openai": KEY, "gemini": KEY},
        transport=transport,
        layers=(deadline, Retry(max)),
        **plan.client,
    )

    try:
        result = world(fiber, plan.stream, {"model": "openai:gpt-test", **plan.options})
        said, attempts = result.text, result.receipt.attempts
    except FiberError as error:
        said, attempts = type(error).__name__, error.attempts

    assert said == plan.expected
    assert transport.slept == list(plan.waits)
    assert len(transport.requests) == len(plan.waits) + 1
    assert [attempt.waited_seconds for attempt in attempts] == [0.0, *plan.waits]
    assert transport.clock == pytest.approx(sum(plan.waits) if plan.seconds is None else plan.seconds)


QUOTA = (
    *("insufficient_quota", "billing_hard_limit_reached", "credit_balance_exhausted"),
    *("organization_spend_limit_exceeded", "project_spend_limit_exceeded", "organization_usage_limit_exceeded"),
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("code", QUOTA)
def test_an_empty_purse_is_asked_once(code: str, inside: bool, stream: bool) -> None:
    """Whatever it is called, as a status or inside a good one, and though a time is named."""
    error = {"error": {"message": "no", "code": code, "type": code}}
    status = 200 if inside else 429
    reply = sse_reply(error) if inside and stream else json_reply(error, status, retry_after="1")
    transport = FakeTransport(reply)
    fiber = Fiber(api_keys={"openai": KEY}, transport=transport, layers=(deadline, Retry(max)))

    with pytest.raises(FiberQuotaError):
        blocking_world(fiber, stream, {"model": "openai:gpt-test"})

    assert len(transport.requests) == 1


REPLIES = st.one_of(
    st.sampled_from([GOOD, BUSY, BROKEN, UNSENT, LOST, CUT, EARLY, refused(400), streamed("A")]),
    st.floats(0, 60).map(lambda seconds: limited(retry_after=f"{seconds:.3f}")),
    st.floats(0, 60).map(lambda seconds: FakeReply(503, {}, (seconds, b"{}"), delay_seconds=seconds)),
    st.floats(0, 60).map(lambda seconds: sse_reply(START, piece("x"), seconds, piece("y"), FINISH)),
)


@given(script=st.lists(REPLIES, min_size=24, max_size=24), stream=st.booleans(), anew=st.booleans())
def test_total_is_never_exceeded(script: list[Any], stream: bool, anew: bool) -> None:
    """Under any plan, with fallback and restarts: thirty seconds are thirty seconds, and attempts are counted."""
    transport = FakeTransport(*script)
    policy = RetryPolicy(on_midstream="restart" if anew else "raise")
    fiber = Fiber(
        api_keys={"openai": KEY},
        transport=transport,
        layers=(deadline, fallback, Retry(max)),
        timeouts=Timeouts(total=30),
        retry=policy,
    )

    try:
        said = blocking_world(fiber, stream, {"model": "openai:a", "fallback": ["openai:b", "openai:c"]}).receipt
    except FiberError as error:
        said = error

    assert transport.clock <= 30
    assert len(said.attempts) == len(transport.requests) == transport.closed + _unopened(said.attempts)
    assert all(sum(attempt.model == name for attempt in said.attempts) <= 4 for name in "abc")


def _unopened(attempts: tuple[Any, ...]) -> int:
    return sum(attempt.status is None and attempt.error is not None for attempt in attempts)


def test_there_are_enough_plans() -> None:
    """At least forty."""
    assert len(PLANS) >= 40
