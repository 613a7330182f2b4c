"""Rates: which of several rows hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from fiber import FiberValidationError, PriceQuery, PriceTable
from fiber.registry.entries import PriceRow
from fiber.registry.prices import held, sources_of


def query(**said: Any) -> PriceQuery:
    """Ask at noon of a Wednesday."""
    return PriceQuery(**{"provider": "p", "model": "m", "at": datetime(2026, 11, 18, 12, tzinfo=UTC), **said})


def row(input: int, **said: Any) -> PriceRow:
    """Make a row with one rate."""
    return PriceRow({"input": Decimal(input)}, **said)


def charged(rows: list[PriceRow], **said: Any) -> Decimal | None:
    """Return the rate of input."""
    return held(rows, query(**said), {}).get("input")


def test_a_long_prompt_has_its_own_rates() -> None:
    """The threshold itself is still short."""
    rows = [row(1), row(2, above=100), row(3, above=200)]

    assert [charged(rows, input_tokens=count) for count in (0, 100, 101, 200, 201)] == [1, 1, 2, 2, 3]


def test_a_change_holds_from_its_day_in_utc() -> None:
    """A moment of another zone counts as the day that it is in UTC."""
    rows = [row(1), row(2, start=date(2026, 12, 1))]
    west = timezone(timedelta(hours=-5))

    assert charged(rows, at=datetime(2026, 11, 30, 23, 59, tzinfo=UTC)) == 1
    assert charged(rows, at=datetime(2026, 12, 1, tzinfo=UTC)) == 2
    assert charged(rows, at=datetime(2026, 11, 30, 20, tzinfo=west)) == 2


def test_peak_hours_are_those_of_working_days() -> None:
    """The hour at the end is off peak, and so are Saturday and Sunday."""
    rows = [row(1), row(2, hours="01:00-04:00", weekdays=True)]
    day = datetime(2026, 11, 20, tzinfo=UTC)  # a Friday

    assert [charged(rows, at=day.replace(hour=hour)) for hour in (0, 1, 3, 4)] == [1, 2, 2, 1]
    assert charged(rows, at=day.replace(day=21, hour=2)) == 1


def test_a_tier_stands_over_the_standard_rates() -> None:
    """What it does not name costs what it always costs; a tier without rates has no price."""
    rows = [
        PriceRow({"input": Decimal(2), "web_search": Decimal(10)}),
        row(1, tier="batch", start=date(2026, 1, 1)),
    ]

    assert held(rows, query(tier="batch"), {}) == {"input": 1, "web_search": 10}
    assert held(rows, query(tier="flex"), {}) == {}
    assert held(rows, query(tier="batch", at=datetime(2025, 1, 1, tzinfo=UTC)), {}) == {}
    for word in ("", "default", "standard", "on_demand", "auto"):
        assert held(rows, query(tier=word), {})["input"] == 2


def test_a_region_multiplies_tokens_and_no_uses() -> None:
    """A search costs the same everywhere."""
    rows = [PriceRow({"input": Decimal("0.3"), "web_search": Decimal(10)})]
    regions = {"eu": Decimal("1.1")}

    assert held(rows, query(region="eu"), regions) == {"input": Decimal("0.33"), "web_search": 10}
    assert held(rows, query(region="us"), regions)["input"] == Decimal("0.3")


def test_a_table_of_ones_own_knows_its_models() -> None:
    """Snapshots too, but neither other tiers nor other providers."""
    table = PriceTable({"p:M": {"input": "1.5"}}, source="contract", revision="7")
    found = table.rates(query(model="m-2026-01-01"))

    assert found is not None
    assert (found.usd, found.source, found.revision) == ({"input": Decimal("1.5")}, "contract", "7")
    tier = table.rates(query(tier="batch"))
    assert tier is not None
    assert tier.usd == {}
    assert table.rates(query(provider="q")) is None
    assert "contract" in repr(table)


@pytest.mark.parametrize("model", ["m", ":m", "p:"])
def test_a_table_needs_providers(model: str) -> None:
    """A bare name would be a guess."""
    with pytest.raises(FiberValidationError, match="provider:model"):
        PriceTable({model: {"input": 1}})


def test_price_sources_are_one_or_several() -> None:
    """What has no rates is refused."""
    table = PriceTable({})

    assert sources_of(None) == ()
    assert sources_of(table) == (table,)
    assert sources_of([table, table]) == (table, table)
    with pytest.raises(FiberValidationError, match="no price source"):
        sources_of(["catalogue"])
