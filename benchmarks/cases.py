"""What is measured of whom: scenarios, their sizes, formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client import FORMATS
from roster import Entry
from scenarios import SCENARIOS

_IN_EVERY_FORMAT = ("call", "chunk", "first")
_BRIEF = {"inflight": 10, "paced": 10, "memory": 5}


@dataclass(frozen=True)
class Case:
    """
    One line of a table.

    Attributes:
        scenario: Its name.
        size: How much of it.
        format: Of the wire.
        blocking: Blocking clients are measured too.
    """

    scenario: str
    size: int
    format: str
    blocking: bool = True


def planned(names: Sequence[str], formats: Sequence[str], *, brief: bool) -> list[Case]:
    """
    Return what to measure.

    Args:
        names: Of scenarios.
        formats: Measured in full; when empty, the first in full and the others where formats differ.
        brief: One size of each scenario, a small one.
    """
    found = []
    for format in formats or FORMATS[:1]:
        for name in names:
            scenario = SCENARIOS[name]
            sizes = (_BRIEF.get(name, scenario.sizes[0]),) if brief else scenario.sizes
            found += [Case(name, size, format, blocking=not scenario.needs_loop) for size in sizes]
            found += [] if brief else [Case(name, size, format, blocking=False) for size in scenario.further]
    for format in () if formats else FORMATS[1:]:
        shared = [name for name in _IN_EVERY_FORMAT[: 2 if brief else None] if name in names]
        found += [Case(name, SCENARIOS[name].sizes[0], format, blocking=False) for name in shared]
    return found


def is_able(entry: Entry, case: Case) -> bool:
    """Tell whether *entry* can do *case*."""
    speaks = not entry.formats or case.format in entry.formats
    return speaks and (case.blocking or not entry.blocks)
