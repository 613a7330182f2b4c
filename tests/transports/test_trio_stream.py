"""Sockets of trio."""

from __future__ import annotations

import socket
from threading import Event

import anyio
import pytest
import trio

from fiber.transports import trio_stream
from fiber.transports.streams import Stream
from fiber.transports.trio_stream import TrioStream, wait
from tests.transports.conftest import PATIENCE
from tests.transports.stream_cases import LONG, Act, Meet, Reach, StreamCases, Work, due, pair, quiet


@pytest.fixture
def meet() -> Meet:
    """Run a coroutine function on trio."""

    def run(act: Act, work: Work) -> object:
        async def main() -> object:
            stream = TrioStream(ours, wait)
            try:
                return await work(stream)
            finally:
                stream.abort()

        with pair(act) as ours:
            return anyio.run(main, backend="trio")

    return run


@pytest.fixture
def reach() -> Reach:
    """Connect, send a byte, read, close."""

    def run(host: str, port: int, seconds: float | None) -> object:
        async def main() -> bytes:
            stream = await trio_stream.connect(host, port, None if seconds is None else due(seconds))
            try:
                assert stream._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                await stream.write(b"x", due())
                return await stream.read(due())
            finally:
                stream.abort()

        return anyio.run(main, backend="trio")

    return run


class TestTrioStream(StreamCases):
    """All that holds for every stream."""


@pytest.mark.parametrize("doing", ["read", "write"])
def test_an_abort_wakes_the_task_that_waits(meet: Meet, doing: str) -> None:
    """Reading ends in an error, writing was given up."""
    done = Event()

    async def work(stream: Stream) -> list[object]:
        ends: list[object] = []

        async def wait_for_it() -> None:
            try:
                ends.append(await (stream.read(due()) if doing == "read" else stream.write(LONG, due())))
            except OSError as error:
                ends.append(type(error))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_for_it)
            await trio.sleep(0.01)
            stream.abort()
            stream.abort()
        done.set()
        return ends

    act = quiet if doing == "read" else lambda peer: done.wait(PATIENCE)
    assert meet(act, work) == [ConnectionAbortedError if doing == "read" else False]


def test_a_cancelled_read_leaves_the_stream_well(meet: Meet) -> None:
    """The reader may come again."""

    async def work(stream: Stream) -> bytes:
        with trio.move_on_after(0.01) as scope:
            await stream.read(due())
        assert scope.cancelled_caught
        await stream.write(b"x", due())
        return await stream.read(due())

    assert meet(lambda peer: peer.sendall(peer.recv(1)), work) == b"x"


def test_a_cancelled_write_ends_at_once(meet: Meet) -> None:
    """Although it waits for two things."""
    done = Event()

    async def work(stream: Stream) -> bool:
        with trio.move_on_after(0.01) as scope:
            await stream.write(LONG, due())
        stream.abort()
        done.set()
        return scope.cancelled_caught

    assert meet(lambda peer: done.wait(PATIENCE), work) is True


def test_a_peer_that_never_stops_does_not_keep_out_other_tasks(meet: Meet) -> None:
    """Nor a cancellation: every read is a checkpoint."""

    def act(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"x" * 65536)

    async def work(stream: Stream) -> bool:
        with trio.move_on_after(0.03) as scope:
            while True:
                await stream.read(due())
        stream.abort()
        return scope.cancelled_caught

    assert meet(act, work) is True
