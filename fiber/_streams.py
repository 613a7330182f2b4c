"""
Streams as the caller holds them.

One object, one close. `ChatStream` pumps coroutines; `SyncChatStream` finishes the same coroutines in one step.
A stream ends once: at its end, at an error, at `close` or `cancel`, or when it is dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from fiber._chain import Call
from fiber._engine import run_sync
from fiber._errors import FiberError, FiberValidationError
from fiber._reply import Ending, EventSource, Reply, ending_of, ending_with
from fiber._results import finished, notes_of, receipted
from fiber.adapters.keeping import pack
from fiber.types.events import Log, MessageStart, Restart, StreamEvent, TextDelta
from fiber.types.result import ChatResult

_MANY_PIECES = 4096
"""So many small strings are joined to one."""


class ChatStream:
    """
    An answer as it comes: `async with fiber.chat_stream(...) as stream: async for event in stream: ...`.

    Nothing is sent before it is entered or iterated. Afterwards `result` is what `chat` would have returned.

    Attributes:
        restarts: It may begin anew where the call's policy says so; false for readers who could not tell.
    """

    restarts = True

    def __init__(self, call: Call, start: Callable[[Call], Awaitable[Reply]]) -> None:
        self._call = call
        self._start = start
        self._reply: Reply | None = None
        self._events: deque[StreamEvent] = deque()
        self._text: list[str] = []
        self._packed = 0
        self._result: Any = None
        self._begun = False
        self._closed = False
        self._restarting = False

    async def __aenter__(self) -> Self:
        if not self._closed:
            await self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        if self._closed or not (self._events or await self._fill()):
            raise StopAsyncIteration
        return self._given()

    def _given(self) -> StreamEvent:
        event = self._events.popleft()
        if type(event) is TextDelta and event.index == 0 and not self._call.forget_text:
            self._text.append(event.text)
        return event

    @property
    def text(self) -> str:
        """The text given out so far."""
        return "".join(self._text)

    @property
    def result(self) -> ChatResult:
        """
        The whole result, once the stream has ended well.

        Raises:
            FiberValidationError: The stream is not at its end.
            FiberParsingError: JSON was asked for strictly, and the answer is not it.
        """
        if self._result is None:
            stream = self._source
            if stream is None or not getattr(stream, "done", False):
                raise FiberValidationError(
                    "The stream is not at its end: read all its events, or await stream.collect(). What came so far"
                    " is in stream.text and stream.partial.",
                    parameter="result",
                )
            value = stream.result()
            self._result = finished(self._call, value) if isinstance(value, ChatResult) else value
        result: ChatResult = self._result
        return result

    @property
    def partial(self) -> ChatResult | None:
        """The result so far; None before the answer began."""
        stream = self._source
        return None if stream is None else stream.result()

    @property
    def _source(self) -> EventSource | None:
        return None if self._reply is None else self._reply.stream

    async def collect(self) -> ChatResult:
        """Read to the end and return the result."""
        async for _ in self:
            pass
        return self.result

    async def close(self) -> None:
        """Close the connection; what was not read is lost. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        reply = self._reply
        if reply is None or self._restarting:
            self._call.journal.cancel()
        if reply is not None and reply.stream is not None:
            await reply.stream.close()
            await reply.end(self._stopped(reply))

    def cancel(self) -> None:
        """Stop the answer without waiting, from any task or thread; also while its first event is awaited."""
        self._closed = True
        reply = self._reply
        if reply is None or self._restarting:
            self._call.journal.cancel()
        if reply is not None and reply.stream is not None and not reply.ended:
            reply.stream.discard()
            run_sync(reply.end(self._stopped(reply)))

    def __del__(self) -> None:
        reply = getattr(self, "_reply", None)
        if reply is not None and not reply.ended:
            self.cancel()

    async def _open(self) -> Reply | None:
        """Return the reply; None when others closed the stream before there was one."""
        if self._reply is None:
            try:
                self._reply = await self._start(self._call)
            except FiberError:
                if self._is_closed():
                    return None
                raise
            if self._closed and self._reply.stream is not None:  # closed by others meanwhile
                await self._reply.stream.close()
                await self._reply.end(self._stopped(self._reply))
        return self._reply

    async def _fill(self) -> bool:
        reply = await self._open()
        if reply is None or self._is_closed():
            return False
        assert reply.stream is not None  # noqa: S101 - a streaming call has one
        try:
            events = await self._next(reply, reply.stream)
        except FiberError as error:
            if self._is_closed():  # by others, and therefore it broke
                return False
            self._call.journal.failed(error)
            error.attempts = tuple(self._call.journal.attempts)
            if error.partial is not None:
                error.partial = receipted(self._call, error.partial)
            self._closed = True
            await reply.end(ending_with(error))
            raise
        except BaseException as error:
            self._closed = True
            await reply.stream.close()
            await reply.end(self._stopped(reply, error))
            raise
        if self._is_closed():
            return False
        if not events:
            self._closed = True
            try:
                whole = self.result
            except FiberError as error:
                await reply.end(ending_of(self.partial, error))
                raise
            await reply.end(ending_of(whole))
            return False
        if not self._begun:
            self._begun = True
            events = self._noted(events)
        self._events.extend(events)
        if len(self._text) - self._packed >= _MANY_PIECES:
            self._packed = pack(self._text, self._packed)
        return True

    async def _next(self, reply: Reply, stream: EventSource) -> list[StreamEvent]:
        try:
            return await stream.next_events()
        except FiberError as error:
            if reply.restart is None or not self.restarts or self._is_closed():
                raise
            self._call.journal.failed(error)
            fresh = await self._restart(reply.restart, error)
        return await fresh.next_events()

    async def _restart(self, restart: Callable[[FiberError], Awaitable[EventSource]], error: FiberError) -> EventSource:
        partial = error.partial
        self._restarting = True
        try:
            stream = await restart(error)
        except FiberError as failure:
            failure.partial = failure.partial or partial
            raise
        finally:
            self._restarting = False
        if self._is_closed():  # by others meanwhile
            await stream.close()
        self._text.clear()
        self._packed, self._begun = 0, False
        self._events.append(Restart(len(self._call.journal.attempts), type(error).__name__))
        return stream

    def _is_closed(self) -> bool:
        # Asked anew after every wait: another task or thread may have closed the stream meanwhile.
        return self._closed

    def _noted(self, events: list[StreamEvent]) -> list[StreamEvent]:
        logs: list[StreamEvent] = [Log("warning", str(note)) for note in notes_of(self._call)]
        at = 1 if isinstance(events[0], MessageStart) else 0
        return events[:at] + logs + events[at:]

    def _stopped(self, reply: Reply, error: BaseException | None = None) -> Ending:
        stream = reply.stream
        if stream is not None and getattr(stream, "done", False):
            return ending_of(stream.result())
        outcome: Any = "error" if isinstance(error, Exception) else "cancelled"
        return Ending(outcome, usage=getattr(stream and stream.result(), "usage", None), error=error)


class SyncChatStream:
    """An answer as it comes, in blocking code: `with fiber.sync.chat_stream(...) as stream: for event in stream`."""

    def __init__(self, stream: ChatStream) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        run_sync(self._stream.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamEvent:
        stream = self._stream
        if stream._events and not stream._closed:  # nothing to wait for, and so no coroutine to finish
            return stream._given()
        try:
            return run_sync(stream.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    @property
    def text(self) -> str:
        """The text given out so far."""
        return self._stream.text

    @property
    def result(self) -> ChatResult:
        """The whole result, once the stream has ended well; see `ChatStream.result`."""
        return self._stream.result

    @property
    def partial(self) -> ChatResult | None:
        """The result so far; None before the answer began."""
        return self._stream.partial

    def collect(self) -> ChatResult:
        """Read to the end and return the result."""
        return run_sync(self._stream.collect())

    def close(self) -> None:
        """Close the connection; what was not read is lost. Safe to repeat."""
        run_sync(self._stream.close())

    def cancel(self) -> None:
        """Stop the answer, from any thread."""
        self._stream.cancel()
