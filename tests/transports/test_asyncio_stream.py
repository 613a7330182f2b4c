"""Sockets of asyncio."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any

import anyio
import pytest

from fiber.transports import asyncio_stream
from fiber.transports.asyncio_stream import AsyncioStream
from fiber.transports.streams import Stream
from tests.transports.conftest import PATIENCE
from tests.transports.sockets import names
from tests.transports.stream_cases import LONG, Act, Meet, Reach, StreamCases, Work, due, echo, pair, quiet, until_end


@pytest.fixture
def meet() -> Meet:
    """Run a coroutine function on asyncio; no timer of ours is left behind."""

    def run(act: Act, work: Work) -> object:
        async def main() -> object:
            loop = asyncio.get_running_loop()
            _, stream = await loop.create_connection(AsyncioStream, sock=ours)
            try:
                return await work(stream)
            finally:
                stream.abort()
                for _ in range(3):
                    await asyncio.sleep(0)
                assert timers() == []

        with pair(act) as ours:
            return anyio.run(main, backend="asyncio")

    return run


def timers() -> list[asyncio.TimerHandle]:
    """Return what the running loop will do some time."""
    return [timer for timer in asyncio.get_running_loop()._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Reach:
    """Connect, send a byte, read, close; nothing goes on in the background."""
    monkeypatch.setattr(asyncio_stream, "_NEXT_ADDRESS_SECONDS", 0.01)

    def run(host: str, port: int, seconds: float | None) -> object:
        async def main() -> bytes:
            stream = await asyncio_stream.connect(host, port, None if seconds is None else due(seconds))
            try:
                assert stream._transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                await stream.write(b"x", due())
                return await stream.read(due())
            finally:
                stream.abort()

        return anyio.run(main, backend="asyncio")

    return run


class TestAsyncioStream(StreamCases):
    """All that holds for every stream."""


@pytest.mark.parametrize("doing", ["read", "write"])
def test_an_abort_wakes_the_task_that_waits(meet: Meet, doing: str) -> None:
    """Reading ends in an error, writing was given up."""
    done = Event()

    async def work(stream: Stream) -> object:
        waiting = asyncio.ensure_future(stream.read(due()) if doing == "read" else stream.write(LONG, due()))
        await asyncio.sleep(0.01)
        stream.abort()
        (end,) = await asyncio.gather(waiting, return_exceptions=True)
        done.set()
        return type(end) if isinstance(end, Exception) else end

    act = quiet if doing == "read" else lambda peer: done.wait(PATIENCE)
    assert meet(act, work) == (ConnectionAbortedError if doing == "read" else False)


def test_a_cancelled_read_leaves_the_stream_well(meet: Meet) -> None:
    """The reader may come again."""

    async def work(stream: Stream) -> bytes:
        waiting = asyncio.ensure_future(stream.read(due()))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
        await stream.write(b"x", due())
        return await stream.read(due())

    assert meet(lambda peer: peer.sendall(peer.recv(1)), work) == b"x"


def test_a_long_write_hears_what_the_peer_has_said(meet: Meet) -> None:
    """Also when the system takes everything at once, so that there is nothing to wait for."""
    spoken = Event()

    def act(peer: socket.socket) -> None:
        peer.sendall(b"enough")
        spoken.set()
        quiet(peer)

    async def work(stream: Stream) -> list[object]:
        spoken.wait(5)
        written = [await stream.write(LONG[:100_000], due()) for _ in range(2)]
        return [*written, await stream.read(due())]

    assert meet(act, work) == [True, False, b"enough"]


def test_the_last_of_a_request_waits_for_nothing(meet: Meet) -> None:
    """A long write listens only before more is written; an answer that is read in between has been listened for."""
    turns: list[int] = []

    def act(peer: socket.socket) -> None:
        peer.recv(1)
        peer.sendall(b"heard")
        until_end(peer)

    async def work(stream: Stream) -> list[int]:
        asyncio.get_running_loop().call_soon(turns.append, 1)
        await stream.write(LONG[:100_000], due())
        first = len(turns)
        await stream.read(due())
        asyncio.get_running_loop().call_soon(turns.append, 2)
        await stream.write(LONG[:100_000], due())
        return [first, len(turns)]

    assert meet(act, work) == [0, 1]


def test_nothing_is_written_to_a_socket_that_asyncio_is_closing(meet: Meet) -> None:
    """It has had an error and not told it yet; each further write would be a warning in its log."""

    async def work(stream: Stream) -> list[bool]:
        stream._transport._fatal_error(ConnectionResetError("x"))  # type: ignore[attr-defined]
        return [stream.is_dead(), await stream.write(b"x", due())]

    assert meet(quiet, work) == [False, False]


def test_one_timer_serves_many_waits(meet: Meet) -> None:
    """A thousand reads do not leave a thousand timers."""

    async def work(stream: Stream) -> list[int]:
        before = len(timers())
        for _ in range(100):
            await stream.write(b"x", due())
            await stream.read(due())
        return [before, len(timers())]

    def act(peer: socket.socket) -> None:
        while said := peer.recv(1):
            peer.sendall(said)

    assert meet(act, work) == [0, 1]


def test_a_timer_that_rings_for_nobody_or_too_soon_does_no_harm(meet: Meet) -> None:
    """It was set for a wait that is over; the wait of now has its own limit."""

    def ring() -> None:
        (timer,) = timers()
        callback = timer._callback  # type: ignore[attr-defined]
        timer.cancel()
        callback()

    async def work(stream: Stream) -> list[object]:
        await stream.write(b"a", due())
        said: list[object] = [await stream.read(due())]
        ring()
        said.append(len(timers()))
        waiting = asyncio.ensure_future(stream.read(due()))
        await asyncio.sleep(0)
        ring()
        said.append(len(timers()))
        await stream.write(b"b", due())
        return [*said, await waiting]

    def act(peer: socket.socket) -> None:
        while said := peer.recv(1):
            peer.sendall(said)

    assert meet(act, work) == [b"a", 0, 1, b"b"]


@pytest.mark.parametrize("error", [OSError("x"), ValueError("x")])
def test_a_socket_that_asyncio_gives_up_is_an_error(meet: Meet, error: Exception) -> None:
    """Of the kind that a broken connection is, whatever it was."""

    async def work(stream: Any) -> None:
        stream.connection_lost(error)
        await stream.read(due())

    with pytest.raises(OSError, match="x"):
        meet(quiet, work)


# -- several addresses --------------------------------------------------------------------------------------------


class FakeStream:
    """A stream that only knows whether it was closed."""

    def __init__(self) -> None:
        self.aborted = 0

    def abort(self) -> None:
        """Count."""
        self.aborted += 1


class Addresses:
    """Connections to addresses, each made or refused when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        names(monkeypatch, "named.example", *addresses)
        monkeypatch.setattr(asyncio_stream, "_NEXT_ADDRESS_SECONDS", 0.001)
        monkeypatch.setattr(asyncio_stream, "_connect_one", self._connect_one)
        self.begun: dict[str, asyncio.Future[FakeStream]] = {}
        self.made: dict[str, FakeStream] = {}
        self.stubborn = False

    async def _connect_one(self, address: str, port: int) -> FakeStream:
        self.begun[address] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.shield(self.begun[address])
        except asyncio.CancelledError:
            if not self.stubborn:  # else the connection stood at the very moment of the cancellation
                raise
        self.made[address] = FakeStream()
        return self.made[address]

    async def all_begun(self, count: int) -> None:
        """Wait until so many are being connected to."""
        for _ in range(10_000):
            if len(self.begun) >= count:
                return
            await asyncio.sleep(0.001)

    def run(self, work: Callable[[asyncio.Task[Any]], Awaitable[None]]) -> object:
        """Connect in a task, and let *work* do something meanwhile."""

        async def main() -> object:
            task = asyncio.ensure_future(asyncio_stream.connect("named.example", 1, due()))
            await work(task)
            await asyncio.wait([task])
            await asyncio.sleep(0.01)
            assert len(asyncio.all_tasks()) == 1
            return None if task.cancelled() else task.exception() or task.result()

        return anyio.run(main, backend="asyncio")


def test_of_two_that_connect_together_one_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one is used."""
    both = Addresses(monkeypatch, "a", "b")

    async def work(task: asyncio.Task[Any]) -> None:
        await both.all_begun(2)
        for future in both.begun.values():
            future.set_result(FakeStream())

    winner = both.run(work)

    assert sorted((stream is winner, stream.aborted) for stream in both.made.values()) == [(False, 1), (True, 0)]


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_loser_that_connects_later_is_closed(monkeypatch: pytest.MonkeyPatch, stubborn: bool) -> None:
    """If it could not be stopped before."""
    both = Addresses(monkeypatch, "a", "b")
    both.stubborn = stubborn

    async def work(task: asyncio.Task[Any]) -> None:
        await both.all_begun(2)
        both.begun["b"].set_result(FakeStream())

    winner = both.run(work)

    assert winner is both.made["b"]
    assert [stream.aborted for name, stream in both.made.items() if name == "a"] == [1] * stubborn


@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_race_that_is_cancelled_leaves_nothing_open(
    monkeypatch: pytest.MonkeyPatch, stubborn: bool, done: int
) -> None:
    """Also when some have connected in the same turn of the loop."""
    both = Addresses(monkeypatch, "a", "b")
    both.stubborn = stubborn

    async def work(task: asyncio.Task[Any]) -> None:
        await both.all_begun(2)
        for future in list(both.begun.values())[:done]:
            future.set_result(FakeStream())
        for _ in range(done):  # the connections stand, and the race has not heard of it yet
            await asyncio.sleep(0)
        task.cancel()

    end = both.run(work)

    assert end is None
    assert all(stream.aborted == 1 for stream in both.made.values())


def test_a_failure_lets_the_next_one_begin_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that fails while another is tried does no harm."""
    three = Addresses(monkeypatch, "a", "b", "c")
    monkeypatch.setattr(asyncio_stream, "_NEXT_ADDRESS_SECONDS", 60)

    async def work(task: asyncio.Task[Any]) -> None:
        await three.all_begun(1)
        three.begun["a"].set_exception(OSError("a"))
        await three.all_begun(2)
        three.begun["b"].set_exception(OSError("b"))
        await three.all_begun(3)
        three.begun["c"].set_result(FakeStream())

    assert three.run(work) is three.made["c"]


def test_many_waits_of_a_native_task_can_be_cancelled_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """`asyncio.timeout` around a connection closes it in time."""
    names(monkeypatch, "named.example", "127.0.0.1", "127.0.0.2")

    async def main() -> int:
        with echo() as port:
            cancelled = 0
            for number in range(20):
                task = asyncio.ensure_future(asyncio_stream.connect("named.example", port, due()))
                for _ in range(number):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
                if task.cancelled():
                    cancelled += 1
                else:
                    task.result().abort()
            await asyncio.sleep(0.01)
            assert len(asyncio.all_tasks()) == 1
            return cancelled

    assert anyio.run(main, backend="asyncio") > 0


def test_sockets_of_a_loop_read_into_one_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system fills a buffer while others work, as on Windows, each has its own."""

    async def main() -> list[bool]:
        loop = asyncio.get_running_loop()
        shared = asyncio_stream._buffer_of(loop) is asyncio_stream._buffer_of(loop)
        monkeypatch.setattr("sys.platform", "win32")
        return [shared, asyncio_stream._buffer_of(loop) is asyncio_stream._buffer_of(loop)]

    assert asyncio.run(main()) == [True, False]
