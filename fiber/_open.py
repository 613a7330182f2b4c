"""
An open answer that streams, and the timers over it.

What is read is decoded at once; a failure after events were decoded is kept until those events have been given out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fiber._chain import Call
from fiber._errors import (
    FiberConnectionError,
    FiberError,
    FiberParsingError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
)
from fiber.adapters.assembly import with_partial
from fiber.adapters.base import StreamDecoder
from fiber.transports.base import MAX_BODY_BYTES, DeadlineReached, HTTPResponse
from fiber.types.events import CONTENT_EVENTS, Heartbeat, StreamEvent
from fiber.types.http import Secret
from fiber.types.result import ChatResult

_CONTENT = {*CONTENT_EVENTS, bytes}
FED_BYTES = 64 * 1024
"""
So much is decoded at a time, some milliseconds of work: a socket that is always full must not hold the event loop, nor
a stream that came whole have all its frames in memory at once.
"""

_FIRST_BYTES = 1024
"""So much is decoded at first: the first event need not wait for all that came with it."""

_DRAIN_CHUNKS = 16
_DRAIN_SECONDS = 1.0
_LEAST_KEY_CHARACTERS = 8
"""A shorter key (`ollama`, `x`) is no secret, and masking it would mangle ordinary words."""


class OpenStream:
    """
    The open answer of one stream: reads chunks, decodes, holds the timers, closes once.

    A failure after events were decoded is kept until those events have been given out.

    Args:
        due: When the first event with content has to be there.
        abandon: Called when it is closed before its end, once or more.
    """

    def __init__(
        self,
        call: Call,
        response: HTTPResponse,
        decoder: StreamDecoder,
        secret: Secret,
        due: float | None,
        abandon: Callable[[], None],
    ) -> None:
        self._call = call
        self._response = response
        self._decoder = decoder
        self._secret = secret
        self._abandon = abandon
        self._primed: list[StreamEvent] = []
        self._failure: FiberError | None = None
        self._over = False
        self._saw_content = False
        self._content_due = due
        self._rest = b""
        self._fed = 0
        self._most = _FIRST_BYTES
        self._kept: list[bytes] | None = [] if call.keep_raw else None
        self._kept_bytes = 0

    async def prime(self) -> None:
        """Read up to the first event with content, or the end; raise what fails before it."""
        while not (self._saw_content or self._over or self._decoder.done):
            events = await self._pull()
            if self._failure is not None and not self._saw_content:
                raise self._failure
            self._primed += events

    async def next_events(self) -> list[StreamEvent]:
        """Return the next events; an empty list at the end."""
        if self._primed:
            events, self._primed = self._primed, []
            return events
        while self._failure is None and not self._over:
            if self._decoder.done:
                await self._drain()
                return []
            if events := await self._pull() or self._heartbeat():
                return events
        if self._failure is not None:
            await self.close()
            raise told(self._failure, self._call, self._secret).with_traceback(None)
        return []

    def result(self) -> ChatResult:
        """Return the result so far."""
        result: ChatResult = self._with_body(self._decoder.result())
        return result

    @property
    def done(self) -> bool:
        """The terminal marker was seen."""
        return self._decoder.done

    async def close(self) -> None:
        """Close the answer."""
        self._over = True
        try:
            await self._call.transport.close(self._response)
        finally:
            self._leave()

    def discard(self) -> None:
        """Close without waiting."""
        self._over = True
        self._call.transport.discard(self._response)
        self._leave()

    def _leave(self) -> None:
        if not self._decoder.done:
            self._abandon()

    async def _pull(self) -> list[StreamEvent]:
        call = self._call
        try:
            chunk = await self._read(sooner(call.deadline, self._content_due))
        except DeadlineReached:
            self._failure = expired(call, "stall" if self._saw_content else "first_event", self._content_due)
        except FiberError as error:
            self._failure = self._lost(error)
        else:
            events = self._decoder.feed(chunk) if chunk else self._decoder.finish()
            if self._decoder.error is not None:
                self._failure = self._decoder.error
                self._failure.partial = self._with_body(self._failure.partial)
            elif self._kept_bytes > MAX_BODY_BYTES and not self._decoder.done:
                self._failure = _too_much(self.result())
            elif not chunk:
                self._over = True
                await call.transport.close(self._response)
            if not _CONTENT.isdisjoint(map(type, events)) or getattr(self._decoder, "holds", False):
                self._on_content()
            return events
        if isinstance(partial := self.result(), ChatResult):
            with_partial(self._failure, partial)
        return []

    def _heartbeat(self) -> list[StreamEvent]:
        # After a chunk without an event, when nothing else is to be told: it feeds no timer and is no content.
        silent = self._call.heartbeats and self._failure is None and not (self._over or self._decoder.done)
        return [Heartbeat()] if silent else []

    async def _read(self, until: float | None) -> bytes:
        if self._fed >= FED_BYTES:
            self._fed = 0
            await rest(self._call, until)
        chunk = self._rest or await self._call.transport.next_chunk(self._response, until)
        chunk, self._rest = chunk[: self._most], chunk[self._most :]
        self._most = FED_BYTES
        self._fed += len(chunk)
        if self._kept is not None:
            self._kept.append(chunk)
            self._kept_bytes += len(chunk)
        return chunk

    def _with_body(self, result: Any) -> Any:
        if self._kept is None or result is None:
            return result
        return msgspec.structs.replace(result, body=b"".join(self._kept))

    def _on_content(self) -> None:
        if not self._saw_content:
            self._saw_content = True
            self._call.journal.first_event = self._call.transport.now()
        self._content_due = after(self._call, self._call.timeouts.stall)

    def _lost(self, error: FiberError) -> FiberError:
        if not isinstance(error, FiberConnectionError | FiberParsingError) or isinstance(error, FiberTimeoutError):
            return error
        return FiberStreamInterruptedError(
            f"The connection broke before the stream was complete: {error.message}"
            " What arrived is in error.partial; ask again for the whole answer.",
            should_retry=error.should_retry,
            request_id=self._decoder.result().request_id,
        )

    async def _drain(self) -> None:
        # Read to the end, so that the connection can be used again; but not for long.
        transport = self._call.transport
        until = sooner(transport.now() + _DRAIN_SECONDS, self._call.deadline)
        try:
            for _ in range(_DRAIN_CHUNKS):
                if not await self._read(until):
                    break
        except (FiberError, DeadlineReached):
            pass
        await self.close()


def _too_much(partial: Any) -> FiberError:
    return FiberParsingError(
        f"The body of the stream is longer than {MAX_BODY_BYTES} bytes, the most that keep_raw keeps; nothing more of"
        " it was read. What arrived is in error.partial; ask again without keep_raw.",
        partial=partial,
        outcome="unknown",
        should_retry=False,
    )


def told(error: FiberError, call: Call, secret: Secret) -> FiberError:
    """Fill in what only the call knows, and take out the key: some providers repeat it in their answer."""
    error.provider = error.provider or call.target.provider
    error.model = error.model or call.target.model
    if isinstance(error, FiberTimeoutError) and error.seconds is None:
        error.seconds = getattr(call.timeouts, error.timer)
    for key in secret.texts():
        if len(key) >= _LEAST_KEY_CHARACTERS:
            error.message = error.message.replace(key, "***")
            error.raw_response = error.raw_response and error.raw_response.replace(key, "***")
            error.args = (error.message,)
    return error


async def rest(call: Call, until: float | None) -> None:
    """Let others work between two slices of what came at once; raise `DeadlineReached` when *until* has passed."""
    await call.transport.sleep(0)
    if until is not None and call.transport.now() >= until:
        raise DeadlineReached


def after(call: Call, seconds: float | None) -> float | None:
    return None if seconds is None else call.transport.now() + seconds


def sooner(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def expired(call: Call, timer: str, due: float | None) -> FiberTimeoutError:
    # The sooner limit is the one that expired; the clock may be a little before it.
    if call.deadline is not None and (due is None or call.deadline <= due):
        timer = "total"
    seconds = getattr(call.timeouts, timer)
    return FiberTimeoutError(
        f"The {timer} timer of {seconds:g} s expired at {call.target.provider}. Raise Timeouts({timer}=...),"
        " or ask for less.",
        timer=timer,
        seconds=seconds,
        provider=call.target.provider,
        model=call.target.model,
        outcome="unknown",
    )
