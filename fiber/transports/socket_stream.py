"""Blocking sockets: the same coroutines as those of the event loops, but none of them ever suspends."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time

from fiber.transports.streams import READ_BYTES


class SocketStream:
    """
    A connected socket; see `fiber.transports.streams.Stream`.

    `abort` may come from any thread. While another one reads or writes, the socket is only shut down, which wakes that
    one, and that one closes it: closing it here would free its number for a new socket while it is still in use.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._lock = threading.Lock()
        self._busy = False
        self._aborted = False

    async def read(self, due: float | None) -> bytes:
        """Return what came; empty at the end."""
        if not self._enter(due):
            return b""
        try:
            return self._socket.recv(READ_BYTES)
        except ssl.SSLEOFError:  # without the farewell of TLS; whether something is missing is seen elsewhere
            return b""
        finally:
            self._leave()

    async def write(self, data: bytes | memoryview, due: float | None) -> bool:
        """Send; False when the peer is gone already."""
        if not self._enter(due):
            return False
        try:
            self._socket.sendall(data)
        except TimeoutError:
            raise
        except ConnectionError:
            return False
        finally:
            self._leave()
        return True

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float | None) -> None:
        """Go on encrypted."""
        try:
            _limit(self._socket, due)
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except BaseException:
            self.abort()
            raise

    def is_dead(self) -> bool:
        """Say whether the peer closed, or sent something that nobody asked for."""
        if self._aborted:
            return True
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def abort(self) -> None:
        """Close at once."""
        with self._lock:
            self._aborted = True
            if self._busy:
                try:
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    pass  # the peer was faster
            else:
                self._socket.close()

    def _enter(self, due: float | None) -> bool:
        with self._lock:
            if self._aborted:
                return False
            self._busy = True
            try:
                _limit(self._socket, due)
            except BaseException:
                self._busy = False
                raise
        return True

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
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("no address")
    for number, (family, kind, protocol, _, address) in enumerate(found):
        attempt = socket.socket(family, kind, protocol)
        try:
            now = time.monotonic()
            _limit(attempt, None if due is None else now + (due - now) / (len(found) - number))
            attempt.connect(address)
            attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            failure = error
            attempt.close()
        except BaseException:
            attempt.close()
            raise
        else:
            return SocketStream(attempt)
    raise failure


def _limit(connected: socket.socket, due: float | None) -> None:
    if due is None:
        connected.settimeout(None)
        return
    left = due - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connected.settimeout(left)
