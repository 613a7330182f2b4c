"""A small HTTP server on the loopback, told by each test what to answer."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event, Lock, Thread

import pytest

PATIENCE = 10.0
"""Bound on every wait, in seconds; nothing here comes near it unless it is broken."""

LIBRARY = os.environ.get("FIBER_HTTP", "")
"""The HTTP library of this run, read before the fixture that hides the environment."""


class Exchange:
    """One request on one connection, as the server sees it."""

    def __init__(self, connection: socket.socket, head: str, body: bytes) -> None:
        self.connection = connection
        self.body = body
        self.line, *lines = head.split("\r\n")
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)

    def answer(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        """Send a whole answer."""
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def begin(self, *headers: str) -> None:
        """Send the head of a chunked answer."""
        self.send("\r\n".join(["HTTP/1.1 200 OK", "transfer-encoding: chunked", *headers]).encode() + b"\r\n\r\n")

    def chunk(self, data: bytes) -> None:
        """Send one chunk; an empty one is the last."""
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")


Answer = Callable[[Exchange], object]


class Loopback:
    """
    The server.

    Attributes:
        exchanges: The requests it got.
        connections: How many connections it accepted.
        gone: Set when a client closed a connection on which the server was not done.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listener.settimeout(0.2)
        self._closing = False
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._threads: list[Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.exchanges: list[Exchange] = []
        self.connections = 0
        self.gone = Event()
        self._start(self._accept)

    def close(self) -> None:
        """Close everything and wait for it."""
        self._closing = True
        _shut(self._listener)  # wakes the thread that accepts
        with self._lock:
            for connection in self._open:
                _shut(connection)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def wait_until_gone(self) -> bool:
        """Wait for the client to close."""
        return self.gone.wait(PATIENCE)

    def _start(self, target: Callable[[], None]) -> None:
        thread = Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(PATIENCE)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while (exchange := _read(connection)) is not None:
                    self.exchanges.append(exchange)
                    if self._answer(exchange) == "hold":
                        self._hold(connection)
                        return
            except OSError:
                self.gone.set()
            finally:
                with self._lock:
                    self._open.discard(connection)
                _shut(connection)

    def _hold(self, connection: socket.socket) -> None:
        # Nothing more is sent: the next thing to read is the end, or a reset.
        try:
            while connection.recv(4096):
                pass
        finally:
            self.gone.set()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _read(connection: socket.socket) -> Exchange | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    exchange = Exchange(connection, head.decode("latin-1"), body)
    missing = int(exchange.headers.get("content-length", 0)) - len(body)
    pieces = [body]
    while missing > 0:
        pieces.append(connection.recv(1 << 20))
        missing -= len(pieces[-1])
        if not pieces[-1]:
            raise OSError("the client left")
    exchange.body = b"".join(pieces)
    return exchange


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Loopback]]:
    """Start a server that answers with the function given; it is closed at the end of the test."""
    with ExitStack() as stack:

        def start(answer: Answer) -> Loopback:
            server = Loopback(answer)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture(autouse=True)
def same_library(no_real_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the HTTP library of this run, which the shared fixture hides."""
    if LIBRARY:
        monkeypatch.setenv("FIBER_HTTP", LIBRARY)


@pytest.fixture(params=["direct", "httpx"])
def which(request: pytest.FixtureRequest, same_library: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each transport in turn, also for clients that are told nothing."""
    monkeypatch.setenv("FIBER_TRANSPORT", request.param)
    return str(request.param)
