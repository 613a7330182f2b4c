"""
One log line and one span for each call, all attempts included.

Nothing is configured globally: log events go through structlog into the standard logger `fiber`, which stays silent
until the host configures logging; spans go to the tracer of the OpenTelemetry API, which does nothing without an SDK.
Content is never recorded. Names: https://opentelemetry.io/docs/specs/semconv/gen-ai/ (read 2026-11-20).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from fiber._chain import Call, Handler
from fiber._errors import FiberError
from fiber._reply import Ending, Reply
from fiber.metering.genai import record
from fiber.metering.otel import api

_LOGGER = logging.getLogger("fiber")
_LOGGER.addHandler(logging.NullHandler())

_TAKEN = {*vars(logging.makeLogRecord({})), "asctime", "event", "exc_info", "level", "message", "self", "stacklevel"}
"""Names that a log record has for itself: a bound field of such a name is logged with `context_` before it."""

_UNLOGGED = {"budget_refused", "cache_evict", "cache_get", "cache_hit", "cache_miss", "cache_set", "cache_write"}
"""Events that are no warning, or that the line of the call says too."""


async def telemetry(call: Call, next: Handler) -> Reply:
    """Log and trace *call*, from its start to the end of its reply."""
    span = _start_span(call)

    def observe(call: Call, event: str, facts: Mapping[str, Any]) -> None:
        known = {name: value for name, value in facts.items() if value is not None}
        if event not in _UNLOGGED:
            _quietly(_log_event, call, event, known)
        # What is told when the span is over, like the end of a slow write, is not added to it.
        if span is not None and span.is_recording():
            _quietly(span.add_event, event, known)

    async def finish(ending: Ending) -> None:
        _quietly(_log, call, ending)
        _quietly(_end_span, call, span, ending)
        _quietly(record, call, ending)

    call.journal.observers.append(observe)

    try:
        reply = await next(call)
    except BaseException as error:
        await finish(call.journal.ending(error))
        raise
    reply.on_end(finish)
    return reply


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


def _start_span(call: Call) -> Any:
    """Start a span; None when no SDK is there to see it."""
    trace = api("opentelemetry.trace")
    if trace is None or isinstance(provider := trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return None
    target = call.target
    return provider.get_tracer("fiber").start_span(
        f"{call.operation.name} {target.model}".strip(),
        kind=trace.SpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": call.operation.name,
            "gen_ai.provider.name": target.provider,
            "gen_ai.request.model": target.model,
            "server.address": target.host,
        },
    )


def _end_span(call: Call, span: Any, ending: Ending) -> None:
    if span is None:
        return
    if span.is_recording():
        usage, error = ending.usage, ending.error
        attributes = {
            "gen_ai.response.model": ending.model,
            "gen_ai.response.id": ending.request_id,
            "gen_ai.response.finish_reasons": [ending.finish_reason] if ending.finish_reason else None,
            "gen_ai.usage.input_tokens": usage.input_tokens if usage else None,
            "gen_ai.usage.output_tokens": usage.output_tokens if usage else None,
            "gen_ai.usage.cache_read.input_tokens": usage.cache_read_tokens if usage else None,
            "gen_ai.usage.cache_write.input_tokens": usage.cache_write_tokens if usage else None,
            "fiber.attempts": len(call.journal.attempts),
            "fiber.stream": call.stream,
            "fiber.outcome": ending.outcome,
            "fiber.cached": ending.cached or None,
            "error.type": type(error).__name__ if error is not None else None,
        } | {f"fiber.context.{name}": str(value) for name, value in call.context.items()}
        span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        if error is not None:
            # Not the message: a provider may repeat the prompt in it.
            code = error.provider_code if isinstance(error, FiberError) else None
            said = f"{type(error).__name__}: {code}" if code else type(error).__name__
            trace = api("opentelemetry.trace")
            span.set_status(trace.Status(trace.StatusCode.ERROR, said))
    span.end()
