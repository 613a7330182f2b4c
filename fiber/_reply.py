"""What comes back through the layers: a value or an open stream, and how it ended."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from fiber._errors import FiberError, FiberStreamInterruptedError
from fiber.types.events import StreamEvent
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult

Outcome: TypeAlias = Literal["complete", "truncated", "error", "cancelled"]


class Ending(msgspec.Struct, frozen=True):
    """How a reply ended; given to every `on_end` callback exactly once."""

    outcome: Outcome
    usage: Usage | None = None
    finish_reason: str | None = None
    model: str | None = None
    request_id: str | None = None
    error: BaseException | None = None
    cached: bool = False
    response_id: str | None = None


def ending_of(result: Any, error: BaseException | None = None) -> Ending:
    """Return the ending of a reply that completed with *result*, which is useless when there is an *error*."""
    outcome: Outcome = "complete" if error is None else "error"
    if not isinstance(result, ChatResult):
        return Ending(outcome, request_id=getattr(result, "request_id", None), error=error)
    # What came from a cache was used up by the call that filled it.
    usage = None if result.cached else result.usage
    about = (result.finish_reason, result.model, result.request_id)
    return Ending(outcome, usage, *about, error, result.cached, result.response_id)


def ending_with(error: FiberError) -> Ending:
    """Return the ending of a stream that *error* broke."""
    outcome: Outcome = "truncated" if isinstance(error, FiberStreamInterruptedError) else "error"
    return Ending(outcome, usage=None if error.partial is None else error.partial.usage, error=error)


class EventSource(Protocol):
    """An open stream: batches of events, then nothing."""

    async def next_events(self) -> list[StreamEvent]:
        """Return the next events; an empty list at the end."""
        ...

    def result(self) -> Any:
        """Return the result so far."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...

    def discard(self) -> None:
        """Close without waiting."""
        ...


EndCallback: TypeAlias = Callable[[Ending], Awaitable[None]]


class Reply:
    """
    What a handler returns: a value, or an open stream.

    Attributes:
        value: The decoded result of a whole call.
        stream: The open stream, else None.
        restart: Begins a stream anew that the given error broke, puts the fresh one into `stream` and returns it, or
            raises; None when streams of this call are not restarted.
        heard: Told the ending last of all, where somebody listens.
    """

    __slots__ = ("_callbacks", "_lock", "ended", "heard", "restart", "stream", "value")

    def __init__(self, value: Any = None, stream: EventSource | None = None) -> None:
        self.value = value
        self.stream = stream
        self.ended = False
        self.restart: Callable[[FiberError], Awaitable[EventSource]] | None = None
        self.heard: Callable[[Ending], None] | None = None
        self._callbacks: list[EndCallback] = []
        self._lock = threading.Lock()

    def on_end(self, callback: EndCallback) -> None:
        """Have *callback* awaited once when the reply ends: complete, truncated, failed or cancelled."""
        self._callbacks.append(callback)

    async def end(self, ending: Ending) -> None:
        """
        End the reply: run the callbacks, innermost layer first. Only the first call counts, from whichever thread.

        A callback that raises does not keep the others from running; the first failure is raised at the end.
        """
        with self._lock:
            if self.ended:
                return
            self.ended = True
        failure: BaseException | None = None
        for callback in self._callbacks:
            try:
                await callback(ending)
            except BaseException as error:
                failure = failure or error
        if self.heard is not None:
            self.heard(ending)
        if failure is not None:
            raise failure
