"""
One span for a call, and under it one for each attempt, through the API of OpenTelemetry.

The API does nothing without an SDK, and then neither does this. Names stand in `fiber.metering.conventions`; what is
not in them begins with `fiber.`. Messages of errors are never told, for a provider may repeat the prompt in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import Any

from fiber._chain import Call
from fiber._errors import FiberError
from fiber._reply import Ending, Reply
from fiber.layers.tracing.content import captured
from fiber.metering import conventions as names
from fiber.metering.otel import api, propagator
from fiber.types.http import HTTPRequest
from fiber.types.receipt import Attempt


class Trace:
    """
    The span of one call.

    Args:
        call: Whose attempts it hears of from now on.
        tracer: Of the host's SDK.

    Attributes:
        reply: What the call came to, where content is captured.
    """

    __slots__ = ("_context", "_is_heard", "_span", "_tracer", "reply")

    def __init__(self, call: Call, tracer: Any) -> None:
        trace = _api()
        name = f"{call.operation.name} {call.target.model}".strip()
        self.reply: Reply | None = None
        self._tracer = tracer
        self._span = tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=names.identity(call))
        self._context = trace.set_span_in_context(self._span)
        self._is_heard = self._span.is_recording()
        if self._is_heard:
            self._span.set_attributes(_request(call))
        if self._is_heard or call.telemetry.traceparent:
            call.journal.tracer = self.attempt

    def current(self) -> AbstractContextManager[Any]:
        """Make it the span that those of others, inside the call, are under."""
        inside: AbstractContextManager[Any] = _api().use_span(
            self._span, record_exception=False, set_status_on_exception=False
        )
        return inside

    def event(self, name: str, facts: Mapping[str, Any]) -> None:
        """Add an event; what is told when the span is over, like the end of a slow write, is not added to it."""
        if self._span.is_recording():
            self._span.add_event(name, facts)

    def attempt(self, call: Call, request: HTTPRequest) -> tuple[HTTPRequest, Callable[[Attempt], None] | None]:
        """Begin the span of an attempt, and return what is sent and how the span is ended; raise nothing."""
        try:
            context, ended = self._context, None
            if self._is_heard:
                kind = _api().SpanKind.CLIENT
                span = self._tracer.start_span(request.method, context, kind, _sent(call, request))
                context, ended = _api().set_span_in_context(span), partial(_end_attempt, span)
            return (_carrying(request, context) if call.telemetry.traceparent else request), ended
        except Exception:  # an exporter or sampler of the host must not break the call
            return request, None

    def end(self, call: Call, ending: Ending) -> None:
        """End the span with what is known of the end, and with content where that is captured."""
        if self._span.is_recording():
            if call.telemetry.content:
                self._span.set_attributes(captured(call, self.reply))
            self._span.set_attributes(_response(call, ending))
            if (error := ending.error) is not None:
                code = error.provider_code if isinstance(error, FiberError) else None
                _fail(self._span, f"{type(error).__name__}: {code}" if code else type(error).__name__)
        self._span.end()


def begin(call: Call) -> Trace | None:
    """Begin the trace of *call*; None where no SDK is there to hear it, or where it fails. Raise nothing."""
    try:
        if (trace := _api()) is None:
            return None
        provider = trace.get_tracer_provider()
        if not isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
            return Trace(call, _tracer(provider))
        if call.telemetry.traceparent:  # a trace that came from elsewhere goes on all the same
            call.journal.tracer = _pass
    except Exception:  # noqa: S110 - see `Trace.attempt`
        pass
    return None


def _api() -> Any:
    return api("opentelemetry.trace")


@cache
def _tracer(provider: Any) -> Any:
    return provider.get_tracer("fiber")


def _pass(call: Call, request: HTTPRequest) -> tuple[HTTPRequest, None]:
    return _carrying(request, None), None


def _carrying(request: HTTPRequest, context: Any) -> HTTPRequest:
    """Return *request* with the span of *context* in the headers of https://www.w3.org/TR/trace-context/."""
    if any(name.lower() == "traceparent" for name, _ in request.headers):
        return request  # the caller's own
    carrier: dict[str, str] = {}
    propagator().inject(carrier, context)
    return request.with_headers(*carrier.items())


def _request(call: Call) -> dict[str, Any]:
    """Return what was asked for, without a word of it."""
    attributes: dict[str, Any] = {names.STREAM: True if call.stream else None}
    if (request := getattr(call.operation, "request", None)) is not None:
        attributes |= {name: getattr(request, member) for member, name in names.REQUEST.items()}
        attributes[names.REASONING_LEVEL] = request.reasoning and request.reasoning.effort
        if request.response_format is not None:
            attributes[names.OUTPUT_TYPE] = "text" if request.response_format.kind == "text" else "json"
    return names.spelled(attributes, call.telemetry.semconv)


def _response(call: Call, ending: Ending) -> dict[str, Any]:
    journal, usage, error = call.journal, ending.usage, ending.error
    attributes = {
        names.RESPONSE_MODEL: ending.model,
        names.RESPONSE_ID: ending.response_id,
        names.FINISH_REASONS: [ending.finish_reason] if ending.finish_reason else None,
        names.FIRST_CHUNK: None if journal.first_event is None else journal.first_event - journal.started,
        names.ERROR: None if error is None else type(error).__name__,
        "fiber.attempts": len(journal.attempts),
        "fiber.cached": ending.cached or None,
        "fiber.cost_usd": float(usage.cost_usd) if usage and usage.cost_usd is not None else None,
        "fiber.outcome": ending.outcome,
        "fiber.request_id": ending.request_id,
    }
    if usage is not None:
        attributes |= {name: getattr(usage, member) for member, name in names.USAGE.items()}
    attributes |= {f"fiber.context.{name}": str(value) for name, value in call.context.items()}
    return names.spelled(attributes, call.telemetry.semconv)


def _sent(call: Call, request: HTTPRequest) -> dict[str, Any]:
    before = sum((each.provider, each.model) == call.target.key for each in call.journal.attempts)
    attributes = {
        names.METHOD: request.method,
        names.URL: request.url.partition("?")[0],
        **names.server(request.url),
        names.RESENDS: before or None,
        "fiber.target": call.target.name,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _end_attempt(span: Any, attempt: Attempt) -> None:
    """End the span of an attempt; of a stream that has begun well, its first event is the end."""
    try:
        if attempt.status is not None:
            span.set_attribute(names.STATUS, attempt.status)
        if attempt.error is not None:
            span.set_attribute(names.ERROR, attempt.error)
            _fail(span, attempt.error)
        span.end()
    except Exception:  # noqa: S110 - as above
        pass


def _fail(span: Any, said: str) -> None:
    trace = _api()
    span.set_status(trace.Status(trace.StatusCode.ERROR, said))
