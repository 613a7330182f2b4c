"""One span for a call, one for each attempt, in the words of the convention."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, TraceFlags

from fiber import (
    NO_RETRY,
    Cache,
    Fiber,
    FiberAuthError,
    FiberError,
    FiberRateLimitError,
    HedgePolicy,
    ReasoningOptions,
    default_layers,
)
from fiber.layers.tracing import spans as module
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, sse_reply
from tests.kit import KEY, START, answer, frames, piece, refused, scripted, streamed, whole
from tests.layers.tracing.hearing import MISSING, Spans, attributes, events, heard_by, needed

ROOT = Path(__file__).parents[3]

CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-test",
    "server.address": "api.openai.com",
    "server.port": 443,
}
ANSWER = {
    "gen_ai.response.model": "gpt-test-1",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 5,
    "fiber.attempts": 1,
    "fiber.outcome": "complete",
}
ATTEMPT = {
    "http.request.method": "POST",
    "url.full": "https://api.openai.com/v1/chat/completions",
    "server.address": "api.openai.com",
    "server.port": 443,
    "http.response.status_code": 200,
    "fiber.target": "openai:gpt-test",
}


# -- golden ---------------------------------------------------------------------------------------------------------


def test_a_call_is_a_span_and_its_attempt_one_under_it(spans: Spans) -> None:
    """Both are of the kind client, and without a status; names and attributes are those of the convention."""
    fiber, _ = scripted(whole(x_request_id="r1"))

    fiber.bind(run="r7").sync.chat("canary", temperature=0.5, max_tokens=9, n=2, reasoning=ReasoningOptions("low"))

    call, attempt = spans.all
    assert (call.name, call.kind, call.status.status_code) == ("chat gpt-test", SpanKind.CLIENT, StatusCode.UNSET)
    assert attributes(call) == {
        **CALL,
        **ANSWER,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.reasoning.level": "low",
        "fiber.request_id": "r1",
        "fiber.context.run": "r7",
    }
    assert (attempt.name, attempt.kind, attempt.status.status_code) == ("POST", SpanKind.CLIENT, StatusCode.UNSET)
    assert attributes(attempt) == ATTEMPT
    assert attempt.parent == call.context
    assert (call.instrumentation_scope.name, attempt.instrumentation_scope.name) == ("fiber", "fiber")


def test_a_stream_tells_its_first_chunk(spans: Spans) -> None:
    """As an event when it came, and as an attribute in seconds; the attempt ends there, and the call at the end."""
    fiber, _ = scripted(sse_reply(START, 0.25, *frames("A", "B")[1:]))

    stream = fiber.sync.chat_stream("Hi")
    next(stream)
    before = [span.name for span in spans.all]
    stream.collect()

    (call,) = spans.calls
    assert before == ["POST"]
    assert attributes(call) == {
        **CALL,
        **ANSWER,
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 0.25,
    }
    assert events(call) == [("first_chunk", {})]
    assert attributes(spans.attempts[0]) == ATTEMPT


def test_a_failure_has_a_status_without_the_provider_s_words(spans: Spans) -> None:
    """They may repeat the prompt, or a key: class and code say enough."""
    fiber, _ = scripted(refused(429, "rate_limit_exceeded", f"slow down {KEY}", retry_after="999"))

    with pytest.raises(FiberRateLimitError):
        fiber.sync.chat("Hi")

    call, attempt = spans.all
    wrong = {"error.type": "FiberRateLimitError"}
    assert attributes(call) == {**CALL, **wrong, "fiber.attempts": 1, "fiber.outcome": "error"}
    assert (call.status.status_code, call.status.description) == (
        StatusCode.ERROR,
        "FiberRateLimitError: rate_limit_exceeded",
    )
    assert attributes(attempt) == {**ATTEMPT, **wrong, "http.response.status_code": 429}
    assert (attempt.status.status_code, attempt.status.description) == (StatusCode.ERROR, "FiberRateLimitError")
    assert call.events == attempt.events == ()


def test_a_retry_is_an_event_and_a_second_attempt(spans: Spans) -> None:
    """The attempt that was sent again has its number, from one."""
    fiber, _ = scripted(refused(503, retry_after="2"), whole())

    fiber.sync.chat("Hi")

    (call,) = spans.calls
    first, second = spans.attempts
    facts = {"attempt": 1, "backoff_ms": 2000.0, "error_kind": "FiberOverloadedError", "http_status": 503}
    assert events(call) == [("retry", {**facts, "reason": "server_error"})]
    assert attributes(call) == {**CALL, **ANSWER, "fiber.attempts": 2}
    assert "http.request.resend_count" not in attributes(first)
    assert attributes(second) == {**ATTEMPT, "http.request.resend_count": 1}
    assert first.parent == second.parent == call.context


def test_a_fallback_is_an_event_and_an_attempt_elsewhere(spans: Spans) -> None:
    """It is the first that this target sees; the call keeps the names of what was asked for."""
    fiber, _ = scripted(
        refused(503), whole(), fallback=["xai-chat:grok"], api_keys={"openai": KEY, "xai": KEY}, retry=NO_RETRY
    )

    fiber.sync.chat("Hi")

    (call,) = spans.calls
    first, second = (attributes(span) for span in spans.attempts)
    assert [(name, facts["next"]) for name, facts in events(call)] == [("fallback", "xai-chat:grok")]
    assert attributes(call)["gen_ai.provider.name"] == "openai"
    assert (first["fiber.target"], first["error.type"]) == ("openai:gpt-test", "FiberOverloadedError")
    assert second == {
        **ATTEMPT,
        "url.full": "https://api.x.ai/v1/chat/completions",
        "server.address": "api.x.ai",
        "fiber.target": "xai-chat:grok",
    }


def test_a_hit_of_the_cache_has_no_attempt(spans: Spans) -> None:
    """And no usage, for it used nothing up."""
    fiber, _ = scripted(whole(), cache=Cache(), cache_policy="write_through")

    for _ in range(2):
        fiber.sync.chat("Hi")

    first, second = spans.calls
    assert [name for name, _ in events(first)] == ["cache_get", "cache_get", "cache_miss", "cache_set", "cache_write"]
    assert [name for name, _ in events(second)] == ["cache_get", "cache_hit"]
    assert len(spans.attempts) == 1
    assert attributes(second) == {
        **CALL,
        **{name: value for name, value in ANSWER.items() if "usage" not in name},
        "fiber.attempts": 0,
        "fiber.cached": True,
    }


# -- further ends -----------------------------------------------------------------------------------------------------


def test_a_foreign_exception_is_named_but_not_quoted(spans: Spans) -> None:
    """Its text may hold anything."""
    fiber, _ = scripted(ZeroDivisionError("canary"))

    with pytest.raises(ZeroDivisionError):
        fiber.sync.chat("Hi")

    assert [span.status.description for span in spans.all] == ["ZeroDivisionError"] * 2
    assert "canary" not in str([span.to_json() for span in spans.all])


def test_a_call_that_was_not_sent_has_no_attempt(spans: Spans) -> None:
    """It has an error, which was raised before there was anything to send."""
    fiber, _ = scripted(api_keys={})

    with pytest.raises(FiberAuthError):
        fiber.sync.chat("Hi")

    assert [span.name for span in spans.all] == ["chat gpt-test"]


@pytest.mark.parametrize("how", ["end", "break", "drop", "error"])
def test_the_span_of_a_stream_ends_once(spans: Spans, how: str) -> None:
    """However the stream ends."""
    fiber, _ = scripted(sse_reply(START, piece("A")) if how == "error" else streamed("A", "B"))
    stream = fiber.sync.chat_stream("Hi")

    next(stream)
    if how in ("end", "error"):
        try:
            stream.collect()
        except FiberError:
            pass
    elif how == "break":
        stream.close()
    del stream

    outcome = {"end": "complete", "error": "truncated"}.get(how, "cancelled")
    assert [attributes(span)["fiber.outcome"] for span in spans.calls] == [outcome]


def test_a_raw_request_has_neither_model_nor_query(spans: Spans) -> None:
    """What stands behind the question mark may be anything."""
    fiber, _ = scripted(FakeReply(200, {"x-request-id": "r1"}, (b"x",)))

    fiber.sync.request("GET", "/files", provider="openai", params={"name": "canary"})

    call, attempt = spans.all
    assert (call.name, attempt.name) == ("request", "GET")
    assert attributes(call) == {
        **{name: value for name, value in CALL.items() if name != "gen_ai.request.model"},
        "gen_ai.operation.name": "request",
        "fiber.attempts": 1,
        "fiber.outcome": "complete",
        "fiber.request_id": "r1",
    }
    assert attributes(attempt)["url.full"] == "https://api.openai.com/v1/files"


def test_cost_and_shape_are_told_where_they_are_known(spans: Spans) -> None:
    """The cost as a number, the shape as what was asked for."""
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8, "cost": 0.25}
    fiber, _ = scripted(json_reply(answer("{}", usage=usage)), whole())

    fiber.sync.chat("Hi", response_format="json")
    fiber.sync.chat("Hi", response_format="text")

    first, second = (attributes(span) for span in spans.calls)
    assert (first["fiber.cost_usd"], first["gen_ai.output.type"]) == (0.25, "json")
    assert second["gen_ai.output.type"] == "text"


def test_both_requests_of_a_hedged_call_are_attempts(spans: Spans) -> None:
    """They are under the same call, beside each other."""
    slow = FakeReply(200, whole().headers, whole().chunks, delay_seconds=9)
    fiber, _ = scripted(slow, whole(), hedge=HedgePolicy(after_seconds=2, max_share=1.0))

    fiber.sync.chat("Hi")

    (call,) = spans.calls
    assert [name for name, _ in events(call)] == ["hedge"]
    assert [span.parent for span in spans.attempts] == [call.context] * 2


# -- context ----------------------------------------------------------------------------------------------------------


class Inside:
    """A layer of a user, which makes a span of its own."""

    def __init__(self, spans: Spans) -> None:
        self.tracer = spans.provider.get_tracer("user")

    async def __call__(self, call: Any, next: Any) -> Any:
        """Make a span around what is inside."""
        with self.tracer.start_as_current_span("inside"):
            return await next(call)


def nested(spans: Spans, *script: Any) -> Fiber:
    """Make a client whose calls have a span of a user in them."""
    first, *others = default_layers()
    return scripted(*script, layers=(first, Inside(spans), *others))[0]


def parents(spans: Spans) -> dict[str, str | None]:
    """Return the name of the parent of each span, by its own."""
    names = {span.context.span_id: span.name for span in spans.all}
    return {span.name: None if span.parent is None else names[span.parent.span_id] for span in spans.all}


TREE = {"user": None, "chat gpt-test": "user", "inside": "chat gpt-test", "POST": "chat gpt-test"}


def test_spans_nest_in_blocking_code(spans: Spans) -> None:
    """The user's span is around the call, and the call around what happens inside; afterwards all is as before."""
    fiber = nested(spans, whole())

    with spans.provider.get_tracer("user").start_as_current_span("user") as user:
        fiber.sync.chat("Hi")
        after = trace.get_current_span()

    assert parents(spans) == TREE
    assert after is user


@pytest.mark.anyio
async def test_spans_nest_in_tasks(spans: Spans) -> None:
    """Calls of one client at once do not see each other's spans."""
    fiber = nested(spans, *[whole()] * 5)
    tracer = spans.provider.get_tracer("user")

    async def work() -> None:
        with tracer.start_as_current_span("user"):
            await anyio.lowlevel.checkpoint()
            await fiber.chat("Hi")

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(work)

    assert parents(spans) == TREE
    assert len({span.context.trace_id for span in spans.all}) == 5
    assert len(spans.all) == 20


def test_a_stream_may_end_in_another_thread(spans: Spans) -> None:
    """It stays where it was opened."""
    fiber, _ = scripted(streamed("A", "B"))
    tracer = spans.provider.get_tracer("user")

    with tracer.start_as_current_span("user"):
        stream = fiber.sync.chat_stream("Hi")
        next(stream)
    thread = threading.Thread(target=stream.collect)
    thread.start()
    thread.join()

    assert parents(spans) == {"user": None, "chat gpt-test": "user", "POST": "chat gpt-test"}
    assert attributes(spans.calls[0])["fiber.outcome"] == "complete"


# -- traceparent ------------------------------------------------------------------------------------------------------


def sent(transport: FakeTransport) -> list[str | None]:
    """Return the header of each request."""
    return [dict(request.headers).get("traceparent") for request in transport.requests]  # type: ignore[misc]


def test_a_provider_is_told_nothing_unless_asked(spans: Spans) -> None:
    """Which trace a request belongs to is the host's own affair."""
    fiber, transport = scripted(whole())

    fiber.sync.chat("Hi")

    assert sent(transport) == [None]


def test_each_attempt_carries_its_own_span(spans: Spans) -> None:
    """In the format of the W3C."""
    fiber, transport = scripted(refused(503, retry_after="0"), whole(), traceparent=True)

    fiber.sync.chat("Hi")

    assert sent(transport) == [
        f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"
        for span in spans.attempts
    ]


def test_the_caller_s_own_header_stays(spans: Spans) -> None:
    """It was meant."""
    fiber, transport = scripted(whole(), traceparent=True)

    fiber.sync.chat("Hi", extra_headers={"Traceparent": "mine"})

    assert [dict(request.headers)["Traceparent"] for request in transport.requests] == ["mine"]


@pytest.fixture
def unsampled(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Have an SDK that records nothing."""
    needed("opentelemetry.sdk.trace", MISSING)
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    spans = Spans(sampler=ALWAYS_OFF)
    heard_by(monkeypatch, spans.provider)
    return spans


def test_a_call_that_is_not_sampled_says_so(unsampled: Spans) -> None:
    """It has no span, nor have its attempts, and the provider is told of that."""
    fiber, transport = scripted(whole(), cache=Cache(), cache_policy="write_through", traceparent=True)

    fiber.sync.chat("Hi")

    (header,) = sent(transport)
    assert header is not None
    assert int(header[-2:], 16) & TraceFlags.SAMPLED == 0
    assert unsampled.all == []


def test_a_call_that_is_not_sampled_tells_nobody(unsampled: Spans) -> None:
    """Its attempts are sent as they are."""
    fiber, transport = scripted(whole())

    fiber.sync.chat("Hi")

    assert sent(transport) == [None]
    assert unsampled.all == []


OUTSIDE = SpanContext(0xA1, 0xB2, is_remote=True, trace_flags=TraceFlags(1))


@pytest.mark.parametrize("provider", [trace.NoOpTracerProvider(), trace.ProxyTracerProvider()])
def test_a_trace_goes_on_where_no_sdk_is(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host may pass on what it was told without an SDK; without a trace there is no header."""
    heard_by(monkeypatch, provider)
    fiber, transport = scripted(whole(), whole(), traceparent=True)

    token = attach(trace.set_span_in_context(NonRecordingSpan(OUTSIDE)))
    fiber.sync.chat("Hi")
    detach(token)
    fiber.sync.chat("Hi")

    assert sent(transport) == [f"00-{0xA1:032x}-{0xB2:016x}-01", None]


# -- what breaks, and what is not there -------------------------------------------------------------------------------


class Broken:
    """An SDK in which *method* fails."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.spans: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def answer(*_: Any, **__: Any) -> Any:
            self.spans.append(name)
            if name == self.method and (name != "start_span" or self.spans.count(name) > 1):
                raise LookupError(name)
            return True if name == "is_recording" else self

        return answer


@pytest.mark.parametrize("method", ["get_tracer", "start_span", "set_attribute", "set_attributes", "add_event", "end"])
def test_a_broken_sdk_does_not_break_the_call(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it fails."""
    broken = Broken(method)
    heard_by(monkeypatch, broken)
    fiber, _ = scripted(refused(503, retry_after="0"), whole(), streamed())

    assert fiber.sync.chat("Hi").text == "Hello"
    assert fiber.sync.chat_stream("Hi").collect().text == "Hello"
    assert method in broken.spans


def test_the_api_without_an_sdk_is_enough() -> None:
    """No span is made that nobody would see, and nothing breaks, a retry included."""
    fiber, _ = scripted(whole(), refused(400), refused(503), whole())

    fiber.sync.chat("Hi")
    with pytest.raises(FiberError):
        fiber.sync.chat("Hi")

    assert len(fiber.sync.chat("Hi").receipt.attempts) == 2


def test_no_span_is_looked_for_where_nobody_has_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not imported for nobody, and there can be no trace that goes on."""
    monkeypatch.setattr(module, "api", lambda part: None)
    fiber, transport = scripted(whole(), traceparent=True)

    fiber.sync.chat("Hi")

    assert sent(transport) == [None]


def test_an_sdk_may_be_set_up_after_the_first_call() -> None:
    """From then on spans and metrics are heard, by the one provider that a process has."""
    needed("opentelemetry.sdk.trace", MISSING)
    program = (
        "from fiber import Fiber\n"
        "from opentelemetry import metrics, trace\n"
        "from opentelemetry.sdk.metrics import MeterProvider\n"
        "from opentelemetry.sdk.metrics.export import InMemoryMetricReader\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter\n"
        "from tests.kit import scripted, whole\n"
        "fiber, _ = scripted(whole(), whole())\n"
        "fiber.sync.chat('before')\n"
        "memory, reader, provider = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider()\n"
        "provider.add_span_processor(SimpleSpanProcessor(memory))\n"
        "trace.set_tracer_provider(provider)\n"
        "metrics.set_meter_provider(MeterProvider([reader]))\n"
        "fiber.sync.chat('after')\n"
        "print([span.name for span in memory.get_finished_spans()])\n"
        "(scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics\n"
        "print(sorted(metric.name for metric in scope.metrics), scope.metrics[0].data.data_points[0].count)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.stdout.splitlines() == [
        "['POST', 'chat gpt-test']",
        "['gen_ai.client.operation.duration', 'gen_ai.client.token.usage'] 1",
    ], done.stderr


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("semconv", "said"),
    [
        (None, {"gen_ai.provider.name": "x_ai"}),
        ("1.41.0", {"gen_ai.provider.name": "x_ai"}),
        ("1.36.0", {"gen_ai.system": "xai"}),
    ],
)
def test_older_words_are_spoken_on_demand(spans: Spans, semconv: Any, said: dict[str, str]) -> None:
    """For hosts whose tools have not followed."""
    fiber, _ = scripted(whole(), api_keys={"xai": KEY}, semconv=semconv)

    fiber.sync.chat("Hi", model="xai-chat:grok")

    found = attributes(spans.calls[0])
    assert {name: value for name, value in found.items() if name in ("gen_ai.provider.name", "gen_ai.system")} == said
