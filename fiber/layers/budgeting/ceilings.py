"""The ceilings of one call: refused before anything is sent when they could be passed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from fiber._errors import FiberBudgetError, FiberValidationError
from fiber.layers.budgeting.worst import worst_case
from fiber.types.budget import Prices, dollars
from fiber.types.request import ChatRequest
from fiber.types.result import Usage
from fiber.types.target import Target


def check_ceilings(
    request: ChatRequest,
    targets: Sequence[Target],
    prices: Prices | None,
    options: Mapping[str, Any],
    *,
    repair: bool,
) -> None:
    """
    Hold the worst case of *request*, at whichever of *targets*, to `cost_ceiling_usd` and `token_budget` of *options*.

    Raises:
        FiberBudgetError: It could pass one of them, or its worst case or price is not known.
        FiberValidationError: One of them is no such number.
    """
    tokens, cost = options.get("token_budget"), options.get("cost_ceiling_usd")
    if tokens is None and cost is None:
        return
    if tokens is not None and (type(tokens) is not int or tokens < 0):
        raise FiberValidationError(
            f"token_budget must be a whole number from 0, not {tokens!r}.", parameter="token_budget", outcome="not_sent"
        )
    target = targets[0]
    worst = worst_case(request, repair=repair)
    if worst is None:
        raise unbounded(target, "cost_ceiling_usd" if tokens is None else "token_budget")
    if tokens is not None and (worst.total_tokens or 0) > tokens:
        raise FiberBudgetError(
            f"The call may use {worst.total_tokens} tokens ({worst.input_tokens} of input at most,"
            f" {worst.output_tokens} of output), more than token_budget={tokens}: shorten it, lower max_tokens, or"
            " raise the budget.",
            provider=target.provider,
            model=target.model,
            parameter="token_budget",
        )
    if cost is None:
        return
    ceiling = dollars(cost, "cost_ceiling_usd", "cost_ceiling_usd")
    price = dearest(prices, targets, worst)
    if price is None:
        raise unpriced(target, "cost_ceiling_usd")
    if price > ceiling:
        raise FiberBudgetError(
            f"The call may cost {price:f} USD, more than cost_ceiling_usd={ceiling:f}: shorten it, lower max_tokens, or"
            " raise the ceiling.",
            provider=target.provider,
            model=target.model,
            parameter="cost_ceiling_usd",
        )


def dearest(prices: Prices | None, targets: Iterable[Target], usage: Usage) -> Decimal | None:
    """Return the most that *usage* costs at any of *targets*; None when one of these prices is not known."""
    found = [None if prices is None else prices.price(target, usage) for target in targets]
    known = [price for price in found if price is not None]
    return max(known) if len(known) == len(found) else None


def unbounded(target: Target, what: str) -> FiberBudgetError:
    """Make the error of a call whose output has no bound."""
    return FiberBudgetError(
        f"{what} needs a bound of the output: say max_tokens=..., or make the client with default_max_tokens=....",
        provider=target.provider,
        model=target.model,
        parameter="max_tokens",
    )


def unpriced(target: Target, what: str) -> FiberBudgetError:
    """Make the error of a call whose price is not known."""
    return FiberBudgetError(
        f"{what} needs the price of {target.provider}:{target.model}, which is not known: make the client with"
        " prices=..., or leave the limit out.",
        provider=target.provider,
        model=target.model,
        parameter=what,
    )
