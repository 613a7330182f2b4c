"""Plays cells: a server here, a worker in the environment of its library, a limit for each cell."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from fiber.testing import HostileServer, MockRequest
from tests.torture.outcome import MANY
from tests.torture.peers.judging import Cell, Seen, judge
from tests.torture.peers.libraries import LIBRARIES
from tests.torture.peers.wanted import RETRIED, calls_of, is_patient

WORKERS = Path(__file__).parent / "workers"
KEY = "sk-canary-0123456789abcdef"
TIMEOUT_SECONDS, TOTAL_SECONDS, LIMIT_SECONDS = 1.0, 5.0, 12.0
"""What every client is told, what those are told that know a deadline, and when a cell is stopped."""
PATIENT_TIMEOUT_SECONDS, PATIENT_TOTAL_SECONDS, PATIENT_LIMIT_SECONDS = 20.0, 30.0, 30.0
"""The same for faults that are a question of size."""
_START_SECONDS = 120.0
_FAMILIES = {"openai_chat": "openai", "openai_responses": "openai", "anthropic": "anthropic", "gemini": "gemini"}
_FORBIDDEN = ("PYTHONPATH", "PYTHONSTARTUP", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL")


class Row(NamedTuple):
    """A cell, its category, and what is worth telling."""

    cell: Cell
    category: str
    shown: str
    finish: str | None
    requests: int
    seconds: float
    grown_bytes: int


class Worker:
    """
    A library in a process of its own; it is started when needed, and again after it was stopped.

    Args:
        library: Its name.
        python: The Python of its environment.
    """

    def __init__(self, library: str, python: str) -> None:
        self.version = ""
        self.python = ""
        self._command = [python, str(WORKERS / LIBRARIES[library].worker)]
        self._with_fiber = library == "fiber"
        self._process: subprocess.Popen[str] | None = None
        self._pump: threading.Thread | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process, unless it runs."""
        if self._process is not None:
            return
        forbidden = () if self._with_fiber else _FORBIDDEN
        environment = {name: value for name, value in os.environ.items() if name not in forbidden}
        environment["NO_PROXY"] = "127.0.0.1,localhost"
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=WORKERS,
        )
        self._pump = threading.Thread(target=_pump, args=(self._process, self._lines), daemon=True)
        self._pump.start()
        hello = self._next(_START_SECONDS)
        if hello is None:
            self.stop()
            raise RuntimeError(f"The worker does not start: {' '.join(self._command)}")
        self.version, self.python = hello["version"], hello["python"]

    def ask(self, cell: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Play a cell; return what it showed, or only its memory when it had to be stopped or died."""
        self.start()
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("no process")
        before = self._peak_bytes()
        try:
            self._process.stdin.write(json.dumps(cell) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it died: there will be no answer
        found = self._next(seconds)
        if found is not None:
            return found
        grown = max(0, self._peak_bytes() - before)
        self.stop()
        return {"grown_bytes": grown, "seconds": seconds}

    def stop(self) -> None:
        """End the process."""
        if self._process is None or self._pump is None:
            return
        self._process.kill()
        self._process.wait()
        self._pump.join()
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass  # what was written last was never read
        self._process = None

    def _next(self, seconds: float) -> dict[str, Any] | None:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return None
        return json.loads(line) if line else None

    def _peak_bytes(self) -> int:
        if self._process is None:
            return 0
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        except OSError:
            return 0
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _pump(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    if process.stdout is not None:
        with process.stdout:
            for line in process.stdout:
                lines.put(line)
    lines.put("")


def new_server() -> HostileServer:
    """Make a server that the limits fit to."""
    return HostileServer(slow_seconds=0.3, limit_seconds=2 * LIMIT_SECONDS, flood_events=MANY)


def play(worker: Worker, cells: Iterable[Cell]) -> list[Row]:
    """Play cells of one library, one after another, behind one good call that nobody counts."""
    rows = []
    with new_server() as server:
        first = True
        for cell in cells:
            if first:
                server.reset()
                worker.ask(_line(server, cell._replace(fault="ok"), "warm"), _START_SECONDS)
                first = False
            rows.append(_row(server, worker, cell))
    return rows


def _row(server: HostileServer, worker: Worker, cell: Cell) -> Row:
    server.reset()
    nonce = f"{cell.fault}-{cell.format}-{cell.mode}"
    last = f"{nonce}-{calls_of(cell.fault, cell.format, cell.mode) - 1}"
    limit = PATIENT_LIMIT_SECONDS if is_patient(cell.fault, cell.format, cell.mode) else LIMIT_SECONDS
    started = time.monotonic()
    outcome = worker.ask(_line(server, cell, nonce), limit)
    seconds = outcome.pop("seconds", time.monotonic() - started)
    grown = outcome.pop("grown_bytes", 0)
    requests = server.requests
    seen = Seen(
        outcome=outcome,
        said=f"You said: {last}",
        requests=len(requests),
        waits=[after.received_at - before.received_at for before, after in pairwise(requests)],
        key_left=cell.fault == "redirect-other-host" and any(_carries_key(request) for request in requests),
        grown_bytes=grown,
        seconds=seconds,
    )
    return Row(cell, judge(cell, seen), shown(outcome), outcome.get("finish"), len(requests), seconds, grown)


def _carries_key(request: MockRequest) -> bool:
    everything = [*request.headers.values(), *request.query.values()]
    return request.fault == "redirected" and any(KEY in value for value in everything)


def _line(server: HostileServer, cell: Cell, nonce: str) -> dict[str, Any]:
    family: Any = _FAMILIES[cell.format]
    patient = is_patient(cell.fault, cell.format, cell.mode)
    return {
        "base_url": server.base_url(family, cell.fault),
        "format": cell.format,
        "stream": cell.mode == "stream",
        "timeout": PATIENT_TIMEOUT_SECONDS if patient else TIMEOUT_SECONDS,
        "total": PATIENT_TOTAL_SECONDS if patient else TOTAL_SECONDS,
        "retries": 2 if cell.fault in RETRIED else None,
        "prompts": [f"{nonce}-{number}" for number in range(calls_of(cell.fault, cell.format, cell.mode))],
        "max_tokens": MANY,
    }


def shown(outcome: dict[str, Any]) -> str:
    """Return an outcome in a few words."""
    if not outcome:
        return "no end"
    if "error" in outcome:
        return str(outcome["error"]["bases"][0])
    if "unreadable" in outcome:
        return f"a result without what it documents ({outcome['unreadable'].partition(':')[0]})"
    if outcome["told"]:
        return f"told: {outcome['told']}"
    size = len(outcome["text"])
    if outcome["calls"]:
        return f"{len(outcome['calls'])} tool calls"
    return f"{size} characters" if size else "empty text"
