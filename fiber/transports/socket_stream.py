"""
Sockets that never block, and the waiting for them: blocking here, trio's in `trio_stream.py`.

The same coroutines serve both; with blocking waits none of them ever suspends.
"""

from __future__ import annotations

import math
import select
import socket
import ssl
import threading
import time
from typing import Any, Protocol

from fiber.transports.lookup import look_up
from fiber.transports.streams import READ_BYTES
from fiber.transports.tls import TLS


class Wait(Protocol):
    """How to wait for a socket."""

    async def __call__(self, connected: socket.socket, due: float | None, *, writing: bool = False) -> None:
        """Wait until there is something to read, or, when *writing*, room to write; `TimeoutError` at *due*."""
        ...


class SocketStream:
    """
    A connected socket; see `fiber.transports.streams.Stream`.

    `abort` may come from any task or thread. While another one reads or writes, the socket is only shut down, which
    wakes that one, and that one closes it: closing it here would free its number for a new socket while it is in use.
    """

    def __init__(self, connected: socket.socket, wait: Wait) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._wait = wait
        self._speaks = _poller(connected.fileno())
        self._layers: list[TLS] = []
        self._ahead: bytes | None = None  # what was received by somebody who only wanted to know whether it is there
        self._lock = threading.Lock()
        self._busy = False
        self._aborted = False
        self._is_asked = False

    async def read(self, due: float | None) -> bytes:
        """Return what came; empty at the end."""
        self._enter()
        try:
            if self._is_asked and self._ahead is None and not self._layers:
                await self._wait(self._socket, due)  # nobody answers that fast: to look first is a call for nothing
            self._is_asked = False
            while (data := self._received()) is None:
                await self._wait(self._socket, due)
            return data
        finally:
            self._leave()

    async def write(self, data: bytes | memoryview, due: float | None) -> bool:
        """Send; False when the peer speaks and does not listen, or is gone."""
        self._enter()
        self._is_asked = True
        try:
            for layer in reversed(self._layers):
                data = layer.encrypt(data)
            rest = memoryview(data)
            while rest:
                try:
                    rest = rest[self._socket.send(rest) :]
                except BlockingIOError:
                    await self._wait(self._socket, due, writing=True)
                    if self.is_dead():
                        return False
            return True
        except ConnectionError:
            return False
        finally:
            self._leave()

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float | None) -> None:
        """Go on encrypted."""
        try:
            layer = TLS(context, host)
            is_done = False
            while not is_done:
                greeting, is_done = layer.greet()
                await self.write(greeting, due)
                if not is_done:
                    layer.feed(await self.read(due))
            self._layers.append(layer)
        except BaseException:
            self.abort()
            raise

    def is_dead(self) -> bool:
        """Say whether the peer closed, or sent something that nobody asked for."""
        if self._aborted:
            return True
        if self._ahead is None and not self._layers and self._speaks is not None and not self._speaks.poll(0):
            return False  # which is what most are; to receive nothing costs an exception
        try:
            self._ahead = self._received()
        except OSError:
            return True
        return self._ahead is not None

    def abort(self) -> None:
        """Close at once."""
        with self._lock:
            self._aborted = True
            if self._busy:
                try:
                    self._socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the peer was faster
            else:
                self._socket.close()

    def _received(self) -> bytes | None:
        """Return what can be had without waiting; empty at the end, None when nothing came."""
        self._check()
        ahead, self._ahead = self._ahead, None
        data = self._through(len(self._layers)) if ahead is None else ahead
        if data == b"":
            self._check()  # an abort that came meanwhile ends the bytes too, and looks like the peer's end
        return data

    def _through(self, layers: int) -> bytes | None:
        if layers == 0:
            try:
                return self._socket.recv(READ_BYTES)
            except BlockingIOError:
                return None
        layer = self._layers[layers - 1]
        while (plain := layer.decrypted()) is None:
            data = self._through(layers - 1)
            if data is None:
                return None
            layer.feed(data)
        return plain

    def _check(self) -> None:
        if self._aborted:
            raise ConnectionAbortedError("it was closed on this side")

    def _enter(self) -> None:
        with self._lock:
            self._check()
            self._busy = True

    def _leave(self) -> None:
        with self._lock:
            self._busy = False
            if self._aborted:
                self._socket.close()


def connect(host: str, port: int, due: float | None) -> SocketStream:
    """
    Connect to *host*, trying its addresses one after another; the time left is divided among them.

    Raises:
        OSError: It cannot be looked up, or none of its addresses answers.
        TimeoutError: *due* passed.
    """
    found = look_up(host, port, seconds_left(due))
    failure: OSError = OSError("no address")
    for number, (family, kind, protocol, _, address) in enumerate(found):
        left = seconds_left(due)
        try:
            connected = _connected(
                family, kind, protocol, address, None if left is None else left / (len(found) - number)
            )
        except OSError as error:
            failure = error
        else:
            return SocketStream(connected, wait)
    raise failure


async def wait(connected: socket.socket, due: float | None, *, writing: bool = False) -> None:
    """Block until there is something to read, or, when *writing*, room to write; `TimeoutError` at *due*."""
    if not _is_ready(connected.fileno(), seconds_left(due), writing=writing):
        raise TimeoutError


def _is_ready(number: int, seconds: float | None, *, writing: bool) -> bool:
    ready = _poller(number, writing=writing)
    if ready is None:
        return any(select.select([number], [number] if writing else [], [number], seconds))
    return bool(ready.poll(None if seconds is None else math.ceil(seconds * 1000)))


def _poller(number: int, *, writing: bool = False) -> Any:
    """Return what polls for the peer's words, and for room to write; None on Windows, whose `select` has no limit."""
    if not hasattr(select, "poll"):
        return None
    poller = select.poll()
    poller.register(number, select.POLLIN | (select.POLLOUT if writing else 0))
    return poller


def seconds_left(due: float | None) -> float | None:
    """
    Return how long it is to *due*; None for ever.

    Raises:
        TimeoutError: It has passed.
    """
    if due is None:
        return None
    left = due - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connected(family: int, kind: int, protocol: int, address: tuple[Any, ...], seconds: float | None) -> socket.socket:
    connected = socket.socket(family, kind, protocol)
    try:
        connected.settimeout(seconds)
        connected.connect(address)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected
