"""
Answers as they are to be read: what the request says of that (`fiber.types.reading`), put on results and events.

Nothing here looks at what the answer says: only the request knows how its schemas were sent.
"""

from __future__ import annotations

import msgspec

from fiber._errors import FiberError
from fiber.adapters.assembly import with_partial
from fiber.adapters.base import StreamDecoder
from fiber.types.events import MessageStart, StreamEvent
from fiber.types.reading import Reading
from fiber.types.result import ChatResult


def as_read(result: ChatResult, reading: Reading) -> ChatResult:
    """Return *result* with what is needed to read it."""
    return msgspec.structs.replace(result, json_member=reading.member)


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
        return event
