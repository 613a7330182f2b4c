"""
Run fiber against the vendors' clients and against real servers, and print what came of it.

    python tests/interop [--only differential|aws|aimock|litellm|llama|transformers] [--verbose]

Exit code 1 when a difference is not in `reviewed`, when an entry there excuses nothing any more, or when a part broke.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Iterator

import against_servers
import aws
import differential
from installing import SkippedError
from outcomes import Outcome, Verdict, covers, unused
from reviewed import REVIEWED

PARTS: dict[str, tuple[Callable[[], Iterator[Outcome]], tuple[str, ...]]] = {
    # Name -> what runs it, first words of its cases.
    "differential": (differential.run, ("requests", "answers")),
    "aws": (aws.run, ("aws",)),
    "aimock": (against_servers.aimock, ("aimock",)),
    "litellm": (against_servers.litellm, ("litellm",)),
    "llama": (against_servers.llama, ("llama",)),
    "transformers": (against_servers.transformers, ("transformers",)),
}
_WORST: tuple[Verdict, ...] = ("ok", "reviewed", "FAILED")


def main() -> int:
    """Run the parts asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python tests/interop", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="run this part alone")
    parser.add_argument("--verbose", action="store_true", help="show every case and the reviewed differences too")
    arguments = parser.parse_args()
    good = True
    for name, (run, groups) in PARTS.items():
        if arguments.only in (None, name):
            good &= run_part(name, run, groups, verbose=arguments.verbose)
    return 0 if good else 1


def run_part(name: str, run: Callable[[], Iterator[Outcome]], groups: tuple[str, ...], *, verbose: bool) -> bool:
    """Run one part and print its table; say whether it is good."""
    print(f"\n=== {name}", flush=True)
    begun = time.monotonic()
    outcomes: list[Outcome] = []
    try:
        for outcome in run():
            outcomes.append(outcome)
            if verbose:
                print(f"{outcome.verdict:9} {outcome.case}", *outcome.differences, sep="\n          ", flush=True)
    except SkippedError as reason:
        print(f"skipped: {reason}")
        return True
    except Exception:
        traceback.print_exc()
        print(f"{name} broke after {len(outcomes)} cases")
        return False
    for group in groups:
        table(group, [outcome for outcome in outcomes if outcome.case.startswith(f"{group} ")])
    explain(outcomes)
    stale = unused(outcomes, groups)
    for entry in stale:
        print(f"FAILED    reviewed, but seen no more: {entry.case}: {entry.difference}")
    counts = ", ".join(f"{sum(o.verdict == word for o in outcomes)} {word}" for word in _WORST)
    print(f"{len(outcomes)} cases: {counts}; {time.monotonic() - begun:.0f} s")
    return not stale and all(outcome.verdict != "FAILED" for outcome in outcomes)


def table(group: str, outcomes: list[Outcome]) -> None:
    """Print one line for each case and one column for each format; a cell has the worst of its faces."""
    cells: dict[str, dict[str, Verdict]] = {}
    for outcome in outcomes:
        format, _, rest = outcome.case.partition(" ")[2].partition(".")
        row = cells.setdefault(rest.partition(".")[0], {})
        row[format] = max(row.get(format, "ok"), outcome.verdict, key=_WORST.index)
    widths = {format: max(8, len(format)) for row in cells.values() for format in row}
    print(f"\n{group:16}", *(f"{format:{width}}" for format, width in widths.items()))
    for what, row in cells.items():
        print(f"{what:16}", *(f"{row.get(format, '-'):{width}}" for format, width in widths.items()))
    print()


def explain(outcomes: list[Outcome]) -> None:
    """Print what failed, and how often each reviewed difference was met and why it may stay."""
    for outcome in outcomes:
        for said in outcome.new:
            print(f"FAILED    {outcome.case}: {said}")
    for entry in REVIEWED:
        met = sum(any(covers(entry, outcome.case, said) for said in outcome.differences) for outcome in outcomes)
        if met:
            print(f"reviewed  {met} x {entry.case}: {entry.difference}\n          {entry.reason}")


if __name__ == "__main__":
    sys.exit(main())
