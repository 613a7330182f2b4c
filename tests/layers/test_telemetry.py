"""One log line and one span for each call."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from fiber import Cache, FiberError, FiberRateLimitError
from fiber.layers import default_layers, telemetry
from fiber.layers.retry import Retry
from fiber.testing.fake import FakeReply, json_reply, sse_reply
from tests.kit import KEY, START, answer, frames, piece, refused, scripted, streamed, whole


class Span:
    """A span that remembers."""

    def __init__(self, name: str, recording: bool = True, **start: Any) -> None:
        self.name, self.start, self.recording = name, start, recording
        self.attributes: dict[str, Any] = dict(start["attributes"])
        self.status: Any = None
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.ends = 0

    def is_recording(self) -> bool:
        """Say whether anybody listens."""
        return self.recording

    def set_attributes(self, attributes: dict[str, Any]) -> None:
        """Remember."""
        self.attributes |= attributes

    def add_event(self, name: str, attributes: dict[str, Any]) -> None:
        """Remember."""
        self.events.append((name, attributes))

    def set_status(self, status: Any) -> None:
        """Remember."""
        self.status = status

    def end(self) -> None:
        """Count."""
        self.ends += 1


class Trace:
    """A stand-in for `opentelemetry.trace`."""

    def __init__(self, recording: bool = True) -> None:
        from opentelemetry import trace

        self.SpanKind, self.Status, self.StatusCode = trace.SpanKind, trace.Status, trace.StatusCode
        self.ProxyTracerProvider = trace.ProxyTracerProvider
        self.spans: list[Span] = []
        self.recording = recording

    def get_tracer_provider(self) -> Trace:
        """Return the one provider."""
        return self

    def get_tracer(self, name: str) -> Trace:
        """Return the one tracer."""
        return self

    def start_span(self, name: str, **start: Any) -> Span:
        """Make a span."""
        self.spans.append(Span(name, self.recording, **start))
        return self.spans[-1]


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Listen to spans."""
    stub = Trace()
    monkeypatch.setattr(telemetry, "api", lambda part: stub)
    return stub


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Listen to the log."""
    caplog.set_level(logging.DEBUG)
    return caplog


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a record has beyond the standard."""
    standard = {*vars(logging.makeLogRecord({})), "message", "asctime"}
    return {name: value for name, value in vars(record).items() if name not in standard}


# -- log ----------------------------------------------------------------------------------------------------------


def test_a_call_is_one_line_with_its_facts(log: pytest.LogCaptureFixture) -> None:
    """At INFO, whatever the number of attempts; each retry is one line at WARNING before it."""
    slow = json_reply(answer(), x_request_id="r1")
    fiber, _ = scripted(refused(503, retry_after="2"), FakeReply(200, slow.headers, (0.5, *slow.chunks)))

    fiber.bind(run="r7").sync.chat("canary prompt", label="B")

    retry, record = log.records
    assert (retry.name, retry.levelname, retry.getMessage()) == ("fiber", "WARNING", "retry")
    assert fields(retry) == {
        "provider": "openai",
        "model": "gpt-test",
        "attempt": 1,
        "backoff_ms": 2000.0,
        "error_kind": "FiberOverloadedError",
        "http_status": 503,
        "reason": "server_error",
        "run": "r7",
    }
    assert (record.name, record.levelname, record.getMessage()) == ("fiber", "INFO", "chat_call")
    assert fields(record) == {
        "provider": "openai",
        "model": "gpt-test-1",
        "request_id": "r1",
        "attempt": 2,
        "total_attempts": 4,
        "stream": False,
        "latency_ms": 2500.0,
        "finish_reason": "stop",
        "tokens_in": 3,
        "tokens_out": 5,
        "tokens_total": 8,
        "outcome": "complete",
        "label": "B",
        "http_status": 200,
        "run": "r7",
    }


def test_a_stream_is_one_line_at_its_end(log: pytest.LogCaptureFixture) -> None:
    """With the time to the first event."""
    fiber, _ = scripted(sse_reply(START, 0.25, *frames("Hi")[1:]))

    stream = fiber.sync.chat_stream("Hi")
    next(stream)
    before = len(log.records)
    stream.collect()

    (record,) = log.records
    assert before == 0
    assert record.getMessage() == "chat_stream"
    assert fields(record)["ttfb_ms"] == 250.0
    assert fields(record)["stream"] is True


@pytest.mark.parametrize("stream", [False, True])
def test_a_failed_call_is_one_line_at_error(stream: bool, log: pytest.LogCaptureFixture) -> None:
    """Kind, status and code of the error."""
    fiber, _ = scripted(refused(401, "invalid_api_key", x_request_id="r1"))

    with pytest.raises(FiberError):
        fiber.sync.chat_stream("Hi").collect() if stream else fiber.sync.chat("Hi")

    (record,) = log.records
    said = fields(record)
    assert (record.levelname, record.getMessage(), said["outcome"]) == ("ERROR", "error", "error")
    assert (said["error_kind"], said["http_status"], said["reason"]) == ("FiberAuthError", 401, "invalid_api_key")
    assert said["request_id"] == "r1"


def test_a_call_that_was_not_sent_is_logged_too(log: pytest.LogCaptureFixture) -> None:
    """Without status and request id."""
    fiber, _ = scripted(api_keys={})

    with pytest.raises(FiberError):
        fiber.sync.chat("Hi")

    said = fields(log.records[0])
    assert said["attempt"] == 0
    assert "http_status" not in said
    assert "request_id" not in said


def test_a_truncated_stream_is_an_error_and_a_cancelled_one_is_not(log: pytest.LogCaptureFixture) -> None:
    """Both are one line."""
    fiber, _ = scripted(sse_reply(START, piece("Hi")), streamed("A", "B"))

    with pytest.raises(FiberError):
        fiber.sync.chat_stream("Hi").collect()
    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)

    assert [(r.levelname, r.getMessage(), fields(r)["outcome"]) for r in log.records] == [
        ("ERROR", "error", "truncated"),
        ("INFO", "chat_stream", "cancelled"),
    ]


def test_a_cancelled_call_is_logged_as_cancelled(log: pytest.LogCaptureFixture) -> None:
    """Not as an error."""

    class Cancelled(BaseException):
        pass

    fiber, _ = scripted(Cancelled())

    with pytest.raises(Cancelled):
        fiber.sync.chat("Hi")

    assert [(r.levelname, fields(r)["outcome"]) for r in log.records] == [("INFO", "cancelled")]


def test_a_raw_request_has_its_own_name(log: pytest.LogCaptureFixture) -> None:
    """It has no usage and no model."""
    fiber, _ = scripted(FakeReply(200, {"x-request-id": "r1"}, (b"x",)))

    fiber.sync.request("GET", "/x", provider="openai")

    assert log.records[0].getMessage() == "request_call"
    assert fields(log.records[0])["request_id"] == "r1"


def test_cost_is_logged_when_known(log: pytest.LogCaptureFixture) -> None:
    """As told by the provider."""
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8, "cost": 0.25}
    fiber, _ = scripted(json_reply(answer(usage=usage)))

    fiber.sync.chat("Hi")

    assert fields(log.records[0])["estimated_cost_usd"] == "0.25"


NASTY = [
    "event",
    "level",
    "name",
    "message",
    "msg",
    "args",
    "exc_info",
    "stack_info",
    "self",
    "model",
    "process",
    "asctime",
]


def test_bound_fields_never_break_or_forge_a_line(log: pytest.LogCaptureFixture) -> None:
    """One whose name is taken gets a prefix; one that is no string becomes one."""
    fiber, _ = scripted(whole())

    fiber.sync.chat("Hi", context={**dict.fromkeys(NASTY, "mine"), 7: "seven"})  # type: ignore[dict-item]

    (record,) = log.records
    said = fields(record)
    assert (record.name, record.getMessage(), said["model"]) == ("fiber", "chat_call", "gpt-test-1")
    assert {said[f"context_{name}"] for name in NASTY} == {"mine"}
    assert said["7"] == "seven"


def test_neither_prompt_nor_answer_nor_key_is_logged(log: pytest.LogCaptureFixture) -> None:
    """At any level, on any logger."""
    fiber, _ = scripted(whole("canary-answer"), refused(400, "x", "no"))

    fiber.sync.chat("canary-prompt")
    with pytest.raises(FiberError):
        fiber.sync.chat("canary-prompt")

    said = str([vars(record) for record in log.records])
    assert "canary-answer" not in said
    assert "canary-prompt" not in said
    assert KEY not in said


def test_an_unconfigured_host_hears_nothing() -> None:
    """Not even errors; and the configuration of logging is left alone."""
    program = (
        "import logging\n"
        "from fiber import Fiber, FiberError\n"
        "from fiber.testing.fake import FakeTransport, json_reply\n"
        "f = Fiber(api_keys={'openai': 'k'}, default_model='openai:m', transport=FakeTransport(json_reply({}, 401)))\n"
        "try: f.sync.chat('Hi')\n"
        "except FiberError: pass\n"
        "assert not logging.getLogger().handlers\n"
        "assert logging.getLogger('fiber').level == logging.NOTSET\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_line_that_nobody_wants_is_not_made(caplog: pytest.LogCaptureFixture) -> None:
    """Below the level there is no work."""
    caplog.set_level(logging.CRITICAL, "fiber")
    fiber, _ = scripted(whole())

    fiber.sync.chat("Hi")

    assert caplog.records == []


# -- spans --------------------------------------------------------------------------------------------------------


def test_a_call_is_one_span(trace: Trace) -> None:
    """Named and attributed as the GenAI conventions say."""
    fiber, _ = scripted(refused(503, retry_after="0"), whole(x_request_id="r1"))

    fiber.bind(run="r7").sync.chat("canary", label="B")

    (span,) = trace.spans
    assert (span.name, span.start["kind"], span.ends, span.status) == ("chat gpt-test", trace.SpanKind.CLIENT, 1, None)
    assert span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-test",
        "server.address": "api.openai.com",
        "gen_ai.response.model": "gpt-test-1",
        "gen_ai.response.id": "r1",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 5,
        "fiber.attempts": 2,
        "fiber.stream": False,
        "fiber.outcome": "complete",
        "fiber.context.run": "r7",
    }
    assert [(name, facts["attempt"], facts["http_status"]) for name, facts in span.events] == [("retry", 1, 503)]


def test_a_failed_span_has_a_status_without_the_provider_s_words(trace: Trace) -> None:
    """They may repeat the prompt, or a key: class and code say enough."""
    fiber, _ = scripted(refused(429, "rate_limit_exceeded", f"slow down {KEY}", retry_after="999"))

    with pytest.raises(FiberRateLimitError):
        fiber.sync.chat("Hi")

    (span,) = trace.spans
    assert span.attributes["error.type"] == "FiberRateLimitError"
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description == "FiberRateLimitError: rate_limit_exceeded"
    assert KEY not in f"{span.status.description} {span.attributes}"
    assert span.ends == 1


def test_a_foreign_exception_is_named_but_not_quoted(trace: Trace) -> None:
    """Its text may hold anything."""
    fiber, _ = scripted(ZeroDivisionError("canary"))

    with pytest.raises(ZeroDivisionError):
        fiber.sync.chat("Hi")

    assert trace.spans[0].status.description == "ZeroDivisionError"


@pytest.mark.parametrize("how", ["end", "break", "drop", "error"])
def test_the_span_of_a_stream_ends_once(trace: Trace, how: str) -> None:
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
    assert [(span.ends, span.attributes["fiber.outcome"]) for span in trace.spans] == [(1, outcome)]


def test_a_span_that_nobody_records_is_only_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """No attributes are made for it."""
    stub = Trace(recording=False)
    monkeypatch.setattr(telemetry, "api", lambda part: stub)
    fiber, _ = scripted(whole())

    fiber.sync.chat("Hi")

    assert stub.spans[0].ends == 1
    assert "fiber.outcome" not in stub.spans[0].attributes


def test_the_api_without_an_sdk_is_enough() -> None:
    """No span is made that nobody would see, and nothing breaks, a retry included."""
    fiber, _ = scripted(whole(), refused(400), refused(503), whole())

    fiber.sync.chat("Hi")
    with pytest.raises(FiberError):
        fiber.sync.chat("Hi")

    assert len(fiber.sync.chat("Hi").receipt.attempts) == 2


def test_a_broken_exporter_does_not_break_the_call(trace: Trace, log: pytest.LogCaptureFixture) -> None:
    """The log line is written all the same."""

    def broken(self: Span) -> None:
        raise LookupError("exporter")

    fiber, _ = scripted(whole())
    trace_end, Span.end = Span.end, broken  # type: ignore[method-assign]
    try:
        result = fiber.sync.chat("Hi")
    finally:
        Span.end = trace_end  # type: ignore[method-assign]

    assert result.text == "Hello"
    assert len(log.records) == 1


def test_default_layers_are_in_their_order() -> None:
    """Telemetry sees all attempts, the deadline covers all waits, and each try of a repair is retried."""
    layers = default_layers()

    assert [getattr(layer, "__name__", type(layer).__name__) for layer in layers] == [
        "telemetry",
        "deadline",
        "fallback",
        "repair",
        "Retry",
    ]
    assert isinstance(layers[4], Retry)


# -- what is no warning -------------------------------------------------------------------------------------------


def test_what_the_cache_does_is_told_to_the_span_alone(log: pytest.LogCaptureFixture, trace: Trace) -> None:
    """There is a line for each call, and none for a hit."""
    fiber, _ = scripted(whole(), cache=Cache(), cache_policy="write_through")

    for _ in range(2):
        fiber.sync.chat("Hi")

    assert [record.getMessage() for record in log.records] == ["chat_call", "chat_call"]
    first, second = ([name for name, _ in span.events] for span in trace.spans)
    assert first == ["cache_get", "cache_get", "cache_miss", "cache_set", "cache_write"]
    assert second == ["cache_get", "cache_hit"]


def test_a_span_that_is_over_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow store may be written after the call, and the SDK would complain."""
    stub = Trace(recording=False)
    monkeypatch.setattr(telemetry, "api", lambda part: stub)
    fiber, _ = scripted(whole(), cache=Cache(), cache_policy="write_through")

    fiber.sync.chat("Hi")

    assert stub.spans[0].events == []
