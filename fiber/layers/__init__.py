"""
Policies around a call, outermost first. The order has reasons:

telemetry   one span and one log line for the call, all attempts included
deadline    total time over everything below
fallback    the next target, each with its own retries
repair      one more try for an answer that is not the JSON asked for
retry       the same target again
breaker     nothing for a while to a target that fails again and again; where it is configured
core        one HTTP exchange
"""

from __future__ import annotations

from fiber._chain import Layer
from fiber._errors import FiberValidationError
from fiber.types.config import BreakerPolicy


def default_layers(*, breaker: BreakerPolicy | None = None) -> tuple[Layer, ...]:
    """Return the layers of a client, outermost first; those with a policy only where it is given."""
    from fiber.layers.deadline import deadline
    from fiber.layers.fallback import fallback
    from fiber.layers.repair import repair
    from fiber.layers.retry import Retry
    from fiber.layers.telemetry import telemetry

    layers: tuple[Layer, ...] = (telemetry, deadline, fallback, repair, Retry())
    if breaker is not None:
        from fiber.layers.breaker import Breaker

        layers += (Breaker(breaker),)
    return layers


def layers_of(layers: tuple[Layer, ...] | None, *, breaker: BreakerPolicy | None) -> tuple[Layer, ...]:
    """
    Return *layers*, or the default ones when there are none.

    Raises:
        FiberValidationError: A policy is given for the default ones, and they are not used.
    """
    if layers is None:
        return default_layers(breaker=breaker)
    if breaker is not None:
        raise FiberValidationError(
            "breaker=... is for the default layers: say layers=(..., *default_layers(breaker=...)).",
            parameter="breaker",
            outcome="not_sent",
        )
    return layers
