"""
A picture of a trace: `python benchmarks/trace.py` writes docs/plots/trace.svg.

One stream against the mock server, whose first provider fails twice, as the SDK of OpenTelemetry hears it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent.parent / "docs" / "plots" / "trace.svg"

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 720, 150, 24, 56, 40
_CALL, _GOOD, _BAD, _INK, _GREY = "#0072b2", "#009e73", "#d55e00", "#000000", "#555555"


def spans() -> list[Any]:
    """Make the call, and return its spans, the first begun first."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from fiber import Fiber, RetryPolicy
    from fiber.testing import Failure, MockServer, Reply

    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    with MockServer(delay_seconds=0.06) as server:
        fiber = Fiber(
            api_keys={"openai": "key", "anthropic": "key"},
            base_urls={"openai": server.base_url("openai"), "anthropic": server.base_url("anthropic")},
            retry=RetryPolicy(max_attempts=2, base_backoff_seconds=0.2),
        )
        server.enqueue(Failure(503))
        fiber.sync.ask("Hello", model="openai:warm")  # what is imported at the first retry is not in the picture
        memory.clear()
        answer = Reply("one two three four five six", delay_seconds=0.12, event_delay_seconds=0.03)
        server.enqueue(Failure(503), Failure(503), answer)
        fiber.sync.chat_stream("Hello", model="openai:gpt-mock", fallback=["anthropic:claude-mock"]).collect()
        fiber.sync.close()
    return sorted(memory.get_finished_spans(), key=lambda span: span.start_time)


def picture(told: Sequence[Any]) -> str:
    """Draw a bar for each span, the call first, with marks for its events."""
    begin, end = told[0].start_time, told[0].end_time
    height = _TOP + _ROW * len(told) + 34

    def across(time: int) -> float:
        return _LEFT + (time - begin) / (end - begin) * (_WIDTH - _LEFT - _RIGHT)

    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
        "<title>The trace of one call</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(16, 26, "A stream that is retried, and then answered by another provider", size=15),
    ]
    for number, span in enumerate(told):
        y = _TOP + _ROW * number
        name, colour, detail = _about(span)
        width = max(2.0, across(span.end_time) - across(span.start_time))
        drawn.append(_text(16 + 14 * (number > 0), y + 14, name))
        drawn.append(
            f'<rect x="{across(span.start_time):.1f}" y="{y}" width="{width:.1f}" height="20" rx="3" fill="{colour}"/>'
        )
        drawn.append(_text(across(span.start_time), y + 33, detail, size=10, colour=_GREY))
        for event in span.events:
            x = across(event.timestamp)
            drawn.append(f'<circle cx="{x:.1f}" cy="{y + 10}" r="4" fill="#ffffff" stroke="{_INK}"/>')
            drawn.append(_text(x, y - 5, event.name, size=10, anchor="middle"))
    drawn.append(_text(_LEFT, height - 10, "0 ms", size=10, colour=_GREY))
    last = f"{(end - begin) / 1e6:.0f} ms"
    drawn.append(_text(_WIDTH - _RIGHT, height - 10, last, size=10, anchor="end", colour=_GREY))
    return "\n".join([*drawn, "</svg>", ""])


def _about(span: Any) -> tuple[str, str, str]:
    said = span.attributes
    if "gen_ai.operation.name" in said:
        told = f"{said['gen_ai.response.model']}, {said['gen_ai.usage.output_tokens']} tokens of output"
        return span.name, _CALL, told
    status = said.get("http.response.status_code", "")
    return said["fiber.target"].partition(":")[0], _GOOD if status == 200 else _BAD, f"{span.name} {status}"


def _text(x: float, y: float, words: str, *, size: int = 12, anchor: str = "start", colour: str = _INK) -> str:
    at = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {at} fill="{colour}">{escape(words)}</text>'


if __name__ == "__main__":
    OUT.write_text(picture(spans()), encoding="utf-8")
