"""A transport without a network: scripted answers, and a clock that moves only when somebody waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from fiber._errors import FiberConnectionError, FiberError
from fiber.transports.base import Branch, DeadlineReached, HTTPResponse, read_whole
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest, Secret


@dataclass(frozen=True, slots=True)
class FakeReply:
    """
    One scripted answer.

    Attributes:
        chunks: The body, in the pieces in which it is delivered; an exception in their place is raised there, and a
            number is so many seconds of silence.
        delay_seconds: Time until the head comes.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: tuple[bytes | float | BaseException, ...] = ()
    delay_seconds: float = 0.0


Script: TypeAlias = FakeReply | BaseException


def json_reply(value: Any, status: int = 200, **headers: str) -> FakeReply:
    """Make an answer with *value* as JSON; header names are written with underscores."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return FakeReply(status, {"content-type": "application/json", **names}, (body,))


def sse_reply(*frames: Any, cut: bool = False, **headers: str) -> FakeReply:
    """
    Make a streamed answer: each frame is a value sent as JSON, a string sent as it is, a number of seconds, or an
    exception; with *cut* the connection is lost at the end.
    """
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    chunks: list[bytes | float | BaseException] = []
    for frame in frames:
        if isinstance(frame, float | BaseException):
            chunks.append(frame)
        elif isinstance(frame, str):
            chunks.append(frame.encode() if frame.endswith("\n\n") else f"data: {frame}\n\n".encode())
        else:
            event = f"event: {frame['type']}\n".encode() if isinstance(frame, dict) and "type" in frame else b""
            chunks.append(event + b"data: " + msgspec.json.encode(frame) + b"\n\n")
    if cut:
        chunks.append(lost())
    return FakeReply(200, {"content-type": "text/event-stream", **names}, tuple(chunks))


def lost() -> FiberError:
    """Make the error of a connection that is lost while the body comes."""
    return FiberConnectionError("The connection was lost: scripted.", outcome="unknown")


@dataclass(slots=True)
class FakeRequest:
    """A request that was sent, to *address* if one was given; `headers` hold the revealed key, for tests to look at."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    address: str = ""

    def json(self) -> Any:
        """Decode the body."""
        return msgspec.json.decode(self.body)


EPOCH = 1_767_225_600.0
"""2026-01-01T00:00:00Z, when the clock of a `FakeTransport` begins."""


class FakeTransport:
    """
    Plays a script; for `Fiber(transport=...)`, asynchronous and blocking alike, for it never suspends.

    Attributes:
        requests: What was sent.
        slept: Every wait, in seconds.
        closed: How many answers were closed.
        addresses: What the name server knows: IP addresses by host.
        clock: Seconds; moved by waits and by silence in the script, or by the test.
    """

    def __init__(self, *script: Script) -> None:
        self._script = deque(script)
        self.requests: list[FakeRequest] = []
        self.slept: list[float] = []
        self.closed = 0
        self.addresses: dict[str, list[str]] = {}
        self.clock = 0.0

    def now(self) -> float:
        """Return the virtual time."""
        return self.clock

    def wall(self) -> float:
        """Return the virtual time as seconds since 1970: the clock begins with the year 2026 (UTC)."""
        return EPOCH + self.clock

    async def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.slept.append(seconds)
        self.clock += seconds

    async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
        """Look *host* up in `addresses`."""
        if host not in self.addresses:
            raise FiberConnectionError(
                f"No address for {host!r}: the test sets it as transport.addresses[{host!r}].", outcome="not_sent"
            )
        return list(self.addresses[host])

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Take the next answer of the script."""
        headers = {name: value.reveal() if isinstance(value, Secret) else value for name, value in request.headers}
        self.requests.append(FakeRequest(request.method, request.url, headers, request.body, request.address))
        if not self._script:
            raise AssertionError(f"the script has no answer for request {len(self.requests)}: {request.url}")
        reply = self._script.popleft()
        if isinstance(reply, BaseException):
            raise reply
        self._pass(reply.delay_seconds, until)
        return HTTPResponse(HTTPHead(reply.status, dict(reply.headers)), deque(reply.chunks))

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the rest of the body."""
        return await read_whole(self, response, until)

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next piece of the body."""
        while response.handle:
            piece = response.handle.popleft()
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, bytes):
                return piece
            self._pass(piece, until)
        return b""

    async def close(self, response: HTTPResponse) -> None:
        """Count the answer as closed, once."""
        self.discard(response)

    def discard(self, response: HTTPResponse) -> None:
        """Count the answer as closed, once."""
        if response.handle is not None:
            response.handle = None
            self.closed += 1

    async def map(self, function: Callable[[Any], Awaitable[None]], items: Sequence[Any], concurrency: int) -> None:
        """Run *function* over *items*, one after another."""
        for item in items:
            await function(item)

    async def race(self, first: Branch, second: Branch, seconds: float) -> Branch | None:
        """Run one after the other, each on the time that it would have had; *first* takes the earlier answers."""
        began = self.clock
        is_good = await first.run()
        ended = self.clock
        if ended - began <= seconds:
            return first if is_good else None
        self.clock = began + seconds
        if await second.run() and not (is_good and ended <= self.clock):
            first.stop()
            return second
        self.clock = ended if is_good else max(ended, self.clock)
        second.stop()
        return first if is_good else None

    async def shutdown(self) -> None:
        """Nothing is open."""

    def _pass(self, seconds: float, until: float | None) -> None:
        if until is not None and self.clock + seconds >= until:
            self.clock = until
            raise DeadlineReached
        self.clock += seconds
