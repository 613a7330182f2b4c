"""
Policies around a call, outermost first. The order has reasons:

telemetry   one log line and one span for the call, with a span for each attempt
content     question and answer in the log, of a sample of the calls; where it is configured
deadline    total time over everything below
cache       the same question again, when the client has a cache
budget      what calls may spend together, when the client has budgets
fallback    the next target, each with its own retries
repair      one more try for an answer that is not the JSON asked for
retry       the same target again
hedge       a second request beside one that is slow; where it is configured
keys        the next key of a pool, where some credential is one
ratelimit   a turn in the line, for each attempt; where limits are configured
breaker     nothing for a while to a target that fails again and again; where it is configured
core        one HTTP exchange
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fiber._chain import Layer
from fiber._errors import FiberValidationError
from fiber.registry.models import ModelRegistry

if TYPE_CHECKING:
    from fiber.layers.breaker import Breaker
    from fiber.layers.budget import Budgets
    from fiber.layers.ratelimit import RateLimiter
    from fiber.types.budget import Budget
    from fiber.types.config import BreakerPolicy, HedgePolicy
    from fiber.types.pace import RateLimit


def default_layers(
    *,
    log_content: float | None = None,
    cache: Layer | None = None,
    budgets: Layer | None = None,
    hedge: HedgePolicy | None = None,
    keys: bool | None = None,
    rate_limits: Layer | None = None,
    breaker: Breaker | BreakerPolicy | None = None,
) -> tuple[Layer, ...]:
    """
    Return the layers of a client, outermost first; what is not configured is not there.

    Args:
        log_content: Share of the calls whose question and answer are logged.
        cache: A `Cache`.
        budgets: A `Budgets`.
        hedge: When a slow call is sent a second time.
        keys: Use pools of keys.
        rate_limits: A `RateLimiter`.
        breaker: When a target that fails is left alone; a `Breaker` shares that with other processes.
    """
    from fiber.layers.deadline import deadline
    from fiber.layers.fallback import fallback
    from fiber.layers.repair import repair
    from fiber.layers.retry import Retry
    from fiber.layers.telemetry import telemetry

    content: Layer | None = None
    if log_content is not None:
        from fiber.layers.content import ContentLog

        content = ContentLog(log_content)
    configured = [layer for layer in (content, deadline, cache, budgets) if layer is not None]
    layers: tuple[Layer, ...] = (telemetry, *configured, fallback, repair, Retry())
    if hedge is not None:
        from fiber.layers.hedge import Hedge

        layers += (Hedge(hedge),)
    if keys:
        from fiber.layers.keys import Keys

        layers += (Keys(),)
    if rate_limits is not None:
        layers += (rate_limits,)
    if breaker is not None:
        from fiber.layers.breaker import Breaker

        layers += (breaker if isinstance(breaker, Breaker) else Breaker(breaker),)
    return layers


def budgeted(budgets: Budgets | Iterable[Budget] | None) -> Layer | None:
    """Return the layer that *budgets* is, or that holds calls to them; None for none."""
    if budgets is None or callable(budgets):
        return budgets
    from fiber.layers.budget import Budgets

    return Budgets(budgets)


def limited(rate_limits: RateLimiter | Mapping[str, RateLimit] | None, names: ModelRegistry) -> Layer | None:
    """
    Return the layer that *rate_limits* is, or that holds calls to them; None for none.

    Raises:
        FiberValidationError: One of them is for a provider that *names* does not know.
    """
    if rate_limits is None:
        return None
    from fiber.layers.ratelimit import RateLimiter

    layer = rate_limits if isinstance(rate_limits, RateLimiter) else RateLimiter(rate_limits)
    for name in layer.limits:
        names.resolve("-", provider=name.partition(":")[0])
    return layer


def layered(layers: tuple[Layer, ...] | None, **configured: Any) -> tuple[Layer, ...]:
    """
    Return *layers*, or the default ones with what is *configured*.

    Raises:
        FiberValidationError: Both are given.
    """
    if layers is None:
        return default_layers(**configured)
    said = [name for name, value in configured.items() if value is not None]
    if said:
        raise FiberValidationError(
            f"{said[0]}=... is for the default layers: say layers=(..., *default_layers({said[0]}=...)).",
            parameter=said[0],
            outcome="not_sent",
        )
    return layers
