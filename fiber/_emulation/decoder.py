"""The decoder of a stream whose text may hold tool calls: a wrapper over that of the adapter."""

from __future__ import annotations

import msgspec

from fiber._emulation.reading import Piece, Reader, prefix_of, read, reason_of
from fiber._errors import FiberError
from fiber.adapters.base import StreamDecoder
from fiber.types.content import Text
from fiber.types.events import MessageEnd, StreamEvent, TextDelta, UsageUpdate, call_events
from fiber.types.result import ChatResult


class CallDecoder:
    """
    Changes the events of *inner*, and its results in the way in which whole answers are changed.

    What is held back when a stream breaks is given out by no event; it is in `result()`.

    Args:
        turn: Beginning of the ids of calls.

    Attributes:
        holds: Content came that no event tells yet.
    """

    def __init__(self, inner: StreamDecoder, turn: str) -> None:
        self.error: FiberError | None = None
        self.done = False
        self.holds = False
        self._inner = inner
        self._turn = turn
        self._readers: dict[int, Reader] = {}

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Take the next bytes, return the events they complete."""
        return self._told(self._inner.feed(chunk))

    def finish(self) -> list[StreamEvent]:
        """The body ended: return the last events, or set `error`."""
        return self._told(self._inner.finish())

    def result(self) -> ChatResult:
        """Return the result so far."""
        return read(self._inner.result(), self._turn)

    def _told(self, events: list[StreamEvent]) -> list[StreamEvent]:
        self.holds = False
        told = [new for event in events for new in self._changed(event)]
        self.done = self._inner.done
        if self.error is None and (error := self._inner.error) is not None:
            self.error = with_calls(error, self._turn)
        return told

    def _changed(self, event: StreamEvent) -> list[StreamEvent]:
        match event:
            case TextDelta(text=text, index=choice):
                if choice not in self._readers:
                    self._readers[choice] = Reader(prefix_of(self._turn, choice))
                changed = self._events(choice, self._readers[choice].feed(text))
                self.holds = self.holds or self._readers[choice].holds
                return changed
            case UsageUpdate():
                return [*self._rest(), event]
            case MessageEnd(finish_reason=reason):
                calls = self._readers[0].calls if 0 in self._readers else 0
                return [*self._rest(), msgspec.structs.replace(event, finish_reason=reason_of(reason, calls))]
            case _:
                return [event]

    def _rest(self) -> list[StreamEvent]:
        return [event for choice, reader in self._readers.items() for event in self._events(choice, reader.finish())]

    def _events(self, choice: int, pieces: list[Piece]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        index = self._readers[choice].calls - sum(not isinstance(piece, Text) for piece in pieces)
        for piece in pieces:
            if isinstance(piece, Text):
                events.append(TextDelta(piece.text, choice))
            else:
                events += call_events(piece, index, choice)
                index += 1
        return events


def with_calls(error: FiberError, turn: str) -> FiberError:
    """Read the calls of what came before *error*."""
    if error.partial is not None:
        error.partial = read(error.partial, turn)
    return error
