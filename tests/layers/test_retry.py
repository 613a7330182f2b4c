"""Attempts, waits, the budget, and what is never repeated."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import (
    NO_RETRY,
    Fiber,
    FiberAuthError,
    FiberBadRequestError,
    FiberConnectionError,
    FiberError,
    FiberOverloadedError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
    Provider,
    RetryPolicy,
    Timeouts,
)
from fiber._engine import run_sync
from fiber.layers.deadline import deadline
from fiber.layers.retry import Retry
from fiber.testing.fake import FakeReply, FakeTransport
from fiber.transports.base import HTTPResponse
from tests.kit import KEY, MODEL, refused, streamed, whole


def client(*script: Any, uniform: Any = max, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client whose waits are the upper bounds, so that they are exact."""
    transport = FakeTransport(*script)
    fiber = Fiber(
        api_keys={"openai": KEY},
        default_model=MODEL,
        transport=transport,
        layers=(deadline, Retry(uniform)),
        **options,
    )
    return fiber, transport


def fail(fiber: Fiber, **options: Any) -> FiberError:
    """Make a call that fails."""
    with pytest.raises(FiberError) as caught:
        fiber.sync.chat("Hi", **options)
    return caught.value


BUSY = refused(503)


# -- attempts and waits -------------------------------------------------------------------------------------------


def test_four_attempts_with_doubling_waits() -> None:
    """The default policy, at its upper bounds."""
    fiber, transport = client(*[BUSY] * 9)

    error = fail(fiber)

    assert isinstance(error, FiberOverloadedError)
    assert transport.slept == [0.2, 0.4, 0.8]
    assert len(transport.requests) == 4
    assert [attempt.number for attempt in error.attempts] == [1, 2, 3, 4]
    assert [attempt.waited_seconds for attempt in error.attempts] == [0.0, 0.2, 0.4, 0.8]


def test_a_good_attempt_ends_the_retrying() -> None:
    """The result tells about the attempts before it."""
    fiber, transport = client(BUSY, BUSY, whole("ok"))

    result = fiber.sync.chat("Hi")

    assert result.text == "ok"
    assert len(result.receipt.attempts) == 3
    assert not result.receipt.possible_duplicate_charge
    assert transport.slept == [0.2, 0.4]


def test_waits_are_capped_however_many_attempts() -> None:
    """Also where doubling would overflow."""
    policy = RetryPolicy(max_attempts=1200, base_backoff_seconds=1, max_backoff_seconds=3, budget_reserve=2000)
    fiber, transport = client(*[BUSY] * 1200, retry=policy, timeouts=Timeouts(total=None))

    fail(fiber)

    assert transport.slept[:4] == [1, 2, 3, 3]
    assert transport.slept[-1] == 3
    assert len(transport.requests) == 1200


def test_waits_are_drawn_between_zero_and_the_bound() -> None:
    """Full jitter."""
    bounds: list[tuple[float, float]] = []

    def middle(low: float, high: float) -> float:
        bounds.append((low, high))
        return (low + high) / 2

    fiber, transport = client(*[BUSY] * 4, uniform=middle)

    fail(fiber)

    assert bounds == [(0.0, 0.2), (0.0, 0.4), (0.0, 0.8)]
    assert transport.slept == [0.1, 0.2, 0.4]


def test_the_default_draw_is_random_within_bounds() -> None:
    """Without a function of the caller's."""
    transport = FakeTransport(*[BUSY] * 4)
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport)

    fail(fiber)

    assert all(0 <= wait <= bound for wait, bound in zip(transport.slept, (0.2, 0.4, 0.8), strict=True))


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_max_attempts_counts_the_first(attempts: int) -> None:
    """Exactly so many requests reach the provider."""
    fiber, transport = client(*[BUSY] * 9, retry=RetryPolicy(max_attempts=attempts))

    fail(fiber)

    assert len(transport.requests) == attempts


# -- what the provider asks for -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "3"}, 3.0),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:10 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10.0),
        ({"retry_after": "120"}, 120.0),
        ({"retry_after": "soon"}, 0.2),
    ],
)
def test_retry_after_is_obeyed(headers: dict[str, str], wait: float) -> None:
    """In every spelling, in place of our own wait."""
    fiber, transport = client(refused(429, "rate_limit_exceeded", **headers), whole())

    fiber.sync.chat("Hi")

    assert transport.slept == [wait]


def test_a_retry_after_above_the_cap_is_not_waited_for() -> None:
    """The error says how long it would be."""
    fiber, transport = client(refused(429, "rate_limit_exceeded", retry_after="121"))

    error = fail(fiber)

    assert isinstance(error, FiberRateLimitError)
    assert error.retry_after == 121
    assert transport.slept == []


@pytest.mark.parametrize(("status", "word", "attempts"), [(400, "true", 2), (503, "false", 1), (500, "false", 1)])
def test_x_should_retry_overrules_the_status(status: int, word: str, attempts: int) -> None:
    """The provider knows better."""
    script = [refused(status, "x", x_should_retry=word)] * attempts
    fiber, transport = client(*script, retry=RetryPolicy(max_attempts=2))

    fail(fiber)

    assert len(transport.requests) == attempts


# -- the deadline -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("total", "slept"), [(3.0, []), (3.1, [3.0])])
def test_a_wait_never_passes_the_deadline(total: float, slept: list[float]) -> None:
    """A wait that would end at it or after it is not begun; the last error is raised, not a timeout."""
    script = refused(429, "rate_limit_exceeded", retry_after="3")
    fiber, transport = client(script, script, timeouts=Timeouts(total=total))

    error = fail(fiber)

    assert isinstance(error, FiberRateLimitError)
    assert transport.slept == slept
    assert transport.clock <= total


def test_without_total_there_is_no_deadline() -> None:
    """Only attempts bound it."""
    script = refused(429, "rate_limit_exceeded", retry_after="100")
    fiber, transport = client(*[script] * 4, timeouts=Timeouts(total=None))

    fail(fiber)

    assert transport.clock == 300


# -- what may be repeated -----------------------------------------------------------------------------------------

UNKNOWN = FiberConnectionError("lost", outcome="unknown")
UNSENT = FiberConnectionError("refused", outcome="not_sent")


def test_an_unknown_outcome_is_repeated_once_and_told() -> None:
    """The second time it is raised."""
    fiber, transport = client(UNKNOWN, UNKNOWN, whole())

    error = fail(fiber)

    assert error.outcome == "unknown"
    assert len(transport.requests) == 2


@pytest.mark.parametrize(
    ("first", "duplicate"),
    [(UNKNOWN, True), (UNSENT, False), (BUSY, False), (refused(500), True), (refused(529), False)],
)
def test_the_receipt_says_whether_an_answer_may_be_paid_twice(first: Any, duplicate: bool) -> None:
    """Only after an unknown outcome."""
    fiber, _ = client(first, whole())

    assert fiber.sync.chat("Hi").receipt.possible_duplicate_charge is duplicate


def test_known_outcomes_do_not_count_as_unknown() -> None:
    """One unknown among others still has its one repetition."""
    fiber, transport = client(UNSENT, UNKNOWN, BUSY, whole())

    assert fiber.sync.chat("Hi").text == "Hello"
    assert len(transport.requests) == 4


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (refused(400), FiberBadRequestError),
        (refused(401), FiberAuthError),
        (refused(403), FiberAuthError),
        (refused(404), FiberError),
        (refused(422), FiberBadRequestError),
        (refused(429, "insufficient_quota"), FiberQuotaError),
        (refused(429, "insufficient_quota", retry_after="1"), FiberQuotaError),
        (refused(429, "insufficient_quota", x_should_retry="true"), FiberQuotaError),
        (FakeReply(302, {"location": "x"}), FiberError),
        (FakeReply(200, {"content-type": "text/html"}, (b"<html>",)), FiberError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_repeating_cannot_help_is_not_repeated(reply: FakeReply, kind: type[FiberError], stream: bool) -> None:
    """Mistakes of the caller, keys, and an empty purse, whatever the headers say."""
    fiber, transport = client(reply)

    with pytest.raises(kind):
        fiber.sync.chat_stream("Hi").collect() if stream else fiber.sync.chat("Hi")

    assert (len(transport.requests), transport.slept) == (1, [])


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
@pytest.mark.parametrize("stream", [False, True])
def test_what_may_pass_is_repeated(status: int, stream: bool) -> None:
    """Before any content, streams are as good as whole answers."""
    good = streamed("Hello") if stream else whole()
    fiber, transport = client(refused(status, "x"), good)

    result = fiber.sync.chat_stream("Hi").collect() if stream else fiber.sync.chat("Hi")

    assert result.text == "Hello"
    assert len(transport.requests) == 2
    assert transport.closed == 2


def test_an_error_of_another_kind_passes() -> None:
    """Only our own errors are judged."""
    fiber, transport = client(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        fiber.sync.chat("Hi")
    assert len(transport.requests) == 1


def test_retrying_can_be_turned_off() -> None:
    """For a client, or for a view."""
    fiber, transport = client(BUSY, BUSY, retry=NO_RETRY)

    fail(fiber)
    fail(fiber.with_options(retry=NO_RETRY))

    assert len(transport.requests) == 2


# -- the budget ---------------------------------------------------------------------------------------------------


def test_an_outage_is_not_made_worse() -> None:
    """Requests stay below 1.1 times the calls, and ten to start with."""
    fiber, transport = client(*[BUSY] * 1200)

    for _ in range(1000):
        fail(fiber)

    assert 1100 <= len(transport.requests) <= 1110


def test_calls_earn_retries_up_to_the_reserve() -> None:
    """A long good time allows no storm."""
    policy = RetryPolicy(budget_reserve=3, budget_ratio=1.0)
    fiber, transport = client(*[whole()] * 50, *[BUSY] * 20, retry=policy)
    for _ in range(50):
        fiber.sync.chat("Hi")

    fail(fiber)
    fail(fiber)

    assert len(transport.requests) == 50 + 4 + 2


def test_each_target_has_its_own_budget() -> None:
    """One model's outage leaves the retries of others alone."""
    policy = RetryPolicy(max_attempts=9, budget_reserve=2, budget_ratio=0.0)
    fiber, transport = client(*[BUSY] * 20, retry=policy)

    fail(fiber, model="openai:a")
    fail(fiber, model="openai:a")
    fail(fiber, model="openai:b")

    assert [request.json()["model"] for request in transport.requests] == [*"aaaa", *"bbb"]


def test_a_budget_without_reserve_and_earnings_allows_nothing() -> None:
    """Zero means zero."""
    fiber, transport = client(BUSY, retry=RetryPolicy(budget_reserve=0, budget_ratio=0.0))

    error = fail(fiber)

    assert isinstance(error, FiberProviderError)
    assert len(transport.requests) == 1


def test_a_stream_that_is_cancelled_while_it_waits_makes_no_other_attempt() -> None:
    """The loop over it ends without an error."""
    fiber, transport = client(BUSY, streamed())
    stream = fiber.chat_stream("Hi")

    async def sleep(seconds: float) -> None:
        stream.cancel()

    transport.sleep = sleep  # type: ignore[method-assign]

    async def read() -> list[str]:
        return [event.type async for event in stream]

    assert run_sync(read()) == []
    assert len(transport.requests) == 1


def test_what_fails_after_a_cancellation_is_not_repeated() -> None:
    """Though it could be: nobody wants the answer any more."""
    fiber, transport = client(BUSY, streamed())
    stream = fiber.chat_stream("Hi")
    opened = transport.open

    async def open(*arguments: Any) -> HTTPResponse:
        stream.cancel()
        return await opened(*arguments)

    transport.open = open  # type: ignore[method-assign]

    async def read() -> list[str]:
        return [event.type async for event in stream]

    assert run_sync(read()) == []
    assert (len(transport.requests), transport.slept) == (1, [])


# -- the budget, in and out -----------------------------------------------------------------------------------------


def test_a_retry_that_helps_costs_nothing() -> None:
    """One call in two fails once, and all are answered."""
    policy = RetryPolicy(budget_reserve=1, budget_ratio=0.0)
    fiber, transport = client(*[BUSY, whole(), whole()] * 20, retry=policy)

    texts = [fiber.sync.chat("Hi").text for _ in range(40)]

    assert texts == ["Hello"] * 40
    assert len(transport.requests) == 60


def test_budgets_of_many_targets_are_bounded() -> None:
    """Model names may come from users: the budget not used for longest is forgotten, and is full when it comes back."""
    layer = Retry(max)
    transport = FakeTransport(*[BUSY] * 2 * 1102)
    policy = RetryPolicy(budget_reserve=1, budget_ratio=0.0)
    fiber = Fiber(api_keys={"openai": KEY}, transport=transport, layers=(layer,), retry=policy)
    fail(fiber, model="openai:first")
    for number in range(1100):
        fail(fiber, model=f"openai:{number}")

    fail(fiber, model="openai:first")

    assert len(layer._tokens) == 1024
    assert len(transport.requests) == 2 * 1102


@pytest.mark.parametrize("reserve", [0, 1])
def test_only_budgets_that_are_not_full_are_kept(reserve: int) -> None:
    """A target that is well costs no memory, nor one that is well again; with no reserve everything is earned."""
    layer = Retry(max)
    transport = FakeTransport(*[whole()] * 5, *[BUSY] * 3, *[whole()] * 5)
    policy = RetryPolicy(max_attempts=2, budget_reserve=reserve, budget_ratio=0.5)
    fiber = Fiber(api_keys={"openai": KEY}, transport=transport, layers=(layer,), retry=policy)
    for _ in range(5):
        fiber.sync.chat("Hi", model="openai:one")
    full = dict(layer._tokens)
    for _ in range(2):  # the second finds nothing left for a retry
        fail(fiber, model="openai:one")
    spent = dict(layer._tokens)
    for _ in range(5):
        fiber.sync.chat("Hi", model="openai:one")

    assert full == ({} if reserve else {("openai", "one"): 1.0})
    assert spent == {("openai", "one"): 0.5}
    assert layer._tokens == full
    assert len(transport.requests) == 13


# -- the caller's word ------------------------------------------------------------------------------------------------


def test_retry_if_sees_error_attempt_and_bound_fields() -> None:
    """All that it needs to decide."""
    seen: list[tuple[str, int, object]] = []

    def decide(error: FiberError, attempt: int, context: Any) -> bool:
        seen.append((type(error).__name__, attempt, context["run"]))
        return attempt < 2

    fiber, _ = client(BUSY, refused(400), retry=RetryPolicy(retry_if=decide))

    fail(fiber, context={"run": "r1"})

    assert seen == [("FiberOverloadedError", 1, "r1"), ("FiberBadRequestError", 2, "r1")]


def test_retry_if_must_decide_at_once() -> None:
    """A coroutine function would always be true: it is refused, with the failure as its cause."""

    async def decide(error: FiberError, attempt: int, context: Any) -> bool:
        return False

    def later(*arguments: Any) -> Any:
        coroutine = decide(*arguments)
        coroutine.close()
        return coroutine

    fiber, _ = client(BUSY, retry=RetryPolicy(retry_if=later))

    error = fail(fiber)

    assert (error.parameter, type(error.__cause__)) == ("retry_if", FiberOverloadedError)


# -- idempotency ------------------------------------------------------------------------------------------------------

ONCE = Provider(name="once", base_url="https://once.test/v1", needs_key=False, idempotency_header="idempotency-key")


def test_an_idempotency_key_is_the_same_on_every_attempt() -> None:
    """Where the row has a header for it; an unknown outcome is then repeated freely, and nothing is paid twice."""
    fiber, transport = client(UNKNOWN, UNKNOWN, UNKNOWN, whole(), providers=[ONCE])

    result = fiber.sync.chat("Hi", model="once:x", idempotency_key="order-7")

    assert [request.headers["idempotency-key"] for request in transport.requests] == ["order-7"] * 4
    assert not result.receipt.possible_duplicate_charge


def test_an_idempotency_key_is_not_sent_to_who_has_no_header() -> None:
    """It would change nothing, so the bounds stay."""
    fiber, transport = client(UNKNOWN, UNKNOWN)

    fail(fiber, idempotency_key="order-7")

    assert all("order-7" not in request.headers.values() for request in transport.requests)
    assert len(transport.requests) == 2


def test_a_row_with_the_header_needs_a_key_of_the_caller() -> None:
    """Nothing is made up."""
    fiber, transport = client(UNKNOWN, UNKNOWN, providers=[ONCE])

    fail(fiber, model="once:x")

    assert "idempotency-key" not in transport.requests[0].headers


@pytest.mark.parametrize("key", ["", "a\r\nb: c", "schlüssel", 7], ids=repr)
def test_an_idempotency_key_is_printable(key: Any) -> None:
    """It becomes a header; a bad one is not quoted."""
    fiber, transport = client()

    error = fail(fiber, idempotency_key=key)

    assert (error.parameter, error.outcome) == ("idempotency_key", "not_sent")
    assert "\n" not in error.message
    assert transport.requests == []
