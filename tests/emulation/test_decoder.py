"""Streams whose text holds tool calls."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberOverloadedError, FiberStreamInterruptedError
from fiber._emulation.decoder import CallDecoder, with_calls
from fiber._emulation.reading import CLOSE, OPEN, UNCLOSED, read
from fiber._errors import FiberConnectionError
from fiber.adapters import load
from fiber.types.content import Text, ToolCall
from fiber.types.events import (
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageUpdate,
)
from fiber.types.http import HTTPHead
from fiber.types.receipt import Usage
from fiber.types.target import Target
from tests.emulation.samples import said, texts
from tests.kit import COUNTS, DONE, FINISH, START, answer, piece
from tests.strategies import chunkings

HEAD = HTTPHead(200)
TARGETS = {
    "openai_chat": Target(provider="openai", model="m", base_url="https://h"),
    "anthropic": Target(provider="anthropic", model="claude-x", base_url="https://h"),
}
TURN = "call_1_"
CALL = ToolCall("call_1_0_1", "f", '{"a": 1}')
USAGE = Usage(input_tokens=3, output_tokens=5, total_tokens=8)


def decoder(adapter: str = "openai_chat") -> CallDecoder:
    """Make a decoder over that of *adapter*."""
    return CallDecoder(load(adapter).stream_decoder(HEAD, TARGETS[adapter]), TURN)


def sse(*frames: Any) -> bytes:
    """Make the bytes of *frames*."""
    made = b""
    for frame in frames:
        data = frame.encode() if isinstance(frame, str) else msgspec.json.encode(frame)
        event = f"event: {frame['type']}\n".encode() if isinstance(frame, dict) and "type" in frame else b""
        made += event + b"data: " + data + b"\n\n"
    return made


def streamed(adapter: str, *texts: str) -> bytes:
    """Make the stream in which *texts* come one after another."""
    if adapter == "openai_chat":
        return sse(START, *(piece(text) for text in texts), FINISH, COUNTS, DONE)
    return sse(
        {"type": "message_start", "message": {"id": "m", "model": "claude-x", "usage": {"input_tokens": 3}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}} for text in texts),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    )


def whole(adapter: str, text: str) -> bytes:
    """Make the whole answer with *text*."""
    if adapter == "openai_chat":
        return msgspec.json.encode({**answer(text), "model": "gpt-test-1"})
    content = [{"type": "text", "text": text}] if text else []
    usage = {"input_tokens": 3, "output_tokens": 5}
    return msgspec.json.encode(
        {
            "id": "m",
            "type": "message",
            "model": "claude-x",
            "content": content,
            "stop_reason": "end_turn",
            "usage": usage,
        }
    )


def folded(events: list[StreamEvent]) -> tuple[list[str | ToolCall], Any]:
    """Put events together: texts and calls in order, and why the answer ended."""
    parts: list[str | ToolCall] = []
    begun: dict[int, str] = {}
    reason: Any = None
    for event in events:
        match event:
            case TextDelta(text=text):
                assert text
                if parts and isinstance(last := parts[-1], str):
                    parts[-1] = last + text
                else:
                    parts.append(text)
            case ToolCallStart(index=index):
                assert index == len(begun)
                begun[index] = ""
            case ToolCallDelta(index=index, arguments_delta=delta):
                begun[index] += delta
            case ToolCallEnd(index=index, tool_call=call):
                assert begun[index] == call.arguments_json
                parts.append(call)
            case MessageEnd(finish_reason=reason):
                pass
    return parts, reason


@pytest.mark.parametrize("adapter", TARGETS)
@given(data=st.data(), text=texts)
def test_a_stream_gives_what_the_whole_answer_gives(adapter: str, data: st.DataObject, text: str) -> None:
    """For every text, every cut of it into deltas, and every chunking of the bytes: result and events agree."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    deltas = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    expected = read(load(adapter).parse_response(HEAD, whole(adapter, text), TARGETS[adapter]), TURN)
    machine = decoder(adapter)

    events = [event for chunk in data.draw(chunkings(streamed(adapter, *deltas))) for event in machine.feed(chunk)]
    events += machine.finish()

    assert (machine.error, machine.done) == (None, True)
    assert msgspec.structs.replace(machine.result(), body=b"") == msgspec.structs.replace(expected, body=b"")
    expected_parts = [part.text if isinstance(part, Text) else part for part in expected.message.parts]
    assert folded(events) == (expected_parts, expected.finish_reason)


def test_events_of_a_call() -> None:
    """Text at once, the call when its tag closes, the changed reason at the end."""
    machine = decoder()
    steps = ["Look: ", f"now {OPEN[:5]}", OPEN[5:] + '{"name": "f", ', '"arguments": {"a": 1}}', f"{CLOSE} ", "x"]
    events = [machine.feed(sse(piece(step))) for step in steps]

    assert events == [
        [MessageStart("gpt-test-1", "openai"), TextDelta("Look: ")],
        [TextDelta("now ")],
        [],
        [],
        [ToolCallStart(0, CALL.id, "f"), ToolCallDelta(0, '{"a": 1}'), ToolCallEnd(0, CALL)],
        [TextDelta(" x")],
    ]
    assert machine.feed(sse(FINISH, COUNTS, DONE)) == [UsageUpdate(USAGE), MessageEnd("tool_calls", "stop", USAGE)]


def test_held_text_comes_before_the_end() -> None:
    """And before the counts."""
    machine = decoder()
    machine.feed(sse(piece("a <tool")))

    assert machine.feed(sse(FINISH, COUNTS, DONE)) == [
        TextDelta("<tool"),
        UsageUpdate(USAGE),
        MessageEnd("stop", "stop", USAGE),
    ]


def test_an_end_without_counts_gives_out_what_is_held() -> None:
    """There is no usage event then."""
    machine = decoder()
    machine.feed(sse(piece("a <tool"), FINISH))

    assert [event.type for event in machine.feed(sse(DONE))] == ["text-delta", "message-end"]


def test_every_choice_has_its_own_calls() -> None:
    """Ids, indexes and held text; the reason of the last event is that of the first choice."""
    second = [{"index": 1, "delta": {"content": text}} for text in (said("f", '{"a": 1}') + "<", "b")]
    machine = decoder()
    events = machine.feed(sse(START, {"choices": second[:1]}, piece("x <tool"), {"choices": second[1:]}))
    ends = [{"index": number, "delta": {}, "finish_reason": "stop"} for number in (0, 1)]
    events += machine.feed(sse({"choices": ends}, DONE))

    assert events[1:] == [
        ToolCallStart(0, "call_1_1_1", "f", 1),
        ToolCallDelta(0, '{"a": 1}', 1),
        ToolCallEnd(0, ToolCall("call_1_1_1", "f", '{"a": 1}'), 1),
        TextDelta("x "),
        TextDelta("<b", 1),
        TextDelta("<tool"),
        MessageEnd("stop", "stop", Usage(cost_status="no_usage")),
    ]
    assert [choice.finish_reason for choice in machine.result().choices] == ["stop", "tool_calls"]


def test_other_events_pass() -> None:
    """Reasoning is no place for calls."""
    machine = decoder()

    events = machine.feed(sse(piece(reasoning_content=said("f"))))

    assert events[1:] == [ReasoningDelta(said("f"))]
    assert machine.result().tool_calls == ()


def test_result_at_any_moment() -> None:
    """What is held is text as long as it is no call."""
    machine = decoder()
    assert machine.result().text == ""

    machine.feed(sse(piece(f"A{OPEN}"), piece('{"name": "f", "arguments": {"a": 1}}')))
    held = machine.result()
    machine.feed(sse(piece(CLOSE)))

    assert (held.text, held.warnings) == (f'A{OPEN}{{"name": "f", "arguments": {{"a": 1}}}}', (UNCLOSED,))
    assert machine.result().message.parts == (Text("A"), CALL)
    assert machine.result().warnings == ()


def test_what_is_held_is_told() -> None:
    """The engine's timers want to know that content came; a chunk without content is none."""
    machine = decoder()
    told = []
    for chunk in (sse(START), sse(piece("<tool")), b": ping\n\n", sse(piece("x")), sse(piece(" "))):
        machine.feed(chunk)
        told.append(machine.holds)

    assert told == [False, True, False, False, False]


@pytest.mark.parametrize("finish", [False, True])
def test_an_error_carries_the_calls_that_came(finish: bool) -> None:
    """A stream that breaks or ends early; what was held is text of the partial result and no event."""
    machine = decoder()
    machine.feed(sse(piece(said("f", '{"a": 1}')), piece(f"A{OPEN}")))
    error = {"error": {"message": "busy", "code": 503, "type": "server_error"}}
    events = machine.finish() if finish else machine.feed(sse(error))

    assert events == []
    assert type(machine.error) is (FiberStreamInterruptedError if finish else FiberOverloadedError)
    assert machine.error.partial is not None
    assert machine.error.partial.message.parts == (CALL, Text(f"A{OPEN}"))
    first = machine.error
    machine.feed(b"")
    assert machine.error is first


def test_an_error_without_a_partial_result_is_passed() -> None:
    """There is nothing to read."""
    error = FiberConnectionError("lost", outcome="unknown")

    assert with_calls(error, TURN) is error
    assert error.partial is None
