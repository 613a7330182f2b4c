"""
Play every fault through every adapter, kind of chat and runtime, and print what missed its expectation.

    python -m tests.torture                                 everything, with the HTTP library in FIBER_HTTP
    python -m tests.torture --faults stream-cut,gzip-bomb   only these faults
    python -m tests.torture --formats gemini --runtimes trio
    python -m tests.torture --sample 300                    so many cells, the same each time
    python -m tests.torture --tls                           over TLS, as faults of TLS are without it
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterable, Sequence

if sys.path[0] == os.getcwd():
    # `python -m` puts the folder it was started in first; the installed package is what is to be tested.
    sys.path.append(sys.path.pop(0))

from fiber.testing import FAULTS, HostileServer
from tests.torture.cell import FORMATS, RUNTIMES, Cell, cells, new_server, observe
from tests.torture.expected import expected
from tests.torture.grade import SEVERE, grade, late
from tests.torture.report import Row, report

_PROCESSES = 4
"""Most cells wait for a timer: more processes than cores pay."""
_always_tls = False
_servers: dict[bool, HostileServer] = {}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description="Play every fault.")
    parser.add_argument("--faults", help="names, joined by commas; all by default")
    parser.add_argument("--formats", help=f"of {', '.join(FORMATS)}")
    parser.add_argument("--runtimes", help=f"of {', '.join(RUNTIMES)}")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="only N cells, the same each time")
    parser.add_argument("--tls", action="store_true", help="play all faults over TLS, not only its own")
    options = parser.parse_args(arguments)
    wanted = []
    for given, known in ((options.faults, tuple(FAULTS)), (options.formats, FORMATS), (options.runtimes, RUNTIMES)):
        chosen = given.split(",") if given else list(known)
        if unheard := set(chosen) - set(known):
            parser.error(f"no such name: {', '.join(sorted(unheard))}")
        wanted.append(chosen)
    found = cells(*wanted)
    if options.sample:
        dice = random.Random(os.environ.get("FIBER_HTTP", ""))  # other cells over each library, so that more are met
        found = sorted(dice.sample(found, min(options.sample, len(found))))
    started = time.perf_counter()
    rows = [again(row) for row in (*run(found, options.tls, patient=False), *run(found, options.tls, patient=True))]
    library = f"{os.environ.get('FIBER_HTTP') or 'the best HTTP library'}{' and TLS' if options.tls else ''}"
    print(report(rows, library, time.perf_counter() - started))
    return 1 if any(row.reasons for row in rows) else 0


def run(found: Iterable[Cell], tls: bool, *, patient: bool) -> list[Row]:
    """Play those cells that need patience, or those that do not: heavy ones would disturb the timers of others."""
    chosen = [cell for cell in found if expected(cell.fault, cell.format, cell.mode).patient is patient]
    _prepare(tls)  # here too, for `again`
    with multiprocessing.Pool(2 if patient else _PROCESSES, _prepare, (tls,)) as pool:
        return list(pool.imap_unordered(_play, chosen, chunksize=1 if patient else 8))


def again(row: Row) -> Row:
    """Play a miss once more, alone: a machine that stood still for a moment looks the same. What is severe stays."""
    if not row.reasons or any(reason.startswith(SEVERE) for reason in row.reasons):
        return row
    return _play(row.cell)


def _prepare(tls: bool) -> None:
    global _always_tls  # noqa: PLW0603 - one way for each process
    _always_tls = tls


def _play(cell: Cell) -> Row:
    server = _server(cell, tls=_always_tls or FAULTS[cell.fault].tls is not None)
    seen = observe(server, cell)
    return Row(cell, tuple(grade(cell, seen)), late(cell, seen), seen.seconds)


def _server(cell: Cell, *, tls: bool) -> HostileServer:
    """Return the server of this process; all cells share it."""
    if tls not in _servers:
        _servers[tls] = server = new_server(tls=tls)
        server.start()
        for runtime in RUNTIMES:  # imports take longer than the timers of the cells
            observe(server, Cell("ok", cell.format, cell.mode, runtime))
    return _servers[tls]


if __name__ == "__main__":
    sys.exit(main())
