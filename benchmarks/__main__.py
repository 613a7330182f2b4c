"""
Run the benchmarks: `python benchmarks [--smoke] [--write] [NAME ...]`.

Every figure is CPU time and is printed with its ratio to floors measured in the same run: single figures of a shared
machine mean little. `--write` puts the figures into docs/features/performance.md; `--smoke` takes less than a minute
and only shows that everything still runs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import chain
import decode
import report
import telling
from cases import planned
from client import FORMATS
from recording import printed, recorded
from roster import FLOORS, ROSTER
from running import versions
from scenarios import SCENARIOS

PARTS = {"decode": decode.run, "chain": chain.run, "telling": telling.run}
"""What runs in this process, without a network, against floors of its own."""

PACKAGES = ("fiber-llm", "httpx", "httpcore", "h11", "httptools", "msgspec", "anyio")


def main() -> int:
    """Run what was asked for and print the figures; return 1 when a client failed."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join([*SCENARIOS, *PARTS])}; default: all")
    parser.add_argument("--format", action="append", choices=FORMATS, help="measured in full; can be repeated")
    parser.add_argument("--client", action="append", choices=ROSTER, help="can be repeated; floors are always there")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.25, help="CPU to spend on one figure")
    parser.add_argument("--smoke", action="store_true", help="less than a minute in all")
    parser.add_argument("--write", action="store_true", help="renew the page in docs/")
    parser.add_argument("--out", type=Path, help="file for the lines of results; default: benchmarks/results/own.jsonl")
    options = parser.parse_args()
    names = options.names or [*SCENARIOS, *PARTS]
    if unheard := set(names) - {*SCENARIOS, *PARTS}:
        parser.error(f"no such name: {', '.join(sorted(unheard))}")
    if options.write and (options.smoke or options.names or options.client or options.format):
        parser.error("only a whole run can be written into the page")
    wanted = {entry.name for entry in FLOORS} | set(options.client or ROSTER)
    found = planned([name for name in names if name in SCENARIOS], options.format or (), brief=options.smoke)
    entries = [entry for entry in ROSTER.values() if entry.name in wanted]
    for entry in entries:
        if entry.is_missing:
            print(f"{entry.name} is skipped: {entry.needs} is not installed")
    results = recorded(
        found,
        [entry for entry in entries if not entry.is_missing],
        versions(PACKAGES),
        rounds=1 if options.smoke else options.rounds,
        seconds=0.02 if options.smoke else options.seconds,
        out=options.out or (None if options.smoke else report.OWN),
    )
    for line in printed(results):
        print(line)
    if options.write:
        report.write(own_results=results)
    for name in names:
        for said in PARTS[name](smoke=options.smoke) if name in PARTS else ():
            print(f"{name:9} {said}")
    return int(bool(results.errors))


if __name__ == "__main__":
    sys.exit(main())
