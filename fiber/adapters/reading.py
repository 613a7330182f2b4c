"""
Answers as they are to be read: what the request says of that (`fiber.types.reading`), put on results and events.

Only the request knows how its schemas were sent; nothing is guessed from what the answer looks like.
"""

from __future__ import annotations

import msgspec

from fiber._errors import FiberError
from fiber.adapters.assembly import with_partial
from fiber.adapters.base import StreamDecoder
from fiber.types.content import ToolCall
from fiber.types.events import MessageStart, StreamEvent, ToolCallEnd
from fiber.types.omitted import left_out
from fiber.types.reading import Reading
from fiber.types.result import ChatResult, Choice


def as_read(result: ChatResult, reading: Reading) -> ChatResult:
    """Return *result* with what is needed to read it."""
    choices = tuple(_choice(choice, reading) for choice in result.choices) if reading.tools else result.choices
    return msgspec.structs.replace(result, json_member=reading.member, choices=choices)


def _choice(choice: Choice, reading: Reading) -> Choice:
    message = choice.message
    if not message.tool_calls:
        return choice
    parts = tuple(_call(part, reading) if isinstance(part, ToolCall) else part for part in message.parts)
    return msgspec.structs.replace(choice, message=msgspec.structs.replace(message, content=parts))


def _call(call: ToolCall, reading: Reading) -> ToolCall:
    schema = reading.tools.get(call.name)
    if schema is None or "null" not in call.arguments_json:
        return call
    try:
        pointers = tuple(left_out(msgspec.json.decode(call.arguments_json), schema))
    except (ValueError, RecursionError):  # whoever reads the arguments is told
        return call
    return msgspec.structs.replace(call, left_out=pointers) if pointers else call


class ReadingDecoder:
    """
    Puts what *reading* says on the events and results of *inner*.

    Attributes:
        holds: Content came that no event tells yet.
    """

    def __init__(self, inner: StreamDecoder, reading: Reading) -> None:
        self.error: FiberError | None = None
        self.done = False
        self.holds = False
        self._inner = inner
        self._reading = reading

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Take the next bytes, return the events they complete."""
        return self._told(self._inner.feed(chunk))

    def finish(self) -> list[StreamEvent]:
        """The body ended: return the last events, or set `error`."""
        return self._told(self._inner.finish())

    def result(self) -> ChatResult:
        """Return the result so far."""
        return as_read(self._inner.result(), self._reading)

    def forget_text(self) -> None:
        """Give the text out without keeping it, where *inner* can."""
        if (forget := getattr(self._inner, "forget_text", None)) is not None:
            forget()

    def _told(self, events: list[StreamEvent]) -> list[StreamEvent]:
        inner = self._inner
        self.done, self.holds = inner.done, getattr(inner, "holds", False)
        if self.error is None and (error := inner.error) is not None:
            if error.partial is not None:
                with_partial(error, as_read(error.partial, self._reading))
            self.error = error
        return [self._changed(event) for event in events]

    def _changed(self, event: StreamEvent) -> StreamEvent:
        if isinstance(event, MessageStart):
            return msgspec.structs.replace(event, json_member=self._reading.member)
        if isinstance(event, ToolCallEnd):
            return msgspec.structs.replace(event, tool_call=_call(event.tool_call, self._reading))
        return event
