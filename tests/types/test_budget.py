"""What may be spent, as values."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import Budget, FiberValidationError
from fiber.types.budget import BudgetStatus, Period, bounds_of


def at(*moment: int) -> float:
    """Return a moment in UTC."""
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]


def test_money_is_exact() -> None:
    """A float is taken by its digits."""
    assert [Budget(name="b", usd=usd).usd for usd in (0.1, "0.1", Decimal("0.1"), 2)] == [Decimal("0.1")] * 3 + [2]
    assert Budget(name="b", usd=1, requests=2).limits == {"usd": Decimal(1), "requests": 2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": 3},
        {"usd": -1},
        {"usd": "much"},
        {"usd": True},
        {"usd": float("nan")},
        {"tokens": -1},
        {"tokens": 1.5},
        {"requests": True},
        {"requests": None},
        {"period": "year"},
        {"per": "tenant"},
        {"unknown_price": "guess"},
    ],
)
def test_a_budget_is_checked_when_it_is_made(wrong: dict[str, Any]) -> None:
    """Names, amounts, and at least one limit."""
    with pytest.raises(FiberValidationError) as caught:
        Budget(**{"name": "b", "requests": 1, **({"requests": None} if "usd" in wrong else {}), **wrong})

    assert caught.value.parameter == "budgets"


PERIODS = {
    "hour": (at(2026, 11, 21, 20), at(2026, 11, 21, 21)),
    "day": (at(2026, 11, 21), at(2026, 11, 22)),
    "week": (at(2026, 11, 16), at(2026, 11, 23)),
    "month": (at(2026, 11, 1), at(2026, 12, 1)),
    "ever": (0.0, None),
}


@pytest.mark.parametrize("period", PERIODS)
def test_periods_begin_where_people_expect_it(period: Any) -> None:
    """In UTC; a week on Monday."""
    assert bounds_of(period, at(2026, 11, 21, 20, 55)) == PERIODS[period]


@given(st.sampled_from(get_args(Period)[:-1]), st.floats(0, 4e9))
def test_periods_follow_each_other(period: Any, now: float) -> None:
    """Each moment lies in one, and the end of one is the beginning of the next."""
    begin, end = bounds_of(period, now)

    assert end is not None
    assert begin <= now < end
    assert bounds_of(period, end)[0] == end


def test_what_remains_is_never_below_zero() -> None:
    """Also when a call used more than it had reserved."""
    status = BudgetStatus(name="b", kind="usd", limit=Decimal(1), used=Decimal("0.25"), held=Decimal("0.5"))

    assert status.remaining == Decimal("0.25")
    assert BudgetStatus(name="b", kind="tokens", limit=5, used=9, held=0).remaining == 0
