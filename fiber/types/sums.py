"""Usage of several exchanges as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.types.receipt import Usage


def sum_usage(one: Usage, other: Usage) -> Usage:
    """
    Add what two exchanges of one call used.

    Returns:
        The sums; a count is None only where both are, and a cost that one of them told is a cost.
    """
    sums = {
        name: _sum(getattr(one, name), getattr(other, name))
        for name in Usage.__struct_fields__
        if name != "cost_status"
    }
    status = one.cost_status if other.cost_status == "no_usage" else other.cost_status
    return Usage(**sums, cost_status="priced" if sums["cost_usd"] is not None else status)


def _sum(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, str):
        return other
    if isinstance(one, Mapping):
        return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
    return one + other
