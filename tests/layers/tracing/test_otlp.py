"""
Spans over OTLP/HTTP, with the SDK's own exporter, to a receiver in another process.

The receiver stands beside the repository, in `../shared/servers`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.kit import eventually, refused, scripted, streamed, whole
from tests.layers.tracing.hearing import heard_by, needed
from tests.stores.server import free_port

SINK = Path(__file__).resolve().parents[4] / "shared" / "servers" / "otlp_sink.py"
EXPORTER = "opentelemetry.exporter.otlp.proto.http"

Send = Callable[[int], None]


@pytest.fixture(autouse=True)
def exporter() -> None:
    """Go on where the exporter is installed."""
    needed(EXPORTER, "opentelemetry-exporter-otlp-proto-http is missing: nothing sends the spans")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """Return who makes the API's provider one that sends to a port; what is left is dropped at the end."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    made: list[Any] = []

    def send(port: int) -> None:
        provider = TracerProvider(shutdown_on_exit=False)
        exporter = OTLPSpanExporter(f"http://127.0.0.1:{port}/v1/traces", timeout=5)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=10))
        heard_by(monkeypatch, provider)
        made.extend([exporter, provider])

    yield send
    for each in made:
        each.shutdown()


@contextmanager
def receiver(out: Path, *, failures: int = 0) -> Iterator[int]:
    """Run the receiver and yield its port; the first so many posts are answered with 503."""
    if not SINK.is_file():
        reason = "../shared/servers is missing: there is no receiver"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    port = free_port()
    command = [sys.executable, str(SINK), str(out), "--port", str(port), "--seconds", "60", "--fail", str(failures)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        eventually(lambda: process.poll() is not None or listens(port))
        assert process.poll() is None, process.communicate()[1].decode()
        yield port
    finally:
        process.kill()
        process.communicate()


def listens(port: int) -> bool:
    """Say whether somebody listens on *port*."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def received(out: Path) -> list[dict[str, Any]]:
    """Return the spans that came so far, oldest first."""
    if not out.exists():
        return []
    # What stands behind the last end of a line is still being written.
    posts = [json.loads(line)["data"] for line in out.read_text(encoding="utf-8").split("\n")[:-1]]
    scopes = [scope for post in posts for resource in post["resourceSpans"] for scope in resource["scopeSpans"]]
    assert {scope["scope"]["name"] for scope in scopes} <= {"fiber"}
    return sorted((span for scope in scopes for span in scope["spans"]), key=lambda span: span["startTimeUnixNano"])


def members(span: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of *span* as they came; 64-bit numbers are texts in JSON."""
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def test_spans_reach_a_receiver_whole(told: Send, tmp_path: Path) -> None:
    """Names, attributes, events, statuses and parents."""
    out = tmp_path / "out.jsonl"
    fiber, _ = scripted(refused(503, retry_after="0"), whole())

    with receiver(out) as port:
        told(port)
        fiber.sync.chat("Hi")
        eventually(lambda: len(received(out)) == 3)

    call, first, second = received(out)
    assert [span["name"] for span in (call, first, second)] == ["chat gpt-test", "POST", "POST"]
    assert [span["kind"] for span in (call, first, second)] == ["SPAN_KIND_CLIENT"] * 3
    assert first["parentSpanId"] == second["parentSpanId"] == call["spanId"]
    assert [event["name"] for event in call["events"]] == ["retry"]
    assert first["status"] == {"message": "FiberOverloadedError", "code": "STATUS_CODE_ERROR"}
    assert (call["status"], second["status"]) == ({}, {})
    assert members(call)["gen_ai.usage.output_tokens"] == "5"
    assert members(second)["http.response.status_code"] == "200"


def test_a_receiver_that_recovers_gets_all(told: Send, tmp_path: Path) -> None:
    """It answers 503 once; the exporter tries again in a thread of its own, and calls go on meanwhile."""
    out = tmp_path / "out.jsonl"
    fiber, _ = scripted(whole("A"), streamed("B"))

    with receiver(out, failures=1) as port:
        told(port)
        texts = [fiber.sync.chat("Hi").text, fiber.sync.chat_stream("Hi").collect().text]
        eventually(lambda: len(received(out)) == 4)

    assert texts == ["A", "B"]
    assert sorted(span["name"] for span in received(out)) == ["POST", "POST", "chat gpt-test", "chat gpt-test"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_receiver_that_takes_nothing_disturbs_no_call(
    is_there: bool, told: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers 503 for ever, or is not there: nothing is exported in the thread of a call, which so cannot wait."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    threads: set[threading.Thread] = set()
    export = OTLPSpanExporter.export

    def watched(self: Any, spans: Any) -> Any:
        threads.add(threading.current_thread())
        return export(self, spans)

    monkeypatch.setattr(OTLPSpanExporter, "export", watched)
    out = tmp_path / "out.jsonl"
    fiber, transport = scripted(*[whole()] * 20)

    with receiver(out, failures=10**6) as port:
        told(port if is_there else free_port())
        texts = {fiber.sync.chat("Hi").text for _ in range(20)}
        eventually(lambda: bool(threads))

    assert texts == {"Hello"}
    assert len(transport.requests) == 20
    assert threading.current_thread() not in threads
    assert received(out) == []
