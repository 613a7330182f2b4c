"""Blocking sockets."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from fiber._engine import run_sync
from fiber.transports import socket_stream
from fiber.transports.socket_stream import SocketStream, wait
from fiber.transports.streams import Stream
from tests.transports.stream_cases import Act, Meet, Reach, StreamCases, Work, due, pair, quiet, reset


@pytest.fixture
def meet() -> Meet:
    """Finish a coroutine function in one step."""

    def run(act: Act, work: Work) -> object:
        with pair(act) as ours:
            stream = SocketStream(ours, wait)
            try:
                return run_sync(work(stream))
            finally:
                stream.abort()

    return run


@pytest.fixture
def reach() -> Reach:
    """Connect, send a byte, read, close."""

    async def work(stream: Stream) -> bytes:
        await stream.write(b"x", due())
        return await stream.read(due())

    def run(host: str, port: int, seconds: float | None) -> bytes:
        stream = socket_stream.connect(host, port, None if seconds is None else due(seconds))
        try:
            assert stream._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            return run_sync(work(stream))
        finally:
            stream.abort()

    return run


class TestSocketStream(StreamCases):
    """All that holds for every stream."""


@contextmanager
def reading(stream: SocketStream, failures: list[OSError]) -> Iterator[Thread]:
    """Read in another thread, which is known to wait."""

    def read() -> None:
        try:
            run_sync(stream.read(due()))
        except OSError as error:
            failures.append(error)

    thread = Thread(target=read)
    thread.start()
    while not stream._busy:
        pass
    thread.join(0.01)
    assert thread.is_alive()
    yield thread
    thread.join(5)
    assert not thread.is_alive()


def test_an_abort_wakes_the_thread_that_reads() -> None:
    """That thread closes the socket, so that its number is not used again under its hands; an abort may be repeated."""
    failures: list[OSError] = []
    with pair(quiet) as ours:
        stream = SocketStream(ours, wait)
        with reading(stream, failures):
            number = ours.fileno()
            stream.abort()
            stream.abort()
            assert ours.fileno() in (number, -1)

    assert [type(error) for error in failures] == [ConnectionAbortedError]
    assert ours.fileno() == -1


def test_an_abort_does_not_close_under_the_hands_of_a_reader() -> None:
    """It is the last one out who closes."""
    with pair(quiet) as ours:
        stream = SocketStream(ours, wait)
        stream._enter()
        number = ours.fileno()

        stream.abort()
        before = ours.fileno()
        stream._leave()

    assert (before, ours.fileno()) == (number, -1)


def test_an_end_of_our_own_making_is_none() -> None:
    """An abort between the look for it and the receiving ends the bytes, but the peer may have had more to say."""

    class Late(SocketStream):
        def _through(self, layers: int) -> bytes | None:
            self.abort()
            return super()._through(layers)

    with pair(quiet) as ours:
        with pytest.raises(ConnectionAbortedError, match="closed on this side"):
            run_sync(Late(ours, wait).read(due()))

        assert ours.fileno() == -1


def test_an_abort_after_the_peer_has_reset_is_quiet() -> None:
    """There is nothing left to shut down."""
    with pair(reset) as ours:
        stream = SocketStream(ours, wait)
        with pytest.raises(ConnectionResetError):
            run_sync(stream.read(due()))
        stream._enter()

        stream.abort()
        stream._leave()

    assert ours.fileno() == -1


@pytest.mark.parametrize("trouble", [OSError(errno.EMFILE, "too many"), KeyboardInterrupt()])
def test_a_socket_that_cannot_be_used_is_closed(monkeypatch: pytest.MonkeyPatch, trouble: BaseException) -> None:
    """Whatever the trouble."""
    made: list[socket.socket] = []

    class Broken(socket.socket):
        def connect(self, address: object) -> None:
            made.append(self)
            raise trouble

    monkeypatch.setattr(socket, "socket", Broken)

    with pytest.raises(type(trouble)):
        socket_stream.connect("127.0.0.1", 1, None)
    assert [one.fileno() for one in made] == [-1]


def test_where_there_is_no_poll_select_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: ready or not, to read or to write."""
    monkeypatch.delattr(select, "poll")
    ours, theirs = socket.socketpair()

    def ready(*, writing: bool) -> bool:
        return socket_stream._is_ready(ours.fileno(), 0.01, writing=writing)

    with ours, theirs:
        before = [ready(writing=False), ready(writing=True)]
        theirs.send(b"x")
        after = ready(writing=False)

    assert (before, after) == ([False, True], True)
