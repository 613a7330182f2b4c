"""
Policies around a call, outermost first. The order has reasons:

telemetry   one span and one log line for the call, all attempts included
deadline    total time over everything below
fallback    the next target, each with its own retries
repair      one more try for an answer that is not the JSON asked for
retry       the same target again
core        one HTTP exchange
"""

from __future__ import annotations

from fiber._chain import Layer


def default_layers() -> tuple[Layer, ...]:
    """Return the layers of a client, outermost first."""
    from fiber.layers.deadline import deadline
    from fiber.layers.fallback import fallback
    from fiber.layers.repair import repair
    from fiber.layers.retry import Retry
    from fiber.layers.telemetry import telemetry

    return (telemetry, deadline, fallback, repair, Retry())
