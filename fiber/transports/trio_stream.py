"""Sockets of trio."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import trio

from fiber.transports.streams import READ_BYTES


class TrioStream:
    """A connected socket; see `fiber.transports.streams.Stream`."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._socket = stream.socket
        self._stream: Any = stream
        self._closed = False

    async def read(self, due: float | None) -> bytes:
        """Return what came; empty at the end."""
        if self._closed:
            return b""
        with _until(due):
            data: bytes = await self._stream.receive_some(READ_BYTES)
            return data

    async def write(self, data: bytes | memoryview, due: float | None) -> bool:
        """Send; False when the peer is gone already."""
        try:
            with _until(due):
                await self._stream.send_all(data)
        except ConnectionError:
            return False
        return True

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float | None) -> None:
        """Go on encrypted."""
        secured = trio.SSLStream(self._stream, context, server_hostname=host, https_compatible=True)
        try:
            with _until(due):
                await secured.do_handshake()
        except BaseException:
            self.abort()
            raise
        self._stream = secured

    def is_dead(self) -> bool:
        """Say whether the peer closed, or sent something that nobody asked for."""
        return self._closed or bool(self._socket.is_readable())

    def abort(self) -> None:
        """Close at once."""
        self._closed = True
        self._socket.close()


async def connect(host: str, port: int, due: float | None) -> TrioStream:
    """
    Connect to *host*, trying its addresses.

    Raises:
        OSError: It cannot be looked up, or none of its addresses answers.
        TimeoutError: *due* passed.
    """
    with _until(due):
        return TrioStream(await trio.open_tcp_stream(host, port))


@contextmanager
def _until(due: float | None) -> Iterator[None]:
    """Raise `TimeoutError` at *due*, and `OSError` where trio has errors of its own."""
    at = math.inf if due is None else trio.current_time() + due - time.monotonic()
    try:
        with trio.fail_at(at):
            yield
    except trio.TooSlowError:
        raise TimeoutError from None
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        cause = error.__cause__
        if isinstance(cause, OSError):
            raise cause from None
        raise ConnectionError(str(error) or "closed") from None
