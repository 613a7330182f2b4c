"""
A server on the loopback interface that answers as fast as Python can, in a process and on a core of its own.

The first segment of a path holds options, `/count=500,gap=10000/v1/chat/completions`; what is left of it tells the
format. Answers are made once for each path and kept as bytes. It ends with the process that started it.

Options (all are whole numbers):
    count: Deltas in a stream, 500 by default.
    size: Bytes of text in a delta, 12 by default.
    gap: Microseconds between two events of one stream; 0, the default, sends as fast as the client reads.
    latency: Milliseconds before the first byte of an answer, 0 by default.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count as numbers
from pathlib import Path
from types import TracebackType
from typing import Self

from replies import chunk, events, head, whole

_BLOCK_BYTES = 256 * 1024
_TICK_SECONDS = 0.001
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_STREAMING = (b'"stream":true', b'"stream": true')
_PLACES = {
    # Where a path ends -> the format.
    "/chat/completions": "openai_chat",
    "/responses": "openai_responses",
    "/messages": "anthropic",
    ":generateContent": "gemini",
    ":streamGenerateContent": "gemini",
}


class Server:
    """
    The server, as those who start it see it.

    Args:
        core: Core to run on; any when not given.

    Attributes:
        url: Its address, without a path.
    """

    def __init__(self, core: int | None = None) -> None:
        self._core = core

    def __enter__(self) -> Self:
        command = [sys.executable, str(Path(__file__)), *([] if self._core is None else [str(self._core)])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(frozen=True, slots=True)
class Answer:
    """
    All that is ever said for one path.

    Attributes:
        parts: What to write: for a stream that is paced an event each, else blocks.
        gap: Seconds between the parts; 0 writes each when the one before it is gone.
        latency: Seconds before the first.
    """

    parts: tuple[bytes, ...]
    gap: float
    latency: float


def answer(target: str, *, streams: bool) -> Answer:
    """Make what is said for the request target *target*."""
    path = target.partition("?")[0]
    options = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", path.split("/")[1])}
    gap, latency = options.get("gap", 0) / 1e6, options.get("latency", 0) / 1e3
    format = next((format for end, format in _PLACES.items() if path.endswith(end)), "openai_chat")
    if not (streams or path.endswith(":streamGenerateContent")):
        return Answer((whole(format),), 0, latency)
    said = map(chunk, events(format, options.get("count", 500), options.get("size", 12)))
    parts = [head("text/event-stream", None), *said, b"0\r\n\r\n"]
    return Answer(tuple(parts if gap else blocks(parts)), gap, latency)


def blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Join *parts* to blocks that a socket takes at once, more or less."""
    block = bytearray()
    for part in parts:
        block += part
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    yield bytes(block)


class Pacer:
    """Writes the parts of all paced answers: those that are due within one tick together, each tick one timer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: list[tuple[float, int, Connection, Iterator[bytes], float]] = []
        self._numbers = numbers()
        self._is_ticking = False

    def add(self, connection: Connection, answer: Answer) -> None:
        """Begin *answer* on *connection*; answers that begin together do not stay in step."""
        number = next(self._numbers)
        parts = iter(answer.parts)
        connection.write(next(parts))
        due = self._loop.time() + answer.gap * (1 + number * 0.618 % 1)
        heapq.heappush(self._due, (due, number, connection, parts, answer.gap))
        if not self._is_ticking:
            self._is_ticking = True
            self._loop.call_later(_TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            _, number, connection, parts, gap = self._due[0]
            part = next(parts, None)
            if part is None or connection.is_closed:
                heapq.heappop(self._due)
            else:
                connection.write(part)
                # From now and not from when it was due: two parts at once would make the client's work less.
                heapq.heapreplace(self._due, (now + gap, number, connection, parts, gap))
        self._is_ticking = bool(self._due)
        if self._is_ticking:
            self._loop.call_later(_TICK_SECONDS, self._tick)


class Connection(asyncio.Protocol):
    """One connection, of a client that asks again when it has its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, pacer: Pacer, answers: dict[bytes, Answer]) -> None:
        self._loop = loop
        self._pacer = pacer
        self._answers = answers
        self._pieces: list[bytes] = []
        self._wanted = 0
        self._unsent: deque[bytes] = deque()
        self._is_full = False
        self.is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.write = transport.write

    def connection_lost(self, error: Exception | None) -> None:
        """Write no more."""
        self.is_closed = True
        self._unsent.clear()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request, and answer when it is whole."""
        self._pieces.append(data)
        self._wanted -= len(data)
        if self._wanted > 0:
            return
        request = b"".join(self._pieces) if len(self._pieces) > 1 else data
        end = request.find(b"\r\n\r\n")
        if end < 0:
            return
        found = _LENGTH.search(request, 0, end + 2)
        self._wanted = end + 4 + (int(found[1]) if found else 0) - len(request)
        if self._wanted <= 0:
            self._pieces.clear()
            self._wanted = 0
            self._say(request)

    def _say(self, request: bytes) -> None:
        line = request[: request.find(b"\r\n")]
        streams = any(mark in request for mark in _STREAMING)
        key = line + b" streams" if streams else line
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = answer(line.split(b" ")[1].decode(), streams=streams)
        if known.latency:
            self._loop.call_later(known.latency, self._begin, known)
        else:
            self._begin(known)

    def _begin(self, answer: Answer) -> None:
        if self.is_closed:
            return
        if answer.gap:
            self._pacer.add(self, answer)
        else:
            self._unsent.extend(answer.parts)
            self._flush()

    def _flush(self) -> None:
        while self._unsent and not self._is_full:
            self.write(self._unsent.popleft())

    def pause_writing(self) -> None:
        """Hold the rest until the client has read."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Go on."""
        self._is_full = False
        self._flush()


async def main() -> None:
    """Listen, tell the port, and end when standard input does."""
    loop = asyncio.get_running_loop()
    pacer = Pacer(loop)
    answers: dict[bytes, Answer] = {}
    server = await loop.create_server(lambda: Connection(loop, pacer, answers), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    gc.disable()  # a pause of the server would be a pause of the client
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    if len(sys.argv) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[1])})
    asyncio.run(main())
