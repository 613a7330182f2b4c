"""
Run the suite and print its report.

    python -m tests.conformance            replay, compare with the baseline, exit 1 on any regression
    python -m tests.conformance --update   replay; when nothing failed, record the baseline and write the scoreboard
    python -m tests.conformance openai.chat gemini.generate     only these endpoints
    python -m tests.conformance --chunkings 10                  cut each stream in 10 random ways at most
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable

if sys.path[0] == os.getcwd():
    # `python -m` puts the folder it was started in first; the installed package is what is to be tested.
    sys.path.append(sys.path.pop(0))

from tests import docs_matrix
from tests.conformance import chunking, recordings, report
from tests.conformance.recordings import FORMATS, OWN
from tests.conformance.replay import replay
from tests.conformance.reviewed import REVIEWED

_PROCESSES = 2
_SHARES = 4


def main() -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description="Replay recorded traffic.")
    parser.add_argument("endpoints", nargs="*", metavar="endpoint", help=f"all by default: {', '.join(FORMATS)}")
    parser.add_argument("--update", action="store_true", help="record the figures as the baseline")
    parser.add_argument(
        "--chunkings", type=int, default=chunking.CHUNKINGS, metavar="N", help="most random ways to cut each stream"
    )
    options = parser.parse_args()
    if unheard := set(options.endpoints) - set(FORMATS):
        parser.error(f"no such endpoint: {', '.join(sorted(unheard))}")
    if not recordings.FOLDER.is_dir():
        print("../shared/wire is missing: there are no recordings to replay.")
        return 1 if os.environ.get("CI") == "true" else 0
    started = time.perf_counter()
    endpoints = options.endpoints or list(FORMATS)
    tallies = run(endpoints, options.chunkings)
    print(report.table(tallies), end="\n\n")
    print(report.table(report.by_provider(tallies), "provider"), end="\n\n")
    print("\n\n".join(filter(None, map(report.details, tallies))), end="\n\n")
    regressions = [words for tally in tallies for words in _failed(tally)]
    if not options.endpoints:
        regressions += _without_recording(tallies)
    if options.update and not regressions and not options.endpoints:
        report.write_baseline(tallies)
        docs_matrix.renew()
        print("The baseline is recorded, and the scoreboard is written.")
    else:
        recorded = report.read_baseline()
        regressions += report.below_baseline(tallies, {name: recorded.get(name, {}) for name in endpoints})
    print("\n".join(regressions) or "No regression.")
    print(f"{time.perf_counter() - started:.0f} s")
    return 1 if regressions else 0


def run(endpoints: Iterable[str], most_chunkings: int) -> list[report.Tally]:
    """Replay every recording of *endpoints*, in two processes."""
    names = list(endpoints)
    tallies = {name: report.Tally(name) for name in names}
    shares = [(name, number, most_chunkings) for name in names for number in range(_SHARES)]
    with multiprocessing.Pool(_PROCESSES) as pool:
        for share in pool.imap_unordered(_replay_share, shares):
            tallies[share.endpoint].merge(share)
    return list(tallies.values())


def _replay_share(share: tuple[str, int, int]) -> report.Tally:
    endpoint, number, most = share
    count = min(most, chunking.CHUNKINGS if endpoint in OWN else chunking.FEW_CHUNKINGS)
    tally = report.Tally(endpoint)
    for recording in recordings.read(endpoint)[number::_SHARES]:
        tally.add(recording.id, replay(recording, FORMATS[endpoint], count))
    return tally


def _failed(tally: report.Tally) -> list[str]:
    return [f"{tally.endpoint}: {tally.counts['failed']} recordings failed"] if tally.counts["failed"] else []


def _without_recording(tallies: Iterable[report.Tally]) -> list[str]:
    known = {recording.id for tally in tallies for recording in recordings.read(tally.endpoint)}
    return [f"reviewed, but there is no such recording: {id}" for id in sorted(REVIEWED.keys() - known)]


if __name__ == "__main__":
    sys.exit(main())
