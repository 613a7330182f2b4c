"""
Connections of an HTTP library, for coroutines.

Each is a transport of the library that may have one connection: what its own pool does wrong, under cancellation or
with many connections, has nothing to do it to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import anyio

from fiber.transports import library as http
from fiber.transports.base import DeadlineReached
from fiber.transports.origin import Origin
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest

CLOSE_SECONDS = 1.0
"""Bound on closing one connection; a peer that does not answer is left to the operating system."""


class LoopConnection:
    """
    A connection that serves one request at a time; see `fiber.transports.network.Link`.

    Args:
        library: The HTTP library.
        proxy: URL of the proxy to the origin, or an empty string.
        connect: Seconds until it must stand.
        due: Moment until which the first one must, when a part of these was spent already.
    """

    def __init__(self, library: Any, proxy: str, connect: float | None, due: float | None = None) -> None:
        self._answered = False
        self._lasts = True
        self._reads: int | None = None
        self._library = library
        self._connect = connect
        self._due = due
        self._transport = library.AsyncHTTPTransport(**http.transport_options(library, proxy))
        self._response: Any = None
        self._chunks: Any = None
        self._spawn, self._on_asyncio = _spawner()

    async def send(
        self, request: HTTPRequest, origin: Origin, target: str, seconds: float | None, until: float | None
    ) -> HTTPHead:
        """Send *request* and return the head of its answer."""
        self._answered = False
        before = self._reads
        timeouts = Timeouts(connect=self._connect, read=seconds)
        left = Timeouts(connect=http.within(self._connect, self._due), read=seconds)
        self._due = None  # a later one has a budget of its own

        async def send() -> None:
            message = http.outgoing(self._library, request, left)
            message.extensions["trace"] = self._hear
            self._response = await self._transport.handle_async_request(message)

        await self._timed(send, until, timeouts)
        if self._reads is not None and self._reads == before:
            raise http.left_over()
        self._answered = True
        self._chunks = aiter(self._response.stream)
        head = http.head_of(self._response)
        self._lasts = http.lasts(head)
        return head

    async def next_piece(self, seconds: float | None, until: float | None) -> bytes:
        """Return the next bytes of the body, as they were sent; empty at its end."""
        found: list[bytes] = []

        async def read() -> None:
            found.append(await anext(self._chunks, b""))
            if not found[0]:
                await self._response.aclose()

        await self._timed(read, until, None)
        return found[0]

    def rest(self) -> None:
        """Say nothing: only the library knows what has come."""

    def was_stale(self, error: BaseException, request: HTTPRequest) -> bool:
        """Say whether *request*, which ended in *error*, may be sent over another connection without a word."""
        return not self._answered and request.repeatable and http.is_lost(error)

    def is_reusable(self) -> bool:
        """Say whether it may be used again; whether it still stands, if nobody announced its end, the library sees."""
        return self._lasts

    def is_dead(self) -> bool:
        """Say that it is not: the library looks itself."""
        return False

    async def close(self) -> None:
        """Close it."""
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + CLOSE_SECONDS):
            await self._close_quietly()

    def abort(self) -> None:
        """Have the loop close it soon."""
        self._spawn(self._close_quietly)

    async def _timed(self, step: Callable[[], Any], until: float | None, timeouts: Timeouts | None) -> None:
        deadline = float("inf") if until is None else anyio.current_time() + until - http.now()
        done = False
        try:
            with anyio.CancelScope(deadline=deadline):
                await step()
                done = True
        except http.failures(self._library) as error:
            failure: Exception = http.translate(self._library, error, timeouts)
        else:
            if done:
                return
            failure = DeadlineReached()
        raise failure

    async def _hear(self, step: str, facts: Mapping[str, Any]) -> None:
        # The library tells what it does. It takes what is left of an earlier answer for the next one, and that is seen
        # from here alone: nothing was read since the request.
        if not step.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        stream = facts["return_value"]
        inner = stream.read
        self._reads = self._reads or 0

        async def read(max_bytes: int, timeout: float | None = None) -> bytes:
            data: bytes = await inner(max_bytes, timeout=timeout)
            self._reads = (self._reads or 0) + 1
            return data

        stream.read = read

    async def _close_quietly(self) -> None:
        # The answer first: while a task waits for its next chunk, the chunks cannot be closed but the connection can.
        # Then its chunks to their end, which is near: the library nests generators, and one that is left halfway makes
        # trio warn when it is collected. asyncio closes them itself, and would complain about a second to do so.
        for step in (self._close_response, self._transport.aclose, self._exhaust):
            try:
                await step()
            except Exception:  # noqa: S110 - closing is best effort and there is nobody to tell
                pass

    async def _close_response(self) -> None:
        if self._response is not None:
            await self._response.aclose()

    async def _exhaust(self) -> None:
        if self._chunks is not None and not self._on_asyncio:
            async for _ in self._chunks:
                pass


def _spawner() -> tuple[Callable[[Callable[[], Any]], Any], bool]:
    """Return a function that runs a coroutine function on the current loop, soon; and whether that is asyncio's."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        from trio.lowlevel import spawn_system_task

        return spawn_system_task, False
    tasks: set[Any] = set()

    def spawn(work: Callable[[], Any]) -> None:
        if not loop.is_closed():
            task = loop.create_task(work())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    return spawn, True
