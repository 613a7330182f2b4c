"""Sums over records."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import UsageRecord
from fiber.usage.summing import KEYS, UsageSum, plain, summed
from tests.usage.kit import record

SUNDAY = datetime(2027, 1, 3, 23, 59, tzinfo=UTC)


def test_nothing_sums_up_to_nothing() -> None:
    """No part, and zeros in the whole."""
    assert summed([], "day") == ([], UsageSum(key="total"))


def test_every_count_is_summed() -> None:
    """Each record once; what is not known counts nothing."""
    records = [
        record(1, input_tokens=10, output_tokens=4, cached_tokens=3, reasoning_tokens=2, cost_usd=Decimal("0.1")),
        record(2, input_tokens=1, output_tokens=1, cost_usd=Decimal("0.2")),
        record(3, input_tokens=5),
        record(4, outcome="error", error="FiberTimeoutError"),
        record(5, outcome="truncated"),
        record(6, outcome="cancelled"),
        record(7, cached=True, cost_usd=Decimal(0), saved_usd=Decimal("0.3")),
        record(8, cached=True, cost_usd=Decimal(0)),
    ]

    [part], whole = summed(records, "day")

    assert (part.calls, part.errors, part.cancelled, part.cached) == (8, 2, 1, 2)
    assert (part.input_tokens, part.output_tokens, part.cached_tokens, part.reasoning_tokens) == (16, 5, 3, 2)
    assert (part.cost_usd, part.unpriced, part.saved_usd) == (Decimal("0.3"), 1, Decimal("0.3"))
    assert (part.key, whole.key, whole.cost_usd, whole.calls) == ("2026-01-01", "total", Decimal("0.3"), 8)


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("day", "2027-01-03"),
        ("week", "2026-W53"),
        ("month", "2027-01"),
        ("model", "openai:gpt-test"),
        ("provider", "openai"),
        ("tenant", "t"),
    ],
)
def test_a_record_belongs_to_one_sum(by: str, key: str) -> None:
    """Weeks are those of ISO 8601, whose year may be another one."""
    assert KEYS[by](record(time=SUNDAY, tenant="t")) == key


def test_periods_are_in_order_and_names_by_cost() -> None:
    """The dearest first."""
    records = [
        record(0, time=SUNDAY, model="b", cost_usd=Decimal(1)),
        record(1, model="a", cost_usd=Decimal(2)),
        record(2, model="c"),
        record(3, model="d"),
        record(4, model="d"),
    ]

    assert [one.key for one in summed(records, "day")[0]] == ["2026-01-01", "2027-01-03"]
    assert [one.key for one in summed(records, "model")[0]] == ["openai:a", "openai:b", "openai:d", "openai:c"]


def test_latency_is_of_calls_that_asked_a_provider_and_ended_well() -> None:
    """So many per cent of them took no longer."""
    records = [record(number, latency_ms=float(number)) for number in range(1, 201)]
    others = [record(latency_ms=9e9, cached=True), record(latency_ms=9e9, outcome="error")]

    [part], whole = summed([*reversed(records), *others], "provider")
    [alone], _ = summed(others, "provider")

    assert (part.p50_ms, part.p95_ms, part.p99_ms) == (whole.p50_ms, whole.p95_ms, whole.p99_ms) == (100, 190, 198)
    assert alone.p50_ms is None


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=18), max_size=50), st.integers(1, 8))
def test_costs_are_summed_exactly(costs: list[Decimal], precision: int) -> None:
    """Whatever context the caller has."""
    records: list[UsageRecord] = [record(number, cost_usd=cost) for number, cost in enumerate(costs)]

    with localcontext(prec=precision):
        _, whole = summed(records, "day")

    with localcontext(prec=60):
        assert whole.cost_usd == sum(costs, Decimal(0))


@pytest.mark.parametrize(
    ("usd", "text"),
    [("0", "0"), ("0.000", "0"), ("10", "10"), ("1E+2", "100"), ("0.1200", "0.12"), ("1E-9", "0.000000001")],
)
def test_money_has_all_its_digits_and_no_more(usd: str, text: str) -> None:
    """And no exponent."""
    assert plain(Decimal(usd)) == text
