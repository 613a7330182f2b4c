"""
What calls took is written down by many processes at once: nothing is lost, nothing twice, and no call waits for it.

Each process calls in turn without and with a record, so that both meet the same machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from figure import Figure, script

from fiber import SQLiteUsage

PROCESSES = 8
GOAL_MS = 1.0
"""Of the slowest call in a hundred."""

HERE = Path(__file__).parent


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield what was lost, doubled and added."""
    calls = 100 if smoke else 1000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "usage.sqlite3"
        command = [sys.executable, str(HERE / "bookkeeping.py"), str(file)]
        running = [
            subprocess.Popen([*command, str(number), str(calls)], stdout=subprocess.PIPE) for number in range(PROCESSES)
        ]
        said = [json.loads(process.communicate(timeout=600)[0]) for process in running]
        found = Counter((record.tenant, record.metadata["number"]) for record in SQLiteUsage(file).records())
    yield from counted(found, calls, sum(one["lost"] for one in said))
    without, with_records = ([ms for one in said for ms in one[side]] for side in ("without", "with"))
    yield from added(without, with_records, None if smoke else GOAL_MS)


def counted(found: Counter[tuple[str, object]], calls: int, lost: int) -> Iterator[Figure]:
    """Yield what is wrong with the records that were *found* of so many *calls* by each process."""
    note = f"{PROCESSES} processes, {calls} calls each"
    expected = {(str(process), number) for process in range(PROCESSES) for number in range(calls)}
    yield Figure("records that are missing", len(expected - found.keys()), "", 0, note)
    yield Figure("records that are there twice, or nobody's", sum(found.values()) - len(expected & found.keys()), "", 0)
    yield Figure("records that were told to be lost", lost, "", 0)


def added(without: list[float], with_records: list[float], goal: float | None) -> Iterator[Figure]:
    """Yield how much later calls are that are written down; a brief run has too few of them for a goal."""
    first, second = (sorted(times)[-max(len(times) // 100, 1)] for times in (without, with_records))
    note = f"p99 {second:.3f} ms, {first:.3f} ms without"
    yield Figure("added to the slowest call in a hundred", max(second - first, 0.0), "ms", goal, note)
    yield Figure("added to a call, median", median(with_records) - median(without), "ms")


if __name__ == "__main__":
    sys.exit(script("Usage in one file", measure))
