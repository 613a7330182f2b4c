"""The fault server beside the repository: every one of its scenarios."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.torture.elsewhere.playing import TIMEOUT, WORLDS, Cell, Lane, shared
from tests.torture.peers.installing import SkippedError

SERVER = Path(__file__).parents[4] / "shared" / "servers" / "fault_server.py"
FORMATS = ("chat", "messages", "generate")
LONG = {
    *("gzip-bomb", "endless-body", "json-deep", "drip"),
    *("sse-giant-event", "sse-100k", "sse-comment-flood", "sse-split-utf8"),
}
"""Scenarios whose answers take long to make or to read; their timers are not short."""
_PROCESSES = 4
_SECONDS = 900

WHOLE: Mapping[str, str] = {
    # Scenario -> words of outcomes that are right; `ok` for those that are not named.
    "rst-before-headers": "connection",
    "fin-before-headers": "connection",
    "rst-after-headers": "connection",
    "rst-mid-body": "connection",
    "fin-mid-body": "connection",
    "truncated-eof-body": "parsing",
    "slow-headers": TIMEOUT,
    "never-headers": TIMEOUT,
    "stall-stream": TIMEOUT,
    "ping-stall": TIMEOUT,
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


@contextmanager
def rounds() -> Iterator[list[list[Lane]]]:
    """
    Start a server for each lane, for some scenarios count their requests; the patient ones are played alone.

    Raises:
        SkippedError: The server is not beside this repository.
    """
    if not SERVER.exists():
        raise SkippedError(f"{SERVER.name} is not beside this repository")
    with ExitStack() as stack:
        urls = [stack.enter_context(running(number)) for number in range(_PROCESSES)]
        with urllib.request.urlopen(f"{urls[0]}/_/scenarios") as answer:
            scenarios = list(json.load(answer))
        quick = [name for name in scenarios if name not in LONG]
        lanes = [_cells(url, quick[number::_PROCESSES]) for number, url in enumerate(urls)]
        yield [lanes, shared(_cells(urls[0], [name for name in scenarios if name in LONG]), 1)]


def _cells(url: str, scenarios: list[str]) -> Lane:
    return [
        Cell(
            name=name,
            format=format,
            stream=stream,
            world=world,
            want=(STREAM if stream else WHOLE).get(name, "ok"),
            url=f"{url}/s/{name}",
            may_be_empty=name in EMPTY_IS_GOOD,
            patient=name in LONG,
            reset=f"{url}/_/reset",
        )
        for name in scenarios
        for format in FORMATS
        for stream in (False, True)
        for world in WORLDS
    ]


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
