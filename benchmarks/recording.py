"""Runs cases, keeps every line of the results in a file, and says meanwhile how far it is."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cases import Case
from figures import Results, number, ratio_text, read
from roster import HTTPX, SOCKET, Entry, floor_of
from running import run
from scenarios import SCENARIOS


def recorded(
    cases: Sequence[Case],
    entries: Sequence[Entry],
    versions: Mapping[str, str],
    *,
    rounds: int,
    seconds: float,
    out: Path | None,
) -> Results:
    """
    Run *cases* and return what was found.

    Args:
        cases: What to measure.
        entries: Whom.
        versions: Of whom, to be told beside the figures.
        rounds: How often.
        seconds: CPU for one figure, more or less.
        out: File for the lines, written anew; none when not given.
    """
    lines = [json.dumps({"about": {**_machine(), "versions": dict(versions), "rounds": rounds}})]
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(f"{lines[0]}\n", encoding="utf-8")
    for row in run(cases, entries, rounds=rounds, seconds=seconds):
        lines.append(json.dumps(row))
        print(_said(row), file=sys.stderr, flush=True)
        if out:
            with out.open("a", encoding="utf-8") as file:
                file.write(f"{lines[-1]}\n")
    return read(lines)


def printed(results: Results) -> Iterator[str]:
    """Yield a line for every figure: its median, its ratios to both floors, and the wall time it does not count."""
    for key, found in results.values.items():
        scenario, size, format = key
        for client in sorted(found):
            value = results.value(key, client)
            assert value is not None
            line = f"{scenario:9} {size:6} {format:16} {client:20} {number(value):>9} {SCENARIOS[scenario].unit}"
            for floor in (HTTPX, SOCKET):
                ratio = results.ratio(key, client, floor_of(client, floor))
                if ratio is not None and scenario != "memory":
                    line += f"{ratio_text(ratio):>9} x {floor}"
            yield line
    for (scenario, size, format), reasons in results.errors.items():
        for client, reason in reasons.items():
            yield f"{scenario:9} {size:6} {format:16} {client:20} FAILED: {reason}"


def _said(row: Mapping[str, Any]) -> str:
    told = row.get("error") or f"{number(row['value'])} {SCENARIOS[row['scenario']].unit}"
    return f"[{row['round']}] {row['scenario']} {row['size']} {row['format']} {row['client']}: {told}"


def _machine() -> dict[str, str]:
    system = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return {
        "date": datetime.date.today().isoformat(),  # noqa: DTZ011 - the reader's day
        "machine": f"{system} {platform.machine()}, {os.cpu_count()} cores{busy}",
    }
