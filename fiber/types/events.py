"""Events of a stream: a closed union of frozen structs."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from fiber.types.content import Part, Reasoning, Text, ToolCall
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult, Citation, FinishReason


class Event(msgspec.Struct, frozen=True, tag_field="type"):
    """
    Base of all events; `type` is the tag string.

    Those that come in thousands hold no references that could be a cycle, and the garbage collector need not know them.
    """

    @property
    def type(self) -> str:
        """The event's tag, like `text-delta`."""
        return str(self.__struct_config__.tag)


class MessageStart(Event, frozen=True, tag="message-start"):
    """The provider began to answer; `json_member` is that of the result, see `ChatResult`."""

    model: str
    provider: str
    request_id: str | None = None
    json_member: str = ""


class TextDelta(Event, frozen=True, gc=False, tag="text-delta"):
    """A piece of the answer's text, never empty; `index` is the choice when `n` is above 1."""

    text: str
    index: int = 0


class ReasoningDelta(Event, frozen=True, gc=False, tag="reasoning-delta"):
    """A piece of visible reasoning; not part of the text."""

    text: str
    index: int = 0


class ToolCallStart(Event, frozen=True, tag="tool-call-start"):
    """A tool call began; `index` counts the calls of its choice from 0."""

    index: int
    id: str
    name: str
    choice: int = 0


class ToolCallDelta(Event, frozen=True, gc=False, tag="tool-call-delta"):
    """A piece of the arguments of call `index`."""

    index: int
    arguments_delta: str
    choice: int = 0


class ToolCallEnd(Event, frozen=True, tag="tool-call-end"):
    """Call `index` is complete."""

    index: int
    tool_call: ToolCall
    choice: int = 0


class ContentPart(Event, frozen=True, tag="content-part"):
    """A whole part that is neither text nor a tool call: an image, audio, a server tool's block, sealed reasoning."""

    part: Part
    index: int = 0


class UsageUpdate(Event, frozen=True, tag="usage"):
    """Final counts; at most one, before `message-end`."""

    usage: Usage


class Log(Event, frozen=True, tag="log"):
    """A note of this library: what was dropped, mapped or assumed."""

    level: Literal["info", "warning"]
    message: str


class Heartbeat(Event, frozen=True, tag="heartbeat"):
    """A chunk came that completes no event: the provider is alive; only with `heartbeats`, and never first."""


class Restart(Event, frozen=True, tag="restart"):
    """
    The answer broke off and begins anew, as attempt `attempt`: all events before this one are void.

    Only with `RetryPolicy(on_midstream="restart")`; `reason` is the name of the error that broke it.
    """

    attempt: int
    reason: str


class MessageEnd(Event, frozen=True, tag="message-end"):
    """The last event: the answer is whole."""

    finish_reason: FinishReason | None
    raw_finish_reason: str | None = None
    usage: Usage = Usage()


StreamEvent: TypeAlias = (
    MessageStart
    | TextDelta
    | ReasoningDelta
    | ToolCallStart
    | ToolCallDelta
    | ToolCallEnd
    | ContentPart
    | Citation
    | UsageUpdate
    | Log
    | Heartbeat
    | Restart
    | MessageEnd
)

CONTENT_EVENTS = (TextDelta, ReasoningDelta, ToolCallStart, ToolCallDelta, ContentPart)
"""Events that carry content: the first of them ends all retrying, and they feed the stall timer."""


def events_of(result: ChatResult) -> list[StreamEvent]:
    """Return the events of a stream that would have given *result*."""
    events: list[StreamEvent] = [MessageStart(result.model, result.provider, result.request_id, result.json_member)]
    for choice in result.choices:
        calls = 0
        for part in choice.message.parts:
            match part:
                case Text(text=text):
                    events += [TextDelta(text, choice.index)] if text else []
                case ToolCall():
                    events += call_events(part, calls, choice.index)
                    calls += 1
                case Reasoning(text=text, native=native):
                    events += [ReasoningDelta(text, choice.index)] if text else []
                    events += [ContentPart(part, choice.index)] if native else []
                case _:
                    events.append(ContentPart(part, choice.index))
    events += result.citations
    if result.usage.cost_status != "no_usage":
        events.append(UsageUpdate(result.usage))
    events.append(MessageEnd(result.finish_reason, result.raw_finish_reason, result.usage))
    return events


def call_events(call: ToolCall, index: int, choice: int) -> list[StreamEvent]:
    """Return the events of a whole *call*, which is number *index* of its choice, from 0."""
    pieces = [ToolCallDelta(index, call.arguments_json, choice)] if call.arguments_json else []
    return [ToolCallStart(index, call.id, call.name, choice), *pieces, ToolCallEnd(index, call, choice)]
