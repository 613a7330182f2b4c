"""Sockets of asyncio: a bare protocol, without the layers of asyncio's or anyio's streams."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import time
from ipaddress import ip_address
from typing import Any
from weakref import WeakKeyDictionary

from fiber.transports.streams import READ_BYTES

_NEXT_ADDRESS_SECONDS = 0.25
"""Silence of one address after which the next is tried beside it (RFC 8305, section 5)."""

_MOST_WAITING_BYTES = 256 * 1024
"""What the peer sends beyond this waits in the kernel, and so at the peer, until somebody reads."""


_MOST_UNHEARD_BYTES = 64 * 1024
"""After a longer write the loop hears what the peer says before anything more is sent."""


_BUFFERS: WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = WeakKeyDictionary()


class AsyncioStream(asyncio.BufferedProtocol):
    """
    A connected socket; see `fiber.transports.streams.Stream`.

    Buffered, for to a plain `Protocol` the loop gives every read a new buffer of 256 KiB, which costs more than
    reading does.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = _buffer_of(self._loop)
        self._transport: Any = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._is_paused = False
        self._is_full = False
        self._is_unheard = False
        self._ended = False
        self._aborted = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rings = 0.0
        self._due: float | None = None

    # -- what asyncio tells ------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """The socket is connected."""
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Something is to be read."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """The peer sent something."""
        self._chunks.append(bytes(self._buffer[:nbytes]))
        self._size += nbytes
        if self._size > _MOST_WAITING_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The peer sends no more; asyncio then closes the socket."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._ended = True
        self._error = exc
        self._stop_timer()
        self._wake()

    def pause_writing(self) -> None:
        """The peer does not read fast enough."""
        self._is_full = True

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._is_full = False
        self._wake()

    # -- what a connection asks --------------------------------------------------------------------------------------

    async def read(self, due: float | None) -> bytes:
        """Return what came; empty at the end."""
        self._is_unheard = False
        if not self._chunks and not self._ended:
            await self._wait(due)
        if self._chunks:
            data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
            self._chunks.clear()
            self._size = 0
            if self._is_paused:
                self._is_paused = False
                self._transport.resume_reading()
            return data
        if self._aborted:
            raise ConnectionAbortedError("it was closed on this side")
        if self._error is not None:
            raise _as_os_error(self._error)
        return b""

    async def write(self, data: bytes | memoryview, due: float | None) -> bool:
        """Send; False when the peer speaks and does not listen, or is gone."""
        if self._is_unheard:
            # A kernel with room takes all at once. But who sends on to a peer that has answered and left gets an error,
            # and asyncio then drops the answer: so the loop looks for one first, in its next turn, and tells it in the
            # one after that.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if self.is_dead() or self._transport.is_closing():
            return False
        self._transport.write(data)
        self._is_unheard = len(data) > _MOST_UNHEARD_BYTES
        while self._is_full and not self.is_dead():
            await self._wait(due)
        return not self._is_full

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float | None) -> None:
        """Go on encrypted."""
        try:
            async with asyncio.timeout(None if due is None else due - time.monotonic()):
                self._transport = await self._loop.start_tls(self._transport, self, context, server_hostname=host)
        except BaseException:
            self.abort()
            raise

    def is_dead(self) -> bool:
        """Say whether the peer closed, or sent something that nobody asked for."""
        return self._ended or bool(self._chunks)

    def abort(self) -> None:
        """Close at once."""
        self._ended = self._aborted = True
        self._chunks.clear()
        self._stop_timer()
        self._transport.abort()
        self._wake()

    # -- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self, due: float | None) -> asyncio.Future[None]:
        self._waiter = waiter = self._loop.create_future()
        self._due = due
        if due is not None and (self._timer is None or due < self._rings):
            self._stop_timer()
            self._start_timer(due)
        return waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # One timer serves many waits: it is not stopped after each, but looks, when it rings, whether it is still meant.

    def _start_timer(self, due: float) -> None:
        self._rings = due
        self._timer = self._loop.call_later(due - time.monotonic(), self._ring)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        waiter = self._waiter
        if waiter is None or waiter.done() or self._due is None:
            return
        if time.monotonic() < self._due:
            self._start_timer(self._due)
        else:
            self._waiter = None
            waiter.set_exception(TimeoutError())


def _buffer_of(loop: asyncio.AbstractEventLoop) -> memoryview:
    """Return what the sockets of *loop* read into: one for all, since it is asked for, filled and told in one go."""
    if sys.platform == "win32":  # there the system fills it meanwhile
        return memoryview(bytearray(READ_BYTES))
    buffer = _BUFFERS.get(loop)
    if buffer is None:
        buffer = _BUFFERS[loop] = memoryview(bytearray(READ_BYTES))
    return buffer


async def connect(host: str, port: int, due: float | None) -> AsyncioStream:
    """
    Connect to *host*: to its addresses in turn, each begun when the one before failed or kept silent for a moment.

    Raises:
        OSError: It cannot be looked up, or none of its addresses answers.
        TimeoutError: *due* passed.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None if due is None else due - time.monotonic()):
        if _is_address(host):
            return await _connect_one(host, port)
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        if len(addresses) == 1:
            return await _connect_one(addresses[0], port)
        return await _race(addresses, port)


async def _connect_one(address: str, port: int) -> AsyncioStream:
    _, stream = await asyncio.get_running_loop().create_connection(AsyncioStream, address, port)
    return stream


async def _race(addresses: list[str], port: int) -> AsyncioStream:
    # asyncio has a race of its own (`happy_eyeballs_delay`), but it loses the winner's socket when it is cancelled.
    waiting = iter(addresses)
    running: set[asyncio.Task[AsyncioStream]] = set()
    winner: AsyncioStream | None = None

    def abandon(task: asyncio.Task[AsyncioStream]) -> None:
        if not task.cancelled() and task.exception() is None and task.result() is not winner:
            task.result().abort()

    failure: BaseException = OSError("no address")
    try:
        while True:
            address = next(waiting, None)
            if address is not None:
                running.add(asyncio.create_task(_connect_one(address, port)))
            elif not running:
                raise failure
            delay = _NEXT_ADDRESS_SECONDS if address is not None else None
            done, running = await asyncio.wait(running, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                failure = task.exception() or failure
                if task.exception() is None:
                    winner = winner or task.result()
                    task.add_done_callback(abandon)
            if winner is not None:
                return winner
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(abandon)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _as_os_error(error: Exception) -> OSError:
    return error if isinstance(error, OSError) else ConnectionError(f"{type(error).__name__}: {error}")
