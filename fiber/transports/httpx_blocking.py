"""Blocking sockets behind coroutines that never suspend: no event loop, no thread of our own."""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from fiber._errors import FiberError
from fiber.transports import library as http
from fiber.transports.base import DeadlineReached, HTTPResponse, read_whole
from fiber.transports.blocking import Threads
from fiber.transports.decoding import Unpacker, next_plain, unpacker_of
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest


class _Handle:
    __slots__ = ("chunks", "reads", "response", "unpacker")

    def __init__(self, response: Any, reads: _Reads) -> None:
        self.response = response
        self.chunks = response.iter_raw()
        self.reads = reads
        self.unpacker: Unpacker | None = None


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
            response = self._open_client(library).send(message, stream=True)
        except http.failures(library) as error:
            failure = http.translate(library, error, timeouts)
        else:
            answer = HTTPResponse(http.head_of(response), _Handle(response, _limited(response, timeouts.read)))
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
        reads = response.handle.reads
        reads.until = until
        try:
            chunk: bytes = next(response.handle.chunks, b"")
        except http.failures(library) as error:
            failure = http.translate(library, error)
        else:
            self._check(until)
            return chunk
        finally:
            reads.until = None  # the connection may serve another request next
        self._check(until)
        raise failure

    async def close(self, response: HTTPResponse) -> None:
        """Close the answer and, unless its body was read to the end, its connection."""
        self.discard(response)

    def discard(self, response: HTTPResponse) -> None:
        """Close; blocking sockets close at once, also under a thread that waits for them."""
        answer = response.handle.response
        try:
            if not answer.is_closed:
                # Closing alone does not wake the thread that reads, nor tell the provider while that one waits.
                raw = answer.extensions["network_stream"].get_extra_info("socket")
                socket.socket.shutdown(raw, socket.SHUT_RDWR)
        except Exception:  # noqa: S110 - the peer may have closed it before, and there is nobody to tell
            pass
        try:
            answer.close()
        except Exception:  # noqa: S110 - closing is best effort and there is nobody to tell
            pass

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
    The reads of one connection, each no longer than until a moment that `next_chunk` sets.

    The library fixes the read timeout of a body when its request is sent; our timers move with every event.
    """

    __slots__ = ("limit", "read", "until")

    def __init__(self, read: Callable[..., bytes]) -> None:
        self.read = read
        self.limit: float | None = None
        self.until: float | None = None

    def __call__(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.until is not None:
            left = max(0.001, self.until - time.monotonic())
            timeout = left if self.limit is None else min(left, self.limit)
        return self.read(max_bytes, timeout=timeout)


def _limited(response: Any, limit: float | None) -> _Reads:
    stream = response.extensions.get("network_stream")
    reads = stream and vars(stream).get("read")
    if not isinstance(reads, _Reads):
        reads = _Reads(getattr(stream, "read", bytes))
        if stream is not None:
            stream.read = reads
    reads.limit = limit
    return reads
