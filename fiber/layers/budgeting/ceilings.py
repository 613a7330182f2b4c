"""The ceilings of one call: refused before anything is sent when they could be passed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber._chain import Call
from fiber._errors import FiberBudgetError, FiberValidationError
from fiber.layers.budgeting.pricing import dearest, targets_of
from fiber.layers.budgeting.worst import worst_case
from fiber.types.budget import dollars
from fiber.types.receipt import Usage
from fiber.types.request import ChatRequest
from fiber.types.target import Target


def check_ceilings(call: Call, options: Mapping[str, Any]) -> None:
    """
    Hold the worst case of *call*, at whichever of its targets, to `cost_ceiling_usd` and `token_budget` of *options*.

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
    target = call.target
    worst = worst_of(call)
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
    price = dearest(call, targets_of(call), worst)
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


def worst_of(call: Call) -> Usage | None:
    """Return the most that *call* can use at any of its targets; None when its output has no bound."""
    request: Any = getattr(call.operation, "request", None)
    if not isinstance(request, ChatRequest):
        return Usage()  # a raw exchange, of which nobody knows what it uses
    most = [call.catalog.max_output(target.provider, target.model) for target in targets_of(call)]
    known = [tokens for tokens in most if tokens is not None]
    return worst_case(request, repair=call.repair, most=max(known) if len(known) == len(most) else None)


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
        " prices=PriceTable({...}), or leave the limit out.",
        provider=target.provider,
        model=target.model,
        parameter=what,
    )
