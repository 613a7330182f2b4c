"""
What a transport is: async-shaped, so that the same engine runs over asyncio, trio and blocking sockets.

A blocking transport never suspends: its coroutines are finished in one step (`fiber._engine.run_sync`).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from fiber._errors import FiberConnectionError
from fiber.transports.crew import Crew, In, Out
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest

T = TypeVar("T")

NAMES = ("direct", "h11", "httptools", "httpx")
"""Transports that a user may name; the first serves where nobody names one. `choice` says what they are."""

MAX_BODY_BYTES = 32 * 1024 * 1024
"""Longest whole body that is read, decoded; a longer one is an error."""

_UNRESTED_BYTES = 1024 * 1024


class DeadlineReached(Exception):
    """An operation was not over at its `until`; the engine says which timer that was."""


class HTTPResponse:
    """
    An answer whose body has not been read.

    Attributes:
        head: Status and headers.
        handle: The transport's own object.
    """

    __slots__ = ("__weakref__", "handle", "head")

    def __init__(self, head: HTTPHead, handle: Any) -> None:
        self.head = head
        self.handle = handle


class Transport(Protocol):
    """
    Sends requests, reads answers, keeps time.

    `until` is an absolute time on the clock of `now`; `DeadlineReached` is raised when it passes. All other
    failures are `FiberConnectionError` or `FiberTimeoutError`, never another library's exception.
    """

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
        """Return the IP addresses of *host*, in the order in which to try them."""
        ...

    def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> Coroutine[Any, Any, HTTPResponse]:
        """Send *request*, to its `address` if it has one, and read the head of the answer; an `async def`, usually."""
        ...

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Read the body to its end, at most `MAX_BODY_BYTES`, and close."""
        ...

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next bytes of the body, decoded; empty at its end."""
        ...

    async def close(self, response: HTTPResponse) -> None:
        """Close; a body not read to its end takes its connection with it. Safe to repeat; never raises."""
        ...

    def discard(self, response: HTTPResponse) -> None:
        """Close without waiting, from any thread; for what was dropped without `close`."""
        ...

    def crew(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> Crew[Out]:
        """Make who does *work* on *items*, at most *concurrency* at a time, and hands the outcomes out as they come."""
        ...

    async def shutdown(self) -> None:
        """Close every connection. Safe to repeat."""
        ...


UNRESOLVED = (OSError, ValueError)
"""What `getaddrinfo` raises: no such host, or a name that cannot be one."""


def addresses_of(found: Iterable[tuple[Any, ...]]) -> list[str]:
    """Return the addresses in an answer of `getaddrinfo`, each once."""
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def unresolved(host: str, error: Exception) -> FiberConnectionError:
    """Make the error of a name that could not be looked up."""
    return FiberConnectionError(
        f"No address for {host!r} ({type(error).__name__}: {error}): check the name and this machine's name server.",
        outcome="not_sent",
    )


async def bounded(transport: Transport, work: Awaitable[T], until: float | None) -> T:
    """
    Await *work* of the caller's (a key that a vault gives), no longer than *until* where the transport can see to it.

    One that can has a method `bounded(work, until)`, which raises `DeadlineReached`.
    """
    limit: Any = getattr(transport, "bounded", None)
    result: T = await (work if limit is None or until is None else limit(work, until))
    return result


async def aside(transport: Transport, function: Callable[[], T]) -> T:
    """
    Run *function*, which may block, where it holds up nobody: in a thread beside an event loop, else here.

    A transport that has a loop to mind has a method `aside(function)`.
    """
    own: Any = getattr(transport, "aside", None)
    result: T = function() if own is None else await own(function)
    return result


def detach(transport: Transport, work: Callable[[], None]) -> None:
    """
    Have *work* done, which may block and must not raise; the caller, who may not suspend either, does not wait for it.

    A transport of a loop has a method `detach(work)`; over any other one it is done at once.
    """
    elsewhere: Any = getattr(transport, "detach", None)
    if elsewhere is None:
        work()
    else:
        elsewhere(work)


async def later(transport: Transport, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """
    Have *work* done beside the caller, who does not wait for it; *work* must not raise.

    A transport that can has a coroutine method `later(work)`; over any other one it is done at once.
    """
    beside: Any = getattr(transport, "later", None)
    await (work() if beside is None else beside(work))


class Branch(Protocol):
    """One of two pieces of work that race."""

    async def run(self) -> bool:
        """Do it, and say whether its outcome is good; nothing is raised but a cancellation."""
        ...

    def stop(self) -> None:
        """Have `run` end soon, from any thread, also when it has not begun."""
        ...


B = TypeVar("B", bound=Branch)


async def race(transport: Transport, first: B, second: B, seconds: float) -> B | None:
    """
    Run *first* and, when that has not ended after *seconds*, *second* beside it; the other is stopped when one is good.

    A transport that can has a method `race(first, second, seconds)`; over any other one *first* runs alone.

    Returns:
        The one that was good first; None when none was.
    """
    beside: Any = getattr(transport, "race", None)
    if beside is None:
        return first if await first.run() else None
    winner: B | None = await beside(first, second, seconds)
    return winner


def wall(transport: Transport) -> float:
    """
    Return seconds since 1970 (UTC), for signatures that hold the time.

    A transport with a clock of its own for them has a method `wall()`.
    """
    own: Any = getattr(transport, "wall", None)
    seconds: float = time.time() if own is None else own()
    return seconds


def utc(transport: Transport) -> datetime:
    """Return the moment of `wall`."""
    return datetime.fromtimestamp(wall(transport), UTC)


def blocking_face(transport: Transport) -> Transport:
    """Return what serves blocking code: the attribute `blocking` of *transport* where it has one, else itself."""
    face: Transport = getattr(transport, "blocking", transport)
    return face


async def read_whole(transport: Transport, response: HTTPResponse, until: float | None) -> bytes:
    """
    Read the body of *response* to its end, chunk by chunk, and close it whatever happens.

    Raises:
        FiberConnectionError: It is longer than `MAX_BODY_BYTES`.
    """
    pieces: list[bytes] = []
    size = resting = 0
    try:
        while piece := await transport.next_chunk(response, until):
            size += len(piece)
            if size > MAX_BODY_BYTES:
                raise FiberConnectionError(
                    f"The answer's body is longer than {MAX_BODY_BYTES} bytes; nothing more of it was read.",
                    outcome="unknown",
                    should_retry=False,
                )
            pieces.append(piece)
            if size - resting >= _UNRESTED_BYTES:
                # What was packed small comes without any waiting, and others have work to do too.
                resting = size
                await transport.sleep(0)
    finally:
        await transport.close(response)
    return b"".join(pieces)
