"""The report: a table of faults and formats, the misses, the late cells, a summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from tests.torture.cell import FORMATS, Cell

_SLOWEST = 10
_MODES = ("whole", "stream")
_SHORT = {"openai_chat": "chat", "openai_responses": "responses"}


class Row(NamedTuple):
    """A cell with its grade: why it missed, by how many seconds it was late, how long it took."""

    cell: Cell
    reasons: tuple[str, ...]
    late: float
    seconds: float


def report(rows: Sequence[Row], library: str, seconds: float) -> str:
    """Return all that is to be said."""
    missed = [row for row in rows if row.reasons]
    counts: dict[str, int] = defaultdict(int)
    for row in missed:
        counts[row.reasons[0].partition(":")[0]] += 1
    kinds = ", ".join(f"{word} {number}" for word, number in sorted(counts.items()))
    summary = f"{len(rows) - len(missed)} of {len(rows)} cells as expected over {library}, {seconds:.0f} s."
    parts = [
        table(rows),
        misses(missed),
        lateness(rows),
        slowest(rows),
        f"{summary} {f'Misses: {kinds}.' if kinds else ''}".strip(),
    ]
    return "\n\n".join(part for part in parts if part)


def table(rows: Sequence[Row]) -> str:
    """Return a line for each fault; a cell is the worst of its runtimes."""
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row.cell.fault, row.cell.format, row.cell.mode].append(row)
    columns = [(format, mode) for format in FORMATS for mode in _MODES]
    head = [f"{_SHORT.get(format, format)} {mode}" for format, mode in columns]
    faults = list(dict.fromkeys(sorted(row.cell.fault for row in rows)))
    width = max(map(len, faults), default=0)
    lines = ["  ".join([" " * width, *head])]
    for fault in faults:
        words = [
            _word(found.get((fault, format, mode), [])).ljust(len(title))
            for (format, mode), title in zip(columns, head, strict=True)
        ]
        lines.append("  ".join([fault.ljust(width), *words]).rstrip())
    return "\n".join(lines)


def _word(rows: Sequence[Row]) -> str:
    if not rows:
        return "-"
    missed = [row.cell.runtime[0] for row in rows if row.reasons]
    if missed:
        return "MISS " + "".join(sorted(missed))
    return "late" if any(row.late for row in rows) else "ok"


def misses(rows: Sequence[Row]) -> str:
    """Return the misses, those with the same reasons together."""
    found: dict[tuple[str, tuple[str, ...]], list[Cell]] = defaultdict(list)
    for row in rows:
        found[row.cell.fault, tuple(reason.replace(row.cell.runtime, "*") for reason in row.reasons)].append(row.cell)
    lines = []
    for (fault, reasons), cells in sorted(found.items()):
        where = sorted({f"{_SHORT.get(cell.format, cell.format)}/{cell.mode}/{cell.runtime}" for cell in cells})
        lines.append(f"{fault}: {', '.join(where)}")
        lines += [f"    {reason}" for reason in reasons]
    return "\n".join(["Misses", *lines]) if lines else ""


def slowest(rows: Sequence[Row]) -> str:
    """Return the cells that took longest."""
    found = sorted(rows, key=lambda row: -row.seconds)[:_SLOWEST]
    return "\n".join(["Slowest", *(f"{_path(row.cell)}: {row.seconds:.2f} s" for row in found)])


def _path(cell: Cell) -> str:
    return "/".join((cell.fault, cell.format, cell.mode, cell.runtime))


def lateness(rows: Sequence[Row]) -> str:
    """Return the cells that passed their deadline by more than 100 ms and what a busy machine takes."""
    found = sorted((row for row in rows if row.late), key=lambda row: -row.late)
    lines = [f"{_path(row.cell)}: {row.late:.2f} s late" for row in found]
    return "\n".join(["Late", *lines]) if lines else ""
