"""From a call that ended to its line in the books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from fiber._chain import Call
from fiber._reply import Ending
from fiber.layers.budgeting.pricing import cost
from fiber.metering.metrics import code_of
from fiber.transports.base import utc
from fiber.types.cost import Cost
from fiber.types.receipt import Usage
from fiber.types.usage import Plain, UsageRecord

_BOUND = {
    # Fields of a record, and the bound fields that they are; the first that is bound.
    "origin": ("origin",),
    "conversation_id": ("conversation_id",),
    "tenant": ("tenant", "tenant_id"),
    "user": ("user", "user_id"),
    "session": ("session", "session_id"),
}
_NOTHING = Usage()


def record_of(call: Call, ending: Ending) -> UsageRecord:
    """Return the record of *call*, which ended so."""
    journal = call.journal
    attempts, started, first = journal.attempts, journal.started, journal.first_event
    last = attempts[-1] if attempts else None
    provider, model = (last.provider, last.model) if last else call.target.key
    usage = ending.usage or _NOTHING
    usd, status, saved = _costs(call, ending, provider, model)
    bound = dict(call.context)
    known = {name: _first(bound, names) for name, names in _BOUND.items()}
    return UsageRecord(
        id=journal.id,
        time=utc(call.transport),
        operation=call.operation.name,
        provider=provider,
        model=_clean(model),
        alias=_clean(call.alias),
        profile=_clean(call.profile),
        stream=call.stream,
        outcome=ending.outcome,
        error="" if ending.outcome == "complete" else code_of(ending),
        attempts=len(attempts),
        latency_ms=round((call.transport.now() - started) * 1000, 3),
        ttfb_ms=None if first is None else round((first - started) * 1000, 3),
        request_id=_clean(request_id) if (request_id := ending.request_id or (last and last.request_id)) else None,
        cached=ending.cached,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost_usd=usd,
        cost_status=status,
        saved_usd=saved,
        label=_clean(call.label),
        **known,
        metadata={_clean(str(name)): _plain(value) for name, value in bound.items()},
    )


def _costs(call: Call, ending: Ending, provider: str, model: str) -> tuple[Decimal | None, Any, Decimal | None]:
    """Return what *call* cost, whether that is known, and what it saved."""
    if ending.cached:
        spared = msgspec.structs.replace(ending.spared or _NOTHING, cost_usd=None)
        return Decimal(0), "priced", _cost(call, ending, spared, provider, model).usd
    usage = ending.usage
    if usage is None:
        return None, "no_usage", None
    if usage.cost_usd is not None or usage.cost_status != "no_price":
        return usage.cost_usd, usage.cost_status, None
    # The answer was not read to its end, so nobody has asked for its price yet.
    found = _cost(call, ending, usage, provider, model)
    return found.usd, found.status, None


def _cost(call: Call, ending: Ending, usage: Usage, provider: str, model: str) -> Cost:
    models = (model,) if ending.model is None else (ending.model, model)
    return cost(call, usage, call.target, provider, models)


def _first(bound: dict[str, Any], names: tuple[str, ...]) -> str:
    """Take the first of *names* out of *bound*; the others stay."""
    for name in names:
        if bound.get(name) is not None:
            return _clean(str(bound.pop(name)))
    return ""


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, bool | int | float):
        return value
    return _clean(str(value))


def _clean(text: str) -> str:
    """Return *text* without what no file and no database takes: half characters, and the character zero."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
