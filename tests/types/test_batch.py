"""What a batch took."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from fiber import Attempt, BatchSummary, ChatResult, FiberError, FiberRateLimitError, FiberTimeoutError, Receipt, Usage

PRICED = ChatResult(
    usage=Usage(input_tokens=3, output_tokens=5, cost_usd=Decimal("0.25"), service_tier="flex"),
    receipt=Receipt(seconds=1.5),
)
UNPRICED = ChatResult(usage=Usage(input_tokens=10), receipt=Receipt(seconds=0.5))
LATE = FiberTimeoutError("late", partial=UNPRICED)
BUSY = FiberRateLimitError(
    "busy",
    attempts=(
        Attempt(number=1, provider="p", model="m", seconds=0.5),
        Attempt(number=2, provider="p", model="m", waited_seconds=2.0),
    ),
)


def test_a_summary_adds_up_what_is_known() -> None:
    """Answers without a known cost are counted and not guessed; what failed counts with what it told."""
    summary = BatchSummary.of([PRICED, UNPRICED, LATE, BUSY, BUSY])

    assert summary == BatchSummary(
        done=5,
        failed=3,
        errors={"FiberTimeoutError": 1, "FiberRateLimitError": 2},
        usage=Usage(input_tokens=23, output_tokens=5, cost_usd=Decimal("0.25"), cost_status="priced"),
        unpriced=1,
        seconds=7.0,
    )


def test_nothing_sums_up_to_nothing() -> None:
    """No count is made up."""
    assert BatchSummary.of([]) == BatchSummary()
    assert BatchSummary().usage == Usage()


@given(st.lists(st.sampled_from([PRICED, UNPRICED, LATE, BUSY])))
def test_one_by_one_is_the_same_as_all_at_once(results: list[ChatResult | FiberError]) -> None:
    """So a summary can be kept while results come."""
    summary = BatchSummary()
    for result in results:
        summary = summary.plus(result)

    assert summary == BatchSummary.of(results)
    assert summary.failed == sum(summary.errors.values())
