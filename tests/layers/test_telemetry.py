"""One log line for each call; spans have tests of their own."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fiber import Cache, FiberError
from fiber.layers import default_layers, telemetry
from fiber.layers.retry import Retry
from fiber.testing.fake import FakeReply, json_reply, sse_reply
from tests.kit import KEY, START, answer, frames, piece, refused, scripted, streamed, whole

ROOT = Path(__file__).parents[2]


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
    fiber, _ = scripted(refused(503, retry_after="0"), whole())

    fiber.sync.chat("Hi")

    assert caplog.records == []


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


def test_what_the_cache_does_has_no_line(log: pytest.LogCaptureFixture) -> None:
    """There is a line for each call, and none for a hit."""
    fiber, _ = scripted(whole(), cache=Cache(), cache_policy="write_through")

    for _ in range(2):
        fiber.sync.chat("Hi")

    assert [record.getMessage() for record in log.records] == ["chat_call", "chat_call"]


def test_a_broken_handler_does_not_break_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither at a retry nor at the end."""

    def broken(*_: Any) -> None:
        raise LookupError("handler")

    monkeypatch.setattr(telemetry, "_log", broken)
    monkeypatch.setattr(telemetry, "_log_event", broken)
    fiber, _ = scripted(refused(503, retry_after="0"), whole())

    assert fiber.sync.chat("Hi").text == "Hello"


@pytest.mark.parametrize(
    ("handler", "is_heard"),
    [("", False), ("import fiber.metering.events", False), ("logging.basicConfig()", True)],
    ids=["none", "none but events", "a host"],
)
def test_a_line_is_made_for_somebody_only(handler: str, is_heard: bool) -> None:
    """structlog is not even imported for a failure that no handler of the host hears of."""
    code = f"""
import logging, sys
from fiber import FiberError
from tests.kit import refused, scripted

{handler}
fiber, _ = scripted(refused(500), refused(401))
try:
    fiber.sync.chat("Hi")
except FiberError:
    print("structlog" in sys.modules)
"""

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == str(is_heard)
    assert bool(done.stderr) is is_heard
