"""From counts and rates to a cost."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import Cost, PriceQuery, PriceTable, Rates, Usage
from fiber.registry.cost import cost_of, priced

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RATES = {"input": "2", "cache_read": "0.2", "cache_write": "2.5", "cache_write_1h": "4", "output": "10"}


def cost(usage: Usage, **rates: str) -> Cost:
    """Price *usage* at *rates*, or at the usual ones."""
    usd = {name: Decimal(rate) for name, rate in (rates or RATES).items()}
    return cost_of(usage, Rates(usd=usd, source="list", revision="7"))


def lines(cost: Cost) -> dict[str, tuple[int, Decimal]]:
    """Return quantity and cost of each line."""
    return {line.component: (line.quantity, line.usd) for line in cost.lines}


def test_each_component_is_a_line() -> None:
    """Parts of the input are taken out of it, by their lifetimes; reasoning out of the output."""
    usage = Usage(
        input_tokens=1000,
        cache_read_tokens=300,
        cache_write_tokens=200,
        cache_write_1h_tokens=50,
        output_tokens=100,
        reasoning_tokens=60,
    )
    found = cost(usage)

    assert lines(found) == {
        "cache_read": (300, Decimal("0.00006")),
        "cache_write": (150, Decimal("0.000375")),
        "cache_write_1h": (50, Decimal("0.0002")),
        "input": (500, Decimal("0.001")),
        "reasoning": (60, Decimal("0.0006")),
        "output": (40, Decimal("0.0004")),
    }
    assert (found.usd, found.status, found.source, found.revision) == (Decimal("0.002635"), "priced", "list", "7")


def test_a_part_without_a_rate_costs_what_the_rest_costs() -> None:
    """The list has one rate for both."""
    usage = Usage(input_tokens=10, cache_read_tokens=4, cache_write_tokens=2, audio_input_tokens=3, output_tokens=0)

    assert lines(cost(usage, input="1", output="1")) == {"input": (10, Decimal("0.00001"))}
    assert lines(cost(usage, input="1", audio_input="5", output="1"))["audio_input"] == (3, Decimal("0.000015"))


def test_audio_and_reasoning_have_their_own_rates() -> None:
    """Where the list says so."""
    usage = Usage(input_tokens=0, output_tokens=10, reasoning_tokens=4, audio_output_tokens=3)
    found = cost(usage, input="1", output="1", reasoning="2", audio_output="3")

    assert {name: quantity for name, (quantity, _) in lines(found).items()} == {
        "reasoning": 4,
        "audio_output": 3,
        "output": 3,
    }


def test_what_the_provider_bills_counts() -> None:
    """Cohere reads more than it charges for."""
    usage = Usage(input_tokens=500, output_tokens=9, billed_input_tokens=10, billed_output_tokens=8)

    assert {name: quantity for name, (quantity, _) in lines(cost(usage)).items()} == {"input": 10, "output": 8}


def test_uses_of_tools_and_requests_are_charged_by_the_thousand() -> None:
    """A free tool is no line."""
    usage = Usage(input_tokens=0, output_tokens=0, server_tool_uses={"web_search_requests": 3, "web_fetch_requests": 9})

    assert lines(cost(usage, input="1", web_search="10", request="5")) == {
        "web_search_requests": (3, Decimal("0.03")),
        "request": (1, Decimal("0.005")),
    }


@pytest.mark.parametrize(
    ("usage", "rates", "why"),
    [
        (Usage(input_tokens=1, output_tokens=1, server_tool_uses={"psychic": 1}), RATES, "psychic"),
        (
            Usage(input_tokens=5, cache_write_tokens=5, cache_write_1h_tokens=5, output_tokens=0),
            {"input": "1", "cache_write": "2", "output": "1"},
            "cache_write_1h",
        ),
        (Usage(input_tokens=1, output_tokens=1), {"input": "1"}, "output"),
        (
            Usage(input_tokens=1, output_tokens=1, image_tokens=1),
            {"input": "1", "output": "1", "image_output": "9"},
            "image tokens",
        ),
    ],
)
def test_a_component_without_a_rate_leaves_no_cost(usage: Usage, rates: dict[str, str], why: str) -> None:
    """Half a cost would be a wrong one; the note says what is missing."""
    found = cost(usage, **rates)

    assert (found.usd, found.status, found.lines) == (None, "no_price", ())
    assert found.note is not None
    assert why in found.note


@pytest.mark.parametrize(("usage", "why"), [(Usage(output_tokens=1), "input"), (Usage(input_tokens=1), "output")])
def test_half_a_usage_is_none(usage: Usage, why: str) -> None:
    """A stream that broke may have counted its input only."""
    found = cost(usage)

    assert (found.usd, found.status) == (None, "no_usage")
    assert found.note is not None
    assert why in found.note


def test_a_model_without_a_price_has_no_cost() -> None:
    """The list knows it, and no more."""
    found = cost_of(Usage(input_tokens=1, output_tokens=1), Rates(usd={}, source="list"))

    assert (found.usd, found.status) == (None, "no_price")


COUNTS = st.integers(0, 10**9)


@given(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS), st.integers(0, 10**6))
def test_lines_make_the_sum_and_the_counts(counts: tuple[int, ...], rate: int) -> None:
    """Whatever is a part of what, nothing is charged twice, and no digit is lost to the caller's context."""
    given_, made, read, written, thought = counts
    usage = Usage(
        input_tokens=given_,
        output_tokens=made,
        cache_read_tokens=min(read, given_),
        cache_write_tokens=min(written, max(given_ - read, 0)),
        reasoning_tokens=min(thought, made),
    )
    with localcontext() as context:
        context.prec = 3
        found = cost(usage, input="1.23456789", output=f"0.{rate:07}", cache_read="0.1", cache_write="3")

    assert found.usd is not None
    assert sum(line.usd * 10**30 for line in found.lines) == found.usd * 10**30
    assert sum(line.quantity for line in found.lines) == given_ + made


def test_what_the_provider_says_wins() -> None:
    """It knows its discounts."""
    usage = Usage(input_tokens=1, output_tokens=1, cost_usd=Decimal("0.5"), cost_status="priced")

    assert price(usage) == Cost(usd=Decimal("0.5"), status="priced", source="provider")


def price(usage: Usage, *models: str, sources: Any = ()) -> Cost:
    """Price at noon."""
    return priced(usage, sources, "p", models or ("m",), NOON, tier="", region="")


def test_no_count_is_no_usage() -> None:
    """Nothing is charged for what nobody counted."""
    assert price(Usage()).status == "no_usage"


def test_the_first_list_that_knows_the_model_decides() -> None:
    """By the name that the provider gave, then by the one that was asked for."""
    mine, other = PriceTable({"p:asked": {"input": 1, "output": 1}}), PriceTable({"p:asked": {"input": 9, "output": 9}})
    usage = Usage(input_tokens=1_000_000, output_tokens=0)

    assert price(usage, "answered", "asked", sources=[PriceTable({}), mine, other]).usd == 1
    unknown = price(usage, "answered", "asked", sources=[PriceTable({})])
    assert (unknown.usd, unknown.status) == (None, "model_not_in_catalogue")
    assert unknown.note == "no price list knows 'answered' or 'asked' of p"


def test_a_list_is_asked_with_all_that_is_known() -> None:
    """Tier, region, moment and size."""
    asked = []

    class Listening:
        def rates(self, query: PriceQuery) -> Rates | None:
            asked.append(query)
            return None

    priced(Usage(input_tokens=7), [Listening()], "p", ["m"], NOON, tier="flex", region="eu")

    assert asked == [PriceQuery(provider="p", model="m", at=NOON, tier="flex", region="eu", input_tokens=7)]
