"""
How the raw server behaves: one coroutine a way, named by the first segment of the path.

`SLOW` ways keep a client waiting, `GREEDY` ways give it too much, the rest echo the nonce of the question.
"""

from __future__ import annotations

import asyncio
import functools
import random
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from wire import DONE, EVENTS, JSON, answer, chunk, event, full, head, stream

TICK_SECONDS = 0.02
"""Between two signs of life of a server that trickles."""
MEGABYTE = 1024 * 1024
BOMB_BYTES = 512 * MEGABYTE
EVENT_COUNT = 100_000
COMMENT_COUNT = 1_000_000
HELD_SECONDS = 0.3
LONGEST_SECONDS = 8.0
"""What is called endless here ends then, so that a client that waits for ever is found and does not stop the run."""
FLOOD_BYTES = 256 * MEGABYTE
"""The same for what is too much."""


@dataclass
class Exchange:
    """
    One request, and the way back.

    Attributes:
        nonce: The word in the question that belongs to this request alone.
        counts: Shared by all exchanges of the server.
    """

    writer: asyncio.StreamWriter
    streams: bool
    nonce: str
    counts: Counter[str]

    async def send(self, *pieces: bytes) -> None:
        """Send, as fast as the client reads."""
        self.writer.write(b"".join(pieces))
        await self.writer.drain()

    @property
    def kind(self) -> str:
        """Media type of the right answer."""
        return EVENTS if self.streams else JSON


Way: TypeAlias = Callable[[Exchange], Awaitable[None]]


async def ticks(of: Exchange, data: bytes) -> None:
    """Send the same bytes for ever, slowly."""
    for _ in range(int(LONGEST_SECONDS / TICK_SECONDS)):
        await of.send(data)
        await asyncio.sleep(TICK_SECONDS)


async def ever() -> None:
    """Send nothing, for ever."""
    await asyncio.sleep(LONGEST_SECONDS)


# -- too slow ----------------------------------------------------------------------------------------------------------


async def no_head(of: Exchange) -> None:
    """The head never comes."""
    await ever()


async def drip_head(of: Exchange) -> None:
    """The head comes byte by byte and never ends."""
    await of.send(b"HTTP/1.1 200 OK\r\nx-slow: ")
    await ticks(of, b"x")


async def silent_body(of: Exchange) -> None:
    """After the head nothing comes."""
    await of.send(head(of.kind))
    await ever()


async def drip_body(of: Exchange) -> None:
    """The body comes byte by byte, and never makes sense."""
    await of.send(head(of.kind), chunk(b"data: {" if of.streams else b"{"))
    await ticks(of, chunk(b" "))


async def pings(of: Exchange) -> None:
    """Only comments come; for a whole answer, white space."""
    await of.send(head(of.kind))
    await ticks(of, chunk(b": ping\n\n" if of.streams else b"\n"))


async def stall(of: Exchange) -> None:
    """A stream begins well, and then nothing comes."""
    await of.send(head(EVENTS), chunk(event("a")))
    await ever()


async def stall_with_pings(of: Exchange) -> None:
    """A stream begins well, and then only comments come."""
    await of.send(head(EVENTS), chunk(event("a")))
    await ticks(of, chunk(b": ping\n\n"))


async def endless(of: Exchange) -> None:
    """A stream goes on for ever."""
    await of.send(head(EVENTS))
    await ticks(of, chunk(event(f"{of.nonce} ")))


async def busy(of: Exchange) -> None:
    """Always 503, to be repeated soon."""
    await of.send(full(JSON, b'{"error": {"message": "busy"}}', "503 Busy", retry_after="0.05"))


async def busy_slowly(of: Exchange) -> None:
    """Always 503, after a while, to be repeated soon."""
    await asyncio.sleep(0.07)
    await busy(of)


# -- too much ----------------------------------------------------------------------------------------------------------


@functools.cache
def packed(size: int) -> bytes:
    """Return *size* spaces, packed by gzip."""
    machine = zlib.compressobj(9, wbits=31)
    block = b" " * MEGABYTE
    return b"".join(machine.compress(block) for _ in range(size // MEGABYTE)) + machine.flush()


async def bomb(of: Exchange) -> None:
    """A body of half a megabyte unpacks to 512 MB."""
    body = packed(BOMB_BYTES)
    await of.send(full(of.kind, body, content_encoding="gzip"))


async def flood(of: Exchange, begin: bytes, block: bytes) -> None:
    await of.send(head(of.kind), chunk(begin))
    framed = chunk(block)
    for _ in range(FLOOD_BYTES // len(block)):
        await of.send(framed)


async def endless_json(of: Exchange) -> None:
    """A JSON text never ends, also when a stream was asked for."""
    of.streams = False
    await flood(of, b'{"choices": [{"index": 0, "message": {"content": "', b"x" * 65536)


async def endless_event(of: Exchange) -> None:
    """One event never ends, also when a whole answer was asked for."""
    of.streams = True
    await flood(of, b'data: {"choices": [{"index": 0, "delta": {"content": "', b"x" * 65536)


async def endless_events(of: Exchange) -> None:
    """Good events never end."""
    of.streams = True
    await flood(of, event("begin "), event("more " * 13_000))


async def endless_comments(of: Exchange) -> None:
    """Comments never end, and never pause."""
    of.streams = True
    await flood(of, b": begin\n", b": nothing to see here\n" * 3000)


async def endless_head(of: Exchange) -> None:
    """Header lines never end."""
    await of.send(b"HTTP/1.1 200 OK\r\n")
    line = b"x-more: " + b"x" * 1000 + b"\r\n"
    for _ in range(FLOOD_BYTES // len(line) // 16):
        await of.send(line * 16)


async def blocks(of: Exchange, body: AsyncIterator[bytes]) -> None:
    await of.send(head(EVENTS))
    async for block in body:
        await of.send(chunk(block))
    await of.send(chunk(b""))


async def comments(of: Exchange) -> None:
    """A million comment lines stand before the answer."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(COMMENT_COUNT // 1000):
            yield b": nothing to see here\n" * 1000
        yield b"\n" + stream("Hello")

    await blocks(of, body())


async def events(of: Exchange) -> None:
    """A hundred thousand events."""

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, EVENT_COUNT, 100):
            yield b"".join(event(f"{number % 1000:03} ") for number in range(start, start + 100))
        yield event(None, "stop") + DONE

    await blocks(of, body())


async def long_answer(of: Exchange) -> None:
    """A whole answer, or one event, just below its limit."""
    text = "long " * ((3 if of.streams else 30) * MEGABYTE // 5)
    await of.send(full(of.kind, stream(text) if of.streams else answer(text)))


async def long_odd_answer(of: Exchange) -> None:
    """The same, with half of an emoji in it, which asks for the second reading."""
    text = "long " * ((3 if of.streams else 30) * MEGABYTE // 5) + "\ud83d"
    await of.send(full(of.kind, stream(text) if of.streams else answer(text)))


# -- right answers -----------------------------------------------------------------------------------------------------


async def echo(of: Exchange) -> None:
    """The nonce at once."""
    await of.send(full(of.kind, stream(of.nonce) if of.streams else answer(of.nonce)))


async def echo_slowly(of: Exchange) -> None:
    """The nonce, with some milliseconds before it, and in it when it is streamed."""
    await asyncio.sleep(random.uniform(0.0, 0.006))
    if not of.streams:
        await echo(of)
        return
    middle = len(of.nonce) // 2
    await of.send(head(EVENTS))
    for piece in (event(of.nonce[:middle]), event(of.nonce[middle:]), event(None, "stop"), DONE):
        await of.send(chunk(piece))
        await asyncio.sleep(random.uniform(0.0, 0.002))
    await of.send(chunk(b""))


async def hold(of: Exchange) -> None:
    """The nonce after a while; the most that were held at a time are counted."""
    of.counts["asked"] += 1
    of.counts["held"] += 1
    of.counts["most_held"] = max(of.counts["most_held"], of.counts["held"])
    try:
        await asyncio.sleep(HELD_SECONDS)
    finally:
        of.counts["held"] -= 1
    await echo(of)


SLOW: tuple[Way, ...] = (
    no_head,
    drip_head,
    silent_body,
    drip_body,
    pings,
    stall,
    stall_with_pings,
    endless,
    busy,
    busy_slowly,
)
GREEDY: tuple[Way, ...] = (
    bomb,
    endless_json,
    endless_event,
    endless_events,
    endless_comments,
    endless_head,
    comments,
    events,
    long_answer,
    long_odd_answer,
)
ENDED = (bomb, comments, events, long_answer, long_odd_answer, busy, busy_slowly)
UNENDED = {way.__name__ for way in (*SLOW, *GREEDY) if way not in ENDED}
"""Ways whose answers are not whole when they are over: the connection is closed."""
WAYS: dict[str, Way] = {way.__name__: way for way in (*SLOW, *GREEDY, echo, echo_slowly, hold)}
