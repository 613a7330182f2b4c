"""
What a pooled transport stands on: where the sockets live, and the connections over them.

An event loop or the blocking world is a `Network`; a connection of whatever kind is a `Link`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any, Protocol

from fiber.transports.base import Branch
from fiber.transports.crew import Crew, In, Out
from fiber.transports.origin import Origin
from fiber.transports.pool import Pool, Waiter
from fiber.transports.streams import Stream
from fiber.types.http import HTTPHead, HTTPRequest

MANY_ORIGINS = 256
"""From so many on, pools that are empty are forgotten."""


class Link(Protocol):
    """A connection that serves one request at a time."""

    async def send(
        self, request: HTTPRequest, origin: Origin, target: str, seconds: float | None, until: float | None
    ) -> HTTPHead:
        """
        Send *request* and return the head of its answer.

        Args:
            seconds: Longest silence.
            until: Moment at which everything must be over.
        """
        ...

    async def next_piece(self, seconds: float | None, until: float | None) -> bytes:
        """Return the next bytes of the body, as they were sent; empty at its end."""
        ...

    def rest(self) -> bytes | None:
        """Return the rest of the body, if it is known that all of it has come; None else, and nothing is taken."""
        ...

    def was_stale(self, error: BaseException, request: HTTPRequest) -> bool:
        """Say whether *request*, which ended in *error*, may be sent over another connection without a word."""
        ...

    def is_reusable(self) -> bool:
        """Make ready for the next request, after the end of a body; say whether that is possible."""
        ...

    def is_dead(self) -> bool:
        """Say whether the peer closed it, or spoke, while it was idle."""
        ...

    async def close(self) -> None:
        """Close it; never raises."""
        ...

    def abort(self) -> None:
        """Close it without waiting."""
        ...


class Home:
    """
    The pools of one event loop, or of one process: no connection ever leaves it.

    Attributes:
        active: Connections in use.
        is_over: It was closed; what comes back later is closed too.
        keeper: Closes the home when its event loop shuts down.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._pools: dict[Origin, Pool[Link]] = {}
        self.active: set[Link] = set()
        self.is_over = False
        self.keeper: AsyncGenerator[None, None] | None = None

    def pool(self, origin: Origin) -> Pool[Link]:
        """Return the pool of *origin*."""
        pool = self._pools.get(origin)
        if pool is None:
            if len(self._pools) >= MANY_ORIGINS:
                for connection in [idle for other in self._pools.values() for idle in other.drain()]:
                    connection.abort()
                self._pools = {name: other for name, other in self._pools.items() if other.count}
            pool = self._pools.setdefault(origin, Pool(self._now))
        return pool

    def drain(self) -> list[Link]:
        """Return every connection, those in use too: the caller closes them. Whatever comes back later is closed."""
        self.is_over = True
        return [*self.active, *(idle for pool in list(self._pools.values()) for idle in pool.end())]

    async def close(self) -> None:
        """Close every connection, those in use too."""
        for connection in self.drain():
            await connection.close()


class Network(Protocol):
    """Where the sockets live: an event loop, or the blocking world."""

    def now(self) -> float:
        """Return monotonic seconds, on the clock of `time.monotonic`."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
        """Return the IP addresses of *host*."""
        ...

    async def bounded(self, work: Awaitable[Any], until: float) -> Any:
        """Await *work*, no longer than *until* where that can be seen to."""
        ...

    async def aside(self, function: Callable[[], Any]) -> Any:
        """Run *function*, which may block, where it holds up nobody."""
        ...

    async def home(self) -> Home:
        """Return the pools of this event loop or process."""
        ...

    def waiter(self) -> Waiter:
        """Make something to wait for."""
        ...

    async def connect(self, host: str, port: int, due: float | None) -> Stream:
        """Connect; raise `OSError`, or `TimeoutError` at *due*."""
        ...

    def here(self) -> Any:
        """Return the place where the sockets of the caller live, for `soon`."""
        ...

    def soon(self, place: Any, function: Callable[[], None]) -> None:
        """Call *function* at *place*, from any thread."""
        ...

    def crew(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> Crew[Out]:
        """Make who does *work* on *items*."""
        ...

    def detach(self, work: Callable[[], None]) -> None:
        """Run *work*, which may block, where it holds nobody up, and do not wait for it."""
        ...

    async def race(self, first: Branch, second: Branch, seconds: float) -> Branch | None:
        """Run *second* beside *first* after *seconds*; return the one that was good first, the other is stopped."""
        ...

    async def later(self, work: Callable[[], Any]) -> None:
        """Run the coroutine of *work* beside the caller."""
        ...

    async def shutdown(self) -> None:
        """Close what belongs to the caller's event loop or process."""
        ...
