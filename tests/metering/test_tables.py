"""Tables that count."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import Distribution, MetricsSnapshot, Usage
from fiber.metering.tables import Tables
from fiber.types.metrics import BOUNDS_MS


def latencies(milliseconds: list[float]) -> Distribution:
    """Return the distribution of calls that took so long."""
    tables = Tables(1)
    for each in milliseconds:
        tables.add_call("p", "m", False, "", each, None, None)
    found = next(point.value for point in tables.points() if point.name == "latency_ms")
    assert isinstance(found, Distribution)
    return found


@pytest.mark.parametrize("position", range(len(BOUNDS_MS)))
def test_a_bound_belongs_to_the_bucket_below_it(position: int) -> None:
    """What takes exactly as long is at most as long; what takes longer is not."""
    bound = BOUNDS_MS[position]

    assert latencies([bound]).counts[position] == 1
    assert latencies([bound + 0.001]).counts[position + 1] == 1


@given(st.lists(st.floats(0, 1e7), min_size=1))
def test_cumulative_counts_are_those_of_a_plain_count(milliseconds: list[float]) -> None:
    """For each bound the number of latencies up to it, and at last all."""
    plain = [sum(each <= bound for each in milliseconds) for bound in BOUNDS_MS]

    found = latencies(milliseconds)

    assert found.cumulative == (*plain, len(milliseconds))
    assert found.total == pytest.approx(sum(milliseconds))


def test_models_are_bounded() -> None:
    """Of a hundred thousand names three have counts of their own, and nothing is lost."""
    tables = Tables(3)

    for number in range(100_000):
        tables.add_call("p", f"m{number}", False, "", 1.0, None, None)
        tables.add_event("retry_count", "p", f"m{number}", "FiberTimeoutError", 1)
        tables.add_event("cache_get_latency_ms", "p", f"m{number}", "", 1.0)
    snapshot = MetricsSnapshot(tables.points())

    assert {point.labels["model"] for point in snapshot.points} == {"m0", "m1", "m2", "other"}
    for name in ("request_count", "retry_count", "cache_get_latency_ms"):
        assert snapshot.total(name) == 100_000
        assert snapshot.total(name, model="other") == 99_997


def test_costs_are_exact() -> None:
    """Ten times a tenth of a nano dollar is a nano dollar, not about one."""
    tables = Tables(1)

    for _ in range(10):
        tables.add_call("p", "m", True, "", 1.0, 1.0, Usage(cost_usd=Decimal("0.0000000001")))

    assert MetricsSnapshot(tables.points()).total("estimated_cost_usd") == Decimal("0.000000001")


def test_costs_do_not_depend_on_the_context_of_the_caller() -> None:
    """It may round to two digits, or forbid to round; sums are exact all the same."""
    tables = Tables(1)

    with localcontext(Context(prec=2, traps=[Inexact])):
        for cost in ("1000000", "0.000000001"):
            tables.add_call("p", "m", False, "", 1.0, None, Usage(cost_usd=Decimal(cost)))
            tables.add_call("p", "m", True, "", 1.0, None, Usage(cost_usd=Decimal(cost)))
        total = MetricsSnapshot(tables.points()).total("estimated_cost_usd")

    assert total == Decimal("2000000.000000002")


def test_codes_and_reasons_are_bounded() -> None:
    """They are names of classes; whoever makes up others does not fill the memory."""
    tables = Tables(1)

    for number in range(1000):
        tables.add_call("p", "m", False, f"code {number}", 1.0, None, None)
        tables.add_event("retry_count", "p", "m", f"reason {number}", 1)
    points = tables.points()

    for name, label in (("error_count", "code"), ("retry_count", "reason")):
        assert len({point.labels[label] for point in points if point.name == name}) <= 101
        assert MetricsSnapshot(points).total(name) == 1000


def test_one_event_may_stand_for_several_entries() -> None:
    """What had to make room is counted by entry; a metric without reasons has none."""
    tables = Tables(1)

    tables.add_event("cache_evict_count", "p", "m", "ignored", 3)
    (point,) = tables.points()

    assert (point.value, point.labels) == (3, {"provider": "p", "model": "m"})
