"""
What a case came to, and whether somebody has looked at it.

A difference is a sentence. It passes only when `reviewed` has it, with a reason; an entry that nothing matched any more
is a failure too, so the table cannot outlive what it excuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from reviewed import REVIEWED, Reviewed

Verdict = Literal["ok", "reviewed", "FAILED"]


@dataclass(frozen=True)
class Outcome:
    """One case: its name and every difference found."""

    case: str
    differences: tuple[str, ...] = ()
    new: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        new = tuple(said for said in self.differences if not any(covers(entry, self.case, said) for entry in REVIEWED))
        object.__setattr__(self, "new", new)

    @property
    def verdict(self) -> Verdict:
        """`ok` without differences, `reviewed` when all are known, else `FAILED`."""
        return "FAILED" if self.new else "reviewed" if self.differences else "ok"


def covers(entry: Reviewed, case: str, difference: str) -> bool:
    """Say whether *entry* excuses this difference of this case."""
    return _fits(entry.case, case) and _fits(entry.difference, difference)


def unused(outcomes: Iterable[Outcome], parts: Iterable[str]) -> list[Reviewed]:
    """Return the entries for *parts* that excuse nothing."""
    found = [(outcome.case, said) for outcome in outcomes for said in outcome.differences]
    concerned = [entry for entry in REVIEWED if entry.case.partition(" ")[0] in parts]
    return [entry for entry in concerned if not any(covers(entry, *one) for one in found)]


def compare(expected: Any, actual: Any, place: str = "", words: tuple[str, str] = ("SDK", "fiber")) -> list[str]:
    """List where two JSON values differ, each as a sentence that begins with its place."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        names = [*expected, *(name for name in actual if name not in expected)]
        return [
            line
            for name in names
            for line in compare(
                expected.get(name, _ABSENT), actual.get(name, _ABSENT), f"{place}.{name}".lstrip("."), words
            )
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = zip(expected, actual, strict=True)
        return [line for i, (one, other) in enumerate(pairs) for line in compare(one, other, f"{place}.{i}", words)]
    same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    if same or (expected is _ABSENT and actual is _ABSENT):
        return []
    return [f"{place}: {words[0]} {_said(expected)}, {words[1]} {_said(actual)}"]


_ABSENT = object()


def _said(value: Any) -> str:
    text = "nothing" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 160 else text[:157] + "..."


def _fits(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
