"""What a call will take of each meter, and what it took."""

from __future__ import annotations

from typing import Any

from fiber._chain import Call
from fiber.layers.budgeting.worst import worst_case
from fiber.types.receipt import Usage
from fiber.types.request import ChatRequest

_BYTES_PER_TOKEN = 4
_USUAL_OUTPUT = 1000
"""For a call that says no `max_tokens`, as long as nobody knows better."""


def expected(call: Call, output: float | None) -> dict[str, float]:
    """
    Return what *call* will take.

    Args:
        output: Tokens of output that calls like it had lately; None when there were none.
    """
    request: Any = getattr(call.operation, "request", None)
    if not isinstance(request, ChatRequest):
        return {"requests": 1, "tokens": 0, "input_tokens": 0, "output_tokens": 0}  # a raw exchange: nobody knows
    worst = worst_case(request, most=0) or Usage()
    given = (worst.input_tokens or 0) // _BYTES_PER_TOKEN
    most = worst.output_tokens or None
    taken = (most or _USUAL_OUTPUT) if output is None else min(output, most or output)
    return {"requests": 1, "tokens": given + taken, "input_tokens": given, "output_tokens": taken}


def spent(usage: Usage | None) -> dict[str, float]:
    """Return what an answered call took, as far as *usage* tells."""
    known: dict[str, float | None] = {"requests": 1}
    if usage is not None:
        given, taken = usage.input_tokens, usage.output_tokens
        total = None if given is None or taken is None else given + taken
        known |= {"tokens": total, "input_tokens": given, "output_tokens": taken}
    return {meter: amount for meter, amount in known.items() if amount is not None}
