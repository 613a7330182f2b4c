"""
A transport that lets another one work and writes down what is said, without its secrets.

An exchange is written when it ends, whichever way; those that have ended are always in the file, whole.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from threading import Lock

from fiber._errors import FiberError
from fiber._setup import transports
from fiber.testing import cassette
from fiber.testing.cassette import Answered, Chunk, Ended, Exchange, Failure, How
from fiber.testing.redaction import Redact, asked_of, kept_headers, masked_pieces, masked_text, masker
from fiber.transports.base import DeadlineReached, HTTPResponse, Transport, read_whole
from fiber.transports.crew import Crew, In, Out
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest


class Take:
    """One exchange while it goes on; `lines` are what is written of it, empty until it has ended."""

    def __init__(self, tape: Tape, request: HTTPRequest, now: float) -> None:
        self.lines = b""
        self._tape = tape
        self._started = now
        self._mask = masker(request, tape.redact)
        self._asked = asked_of(request, self._mask)
        self._answered: Answered | None = None
        self._pieces: list[tuple[float, bytes]] = []

    def head(self, head: HTTPHead, now: float) -> None:
        """The head came."""
        self._answered = Answered(head.status, self._seconds(now), kept_headers(head.headers, self._mask))

    def piece(self, data: bytes, now: float) -> None:
        """A piece of the body came."""
        self._pieces.append((self._seconds(now), data))

    def end(self, how: How, now: float, error: FiberError | None = None) -> None:
        """Write it down; only the first call counts."""
        if self.lines:
            return
        failure = None if error is None else Failure.of(error, masked_text(error.message, self._mask))
        masked = masked_pieces(self._mask, [data for _, data in self._pieces])
        chunks = tuple(
            Chunk(seconds, **cassette.plain(data))
            for (seconds, _), data in zip(self._pieces, masked, strict=True)
            if data
        )
        ended = Ended(how, self._seconds(now), failure)
        self.lines = cassette.encode(Exchange(self._asked, self._answered, chunks, ended))
        self._pieces.clear()
        self._tape.save()

    def fail(self, error: FiberError | DeadlineReached, now: float) -> None:
        """An error was raised, or the reader's time was up."""
        if isinstance(error, FiberError):
            self.end("error", now, error)
        else:
            self.end("silence", now)

    def _seconds(self, now: float) -> float:
        return round(now - self._started, 3)


class Tape:
    """The exchanges of one recorder, in the order in which they began, and their file."""

    def __init__(self, path: str | os.PathLike[str], redact: Redact | None) -> None:
        self.path = cassette.prepare(path)
        self.redact = redact
        self._takes: list[Take] = []
        self._lock = Lock()
        self._behind = False

    def take(self, request: HTTPRequest, now: float) -> Take:
        """Begin an exchange."""
        take = Take(self, request, now)
        self._takes.append(take)
        return take

    def save(self) -> None:
        """Write what has ended."""
        # Nobody waits for the lock, because an answer that the garbage collector closes may come here in the middle
        # of a write of the same thread. Whoever holds the lock looks again when it is free.
        self._behind = True
        while self._behind and self._lock.acquire(blocking=False):
            try:
                self._behind = False
                cassette.write(self.path, [take.lines for take in list(self._takes) if take.lines])
            finally:
                self._lock.release()


class Face:
    """One transport and the tape that hears it."""

    def __init__(self, transport: Transport, tape: Tape) -> None:
        self._inner = transport
        self._tape = tape

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._inner.now()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)

    async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
        """Return the IP addresses of *host*; they are not recorded."""
        return await self._inner.resolve(host, port, until)

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Send *request* and read the head of the answer."""
        take = self._tape.take(request, self.now())
        try:
            response = await self._inner.open(request, timeouts, until)
        except (FiberError, DeadlineReached) as error:
            take.fail(error, self.now())
            raise
        take.head(response.head, self.now())
        return HTTPResponse(response.head, (response, take))

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Read the body to its end and close."""
        return await read_whole(self, response, until)

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next bytes of the body; empty at its end."""
        inner, take = response.handle
        try:
            chunk = await self._inner.next_chunk(inner, until)
        except (FiberError, DeadlineReached) as error:
            take.fail(error, self.now())
            raise
        if chunk:
            take.piece(chunk, self.now())
        else:
            take.end("complete", self.now())
        return chunk

    async def close(self, response: HTTPResponse) -> None:
        """Close the answer."""
        inner, take = response.handle
        try:
            await self._inner.close(inner)
        finally:
            take.end("closed", self.now())

    def discard(self, response: HTTPResponse) -> None:
        """Close without waiting."""
        inner, take = response.handle
        self._inner.discard(inner)
        take.end("closed", self.now())

    def crew(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> Crew[Out]:
        """Make who does *work* on *items*."""
        return self._inner.crew(work, items, concurrency)

    async def shutdown(self) -> None:
        """Close every connection."""
        await self._inner.shutdown()


class Recorder(Face):
    """
    Records every exchange of a client into a file that `Replay` plays; for `Fiber(transport=...)`.

    Written are no cookies, only headers that are known to be harmless, and `***` in the place of every credential,
    wherever its text occurs. Prompts and answers are written as they are, unless *redact* changes them.

    Args:
        path: The cassette. Its folder is made; a file that is there is replaced when the first exchange ends.
        transport: What talks to the network; by default what a client uses that is given none.
        redact: Given bodies, URLs, header values and error messages, whole or in part, returns what may be written.
            It must leave alone what it has returned itself. A `Replay` needs the same one.

    Attributes:
        blocking: The same recorder for `fiber.sync`.

    Raises:
        FiberValidationError: The file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        transport: Transport | None = None,
        redact: Redact | None = None,
    ) -> None:
        tape = Tape(path, redact)
        loops, blocking = transports(transport)
        super().__init__(loops, tape)
        self.blocking = Face(blocking, tape)
