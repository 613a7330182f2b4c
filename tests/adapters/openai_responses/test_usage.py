"""Usage and cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest


def text(words: str, **members: Any) -> dict[str, Any]:
    """A message item of one text."""
    return {"type": "message", "content": [{"type": "output_text", "text": words, **members}]}


def test_usage_has_totals_and_parts(parse: Any) -> None:
    """Input includes cached tokens and output includes reasoning, as the provider counts."""
    usage = parse(
        usage={
            "input_tokens": 100,
            "input_tokens_details": {
                "cached_tokens": 80,
                "cache_write_tokens": 10,
                "cache_write_tokens_details": {"ttl_12h_tokens": 4},
                "audio_tokens": 1,
            },
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 2},
            "total_tokens": 150,
        },
        tool_usage={"web_search": {"num_requests": 2}, "image_gen": {"total_tokens": 0}},
    ).usage

    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (100, 50, 150)
    assert (usage.cache_read_tokens, usage.cache_write_tokens) == (80, 10)
    assert (usage.cache_write_1h_tokens, usage.reasoning_tokens) == (4, 30)
    assert (usage.audio_input_tokens, usage.audio_output_tokens) == (1, 2)
    assert usage.server_tool_uses == {"web_search": 2}
    assert usage.cost_status == "no_price"


@pytest.mark.parametrize("usage", [None, 7, "x", [], {}, {"input_tokens": "many"}])
def test_odd_usage_is_unknown(usage: Any, parse: Any) -> None:
    """Usage that cannot be read is unknown, never zero and never an error."""
    found = parse(usage=usage, tool_usage=[]).usage

    assert found.input_tokens is None
    assert found.server_tool_uses is None
    assert found.cost_status == "no_usage"


@pytest.mark.parametrize(
    ("members", "cost"),
    [
        ({"cost": 0.0000243}, Decimal("0.0000243")),
        ({"cost": "0.5"}, Decimal("0.5")),
        ({"cost": {"total_cost": 0.01}}, Decimal("0.01")),
        ({"cost_in_usd_ticks": 55258500}, Decimal("0.00552585")),
        ({"cost": True}, None),
        ({"cost": "much"}, None),
        ({"cost": "NaN"}, None),
        ({"cost": None}, None),
    ],
)
def test_reported_cost_is_exact(members: Any, cost: Decimal | None, parse: Any) -> None:
    """The provider's own charge is taken to the last digit."""
    usage = parse(usage={"input_tokens": 1} | members).usage

    assert usage.cost_usd == cost
    assert usage.cost_status == ("no_price" if cost is None else "priced")


def test_tools_of_xai_are_counted(parse: Any) -> None:
    """xAI counts its tools inside usage."""
    details = {"web_search_calls": 1, "x_search_calls": 0}

    assert parse(usage={"server_side_tool_usage_details": details}).usage.server_tool_uses == {"web_search": 1}


def test_the_tier_is_the_one_that_served(parse: Any) -> None:
    """An odd one is unknown, and a tier alone is no usage."""
    counts = {"input_tokens": 1, "output_tokens": 1}

    assert parse(usage=counts, service_tier="flex").usage.service_tier == "flex"
    assert parse(usage=counts, service_tier=7).usage.service_tier is None
    assert parse(usage=None, service_tier="flex").usage.cost_status == "no_usage"
