"""Stream events."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest
from hypothesis import given

from fiber.types.content import Image, Opaque, Reasoning, Text, ToolCall
from fiber.types.events import (
    CONTENT_EVENTS,
    ContentPart,
    Heartbeat,
    Log,
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    Restart,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageUpdate,
    events_of,
)
from fiber.types.messages import ChatMessage
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult, Choice, Citation
from tests.strategies import stream_events

CALL = ToolCall("1", "f", '{"a":1}')
NATIVE = Opaque("{}", "p", "h", "thinking")

TAGS: list[tuple[StreamEvent, str]] = [
    (MessageStart("m", "p"), "message-start"),
    (TextDelta("a"), "text-delta"),
    (ReasoningDelta("a"), "reasoning-delta"),
    (ToolCallStart(0, "1", "f"), "tool-call-start"),
    (ToolCallDelta(0, "{"), "tool-call-delta"),
    (ToolCallEnd(0, CALL), "tool-call-end"),
    (ContentPart(Image(url="u")), "content-part"),
    (Citation(url="u"), "citation"),
    (UsageUpdate(Usage()), "usage"),
    (Log("info", "a"), "log"),
    (Heartbeat(), "heartbeat"),
    (Restart(2, "FiberStreamInterruptedError"), "restart"),
    (MessageEnd("stop"), "message-end"),
]


@pytest.mark.parametrize(("event", "tag"), TAGS, ids=[tag for _, tag in TAGS])
def test_event_says_its_type(event: StreamEvent, tag: str) -> None:
    """The type of an event is its tag, as attribute and in JSON."""
    assert event.type == tag
    assert msgspec.json.decode(msgspec.json.encode(event))["type"] == tag


def test_union_is_closed() -> None:
    """The union holds exactly the documented kinds."""
    assert {type(event) for event, _ in TAGS} == set(typing.get_args(StreamEvent))


@given(stream_events())
def test_event_survives_json(event: StreamEvent) -> None:
    """Every event, written as JSON and read again, is equal to itself."""
    assert msgspec.json.decode(msgspec.json.encode(event), type=StreamEvent) == event


def test_event_can_be_matched() -> None:
    """`match` takes events apart by position and by name."""
    found: list[Any] = []
    for event in (TextDelta("a", 1), ToolCallEnd(0, CALL), MessageEnd("stop", "end_turn")):
        match event:
            case TextDelta(text, index):
                found.append((text, index))
            case ToolCallEnd(tool_call=ToolCall(name=name)):
                found.append(name)
            case MessageEnd(finish_reason=reason):
                found.append(reason)

    assert found == [("a", 1), "f", "stop"]


def test_content_events_are_what_the_model_said() -> None:
    """Text, reasoning, calls and parts are content; starts, ends, sources, counts and notes are not."""
    content = {tag for event, tag in TAGS if isinstance(event, CONTENT_EVENTS)}

    assert content == {"text-delta", "reasoning-delta", "tool-call-start", "tool-call-delta", "content-part"}


def result_of(*parts: Any, **more: Any) -> ChatResult:
    """A result whose only answer holds *parts*."""
    choice = Choice(message=ChatMessage("assistant", parts), finish_reason="stop", raw_finish_reason="end")
    return ChatResult(choices=(choice,), model="m", provider="p", request_id="r", **more)


def middle(result: ChatResult) -> list[StreamEvent]:
    """The events between the first and the two last."""
    return events_of(result)[1:-2]


def test_events_of_a_result_begin_and_end() -> None:
    """The events of a result are framed by its model and by its usage and reason."""
    usage = Usage(input_tokens=3, output_tokens=1)

    assert events_of(result_of(Text("hi"), usage=usage)) == [
        MessageStart("m", "p", "r"),
        TextDelta("hi"),
        UsageUpdate(usage),
        MessageEnd("stop", "end", usage),
    ]


def test_events_without_usage_have_no_usage_event() -> None:
    """A result whose provider told no counts has no usage event."""
    usage = Usage(cost_status="no_usage")

    assert events_of(result_of(usage=usage)) == [MessageStart("m", "p", "r"), MessageEnd("stop", "end", usage)]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param(Text(""), [], id="empty text"),
        pytest.param(Reasoning("why"), [ReasoningDelta("why")], id="reasoning"),
        pytest.param(
            Reasoning("why", NATIVE),
            [ReasoningDelta("why"), ContentPart(Reasoning("why", NATIVE))],
            id="sealed reasoning",
        ),
        pytest.param(Reasoning("", NATIVE), [ContentPart(Reasoning("", NATIVE))], id="hidden reasoning"),
        pytest.param(Image(url="u"), [ContentPart(Image(url="u"))], id="image"),
        pytest.param(NATIVE, [ContentPart(NATIVE)], id="opaque"),
        pytest.param(
            CALL, [ToolCallStart(0, "1", "f"), ToolCallDelta(0, '{"a":1}'), ToolCallEnd(0, CALL)], id="tool call"
        ),
        pytest.param(
            ToolCall("1", "f", ""),
            [ToolCallStart(0, "1", "f"), ToolCallEnd(0, ToolCall("1", "f", ""))],
            id="tool call without arguments",
        ),
    ],
)
def test_events_of_a_part(part: Any, expected: list[StreamEvent]) -> None:
    """Each part of an answer gives the events by which a stream would have brought it."""
    assert middle(result_of(part)) == expected


def test_events_of_several_answers_and_calls() -> None:
    """Calls are counted from 0 in each answer, and every event carries the number of its answer."""
    other = ToolCall("2", "g", "")
    result = ChatResult(
        choices=(
            Choice(message=ChatMessage("assistant", (CALL, other))),
            Choice(index=1, message=ChatMessage("assistant", (Text("b"), Reasoning("r"), other, NATIVE))),
        )
    )

    assert middle(result) == [
        ToolCallStart(0, "1", "f"),
        ToolCallDelta(0, '{"a":1}'),
        ToolCallEnd(0, CALL),
        ToolCallStart(1, "2", "g"),
        ToolCallEnd(1, other),
        TextDelta("b", 1),
        ReasoningDelta("r", 1),
        ToolCallStart(0, "2", "g", 1),
        ToolCallEnd(0, other, 1),
        ContentPart(NATIVE, 1),
    ]


def test_events_of_sources() -> None:
    """Sources come after the answers."""
    source = Citation(url="u")

    assert middle(result_of(Text("hi"), citations=(source,))) == [TextDelta("hi"), source]


def test_events_of_a_result_tell_where_its_value_is() -> None:
    """A result whose value stands inside an object says so with its first event."""
    result = msgspec.structs.replace(result_of(Text('{"v": 1}')), json_member="v")

    assert events_of(result)[0] == MessageStart("m", "p", "r", "v")
