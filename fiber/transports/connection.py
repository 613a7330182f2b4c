"""One connection: requests and answers over a stream, written once for event loops and blocking sockets."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from fiber._errors import FiberConnectionError
from fiber.transports.base import DeadlineReached
from fiber.transports.origin import Origin
from fiber.transports.streams import Stream, has_expired, lost, silent
from fiber.transports.wire import Wire
from fiber.types.http import HTTPHead, HTTPRequest

T = TypeVar("T")

_SLICE_BYTES = 256 * 1024
"""A long body is written in slices, so that the read timer measures silence and not the length of the body."""


class Connection:
    """A connection that serves one request at a time: *wire* says what its bytes mean, *stream* moves them."""

    def __init__(self, stream: Stream, wire: Wire) -> None:
        self._stream = stream
        self._wire = wire
        self._whole = False  # the last request was written to its end
        self._heard = False  # the peer sent something since it began

    async def send(
        self, request: HTTPRequest, origin: Origin, target: str, seconds: float | None, until: float | None
    ) -> HTTPHead:
        """
        Send *request* and return the head of its answer.

        Args:
            seconds: Longest silence.
            until: Moment at which everything must be over.

        Raises:
            FiberConnectionError, FiberTimeoutError: It failed.
            DeadlineReached: *until* passed.
        """
        self._whole = self._heard = False
        self._whole = await self._write(self._wire.request(request, origin, target), seconds, until)
        while (head := self._wire.next()) is None:
            self._hear(await _timed(self._stream.read, seconds, until))
        if not isinstance(head, HTTPHead):
            raise FiberConnectionError("The connection was lost: it ended without an answer.", outcome="unknown")
        return head

    async def next_piece(self, seconds: float | None, until: float | None) -> bytes:
        """Return the next bytes of the body, as they were sent; empty at its end. Errors as for `send`."""
        while (piece := self._wire.next()) is None:
            self._hear(await _timed(self._stream.read, seconds, until))
        assert isinstance(piece, bytes)  # noqa: S101 - after the head there are only bytes
        return piece

    def rest(self) -> bytes | None:
        """Return the rest of the body, if it is known that all of it has come; None else, and nothing is taken."""
        return self._wire.rest()

    def was_stale(self, error: BaseException, request: HTTPRequest) -> bool:
        """
        Say whether *request*, which ended in *error*, may be sent again over another connection without a word.

        It may when the peer said nothing at all, as it does when it closed the connection while that was idle, or
        when what it says is no HTTP but the rest of what it said before; and when *request* is repeatable, or the peer
        cannot have got the whole of it.
        """
        if not isinstance(error, FiberConnectionError) or error.outcome != "unknown":
            return False
        said_nothing = not self._heard or error.should_retry is False
        return said_nothing and (request.repeatable or not self._whole)

    def is_reusable(self) -> bool:
        """Make ready for the next request, after the end of a body; say whether that is possible."""
        return self._whole and self._wire.again() and not self._stream.is_dead()

    def is_dead(self) -> bool:
        """Say whether the peer closed it, or spoke, while it was idle."""
        return self._stream.is_dead()

    async def close(self) -> None:
        """Close it."""
        self.abort()

    def abort(self) -> None:
        """Close it at once."""
        self._stream.abort()

    def _write(self, data: bytes, seconds: float | None, until: float | None) -> Coroutine[Any, Any, bool]:
        """Write *data*; False when the peer has answered before it heard everything, or is gone: what it said tells."""
        if len(data) > _SLICE_BYTES:
            return self._write_slices(data, seconds, until)
        return _timed(self._stream.write, seconds, until, data)

    async def _write_slices(self, data: bytes, seconds: float | None, until: float | None) -> bool:
        piece: bytes | memoryview = b""
        try:
            for piece in _slices(data):
                if not await _timed(self._stream.write, seconds, until, piece):
                    return False
            return True
        finally:
            data = piece = b""  # the key is in it, and a traceback may be printed with its variables

    def _hear(self, data: bytes) -> None:
        self._heard = self._heard or bool(data)
        self._wire.receive(data)


def _slices(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    return (view[start : start + _SLICE_BYTES] for start in range(0, len(data), _SLICE_BYTES))


async def _timed(step: Callable[..., Awaitable[T]], seconds: float | None, until: float | None, *arguments: Any) -> T:
    """Take one step, no longer than the sooner of the two limits; turn its exceptions into ours, unchained."""
    now = time.monotonic()
    due = until if seconds is None else now + seconds
    is_last = until is not None and due is not None and until <= due
    failure: Exception
    try:
        if until is not None and until <= now:
            raise DeadlineReached  # what always has something to give never waits, and so never looks at its limit
        return await step(*arguments, until if is_last else due)
    except OSError as error:
        if has_expired(error) and is_last:
            failure = DeadlineReached()
        else:
            failure = silent(seconds) if has_expired(error) else lost(error)
    finally:
        arguments = ()  # as above
    raise failure
