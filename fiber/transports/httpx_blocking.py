"""Connections of an HTTP library, for blocking code; see `fiber.transports.httpx_loops`."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from fiber.transports import library as http
from fiber.transports.base import DeadlineReached
from fiber.transports.wire import Origin
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest


class BlockingConnection:
    """
    A connection that serves one request at a time; see `fiber.transports.network.Link`.

    Args:
        library: The HTTP library.
        proxy: URL of the proxy to the origin, or an empty string.
        connect: Seconds until it must stand.
    """

    def __init__(self, library: Any, proxy: str, connect: float | None) -> None:
        self._answered = False
        self._library = library
        self._connect = connect
        self._transport = library.HTTPTransport(**http.transport_options(library, proxy))
        self._response: Any = None
        self._chunks: Any = None
        self._reads = Reads(bytes)

    async def send(
        self, request: HTTPRequest, origin: Origin, target: str, seconds: float | None, until: float | None
    ) -> HTTPHead:
        """Send *request* and return the head of its answer."""
        self._answered = False
        timeouts = Timeouts(connect=_within(self._connect, until), read=_within(seconds, until))

        def send() -> None:
            message = http.outgoing(self._library, request, timeouts)
            self._response = self._transport.handle_request(message)

        self._timed(send, until, timeouts)
        self._answered = True
        self._chunks = iter(self._response.stream)
        self._reads = limited(self._response, seconds)
        return http.head_of(self._response)

    async def next_piece(self, seconds: float | None, until: float | None) -> bytes:
        """Return the next bytes of the body, as they were sent; empty at its end."""
        found: list[bytes] = []

        def read() -> None:
            found.append(next(self._chunks, b""))
            if not found[0]:
                self._response.close()

        self._reads.until = until
        try:
            self._timed(read, until, None)
        finally:
            self._reads.until = None  # the connection may serve another request next
        return found[0]

    def was_stale(self, error: BaseException, request: HTTPRequest) -> bool:
        """Say whether *request*, which ended in *error*, may be sent over another connection without a word."""
        return not self._answered and request.repeatable and http.is_lost(error)

    def is_reusable(self) -> bool:
        """Say that it may be used again: whether it still stands is the library's business."""
        return True

    def is_dead(self) -> bool:
        """Say that it is not: the library looks itself."""
        return False

    async def close(self) -> None:
        """Close it."""
        self.abort()

    def abort(self) -> None:
        """Close it, also under a thread that waits for it."""
        for step in (self._shut_down, self._close_response, self._transport.close):
            try:
                step()
            except Exception:  # noqa: S110 - closing is best effort and there is nobody to tell
                pass

    def _shut_down(self) -> None:
        # Closing alone does not wake the thread that reads, nor tell the provider while that one waits.
        raw = self._response.extensions["network_stream"].get_extra_info("socket")
        socket.socket.shutdown(raw, socket.SHUT_RDWR)

    def _close_response(self) -> None:
        self._response.close()

    def _timed(self, step: Callable[[], None], until: float | None, timeouts: Timeouts | None) -> None:
        failure: Exception | None = None
        try:
            step()
        except http.failures(self._library) as error:
            failure = http.translate(self._library, error, timeouts)
        if until is not None and http.now() >= until:
            raise DeadlineReached
        if failure is not None:
            raise failure


class Reads:
    """
    The reads of one connection, each no longer than until a moment that `next_piece` sets.

    The library fixes the read timeout of a body when its request is sent; our timers move with every event.
    """

    __slots__ = ("limit", "read", "until")

    def __init__(self, read: Callable[..., bytes]) -> None:
        self.read = read
        self.limit: float | None = None
        self.until: float | None = None

    def __call__(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.read(max_bytes, timeout=_within(self.limit if self.until is not None else timeout, self.until))


def limited(response: Any, limit: float | None) -> Reads:
    """Put `Reads` over the connection of *response*, where the library shows it."""
    stream = response.extensions.get("network_stream")
    reads = stream and vars(stream).get("read")
    if not isinstance(reads, Reads):
        reads = Reads(getattr(stream, "read", bytes))
        if stream is not None:
            stream.read = reads
    reads.limit = limit
    return reads


def _within(seconds: float | None, until: float | None) -> float | None:
    if until is None:
        return seconds
    left = max(0.001, until - http.now())
    return left if seconds is None else min(left, seconds)
