"""Sockets of trio: it finds and connects them and waits for them; the rest is as in blocking code."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio

from fiber.transports.socket_stream import SocketStream


class TrioStream(SocketStream):
    """A connected socket; see `fiber.transports.streams.Stream`."""

    async def read(self, due: float | None) -> bytes:
        """Return what came; empty at the end."""
        await trio.lowlevel.checkpoint()  # a peer that always has something to say must not keep out the other tasks
        return await super().read(due)


async def connect(host: str, port: int, due: float | None) -> TrioStream:
    """
    Connect to *host*, trying its addresses.

    Raises:
        OSError: It cannot be looked up, or none of its addresses answers.
        TimeoutError: *due* passed.
    """
    with _until(due):
        stream = await trio.open_tcp_stream(host, port)
    return TrioStream(socket.socket(fileno=stream.socket.detach()), wait)


async def wait(connected: socket.socket, due: float | None, *, writing: bool = False) -> None:
    """Wait until there is something to read, or, when *writing*, room to write; `TimeoutError` at *due*."""
    with _until(due):
        if not writing:
            await trio.lowlevel.wait_readable(connected)
            return
        async with trio.open_nursery() as nursery:

            async def one(ready: Callable[[socket.socket], Awaitable[None]]) -> None:
                await ready(connected)
                nursery.cancel_scope.cancel()

            nursery.start_soon(one, trio.lowlevel.wait_readable)
            nursery.start_soon(one, trio.lowlevel.wait_writable)


@contextmanager
def _until(due: float | None) -> Iterator[None]:
    """Raise `TimeoutError` at *due*."""
    at = math.inf if due is None else trio.current_time() + due - time.monotonic()
    try:
        with trio.fail_at(at):
            yield
    except trio.TooSlowError:
        raise TimeoutError from None
