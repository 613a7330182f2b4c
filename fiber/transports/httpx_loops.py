"""
asyncio and trio.

Each event loop has a client of its own, made at its first call and closed when the loop shuts down, so one
transport serves any number of loops, one after another or side by side.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
from anyio.lowlevel import RunVar

from fiber._errors import FiberError
from fiber.transports import library as http
from fiber.transports.base import DeadlineReached, HTTPResponse, read_whole
from fiber.transports.decoding import Unpacker, next_plain, unpacker_of
from fiber.transports.loops import Loops
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest

CLOSE_SECONDS = 1.0
"""Bound on closing one answer; a peer that does not answer is left to the operating system."""


class _Handle:
    __slots__ = ("chunks", "response", "spawn", "unpacker")

    def __init__(self, response: Any, spawn: Callable[[Any], None]) -> None:
        self.response = response
        self.chunks = response.aiter_raw()
        self.spawn = spawn
        self.unpacker: Unpacker | None = None


class LoopTransport:
    """
    Calls from coroutines, on asyncio or trio.

    Args:
        library: Returns the name of the HTTP library to use; empty for the best one installed.
    """

    def __init__(self, library: Callable[[], str] = str) -> None:
        self._library = library
        self._clients: RunVar[Any] = RunVar(f"fiber client {id(self)}")
        network = Loops()
        self.now = network.now
        self.sleep = network.sleep
        self.resolve = network.resolve
        self.map = network.map

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Send *request* and read the head of the answer."""
        library = http.load(self._library())
        response = None
        try:
            message = http.outgoing(library, request, timeouts)
            client, spawn = await self._open_client(library)
            with anyio.CancelScope(deadline=self._deadline(until)) as scope:
                response = await client.send(message, stream=True)
        except http.failures(library) as error:
            failure = http.translate(library, error, timeouts)
        else:
            if response is None:
                assert scope.cancelled_caught  # noqa: S101 - the only way to get here without a response
                raise DeadlineReached
            handle = _Handle(response, spawn)
            head = http.head_of(response)
            try:
                handle.unpacker = unpacker_of(head.headers.get("content-encoding", ""))
            except FiberError:
                await _close_quietly(handle)
                raise
            return HTTPResponse(head, handle)
        raise failure

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Read the body to its end and close."""
        return await read_whole(self, response, until)

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next bytes of the body, decoded; empty at its end."""
        return await next_plain(response.handle.unpacker, lambda: self._next_packed(response, until))

    async def _next_packed(self, response: HTTPResponse, until: float | None) -> bytes:
        library = http.load(self._library())
        chunk: bytes | None = None
        try:
            with anyio.CancelScope(deadline=self._deadline(until)):
                chunk = await anext(response.handle.chunks, b"")
        except http.failures(library) as error:
            failure = http.translate(library, error)
        else:
            if chunk is None:
                raise DeadlineReached
            return chunk
        raise failure

    async def close(self, response: HTTPResponse) -> None:
        """Close the answer and, unless its body was read to the end, its connection."""
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + CLOSE_SECONDS):
            await _close_quietly(response.handle)

    def discard(self, response: HTTPResponse) -> None:
        """Have the loop close the answer soon; a loop that is over has closed it already."""
        handle = response.handle
        if not handle.response.is_closed:
            handle.spawn(handle)

    async def shutdown(self) -> None:
        """Close every connection of this loop; other loops close theirs when they end."""
        entry = self._clients.get(None)
        if entry is not None:
            self._clients.set(None)
            await entry[1].aclose()

    async def _open_client(self, library: Any) -> tuple[Any, Callable[[Any], None]]:
        entry = self._clients.get(None)
        if entry is None:
            client = library.AsyncClient(**http.client_options(library))
            keeper = _keep(client, lambda: self._clients.set(None))
            entry = (client, keeper, _spawner())
            self._clients.set(entry)
            await anext(keeper)
        return entry[0], entry[2]

    def _deadline(self, until: float | None) -> float:
        return float("inf") if until is None else anyio.current_time() + until - self.now()


async def _keep(client: Any, forget: Callable[[], object]) -> AsyncIterator[None]:
    # An async generator that is not finished is closed by the loop when it shuts down, on asyncio and on trio:
    # this closes the client's connections at the right moment without anybody's help.
    try:
        yield
    finally:
        forget()
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + CLOSE_SECONDS):
            await client.aclose()


async def _close_quietly(handle: Any) -> None:
    # The answer first: while a task waits for its next chunk, the chunks cannot be closed but the connection can.
    # Then its chunks to their end, which is near: the library nests generators, and one that is left halfway makes
    # trio warn when it is collected.
    for step in (handle.response.aclose, lambda: _exhaust(handle.chunks)):
        try:
            await step()
        except Exception:  # noqa: S110 - closing is best effort and there is nobody to tell
            pass


async def _exhaust(chunks: AsyncIterator[bytes]) -> None:
    async for _ in chunks:
        pass


def _spawner() -> Callable[[Any], None]:
    """Return a function that closes a handle on the current loop, callable from any thread."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _trio_spawner()
    tasks: set[Any] = set()

    def start(handle: Any) -> None:
        task = loop.create_task(_close_quietly(handle))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def spawn(handle: Any) -> None:
        try:
            loop.call_soon_threadsafe(start, handle)
        except RuntimeError:  # the loop is closed, and its sockets with it
            pass

    return spawn


def _trio_spawner() -> Callable[[Any], None]:
    import trio

    token = trio.lowlevel.current_trio_token()

    def spawn(handle: Any) -> None:
        try:
            token.run_sync_soon(trio.lowlevel.spawn_system_task, _close_quietly, handle)
        except trio.RunFinishedError:
            pass

    return spawn
