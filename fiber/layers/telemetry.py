"""
One log line and one span for each call, all attempts included.

Nothing is configured globally: log events go through structlog into the standard logger `fiber`, which stays silent
until the host configures logging; spans go to the tracer of the OpenTelemetry API, which does nothing without an SDK
(`fiber.layers.tracing`). Content is in none of these lines, and in spans only where the host asks for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from fiber._chain import Call, Handler
from fiber._reply import Ending, Reply
from fiber.metering.genai import record
from fiber.metering.logger import LOGGER, is_heard
from fiber.metering.otel import api

if TYPE_CHECKING:
    from fiber.layers.tracing.spans import Trace

_TAKEN = {*vars(logging.makeLogRecord({})), "asctime", "event", "exc_info", "level", "message", "self", "stacklevel"}
"""Names that a log record has for itself: a bound field of such a name is logged with `context_` before it."""

_UNLOGGED = {"budget_refused", "cache_evict", "cache_get", "cache_hit", "cache_miss", "cache_set", "cache_write"}
"""Events that are no warning, or that the line of the call says too."""


def telemetry(call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
    """Log and trace *call*, from its start to its end."""
    # No coroutine and no closure of its own where no SDK is, for most calls are told to nobody.
    trace, journal = _begun(call), call.journal
    if trace is None:
        journal.observers.append(_observe)
        journal.hearers.append(_finish)
        return next(call)
    journal.observers.append(partial(_observe, trace=trace))
    journal.hearers.append(partial(_finish, trace=trace))
    return _traced(call, next, trace)


def _begun(call: Call) -> Trace | None:
    if api("opentelemetry.trace") is None:
        return None
    from fiber.layers.tracing.spans import begin

    return begin(call)


async def _traced(call: Call, next: Handler, trace: Trace) -> Reply:
    with trace.current():
        reply = await next(call)
    if call.journal.first_event is not None:
        _quietly(trace.event, "first_chunk", {})
    if call.telemetry.content:
        trace.reply = reply
    return reply


def _observe(call: Call, event: str, facts: Mapping[str, Any], trace: Trace | None = None) -> None:
    known = {name: value for name, value in facts.items() if value is not None}
    if event not in _UNLOGGED:
        _quietly(_log_event, call, event, known)
    if trace is not None:
        _quietly(trace.event, event, known)


def _finish(call: Call, ending: Ending, trace: Trace | None = None) -> None:
    failed = ending.outcome in ("error", "truncated")
    if is_heard(logging.ERROR if failed else logging.INFO):
        _quietly(_log, call, ending, failed)
    if trace is not None:
        _quietly(trace.end, call, ending)
    _quietly(record, call, ending)


def _quietly(tell: Callable[..., None], *arguments: Any) -> None:
    # A broken handler or exporter of the host must not break the call.
    try:
        tell(*arguments)
    except Exception:  # noqa: S110 - there is nobody else to tell
        pass


def _fields(call: Call, ending: Ending) -> dict[str, Any]:
    journal, usage, error = call.journal, ending.usage, ending.error
    last = journal.attempts[-1] if journal.attempts else None
    fields: dict[str, Any] = {
        "provider": last.provider if last else call.target.provider,
        "model": ending.model or call.target.model,
        "request_id": ending.request_id or (last.request_id if last else None),
        "attempt": len(journal.attempts),
        "total_attempts": call.retry.max_attempts,
        "stream": call.stream,
        "latency_ms": round((call.transport.now() - journal.started) * 1000, 3),
        "ttfb_ms": None if journal.first_event is None else round((journal.first_event - journal.started) * 1000, 3),
        "finish_reason": ending.finish_reason,
        "tokens_in": usage.input_tokens if usage else None,
        "tokens_out": usage.output_tokens if usage else None,
        "tokens_total": usage.total_tokens if usage else None,
        "estimated_cost_usd": str(usage.cost_usd) if usage and usage.cost_usd is not None else None,
        "outcome": ending.outcome,
        "cached": ending.cached or None,
        "label": call.label or None,
        "alias": call.alias or None,
        "error_kind": type(error).__name__ if error is not None else None,
        "http_status": getattr(error, "status_code", None) or (last.status if last else None),
        "reason": getattr(error, "provider_code", None),
    }
    return {name: value for name, value in fields.items() if value is not None} | bound_fields(call, fields)


def bound_fields(call: Call, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bound fields, those renamed whose names are taken."""
    return {
        f"context_{name}" if name in _TAKEN or name in fields else f"{name}": value
        for name, value in call.context.items()
    }


def _log_event(call: Call, event: str, facts: Mapping[str, Any]) -> None:
    if is_heard(logging.WARNING):
        fields = {"provider": call.target.provider, "model": call.target.model, **facts}
        _structlog().log(logging.WARNING, event, **fields, **bound_fields(call, fields))


def _log(call: Call, ending: Ending, failed: bool) -> None:
    name = "error" if failed else f"{call.operation.name}_stream" if call.stream else f"{call.operation.name}_call"
    _structlog().log(logging.ERROR if failed else logging.INFO, name, **_fields(call, ending))


@cache
def _structlog() -> Any:
    import structlog

    return structlog.wrap_logger(
        LOGGER,
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
