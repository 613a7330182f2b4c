"""Whole results, played as streams."""

from __future__ import annotations

from fiber.types.events import StreamEvent, events_of
from fiber.types.result import ChatResult


class Replay:
    """A whole result as a stream: an answer that came whole although a stream was asked for, or from a cache."""

    def __init__(self, result: ChatResult) -> None:
        self._result = result
        self._events = events_of(result)
        self.done = True

    async def next_events(self) -> list[StreamEvent]:
        """Return all events, then nothing."""
        events, self._events = self._events, []
        return events

    def result(self) -> ChatResult:
        """Return the result."""
        return self._result

    async def close(self) -> None:
        """Nothing is open."""

    def discard(self) -> None:
        """Nothing is open."""
