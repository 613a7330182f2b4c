"""
Ask servers that somebody else wrote, and print what missed its expectation.

    python -m tests.torture.elsewhere                          every server that can be had
    python -m tests.torture.elsewhere --servers aimock,nginx
    python -m tests.torture.elsewhere --only gzip-bomb,502     what they do, by name

Expected is the kind of the outcome. What every answer must be: no foreign exception, no key in an error, nothing lost
without a word. A server that cannot be had here is skipped with its reason; with CI=true that is a failure.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from multiprocessing import Pool

from tests.interop.installing import SkippedError as NotInstalledError
from tests.torture.elsewhere import aimock, fault_server, litellm, nginx
from tests.torture.elsewhere.playing import Cell, Lane, Part, is_severe, play
from tests.torture.peers.installing import SkippedError

PARTS: Mapping[str, Part] = {
    "fault_server": fault_server.rounds,
    "aimock": aimock.rounds,
    "litellm": litellm.rounds,
    "nginx": nginx.rounds,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.elsewhere", description="Ask servers of others.")
    parser.add_argument("--servers", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--only", help="what they do, names joined by commas")
    options = parser.parse_args(arguments)
    chosen = options.servers.split(",") if options.servers else list(PARTS)
    if unheard := set(chosen) - set(PARTS):
        parser.error(f"no such server: {', '.join(sorted(unheard))}")
    only = options.only.split(",") if options.only else ()
    good = [run(name, only) for name in chosen]
    return 0 if all(good) else 1


def run(name: str, only: Sequence[str] = ()) -> bool:
    """Play the cells of one server and print its misses; tell whether there are none."""
    misses: list[tuple[Cell, str]] = []
    count = 0
    try:
        with PARTS[name]() as rounds:
            started = time.monotonic()
            for lanes in rounds:
                kept = [[cell for cell in lane if not only or cell.name in only] for lane in lanes]
                with Pool(len(kept)) as pool:
                    found = [pair for pairs in pool.imap(_play, kept, chunksize=1) for pair in pairs]
                count += len(found)
                misses += [(cell, why) for cell, why in _again(found) if why]
            seconds = time.monotonic() - started
    except (SkippedError, NotInstalledError) as reason:
        is_failure = os.environ.get("CI") == "true"
        print(f"{name}: {'not to be had' if is_failure else 'skipped'}: {reason}", flush=True)
        return not is_failure
    for cell, why in misses:
        print(f"{name}: {cell}: {why}")
    print(f"{name}: {count - len(misses)} of {count} cells as expected, {seconds:.0f} s.", flush=True)
    return not misses


def _play(lane: Lane) -> list[tuple[Cell, str]]:
    return [(cell, play(cell)) for cell in lane]


def _again(found: list[tuple[Cell, str]]) -> list[tuple[Cell, str]]:
    """Play misses once more, alone: a machine that stood still for a moment looks the same. What is severe stays."""
    return [(cell, play(cell) if why and not is_severe(why) else why) for cell, why in found]


if __name__ == "__main__":
    sys.exit(main())
