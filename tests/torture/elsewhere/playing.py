"""One question to a server, the outcome it must have, and the one that it has."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import trio

from fiber import ChatResult, Fiber, FiberError, Provider, RetryPolicy, Timeouts
from fiber.providers.table import ANTHROPIC, GEMINI, OPENAI, OPENAI_RESPONSES
from fiber.types.target import Quirks
from tests.torture.cell import KEY
from tests.torture.grade import SEVERE, word_of

World: TypeAlias = Literal["asyncio", "trio", "sync"]

ROWS: Mapping[str, tuple[Provider, str]] = {
    # Format -> row, and what follows the server's address.
    "chat": (OPENAI, "/v1"),
    "responses": (OPENAI_RESPONSES, "/v1"),
    "messages": (ANTHROPIC, ""),
    "generate": (GEMINI, ""),
    "generate beta": (GEMINI.replace(quirks=Quirks(api_version="v1beta")), ""),
}
WORLDS: tuple[World, ...] = ("asyncio", "trio", "sync")
TIMEOUTS = Timeouts(connect=1.0, read=0.8, total=6.0, first_event=1.5, stall=0.6)
PATIENT = Timeouts(connect=5.0, read=30.0, total=90.0, first_event=60.0, stall=60.0)
RETRY = RetryPolicy(max_attempts=3, base_backoff_seconds=0.01, max_backoff_seconds=0.02)
TIMEOUT = "timeout:read|timeout:first_event|timeout:stall|timeout:total"
_LATE_SECONDS = 1.0
_IDLE_SECONDS = 0.15
"""Between two calls, so that a server that closes idle connections has done it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """
    One question, and what must come of it.

    Attributes:
        name: What the server does.
        format: Of `ROWS`.
        want: Words of outcomes that are right, joined by `|`: `ok`, or those of `tests/torture/grade.py`.
        url: The server's address, with all that stands before the path of the format.
        text: What a good answer says; None when it does not matter.
        may_be_empty: A good answer may have neither text nor tool calls.
        calls: How often it is asked, one after another.
        patient: The timers are long.
        reset: Posted to before, so that the server forgets what it counts.
    """

    name: str
    format: str
    stream: bool
    world: World
    want: str
    url: str
    model: str = "mock"
    prompt: str = "Hi"
    key: str = KEY
    text: str | None = None
    may_be_empty: bool = False
    calls: int = 1
    patient: bool = False
    reset: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.format}/{'stream' if self.stream else 'whole'}/{self.world}"


Lane: TypeAlias = list[Cell]
"""Cells that are played one after another."""

Part: TypeAlias = Callable[[], AbstractContextManager[list[list[Lane]]]]
"""Starts a server, and gives rounds of lanes: the lanes of a round are played side by side."""


def ways(whole: Mapping[str, str], stream: Mapping[str, str]) -> Iterator[tuple[str, bool, World, str]]:
    """
    Yield what is done, whether to a stream, in which world, and what must come of it.

    Args:
        whole: Name -> words of outcomes that are right.
        stream: The same where streams differ; a name that stands here alone is about streams alone, and one with an
            empty text about whole answers alone.
    """
    for name in {**whole, **stream}:
        for streams, want in ((False, whole.get(name)), (True, stream.get(name, whole.get(name)))):
            for world in WORLDS if want else ():
                yield name, streams, world, want or ""


def play(cell: Cell) -> str:
    """Play one cell; return why it is a miss, or an empty string."""
    if cell.reset:
        urllib.request.urlopen(urllib.request.Request(cell.reset, method="POST")).close()
    timeouts = PATIENT if cell.patient else TIMEOUTS
    row, path = ROWS[cell.format]
    fiber = Fiber(
        providers=[row.replace(name="elsewhere", aliases=(), prefixes=(), base_url=f"{cell.url}{path}")],
        api_keys={"elsewhere": cell.key},
        default_model=f"elsewhere:{cell.model}",
        default_max_tokens=1000,
        timeouts=timeouts,
        retry=RETRY,
    )
    started = time.monotonic()
    try:
        seen: Any = _WORLDS[cell.world](fiber, cell)
    except BaseException as error:
        seen = error
    seconds = time.monotonic() - started
    most = (timeouts.total or 0.0) * cell.calls + _LATE_SECONDS
    return graded(cell, seen) or (f"late: {seconds:.2f} s" if seconds > most else "")


def graded(cell: Cell, seen: Any) -> str:
    """Return why what was *seen* is a miss, or an empty string."""
    want = cell.want.split("|")
    if isinstance(seen, ChatResult):
        if "ok" not in want:
            return f"silent success: {seen.text[:40]!r} {seen.finish_reason}"
        if not (seen.text or seen.tool_calls or cell.may_be_empty):
            return f"silent loss: no text, {seen.finish_reason}"
        if cell.text not in (None, seen.text):
            return f"silent loss: {seen.text[-40:]!r} instead of {cell.text!r}"
        return ""
    if not isinstance(seen, FiberError):
        return f"foreign: {seen!r}"
    if cell.key in f"{seen!r} {vars(seen)}":
        return "leak: the key is in the error"
    word = word_of(seen)
    return "" if word in want else f"{word} instead of {' or '.join(want)}: {seen.message[:120]}"


def is_severe(why: str) -> bool:
    """Tell whether a miss is of a kind that is never a matter of a slow machine."""
    return why.startswith(SEVERE)


def shared(cells: Sequence[Cell], count: int) -> list[Lane]:
    """Deal *cells* out to so many lanes."""
    return [list(cells[start::count]) for start in range(count)]


async def _ask(fiber: Fiber, cell: Cell, wait: Callable[[float], Any]) -> ChatResult:
    async with fiber:
        for _ in range(cell.calls - 1):
            await _one(fiber, cell)
            await wait(_IDLE_SECONDS)
        return await _one(fiber, cell)


async def _one(fiber: Fiber, cell: Cell) -> ChatResult:
    return await (fiber.chat_stream(cell.prompt).collect() if cell.stream else fiber.chat(cell.prompt))


def _blocking(fiber: Fiber, cell: Cell) -> ChatResult:
    def one() -> ChatResult:
        return fiber.sync.chat_stream(cell.prompt).collect() if cell.stream else fiber.sync.chat(cell.prompt)

    try:
        for _ in range(cell.calls - 1):
            one()
            time.sleep(_IDLE_SECONDS)
        return one()
    finally:
        fiber.sync.close()


_WORLDS: Mapping[World, Callable[[Fiber, Cell], ChatResult]] = {
    "asyncio": lambda fiber, cell: asyncio.run(_ask(fiber, cell, asyncio.sleep)),
    "trio": lambda fiber, cell: trio.run(_ask, fiber, cell, trio.sleep),
    "sync": _blocking,
}
