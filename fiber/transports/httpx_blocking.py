"""Blocking sockets behind coroutines that never suspend: no event loop, no thread of our own."""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fiber._errors import FiberConnectionError, FiberError
from fiber.transports import library as http
from fiber.transports.base import DeadlineReached, HTTPResponse, read_whole
from fiber.transports.blocking import Threads
from fiber.transports.decoding import Unpacker, next_plain, unpacker_of
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest


class _Handle:
    """
    An open answer, which one thread reads and any may close.

    While it is read, its socket is only shut down, which wakes the reader, and the reader closes it: closing it under
    the reader would free its number for a new socket, and the reader would wait for the words of that one.
    """

    __slots__ = ("_busy", "_dropped", "_lock", "chunks", "response", "unpacker")

    def __init__(self, response: Any) -> None:
        self.response = response
        self.chunks = response.iter_raw()
        self.unpacker: Unpacker | None = None
        self._lock = threading.Lock()
        self._busy = self._dropped = False

    @contextmanager
    def read(self) -> Iterator[None]:
        """Keep others from closing it; raise when they have done so before."""
        with self._lock:
            if self._dropped:
                raise FiberConnectionError("The connection was lost: the answer was closed.", outcome="unknown")
            self._busy = True
        try:
            yield
        finally:
            with self._lock:
                self._busy = False
            if self._was_dropped():
                _close_quietly(self.response)

    def _was_dropped(self) -> bool:
        # Asked anew: another thread may have dropped it meanwhile.
        return self._dropped

    def drop(self) -> None:
        """Close it, or have its reader close it."""
        with self._lock:
            self._dropped = True
            if not self.response.is_closed:
                _shut_down(self.response)
            if self._busy:
                return
        _close_quietly(self.response)


def _shut_down(response: Any) -> None:
    # Closing alone does not tell the provider while a thread waits.
    try:
        raw = response.extensions["network_stream"].get_extra_info("socket")
        socket.socket.shutdown(raw, socket.SHUT_RDWR)
    except Exception:  # noqa: S110 - the peer may have closed it before, and there is nobody to tell
        pass


def _close_quietly(response: Any) -> None:
    try:
        response.close()
    except Exception:  # noqa: S110 - closing is best effort and there is nobody to tell
        pass


class BlockingTransport:
    """
    One blocking client, shared by all threads; a forked child makes its own.

    Args:
        library: Returns the name of the HTTP library to use; empty for the best one installed.
    """

    def __init__(self, library: Callable[[], str] = str) -> None:
        self._library = library
        self._client: Any = None
        self._pid = 0
        self._lock = threading.Lock()
        self._moment = _Moment()
        network = Threads()
        self.now = network.now
        self.sleep = network.sleep
        self.resolve = network.resolve
        self.map = network.map

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Send *request* and read the head of the answer."""
        library = http.load(self._library())
        try:
            message = http.outgoing(library, request, self._within(timeouts, until))
            message.extensions["timeout"]["read"] = timeouts.read  # the moment bounds the reads besides
            message.extensions["trace"] = self._moment.bound
            with self._moment.at(until):
                response = self._open_client(library).send(message, stream=True)
        except http.failures(library) as error:
            failure = http.translate(library, error, timeouts)
        else:
            answer = HTTPResponse(http.head_of(response), _Handle(response))
            try:
                answer.handle.unpacker = unpacker_of(answer.head.headers.get("content-encoding", ""))
            except FiberError:
                self.discard(answer)
                raise
            return answer
        self._check(until)
        raise failure

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Read the body to its end and close."""
        return await read_whole(self, response, until)

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next bytes of the body, decoded; empty at its end."""
        return await next_plain(response.handle.unpacker, lambda: self._next_packed(response, until))

    async def _next_packed(self, response: HTTPResponse, until: float | None) -> bytes:
        library = http.load(self._library())
        try:
            with response.handle.read(), self._moment.at(until):
                chunk: bytes = next(response.handle.chunks, b"")
        except http.failures(library) as error:
            failure = http.translate(library, error)
        else:
            self._check(until)
            return chunk
        self._check(until)
        raise failure

    async def close(self, response: HTTPResponse) -> None:
        """Close the answer and, unless its body was read to the end, its connection."""
        self.discard(response)

    def discard(self, response: HTTPResponse) -> None:
        """Close; blocking sockets close at once, also under a thread that waits for them."""
        response.handle.drop()

    async def shutdown(self) -> None:
        """Close every connection."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()

    def _open_client(self, library: Any) -> Any:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client = library.Client(**http.client_options(library))
                self._pid = os.getpid()
                # Whoever forgets to close leaves no open socket behind, at the end of the process at the latest.
                weakref.finalize(self, self._client.close)
            return self._client

    def _within(self, timeouts: Timeouts, until: float | None) -> Timeouts:
        if until is None:
            return timeouts
        left = max(0.001, until - self.now())
        return Timeouts(
            connect=min(left, timeouts.connect or left),
            read=min(left, timeouts.read or left),
            total=timeouts.total,
        )

    def _check(self, until: float | None) -> None:
        if until is not None and self.now() >= until:
            raise DeadlineReached


class _Reads:
    """
    The reads of one connection, each no longer than until a moment that belongs to the thread that reads.

    The library fixes the timeout of single reads when a request is sent, and bounds neither a head nor a body as a
    whole; our timers do, and move with every event.
    """

    __slots__ = ("_moment", "_read")

    def __init__(self, read: Callable[..., bytes], moment: _Moment) -> None:
        self._read = read
        self._moment = moment

    def __call__(self, max_bytes: int, timeout: float | None = None) -> bytes:
        until = self._moment.until
        if until is not None:
            left = max(0.001, until - time.monotonic())
            timeout = left if timeout is None else min(left, timeout)
        return self._read(max_bytes, timeout=timeout)


class _Moment(threading.local):
    """When the exchange of this thread must be over."""

    until: float | None = None

    @contextmanager
    def at(self, until: float | None) -> Iterator[None]:
        """Bound the reads of this thread."""
        self.until = until
        try:
            yield
        finally:
            self.until = None

    def bound(self, step: str, facts: Mapping[str, Any]) -> None:
        """Hear from the library what it does; bound the reads of every connection that it makes."""
        if step.endswith((".connect_tcp.complete", ".start_tls.complete")):
            stream = facts["return_value"]
            stream.read = _Reads(stream.read, self)
