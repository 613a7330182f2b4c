"""A transport that is imported and made at its first use, so that making a client loads no HTTP library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from importlib import import_module
from threading import Lock
from typing import Any

from fiber.transports.base import Branch, HTTPResponse, Transport, aside, bounded, detach, later, race, wall
from fiber.transports.crew import Crew, In, Out
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest

_OF_EVERY_CALL = ("now", "read", "next_chunk", "close", "discard")
"""Not `open`: what guards a test against the network stands there."""


class Lazy:
    """
    Stands for the transport class *name* in *module*, made with *arguments* at the first call.

    From then on the methods that a call uses most are those of the transport itself.

    Only `now`, `wall`, `resolve`, `open` and `crew` may be first: everything else needs an open answer.

    Attributes:
        blocking: What serves blocking code beside it; itself when not said.
    """

    def __init__(self, module: str, name: str, *arguments: Any, blocking: Transport | None = None) -> None:
        self.blocking: Transport = blocking or self
        self._what = (module, name, arguments)
        self._transport: Transport | None = None
        self._lock = Lock()

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._real().now()

    def wall(self) -> float:
        """Return seconds since 1970 (UTC)."""
        return wall(self._real())

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._real().sleep(seconds)

    async def bounded(self, work: Awaitable[Any], until: float) -> Any:
        """Await *work*, no longer than *until* where that can be seen to."""
        return await bounded(self._real(), work, until)

    async def aside(self, function: Callable[[], Any]) -> Any:
        """Run *function*, which may block, where it holds up nobody."""
        return await aside(self._real(), function)

    def detach(self, work: Callable[[], None]) -> None:
        """Run what may block, without waiting for it."""
        detach(self._real(), work)

    async def later(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a coroutine beside the caller."""
        await later(self._real(), work)

    async def race(self, first: Branch, second: Branch, seconds: float) -> Branch | None:
        """Run two pieces of work beside each other."""
        return await race(self._real(), first, second, seconds)

    async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
        """Look *host* up."""
        return await self._real().resolve(host, port, until)

    def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> Coroutine[Any, Any, HTTPResponse]:
        """Send *request* and read the head of the answer."""
        return self._real().open(request, timeouts, until)

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Read the body to its end and close."""
        return await self._real().read(response, until)

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next bytes of the body; empty at its end."""
        return await self._real().next_chunk(response, until)

    async def close(self, response: HTTPResponse) -> None:
        """Close the answer."""
        await self._real().close(response)

    def discard(self, response: HTTPResponse) -> None:
        """Close without waiting."""
        self._real().discard(response)

    def crew(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> Crew[Out]:
        """Make who does *work* on *items*."""
        return self._real().crew(work, items, concurrency)

    async def shutdown(self) -> None:
        """Close every connection, if any was made."""
        if self._transport is not None:
            await self._transport.shutdown()

    def _real(self) -> Transport:
        if self._transport is None:
            module, name, arguments = self._what
            with self._lock:
                if self._transport is None:
                    transport = getattr(import_module(module), name)(*arguments)
                    for method in _OF_EVERY_CALL:
                        setattr(self, method, getattr(transport, method))
                    self._transport = transport
        assert self._transport is not None  # noqa: S101 - just made
        return self._transport
