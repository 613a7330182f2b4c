"""Connections of an HTTP library, for blocking code; see `fiber.transports.httpx_loops`."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from fiber.transports import library as http
from fiber.transports.base import DeadlineReached
from fiber.transports.origin import Origin
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest


class BlockingConnection:
    """
    A connection that serves one request at a time; see `fiber.transports.network.Link`.

    Args:
        library: The HTTP library.
        proxy: URL of the proxy to the origin, or an empty string.
        connect: Seconds until it must stand.
        due: Moment until which the first one must, when a part of these was spent already.
    """

    def __init__(self, library: Any, proxy: str, connect: float | None, due: float | None = None) -> None:
        self._answered = False
        self._lasts = True
        self._reads: int | None = None
        self._library = library
        self._connect = connect
        self._due = due
        self._transport = library.HTTPTransport(**http.transport_options(library, proxy))
        self._response: Any = None
        self._chunks: Any = None
        self._socket: Any = None
        self._until: float | None = None
        self._lock = threading.Lock()
        self._busy = False
        self._aborted = False

    async def send(
        self, request: HTTPRequest, origin: Origin, target: str, seconds: float | None, until: float | None
    ) -> HTTPHead:
        """Send *request* and return the head of its answer."""
        self._answered = False
        before = self._reads
        timeouts = Timeouts(connect=self._connect, read=seconds)
        left = Timeouts(connect=http.within(http.within(self._connect, self._due), until), read=seconds)
        self._due = None  # a later one has a budget of its own

        def send() -> None:
            message = http.outgoing(self._library, request, left)
            message.extensions["trace"] = self._hear
            self._response = self._transport.handle_request(message)

        self._timed(send, until, timeouts)
        if self._reads is not None and self._reads == before:
            raise http.left_over()
        self._answered = True
        self._chunks = iter(self._response.stream)
        head = http.head_of(self._response)
        self._lasts = http.lasts(head)
        return head

    async def next_piece(self, seconds: float | None, until: float | None) -> bytes:
        """Return the next bytes of the body, as they were sent; empty at its end."""
        found: list[bytes] = []

        def read() -> None:
            found.append(next(self._chunks, b""))
            if not found[0]:
                self._response.close()

        self._timed(read, until, None)
        return found[0]

    def rest(self) -> None:
        """Say nothing: only the library knows what has come."""

    def was_stale(self, error: BaseException, request: HTTPRequest) -> bool:
        """Say whether *request*, which ended in *error*, may be sent over another connection without a word."""
        return not self._answered and request.repeatable and http.is_lost(error)

    def is_reusable(self) -> bool:
        """Say whether it may be used again; whether it still stands, if nobody announced its end, the library sees."""
        return self._lasts

    def is_dead(self) -> bool:
        """Say that it is not: the library looks itself."""
        return False

    async def close(self) -> None:
        """Close it."""
        self.abort()

    def abort(self) -> None:
        """
        Close it, from any thread.

        While another one waits for it, the socket is only shut down, which wakes that one, and that one closes it:
        closing it here would free its number for a new socket while it is in use.
        """
        with self._lock:
            self._aborted = True
            steps = (self._shut_down,) if self._busy else (self._shut_down, self._close_response, self._transport.close)
        _quietly(*steps)

    def _shut_down(self) -> None:
        # Closing alone does not wake the thread that reads, nor tell the provider while that one waits.
        socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _close_response(self) -> None:
        self._response.close()

    def _timed(self, step: Callable[[], None], until: float | None, timeouts: Timeouts | None) -> None:
        failure: Exception | None = None
        with self._lock:
            self._busy, self._until = True, until
        try:
            step()
        except http.failures(self._library) as error:
            failure = http.translate(self._library, error, timeouts)
        finally:
            with self._lock:
                self._busy, self._until = False, None
                is_over = self._aborted
            if is_over:
                _quietly(self._close_response, self._transport.close)
        if until is not None and http.now() >= until:
            raise DeadlineReached
        if failure is not None:
            raise failure

    def _hear(self, step: str, facts: Mapping[str, Any]) -> None:
        # The library tells what it does. It bounds single reads and writes, by what was said when the request was sent;
        # our timers bound a request, a head and a body as a whole, and move with every event. And it takes what is left
        # of an earlier answer for the next one, which is seen from here alone: nothing was read since the request.
        if not step.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        stream = facts["return_value"]
        inner, inner_write = stream.read, stream.write
        self._reads = self._reads or 0

        def read(max_bytes: int, timeout: float | None = None) -> bytes:
            data: bytes = inner(max_bytes, timeout=http.within(timeout, self._until))
            self._reads = (self._reads or 0) + 1
            return data

        def write(buffer: bytes, timeout: float | None = None) -> None:
            inner_write(buffer, timeout=http.within(timeout, self._until))

        stream.read, stream.write = read, write
        self._socket = stream.get_extra_info("socket")


def _quietly(*steps: Callable[[], Any]) -> None:
    for step in steps:
        try:
            step()
        except Exception:  # noqa: S110 - closing is best effort and there is nobody to tell
            pass
