"""The tables: categories by library, chosen faults by library, every fault that somebody missed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.torture.outcome import Mode
from tests.torture.peers.judging import CATEGORIES, Cell
from tests.torture.peers.libraries import LIBRARIES
from tests.torture.peers.playing import Row

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_MIB = 1024 * 1024

CHOSEN: Sequence[tuple[str, Mode, str, tuple[str, ...]]] = (
    # Fault, kind of chat, words, what is told besides the outcome.
    ("stream-cut", "stream", "stream ends cleanly half-way", ("finish",)),
    ("fin-mid-body", "stream", "connection closed half-way", ("finish",)),
    ("until-close-cut", "stream", "half a stream until the connection closes", ("finish",)),
    ("html", "stream", "HTML page in place of a stream", ("finish",)),
    ("html", "whole", "HTML page in place of a whole answer", ()),
    ("error-under-200", "stream", "provider's error under 200, stream asked", ("finish",)),
    ("error-under-200", "whole", "provider's error under 200, whole asked", ()),
    ("empty-200", "whole", "200 without a body", ()),
    ("json-cut", "whole", "JSON cut in half", ()),
    ("stream-error", "stream", "error event half-way", ("finish",)),
    ("stream-not-json", "stream", "event that is not JSON", ("finish",)),
    ("stream-empty-data", "stream", "events with empty data between good ones", ()),
    ("pings", "stream", "only pings after half the stream", ("seconds",)),
    ("never-headers", "whole", "no answer at all, client timeout 1 s", ("seconds", "requests")),
    ("stall-mid-body", "stream", "silence after half the stream", ("seconds", "finish")),
    ("retry-after-huge", "whole", "429 with retry-after 999999999", ("seconds", "requests")),
    ("retry-after-seconds", "whole", "429 once with retry-after 1", ("seconds", "requests")),
    ("quota", "whole", "quota used up", ("requests",)),
    ("overloaded", "whole", "overloaded without end", ("requests", "seconds")),
    ("redirect-loop", "whole", "redirect to itself", ("requests",)),
    ("redirect-other-host", "whole", "redirect to another origin", ("key",)),
    ("gzip-bomb", "whole", "little gzip of 256 MiB", ("memory", "seconds")),
    ("endless-body", "whole", "body of 256 MiB", ("memory", "seconds")),
    ("stream-many-events", "stream", "100,000 events", ("seconds",)),
    ("stream-many-comments", "stream", "1,000,000 comments", ("seconds",)),
    ("json-lone-surrogate", "whole", "half an emoji, escaped", ("category",)),
    ("stream-split-surrogates", "stream", "emoji as two escapes in two events", ("category",)),
)


def by_library(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Group rows, in the order of `LIBRARIES`."""
    return {name: found for name in LIBRARIES if (found := [row for row in rows if row.cell.library == name])}


def categories(rows: Sequence[Row], versions: Mapping[str, str]) -> str:
    """Return a table: a line for each category, a column for each library."""
    found = by_library(rows)
    lines = [
        ["", *(f"{name} {versions.get(name, '')}".strip() for name in found)],
        ["---", *("---:" for _ in found)],
        ["formats", *(", ".join(LIBRARIES[name].formats) for name in found)],
        ["cells", *(str(len(rows)) for rows in found.values())],
    ]
    counts = [Counter(row.category for row in rows) for rows in found.values()]
    sizes = [len(rows) for rows in found.values()]
    for category, words in CATEGORIES.items():
        numbers = [str(count[category]) for count in counts]
        if category == "expected":
            numbers = [f"{number} ({int(number) / size:.1%})" for number, size in zip(numbers, sizes, strict=True)]
        lines.append([words, *numbers])
        if category == "wrong_success":
            finished = [sum(row.category == category and bool(row.finish) for row in rows) for rows in found.values()]
            lines.append(["of these with a finish reason", *map(str, finished)])
    grown = [max(row.grown_bytes for row in rows) / _MIB for rows in found.values()]
    lines.append(["most memory grown in one cell, MiB", *(f"{size:.0f}" for size in grown)])
    return _table(lines)


def chosen(rows: Sequence[Row]) -> str:
    """Return a table of some faults; for each library in the first of its formats."""
    found = {row.cell: row for row in rows}
    names = list(by_library(rows))
    lines = [["", *(f"{name} ({LIBRARIES[name].formats[0]})" for name in names)], ["---"] * (len(names) + 1)]
    for fault, mode, words, more in CHOSEN:
        cells = [found.get(Cell(name, LIBRARIES[name].formats[0], fault, mode)) for name in names]
        if any(cells):
            lines.append([f"{words} (`{fault}`)", *(_shown(row, more) for row in cells)])
    return _table(lines)


def _shown(row: Row | None, more: Sequence[str]) -> str:
    if row is None:
        return "-"
    said = {
        "finish": f"finish {row.finish}" if row.finish or row.shown.endswith(("characters", "text")) else "",
        "requests": f"{row.requests} request{'s' * (row.requests != 1)}",
        "seconds": f"{row.seconds:.1f} s",
        "memory": f"+{row.grown_bytes / _MIB:.0f} MiB",
        "key": "key sent along" if row.category == "key" else "",
        "category": "cannot be encoded" if row.category == "unencodable" else "",
    }
    name = row.shown.rpartition(".")[2] if "." in row.shown and " " not in row.shown else row.shown
    if row.category == "foreign":
        name = row.shown.removeprefix("builtins.")
    return ", ".join(filter(None, [name, *(said[word] for word in more)]))


def missed(rows: Sequence[Row]) -> str:
    """Return a list of the cells that missed, those of a library and category together."""
    lines = []
    for name, found in by_library(rows).items():
        groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for row in found:
            if row.category != "expected":
                groups[row.category][f"{row.cell.fault}: {row.shown}"].append(f"{row.cell.format}/{row.cell.mode}")
        for category, cells in groups.items():
            lines.append(f"{name}: {CATEGORIES[category]}")
            lines += [f"    {what} ({', '.join(where)})" for what, where in sorted(cells.items())]
    return "\n".join(lines)


def into(page: Path, figures: str) -> None:
    """Put *figures* between the two marks of *page*; a page without them is written anew."""
    text = page.read_text(encoding="utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} has no lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}", encoding="utf-8")


def _table(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
