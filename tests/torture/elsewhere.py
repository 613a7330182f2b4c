"""
The same torture by a server that nobody of us wrote: a second opinion on what our own faults may have forgotten.

    python -m tests.torture.elsewhere            the fault server beside the repository, every scenario
    python -m tests.torture.elsewhere --only sse-cut-clean,gzip-bomb

Expected is the kind of the outcome. What every answer must be: no foreign exception, no key in an error, nothing lost
without a word.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import Pool, Queue
from pathlib import Path
from typing import Any

import trio

from fiber import ChatResult, Fiber, FiberError, RetryPolicy, Timeouts
from tests.torture.cell import KEY
from tests.torture.grade import word_of

SERVER = Path(__file__).parents[3] / "shared" / "servers" / "fault_server.py"
FORMATS: Mapping[str, str] = {"openai": "/v1", "anthropic": "", "gemini": ""}
WORLDS = ("asyncio", "trio", "sync")
TIMEOUTS = Timeouts(connect=1.0, read=0.8, total=6.0, first_event=1.5, stall=0.6)
RETRY = RetryPolicy(max_attempts=3, base_backoff_seconds=0.01, max_backoff_seconds=0.02)
LONG = {"gzip-bomb", "endless-body", "sse-giant-event", "sse-100k", "sse-comment-flood", "json-deep", "drip"}
"""Scenarios whose answers take long to make or to read; their timers are not short."""
PATIENT = Timeouts(connect=5.0, read=30.0, total=90.0, first_event=60.0, stall=60.0)

_PROCESSES = 4
_url = ""
_LATE_SECONDS = 1.0
_SECONDS = 900

_TIMEOUT = "timeout:read|timeout:first_event|timeout:stall|timeout:total"
WHOLE: Mapping[str, str] = {
    # Scenario -> words of outcomes that are right; `ok` for those that are not named.
    "rst-before-headers": "connection",
    "fin-before-headers": "connection",
    "rst-after-headers": "connection",
    "rst-mid-body": "connection",
    "fin-mid-body": "connection",
    "truncated-eof-body": "parsing",
    "slow-headers": _TIMEOUT,
    "never-headers": _TIMEOUT,
    "stall-stream": _TIMEOUT,
    "ping-stall": _TIMEOUT,
    "garbage-status": "connection",
    "huge-headers": "connection",
    "401": "auth",
    "400": "bad_request",
    "404": "model_not_found|bad_request",
    "413": "bad_request",
    "429-no-header": "rate_limit",
    "429-huge": "rate_limit",
    "429-quota": "quota|rate_limit",  # in Gemini's format it comes without a code that Gemini has
    "503-forever": "overloaded",
    "500-should-retry-false": "provider",
    "502-html": "provider",
    "200-html": "parsing",
    "204": "parsing",
    "200-error-body": "provider",
    "redirect-other-host": "parsing",
    "redirect-same-host": "parsing",
    "redirect-loop": "parsing",
    "json-raw-control": "ok|parsing",
    "json-5000-digit-int": "ok|parsing",
    "json-deep": "ok|parsing",
    "json-trailing": "ok|parsing",
    "json-truncated": "parsing",
    "empty-200": "parsing",
    "null-200": "parsing",
    "missing-choices": "parsing",
    "empty-choices": "ok|parsing",
    "null-content": "ok|parsing",
    "gzip-bomb": "connection|parsing",
    "endless-body": "connection|parsing",
    "gzip-corrupt": "parsing",
    "wrong-length-short": "ok|parsing|connection",
}
STREAM: Mapping[str, str] = {
    **WHOLE,
    "rst-after-headers": "connection|interrupted",
    "rst-mid-body": "interrupted",
    "fin-mid-body": "interrupted",
    "truncated-eof-body": "interrupted",
    "json-truncated": "parsing|interrupted",
    "empty-200": "interrupted|parsing",
    "204": "interrupted|parsing",
    "json-5000-digit-int": "ok|parsing|interrupted",
    "json-trailing": "parsing",
    "missing-choices": "ok|parsing",  # between good events: a chunk that says nothing
    "sse-cut-clean": "interrupted",
    "sse-nothing": "interrupted",
    "sse-error-event": "provider|overloaded",
    "sse-error-then-done": "provider|overloaded",
    "sse-not-json": "parsing",
    "sse-giant-event": "ok|parsing|connection",
    "sse-endless-slow": "timeout:total",
    "wrong-length-short": "ok|parsing|connection|interrupted",
}
EMPTY_IS_GOOD = {"missing-choices", "null-content", "tool-args-invalid", "empty-choices", "ok"}
"""Scenarios whose good answer may have no text."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.elsewhere", description="Ask another fault server.")
    parser.add_argument("--only", help="scenarios, joined by commas")
    options = parser.parse_args(arguments)
    if not SERVER.exists():
        print(f"{SERVER.name} is not beside this repository")
        return 2
    with ExitStack() as stack:
        urls = [stack.enter_context(running(number)) for number in range(_PROCESSES)]
        with urllib.request.urlopen(f"{urls[0]}/_/scenarios") as answer:
            scenarios = list(json.load(answer))
        if options.only:
            scenarios = [name for name in scenarios if name in options.only.split(",")]
        cells = [
            (name, family, stream, world)
            for name in scenarios
            for family in FORMATS
            for stream in (False, True)
            for world in WORLDS
        ]
        misses: list[str] = []
        for patient in (False, True):
            chosen = [cell for cell in cells if (cell[0] in LONG) is patient]
            free: Any = Queue()
            for url in urls:
                free.put(url)
            with Pool(1 if patient else _PROCESSES, _take, (free,)) as pool:
                for cell, why in zip(chosen, pool.imap(play, chosen), strict=True):
                    if why:
                        misses.append(f"{cell[0]}: {cell[1]}/{'stream' if cell[2] else 'whole'}/{cell[3]}: {why}")
    print("\n".join(misses))
    print(f"{len(cells) - len(misses)} of {len(cells)} cells as expected, {len(scenarios)} scenarios.")
    return 1 if misses else 0


@contextmanager
def running(number: int) -> Iterator[str]:
    """Start a server on free ports; it ends with the block, or by itself."""
    port = _free_pair(24000 + 1000 * number)
    process = subprocess.Popen([sys.executable, str(SERVER), "--port", str(port), "--seconds", str(_SECONDS)])
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _take(free: Any) -> None:
    """Give this process a server of its own: some scenarios count their requests."""
    global _url  # noqa: PLW0603 - one server for each process
    _url = free.get()


def _free_pair(first: int) -> int:
    """Return a port that is free, and so is the next: the server's second port is another host's."""
    for port in range(first, first + 1000, 2):
        try:
            for offset in (0, 1):
                socket.create_server(("127.0.0.1", port + offset)).close()
        except OSError:
            continue
        return port
    raise OSError("no two free ports")


def play(cell: tuple[str, str, bool, str]) -> str:
    """Play one cell; return why it is a miss, or an empty string."""
    name, family, stream, world = cell
    urllib.request.urlopen(urllib.request.Request(f"{_url}/_/reset", method="POST")).close()
    timeouts = PATIENT if name in LONG else TIMEOUTS
    fiber = Fiber(
        api_keys={family: KEY},
        base_urls={family: f"{_url}/s/{name}{FORMATS[family]}"},
        default_model=f"{family}:mock",
        timeouts=timeouts,
        retry=RETRY,
    )
    started = time.monotonic()
    try:
        seen: Any = _WORLDS[world](fiber, stream)
    except BaseException as error:
        seen = error
    seconds = time.monotonic() - started
    want = (STREAM if stream else WHOLE).get(name, "ok").split("|")
    return _graded(name, seen, want) or (f"late: {seconds:.2f} s" if seconds > timeouts.total + _LATE_SECONDS else "")  # type: ignore[operator]


def _graded(name: str, seen: Any, want: list[str]) -> str:
    if isinstance(seen, ChatResult):
        if "ok" not in want:
            return f"silent success: {seen.text[:40]!r} {seen.finish_reason}"
        if not (seen.text or seen.tool_calls or name in EMPTY_IS_GOOD):
            return f"silent loss: no text, {seen.finish_reason}"
        return "" if seen.text.isprintable() or name == "json-nul" or seen.text.encode() else "unencodable"
    if not isinstance(seen, FiberError):
        return f"foreign: {seen!r}"
    if KEY in f"{seen!r} {vars(seen)}":
        return "leak: the key is in the error"
    word = word_of(seen)
    return "" if word in want else f"{word} instead of {' or '.join(want)}: {seen.message[:120]}"


async def _call(fiber: Fiber, stream: bool) -> ChatResult:
    async with fiber:
        return await (fiber.chat_stream("Hi").collect() if stream else fiber.chat("Hi"))


def _blocking(fiber: Fiber, stream: bool) -> ChatResult:
    try:
        return fiber.sync.chat_stream("Hi").collect() if stream else fiber.sync.chat("Hi")
    finally:
        fiber.sync.close()


_WORLDS: Mapping[str, Callable[[Fiber, bool], ChatResult]] = {
    "asyncio": lambda fiber, stream: asyncio.run(_call(fiber, stream)),
    "trio": lambda fiber, stream: trio.run(_call, fiber, stream),
    "sync": _blocking,
}

if __name__ == "__main__":
    sys.exit(main())
