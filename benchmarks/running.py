"""Runs what is asked for: every client in a process of its own, in random order, round after round."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from cases import Case, is_able
from roster import Entry
from scenarios import BRIEF_SECONDS, SCENARIOS
from server import Server

_HERE = Path(__file__).parent
_PATIENCE_SECONDS = 120


def run(cases: Sequence[Case], entries: Sequence[Entry], *, rounds: int, seconds: float) -> Iterator[dict[str, Any]]:
    """
    Yield a line for every client in every case and round.

    Clients of one case run one after another, so that a ratio compares what was measured at nearly the same time.
    """
    with _pinned() as core, Server(core) as server:
        for number in range(rounds):
            for case in cases:
                able = [entry for entry in entries if is_able(entry, case)]
                for entry in random.sample(able, len(able)):
                    yield {
                        "round": number,
                        "client": entry.name,
                        "scenario": case.scenario,
                        "size": case.size,
                        "format": case.format,
                        **_measured(entry, case, seconds, server.url),
                    }


def environment(entry: Entry) -> dict[str, str]:
    """Return this process's environment without what would change a client, and with what *entry* sets."""
    hidden = (
        "FIBER_",
        "PYTHONASYNCIODEBUG",
        "PYTHONDEVMODE",
        "PYTHONDONTWRITEBYTECODE",
        *(("PYTHONPATH",) if entry.python else ()),
    )
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(hidden) and not name.lower().endswith("_proxy") and not name.endswith("_API_KEY")
    }
    return {**kept, **entry.environment}


def versions(names: Iterable[str]) -> Mapping[str, str]:
    """Return the versions of the distributions that are installed here."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _measured(entry: Entry, case: Case, seconds: float, url: str) -> dict[str, Any]:
    try:
        if SCENARIOS[case.scenario].run is None:
            repeat = 1 if seconds < BRIEF_SECONDS else 5
            arguments = _process(entry, case, url)
            if repeat > 1:
                _finished(entry, arguments)  # the first process after an installation compiles what it imports
            return {"value": median(_process_ms(entry, arguments) for _ in range(repeat)), "count": repeat}
        said = (entry.place, entry.blocks, case.format, case.scenario, case.size, seconds, url)
        done = _finished(entry, ["worker.py", *map(str, said)])
    except subprocess.TimeoutExpired:
        return {"error": f"no figure within {_PATIENCE_SECONDS} s"}
    except subprocess.CalledProcessError as error:
        return found_in(error.stdout, error.stderr)
    return found_in(done.stdout, done.stderr)


def found_in(output: str, errors: str) -> dict[str, Any]:
    """Return the figure, or the error, that a worker printed: a library may print too, before it and after."""
    for line in reversed(output.splitlines()):
        if line.startswith(('{"value": ', '{"error": ')):
            found: dict[str, Any] = json.loads(line)
            return found
    return {"error": (errors.strip().splitlines() or ["nothing was said"])[-1][:300]}


def _process(entry: Entry, case: Case, url: str) -> list[str]:
    if case.scenario == "import":
        return ["-c", entry.statement]
    return ["cold.py", entry.place, str(entry.blocks), case.format, url]


def _process_ms(entry: Entry, arguments: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _finished(entry, arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def _finished(entry: Entry, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [entry.python or sys.executable, *arguments],
        cwd=_HERE,
        env=environment(entry),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=True,
    )


@contextmanager
def _pinned() -> Iterator[int | None]:
    """Keep this process, and all that it starts, on its first core; yield the last one for the server."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        yield None
        return
    os.sched_setaffinity(0, {cores[0]})
    try:
        yield cores[-1]
    finally:
        os.sched_setaffinity(0, cores)
