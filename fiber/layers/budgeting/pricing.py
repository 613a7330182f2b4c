"""What usage costs: what the provider says, else by the price lists of the call, the catalogue last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from fiber._chain import Call
from fiber.registry.cost import priced
from fiber.transports.base import utc
from fiber.types.cost import Cost
from fiber.types.receipt import Usage
from fiber.types.target import Target


def cost(
    call: Call, usage: Usage, target: Target, provider: str, models: Iterable[str], *, at: datetime | None = None
) -> Cost:
    """
    Return what *usage* costs.

    Args:
        target: Where it was used.
        provider: Row that answered.
        models: The model as the provider named it, and as it was asked for.
        at: When it was used; now when not given.
    """
    request: Any = getattr(call.operation, "request", None)
    tier = usage.service_tier or getattr(request, "service_tier", None) or ""
    # OpenAI says where it works only in its host: eu.api.openai.com, us.api.openai.com.
    place, _, host = target.host.partition(".")
    region = place if host == "api.openai.com" else usage.region or ""
    sources = (*call.prices, call.catalog)
    return priced(usage, sources, provider, models, at or utc(call.transport), tier=tier, region=region)


def dearest(call: Call, targets: Iterable[Target], usage: Usage) -> Decimal | None:
    """Return the most that *usage* costs at any of *targets*; None when one of these prices is not known."""
    found = [cost(call, usage, target, target.provider, (target.model,)).usd for target in targets]
    known = [usd for usd in found if usd is not None]
    return max(known) if len(known) == len(found) else None


def targets_of(call: Call) -> list[Target]:
    """Return the targets that *call* may ask, in order."""
    return [call.target, *(other.target for other in call.fallbacks)]


def answered(call: Call) -> list[Target]:
    """Return the target of the last attempt; all of them when there was none."""
    targets = targets_of(call)
    last = call.journal.attempts[-1] if call.journal.attempts else None
    return [t for t in targets if last is not None and (t.provider, t.model) == (last.provider, last.model)] or targets
