"""What a measurement says: a figure with its unit and its goal; and the frame that every script here shares."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

PACKAGES = ("fiber-llm", "msgspec", "anyio", "trio", "h11")


@dataclass(frozen=True)
class Figure:
    """
    One measured value.

    Attributes:
        what: What was measured.
        value: The value; None when it could not be measured, and then *note* says why.
        unit: Of value and goal.
        goal: The largest value that is good; None for a figure that only tells.
        note: What else to know.
    """

    what: str
    value: float | None
    unit: str = ""
    goal: float | None = None
    note: str = ""

    @property
    def is_missed(self) -> bool:
        """The value is beyond the goal."""
        return self.value is not None and self.goal is not None and self.value > self.goal

    def __str__(self) -> str:
        if self.value is None:
            return f"{self.what:58} skipped: {self.note}"
        said = f"{self.what:58} {_number(self.value):>10} {self.unit}"
        if self.goal is not None:
            said += f" (goal {_number(self.goal)}): {'MISSED' if self.is_missed else 'met'}"
        return f"{said}; {self.note}" if self.note else said


Measure = Callable[[bool], Iterator[Figure]]
"""Yields figures as they are found; the argument asks for a brief run."""


def spread(what: str, values: Sequence[float], unit: str, goal: float) -> Iterator[Figure]:
    """Yield the largest of *values*, which is held against *goal*, and their median; nothing for no values."""
    if values:
        yield Figure(f"{what}, largest", max(values), unit, goal, f"median {_number(median(values))}, n={len(values)}")


def machine() -> str:
    """Return machine, interpreter, transport and versions in one line."""
    names = (*PACKAGES, *filter(None, [library()]))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()},"
        f" {os.cpu_count()} shared cores; {versions}; transport {transport()}"
    )


def transport() -> str:
    """Return which transport this process measures: `direct`, `httpx` or `httpx2`."""
    return library() or "direct"


def library() -> str:
    """Return the HTTP library that the environment asks for, empty for none."""
    return os.environ.get("FIBER_HTTP", "")


def script(name: str, measure: Measure) -> int:
    """Run one script from its command line; return 1 when a goal was missed, 2 when it did not get that far."""
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument("--smoke", action="store_true", help="a short run, to see that it still works")
    options = parser.parse_args()
    print(f"# {name}: {machine()}", flush=True)
    missed = 0
    try:
        for figure in measure(options.smoke):
            print(figure, flush=True)
            missed += figure.is_missed
    except Exception:
        traceback.print_exc()
        return 2
    return 1 if missed else 0


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == float("inf") or value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
