"""
One log line and one span for each call, all attempts included.

Nothing is configured globally: log events go through structlog into the standard logger `fiber`, which stays silent
until the host configures logging; spans go to the tracer of the OpenTelemetry API, which does nothing without an SDK
(`fiber.layers.tracing`). Content is in no log line, and in spans only where the host asks for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from fiber._chain import Call, Handler
from fiber._reply import Ending, Reply
from fiber.layers.tracing.spans import Trace, begin
from fiber.metering.genai import record

T = TypeVar("T")

_LOGGER = logging.getLogger("fiber")
_LOGGER.addHandler(logging.NullHandler())

_TAKEN = {*vars(logging.makeLogRecord({})), "asctime", "event", "exc_info", "level", "message", "self", "stacklevel"}
"""Names that a log record has for itself: a bound field of such a name is logged with `context_` before it."""

_UNLOGGED = {"budget_refused", "cache_evict", "cache_get", "cache_hit", "cache_miss", "cache_set", "cache_write"}
"""Events that are no warning, or that the line of the call says too."""


async def telemetry(call: Call, next: Handler) -> Reply:
    """Log and trace *call*, from its start to the end of its reply."""
    trace = _quietly(begin, call)

    def observe(call: Call, event: str, facts: Mapping[str, Any]) -> None:
        known = {name: value for name, value in facts.items() if value is not None}
        if event not in _UNLOGGED:
            _quietly(_log_event, call, event, known)
        if trace is not None:
            _quietly(trace.event, event, known)

    async def finish(ending: Ending, reply: Reply | None = None) -> None:
        _quietly(_log, call, ending)
        if trace is not None:
            _quietly(_end, trace, call, ending, reply)
        _quietly(record, call, ending)

    call.journal.observers.append(observe)

    try:
        if trace is None:
            reply = await next(call)
        else:
            with trace.current():
                reply = await next(call)
            if call.journal.first_event is not None:
                _quietly(trace.event, "first_chunk", {})
    except BaseException as error:
        await finish(call.journal.ending(error))
        raise
    reply.on_end(lambda ending: finish(ending, reply))
    return reply


def _end(trace: Trace, call: Call, ending: Ending, reply: Reply | None) -> None:
    # What a stream was so far costs a copy of it, so it is asked for only where it is told.
    result = None
    if reply is not None and call.telemetry.content:
        result = reply.value if reply.stream is None else reply.stream.result()
    trace.end(call, ending, result)


def _quietly(tell: Callable[..., T], *arguments: Any) -> T | None:
    # A broken handler or exporter of the host must not break the call, and there is nobody else to tell.
    try:
        return tell(*arguments)
    except Exception:
        return None


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
    return {name: value for name, value in fields.items() if value is not None} | _bound(call, fields)


def _bound(call: Call, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bound fields, those renamed whose names are taken."""
    return {
        f"context_{name}" if name in _TAKEN or name in fields else f"{name}": value
        for name, value in call.context.items()
    }


def _log_event(call: Call, event: str, facts: Mapping[str, Any]) -> None:
    if _LOGGER.isEnabledFor(logging.WARNING):
        fields = {"provider": call.target.provider, "model": call.target.model, **facts}
        _structlog().log(logging.WARNING, event, **fields, **_bound(call, fields))


def _log(call: Call, ending: Ending) -> None:
    failed = ending.outcome in ("error", "truncated")
    level = logging.ERROR if failed else logging.INFO
    if _LOGGER.isEnabledFor(level):
        name = "error" if failed else f"{call.operation.name}_stream" if call.stream else f"{call.operation.name}_call"
        _structlog().log(level, name, **_fields(call, ending))


@cache
def _structlog() -> Any:
    import structlog

    return structlog.wrap_logger(
        _LOGGER,
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
