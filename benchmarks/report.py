"""
Write the tables and plots of docs/features/performance.md from lines of results.

    python benchmarks/report.py [--own FILE] [--peers FILE]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from figures import Key, Results, exponent, number, ratio_text, read, table
from plot import plot
from roster import HTTPX, ROSTER, SOCKET, floor_of
from scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "features" / "performance.md"
PLOTS = ROOT / "docs" / "plots"
RESULTS = Path(__file__).parent / "results"
OWN, PEERS = RESULTS / "own.jsonl", RESULTS / "peers.jsonl"

_GROWTH = {
    # Scenario -> what grows, the file of its plot, the plot's title, its axes.
    "call": (
        "messages of history",
        "history.svg",
        "A call, by the length of its history",
        "messages",
        "µs of CPU a call",
    ),
    "inflight": (
        "calls in flight",
        "in-flight.svg",
        "A call, by how many are in flight",
        "in flight",
        "µs of CPU a call",
    ),
    "chunk": ("deltas of a stream", "", "", "", ""),
}


def own(results: Results) -> str:
    """Return the tables of our own suite as Markdown."""
    format, *others = formats(results)
    keys = [key for key in results.values if key[2] == format and key[1] in SCENARIOS[key[0]].sizes]
    parts = [
        about(results),
        f"### On an event loop, `{format}`",
        costs(results, keys, clients(results, blocking=False)),
    ]
    blocking = [key for key in keys if not SCENARIOS[key[0]].needs_loop]
    parts += [f"### Blocking, `{format}`", costs(results, blocking, clients(results, blocking=True))]
    if others:
        rest = [key for other in others for key in results.values if key[2] == other]
        names = clients(results, blocking=False)
        parts += ["### The other formats, on an event loop", costs(results, rest, names, with_format=True)]
    parts += ["### Growth", growth(results, format)]
    parts += [f"![{title}](../plots/{file})" for _, file, title, _, _ in _GROWTH.values() if file]
    return "\n\n".join(parts)


def peers(results: Results) -> str:
    """Return the comparison with other libraries as Markdown: a table for each format."""
    parts = [about(results)]
    for format in formats(results):
        keys = [key for key in results.values if key[2] == format]
        names = list(
            dict.fromkeys(name for key in keys for name in (*results.values[key], *results.errors.get(key, {})))
        )
        first = keys[0]
        names.sort(key=lambda name: results.value(first, name) or 0)
        heading = [f"`{format}`", *(f"{what(key)}, {SCENARIOS[key[0]].unit}" for key in keys)]
        rows = [[_named(name, results), *(cell(results, key, name, (HTTPX,)) for key in keys)] for name in names]
        parts.append(table([heading, *rows]))
    return "\n\n".join(parts)


def costs(results: Results, keys: Iterable[Key], names: Sequence[str], *, with_format: bool = False) -> str:
    """Return a table: a line for each of *keys*, a column for each of *names*."""
    rows = [["CPU of", "unit", *(f"`{name}`" for name in names)]]
    for key in keys:
        words = f"{what(key)}, `{key[2]}`" if with_format else what(key)
        rows.append([words, SCENARIOS[key[0]].unit, *(cell(results, key, name, (HTTPX, SOCKET)) for name in names)])
    return table(rows)


def growth(results: Results, format: str) -> str:
    """Return a table of exponents."""
    names = clients(results, blocking=False)
    rows = [["exponent of the cost, by", *(f"`{name}`" for name in names)]]
    for scenario, (grown, *_) in _GROWTH.items():
        found = [exponent(totals(results, scenario, format, name)) for name in names]
        rows.append([grown, *("" if power is None else f"{power:.2f}" for power in found)])
    return table(rows)


def totals(results: Results, scenario: str, format: str, client: str) -> Mapping[int, float]:
    """Return the cost of everything, by size: of all calls in flight, of the whole stream."""
    is_each = SCENARIOS[scenario].is_each
    found = ((size, results.least((scenario, size, format), client)) for size in sizes(results, scenario, format))
    return {size: value * size if is_each else value for size, value in found if value is not None}


def line(results: Results, scenario: str, format: str, client: str) -> dict[int, float]:
    """Return the figures of one client in one scenario, by size."""
    found = ((size, results.value((scenario, size, format), client)) for size in sizes(results, scenario, format))
    return {size: value for size, value in found if value is not None}


def sizes(results: Results, scenario: str, format: str) -> list[int]:
    """Return the sizes in which a scenario was measured, the smallest first."""
    return sorted(size for name, size, spoken in results.values if (name, spoken) == (scenario, format))


def plots(results: Results) -> dict[str, str]:
    """Return the plots, by file name."""
    format = formats(results)[0]
    names = clients(results, blocking=False)
    return {
        file: plot(title, across, up, {name: line(results, scenario, format, name) for name in names})
        for scenario, (_, file, title, across, up) in _GROWTH.items()
        if file
    }


def cell(results: Results, key: Key, client: str, floors: Sequence[str]) -> str:
    """Return a figure with its ratios to *floors*; a dash where there is none."""
    value = results.value(key, client)
    if value is None:
        return "fails" if client in results.errors.get(key, {}) else "-"
    if key[0] == "memory":
        return number(max(value, 0.0))  # growth of next to nothing has no ratio
    compared = [floor_of(client, floor) for floor in floors]
    ratios = [] if client in compared else [results.ratio(key, client, floor) for floor in compared]
    said = ", ".join(ratio_text(ratio) for ratio in ratios if ratio is not None)
    return f"{number(value)} ({said})" if said else number(value)


def what(key: Key) -> str:
    """Return the case in words."""
    return SCENARIOS[key[0]].what.format(f"{key[1]:,}")


def about(results: Results) -> str:
    """Return where and when, in words."""
    said = results.about
    versions = ", ".join(f"{name} {version}" for name, version in said["versions"].items())
    rounds = f"{said['rounds']} round{'s' if said['rounds'] > 1 else ''}"
    return f"Measured on {said['date']} with {said['machine']}; {versions}; medians of {rounds}."


def formats(results: Results) -> list[str]:
    """Return the formats, in the order in which they were measured."""
    return list(dict.fromkeys(format for _, _, format in results.values))


def clients(results: Results, *, blocking: bool) -> list[str]:
    """Return those of our own clients that were measured, in the order of the roster."""
    measured = {name for found in results.values.values() for name in found}
    return [name for name, entry in ROSTER.items() if entry.blocks is blocking and name in measured]


def renewed(page: str, part: str, text: str) -> str:
    """Return *page* with *text* between the markers of *part*."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no markers {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def write(own_results: Results | None = None, peers_results: Results | None = None) -> None:
    """Write what there is into the page, and the plots beside it."""
    page = PAGE.read_text(encoding="utf-8")
    if own_results:
        page = renewed(page, "figures", own(own_results))
        PLOTS.mkdir(exist_ok=True)
        for name, drawing in plots(own_results).items():
            (PLOTS / name).write_text(drawing, encoding="utf-8")
    if peers_results:
        page = renewed(page, "peers", peers(peers_results))
    PAGE.write_text(page, encoding="utf-8")


def _named(name: str, results: Results) -> str:
    version = results.about["versions"].get(name)
    return f"{name} {version}" if version else f"`{name}`"


def main() -> int:
    """Write the page from files."""
    parser = argparse.ArgumentParser(prog="benchmarks/report.py")
    parser.add_argument("--own", type=Path, default=OWN)
    parser.add_argument("--peers", type=Path, default=PEERS)
    options = parser.parse_args()
    found = [
        read(path.read_text(encoding="utf-8").splitlines()) if path.exists() else None
        for path in (options.own, options.peers)
    ]
    write(*found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
