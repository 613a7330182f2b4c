"""One cell: a fault, a format, a kind of chat and a runtime, called once and graded."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import trio

from fiber import ChatResult, Fiber, Provider, RetryPolicy, Timeouts
from fiber._engine import run_sync
from fiber.providers.table import PROVIDERS
from fiber.testing import FAULTS, HostileServer
from fiber.transports.streams import tls_context
from tests.torture.expected import expected
from tests.torture.outcome import ATTEMPTS, MANY, Mode

FORMATS = (
    "openai_chat",
    "openai_responses",
    "anthropic",
    "gemini",
    "cohere",
    "ollama",
    "bedrock_converse",
    "replicate",
)
RUNTIMES = ("asyncio", "trio", "sync")
KEY = "sk-canary-0123456789abcdef"
TIMEOUTS = Timeouts(connect=1.0, read=0.3, total=1.8, first_event=0.5, stall=0.4)
PATIENT = Timeouts(connect=1.0, read=10.0, total=40.0, first_event=30.0, stall=30.0)
RETRY = RetryPolicy(max_attempts=ATTEMPTS, base_backoff_seconds=0.005, max_backoff_seconds=0.01)
WALL_SECONDS = 60.0
BULK_BYTES = 96 * 1024 * 1024
"""More than the longest body or event that the library reads."""
_BETWEEN_SECONDS = 0.02
"""Between two calls, so that the server's close has arrived."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """What is tried."""

    fault: str
    format: str
    mode: Mode
    runtime: str


@dataclass(slots=True)
class Observed:
    """
    What a cell showed.

    Attributes:
        said: What the server says to the last call when there is no fault.
        error: What the calls raised.
        afterwards: What a call without a fault over the same connections gave: its text, or what it raised.
        requests: How many requests met the fault, or came where a redirect leads; connections, where none got further.
        seconds: From the first call to the end of the last.
        noise: What was said where nobody listens: in destructors, in the loop.
    """

    said: str
    result: ChatResult | None = None
    error: BaseException | None = None
    afterwards: str = ""
    requests: int = 0
    seconds: float = 0.0
    noise: list[str] = field(default_factory=list)


def cells(faults: list[str], formats: list[str], runtimes: list[str]) -> list[Cell]:
    """Return the cells that there are."""
    modes: tuple[Mode, ...] = ("whole", "stream")
    return [
        Cell(name, format, mode, runtime)
        for name in faults
        for format in formats
        for mode in modes
        if FAULTS[name].concerns(format, mode)
        for runtime in runtimes
    ]


def new_server(*, tls: bool = False) -> HostileServer:
    """Make a server whose faults are short; this process trusts one that speaks TLS."""
    server = HostileServer(slow_seconds=0.15, limit_seconds=30.0, bulk_bytes=BULK_BYTES, flood_events=MANY, tls=tls)
    if tls:
        tls_context().load_verify_locations(cadata=server.issuer.decode())
    return server


def observe(server: HostileServer, cell: Cell) -> Observed:
    """Play *cell*; a cell that does not come back within `WALL_SECONDS` shows an error of its own."""
    server.reset()
    seen = Observed(said=f"You said: {_nonce(cell, 0)}")
    thread = threading.Thread(target=_RUNNERS[cell.runtime], args=(server, cell, seen), daemon=True)
    hook, sys.unraisablehook = sys.unraisablehook, lambda told: seen.noise.append(f"{told.exc_value!r}")
    try:
        thread.start()
        thread.join(WALL_SECONDS)
        if thread.is_alive():
            seen.error = RuntimeError(f"no end after {WALL_SECONDS:g} s")
        gc.collect()
    finally:
        sys.unraisablehook = hook
    return seen


def _nonce(cell: Cell, number: int) -> str:
    return f"{cell.fault}-{cell.format}-{cell.runtime}-{number}"


def _client(server: HostileServer, cell: Cell) -> Fiber:
    row = next(row for row in PROVIDERS if row.adapter == cell.format)
    family: Any = row.name.partition("-")[0]
    patient = expected(cell.fault, cell.format, cell.mode).patient

    def named(name: str, fault: str) -> Provider:
        return row.replace(name=name, aliases=(), prefixes=(), base_url=server.base_url(family, fault))

    return Fiber(
        providers=[named("hostile", cell.fault), named("calm", "ok")],
        api_keys={"hostile": KEY, "calm": KEY},
        timeouts=PATIENT if patient else TIMEOUTS,
        retry=RETRY,
        default_max_tokens=MANY,
    )


async def _calls(
    server: HostileServer, cell: Cell, seen: Observed, ask: Callable[[str, str], Awaitable[ChatResult]], wait: Any
) -> None:
    """Call the hostile provider as often as needed, and a good one afterwards."""
    started = time.monotonic()
    try:
        for number in range(expected(cell.fault, cell.format, cell.mode).calls):
            if number:
                await wait(_BETWEEN_SECONDS)
            nonce = _nonce(cell, number)
            seen.said = f"You said: {nonce}"
            seen.result = await ask("hostile:mock", nonce)
    except Exception as error:
        seen.error, seen.result = error, None
    seen.seconds = time.monotonic() - started
    seen.requests = sum(map(server.count, {cell.fault, "redirected"}))
    try:
        seen.afterwards = (await ask("calm:mock", "and now")).text
    except Exception as error:
        seen.afterwards = repr(error)


async def _coroutine(server: HostileServer, cell: Cell, seen: Observed, wait: Any) -> None:
    async with _client(server, cell) as fiber:

        async def ask(model: str, text: str) -> ChatResult:
            if cell.mode == "stream":
                return await fiber.chat_stream(text, model=model).collect()
            return await fiber.chat(text, model=model)

        await _calls(server, cell, seen, ask, wait)


def _asyncio(server: HostileServer, cell: Cell, seen: Observed) -> None:
    def note(loop: Any, context: dict[str, Any]) -> None:
        seen.noise.append(f"{context.get('message')} {context.get('exception')!r}")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(note)
        await _coroutine(server, cell, seen, asyncio.sleep)

    _guarded(seen, lambda: asyncio.run(main()))


def _trio(server: HostileServer, cell: Cell, seen: Observed) -> None:
    _guarded(seen, lambda: trio.run(_coroutine, server, cell, seen, trio.sleep))


def _sync(server: HostileServer, cell: Cell, seen: Observed) -> None:
    async def wait(seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - nothing here suspends

    def main() -> None:
        fiber = _client(server, cell).sync

        async def ask(model: str, text: str) -> ChatResult:
            if cell.mode == "stream":
                return fiber.chat_stream(text, model=model).collect()
            return fiber.chat(text, model=model)

        try:
            run_sync(_calls(server, cell, seen, ask, wait))
        finally:
            fiber.close()

    _guarded(seen, main)


def _guarded(seen: Observed, main: Callable[[], None]) -> None:
    try:
        main()
    except BaseException as error:
        seen.error = error


_RUNNERS = {"asyncio": _asyncio, "trio": _trio, "sync": _sync}
