"""Usage of several exchanges as one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from fiber.types.cost import CostStatus
from fiber.types.receipt import Usage
from fiber.types.sums import sum_usage
from tests.strategies import usages


@given(usages, usages)
def test_a_sum_knows_what_either_knows(one: Usage, other: Usage) -> None:
    """A count is None only where both are, and otherwise the sum of those that are known."""
    total = sum_usage(one, other)

    for name in Usage.__struct_fields__:
        known = [count for usage in (one, other) if (count := getattr(usage, name)) is not None]
        if name not in ("cost_status", "service_tier", "region", "server_tool_uses"):
            assert getattr(total, name) == (sum(known) if known else None)


@pytest.mark.parametrize(
    ("one", "other", "total"),
    [
        (None, None, None),
        ({"search": 1}, None, {"search": 1}),
        (None, {"search": 1}, {"search": 1}),
        ({"search": 1, "fetch": 2}, {"search": 3, "run": 4}, {"search": 4, "fetch": 2, "run": 4}),
    ],
)
def test_uses_of_tools_are_added_by_tool(one: Any, other: Any, total: Any) -> None:
    """A tool that only one exchange used is in the sum."""
    assert sum_usage(Usage(server_tool_uses=one), Usage(server_tool_uses=other)).server_tool_uses == total


def test_the_tier_of_a_sum_is_the_later_one() -> None:
    """Words cannot be added."""
    assert sum_usage(Usage(service_tier="flex"), Usage(service_tier="default")).service_tier == "default"
    assert sum_usage(Usage(region="eu"), Usage()).region == "eu"


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        (Usage(cost_usd=Decimal(1), cost_status="priced"), Usage(cost_status="no_usage"), "priced"),
        (Usage(cost_status="no_usage"), Usage(cost_usd=Decimal(1), cost_status="priced"), "priced"),
        (Usage(cost_status="no_usage"), Usage(cost_status="no_usage"), "no_usage"),
        (Usage(cost_status="no_price"), Usage(cost_status="no_usage"), "no_price"),
        (Usage(cost_status="no_usage"), Usage(cost_status="model_not_in_catalogue"), "model_not_in_catalogue"),
    ],
)
def test_status_of_a_sum_is_that_of_who_knows_more(one: Usage, other: Usage, status: CostStatus) -> None:
    """A cost that is known is a cost, and usage of one exchange is usage."""
    assert sum_usage(one, other).cost_status == status
