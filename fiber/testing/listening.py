"""
A listening socket on the loopback interface, one thread for each connection.

Closing ends every thread: the accepting one is woken by a connection of our own, the others by a
shutdown of their sockets.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from fiber.testing.http1 import Connection, GoneError

HOST = "127.0.0.1"
CLOSE_SECONDS = 2.0
_BACKLOG = 1024
_PAUSE_SECONDS = 0.01


class Listener:
    """
    Listens as soon as it is made.

    Args:
        serve: Called in the thread of each connection; may raise GoneError.
        port: 0 chooses a free one.

    Attributes:
        port: The port it listens on.

    Raises:
        OSError: The port is taken.
    """

    def __init__(self, serve: Callable[[Connection], None], port: int) -> None:
        self._serve = serve
        self._lock = threading.Lock()
        self._threads: dict[Connection, threading.Thread] = {}
        self._accepted = 0
        self._closing = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self._socket.listen(_BACKLOG)
        self.port: int = self._socket.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="fiber-mock", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Close every connection and wait for all threads, at most two seconds."""
        self._closing = True
        deadline = time.monotonic() + CLOSE_SECONDS
        try:
            socket.create_connection((HOST, self.port), timeout=CLOSE_SECONDS).close()
        except OSError:  # pragma: no cover - the queue is full, so the thread is awake
            pass
        self._acceptor.join(max(0.0, deadline - time.monotonic()))
        self._socket.close()
        with self._lock:
            threads = dict(self._threads)
        for connection in threads:
            connection.abort()
        for thread in threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:  # pragma: no cover - no file descriptors, or a client that left already
                if self._closing:
                    return
                time.sleep(_PAUSE_SECONDS)
                continue
            if self._closing:
                accepted.close()
                return
            self._accepted += 1
            try:
                connection = Connection(accepted, self._accepted)
            except OSError:  # pragma: no cover - some systems refuse options of a reset socket
                accepted.close()
                continue
            thread = threading.Thread(target=self._run, args=(connection,), name="fiber-mock-connection", daemon=True)
            with self._lock:
                self._threads[connection] = thread
            thread.start()

    def _run(self, connection: Connection) -> None:
        try:
            self._serve(connection)
        except GoneError:
            pass
        finally:
            with self._lock:
                self._threads.pop(connection, None)
            connection.close()
