"""
Policies around a call, outermost first. The order has reasons:

telemetry   one span and one log line for the call, all attempts included
deadline    total time over everything below
cache       the same question again, when the client has a cache
budget      what calls may spend together, when the client has budgets
repair      one more try for an answer that is not the JSON asked for
retry       the same target again
core        one HTTP exchange
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fiber._chain import Layer
from fiber._errors import FiberValidationError

if TYPE_CHECKING:
    from fiber.layers.budget import Budgets
    from fiber.types.budget import Budget, Prices


def default_layers(*, cache: Layer | None = None, budgets: Layer | None = None) -> tuple[Layer, ...]:
    """
    Return the layers of a client, outermost first; what is not configured is not there.

    Args:
        cache: A `Cache`.
        budgets: A `Budgets`.
    """
    from fiber.layers.deadline import deadline
    from fiber.layers.repair import repair
    from fiber.layers.retry import Retry
    from fiber.layers.telemetry import telemetry

    configured = [layer for layer in (cache, budgets) if layer is not None]
    return (telemetry, deadline, *configured, repair, Retry())


def budgeted(budgets: Budgets | Iterable[Budget] | None, prices: Prices | None) -> Layer | None:
    """Return the layer that *budgets* is, or that holds calls to them; None for none."""
    if budgets is None or callable(budgets):
        return budgets
    from fiber.layers.budget import Budgets

    return Budgets(budgets, prices=prices)


def layered(layers: tuple[Layer, ...] | None, **configured: Layer | None) -> tuple[Layer, ...]:
    """
    Return *layers*, or the default ones with what is *configured*.

    Raises:
        FiberValidationError: Both are given.
    """
    if layers is None:
        return default_layers(**configured)
    said = [name for name, layer in configured.items() if layer is not None]
    if said:
        raise FiberValidationError(
            f"layers replaces all layers, also that of {said[0]}=...: put it into layers, or use"
            f" default_layers({said[0]}=...).",
            parameter="layers",
            outcome="not_sent",
        )
    return layers
