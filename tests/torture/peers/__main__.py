"""
Play the faults to fiber and to other clients, each in an environment of its own, and print the comparison.

    python -m tests.torture.peers                                    everything that pip can install
    python -m tests.torture.peers --peers openai,fiber --faults html,stream-cut
    python -m tests.torture.peers --sample 30                        so many faults, always the same
    python -m tests.torture.peers --markdown docs/comparison.md      and put the tables into that page

Exit code 1 when fiber missed a cell: what others miss is a figure, and no failure.
"""

from __future__ import annotations

import argparse
import datetime
import multiprocessing
import os
import platform
import random
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

if sys.path[0] == os.getcwd():
    # `python -m` puts the folder it was started in first; the installed package is what is to be tested.
    sys.path.append(sys.path.pop(0))

from fiber.testing import FAULTS
from tests.torture.outcome import Mode
from tests.torture.peers.installing import SkippedError, python_of
from tests.torture.peers.judging import Cell
from tests.torture.peers.libraries import LIBRARIES
from tests.torture.peers.playing import Row, Worker, play
from tests.torture.peers.reporting import categories, chosen, into, missed
from tests.torture.peers.wanted import LEFT_OUT, is_patient

_LANES = 6
"""Most cells wait for a timer: more processes than cores pay."""
_PATIENT_LANES = 2
_MODES: tuple[Mode, ...] = ("whole", "stream")


class Lane(NamedTuple):
    """Cells that one worker plays."""

    python: str
    cells: tuple[Cell, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.peers", description="Compare clients.")
    parser.add_argument("--peers", help=f"of {', '.join(LIBRARIES)}; all by default")
    parser.add_argument("--faults", help="names, joined by commas; all by default")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N faults, always the same")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args(arguments)
    libraries = _chosen(parser, options.peers, list(LIBRARIES))
    faults = _chosen(parser, options.faults, [name for name in FAULTS if name not in LEFT_OUT])
    if options.sample:
        faults = sorted(random.Random(0).sample(faults, min(options.sample, len(faults))))
    pythons = _installed(libraries)
    if not set(pythons) - {"fiber"} and set(libraries) - {"fiber"}:
        print("The comparison is skipped: no other library can be installed here.")
        return 0
    started = time.perf_counter()
    versions = {name: _version(name, python) for name, python in pythons.items()}
    found = cells(list(pythons), faults)
    rows = [*run(found, pythons, patient=False), *run(found, pythons, patient=True)]
    about = f"Measured on {datetime.date.today().isoformat()}, Python {platform.python_version()}, {platform.system()}"  # noqa: DTZ011
    about += f", {os.cpu_count()} cores, {time.perf_counter() - started:.0f} s."
    figures = "\n\n".join([about, categories(rows, versions), chosen(rows)])
    print(missed(rows), "", figures, sep="\n")
    if options.markdown:
        into(options.markdown, figures)
    return 1 if any(row.category != "expected" for row in rows if row.cell.library == "fiber") else 0


def cells(libraries: Sequence[str], faults: Sequence[str]) -> list[Cell]:
    """Return the cells that there are."""
    return [
        Cell(name, format, fault, mode)
        for name in libraries
        for format in LIBRARIES[name].formats
        for fault in faults
        for mode in _MODES
        if FAULTS[fault].concerns(format, mode)
    ]


def run(found: Iterable[Cell], pythons: Mapping[str, str], *, patient: bool) -> list[Row]:
    """Play those cells that need patience, or those that do not: heavy ones would disturb the timers of others."""
    lanes: dict[tuple[str, str, Mode], list[Cell]] = {}
    for cell in found:
        if is_patient(cell.fault, cell.format, cell.mode) is patient:
            lanes.setdefault((cell.library, cell.format, cell.mode), []).append(cell)
    work = [Lane(pythons[library], tuple(group)) for (library, _, _), group in lanes.items()]
    with multiprocessing.Pool(_PATIENT_LANES if patient else _LANES) as pool:
        return [row for rows in pool.imap_unordered(_play, work, chunksize=1) for row in _noted(rows)]


def _noted(rows: list[Row]) -> list[Row]:
    """Say how far the run is: it takes minutes."""
    cell = rows[0].cell
    print(f"{cell.library} {cell.format} {cell.mode}: {len(rows)} cells played", file=sys.stderr, flush=True)
    return rows


def _play(lane: Lane) -> list[Row]:
    with Worker(lane.cells[0].library, lane.python) as worker:
        return play(worker, lane.cells)


def _installed(libraries: Iterable[str]) -> dict[str, str]:
    pythons = {}
    for name in libraries:
        try:
            pythons[name] = python_of(name)
        except SkippedError as error:
            print(f"{name} is skipped: {error}", flush=True)
    return pythons


def _version(library: str, python: str) -> str:
    with Worker(library, python) as worker:
        worker.start()
        return worker.version


def _chosen(parser: argparse.ArgumentParser, given: str | None, known: list[str]) -> list[str]:
    names = given.split(",") if given else known
    if unheard := set(names) - set(known):
        parser.error(f"no such name: {', '.join(sorted(unheard))}")
    return names


if __name__ == "__main__":
    sys.exit(main())
