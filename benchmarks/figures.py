"""From lines of results to medians, ratios and exponents; pure."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeAlias

Key: TypeAlias = tuple[str, int, str]
"""Scenario, size, format."""


@dataclass(frozen=True)
class Results:
    """
    What a run found.

    Attributes:
        about: Where and when: `date`, `machine`, `versions`, `rounds`.
        values: By case and client, a figure for every round that gave one.
        errors: By case and client, why there is none.
    """

    about: Mapping[str, Any]
    values: Mapping[Key, Mapping[str, Mapping[int, float]]]
    errors: Mapping[Key, Mapping[str, str]]

    def value(self, key: Key, client: str) -> float | None:
        """Return the median over the rounds."""
        found = self.values.get(key, {}).get(client)
        return median(found.values()) if found else None

    def least(self, key: Key, client: str) -> float | None:
        """Return the least of the rounds: what else runs on a machine only adds."""
        found = self.values.get(key, {}).get(client)
        return min(found.values()) if found else None

    def ratio(self, key: Key, client: str, floor: str) -> float | None:
        """Return the median ratio of *client* to *floor*, each measured in the same round."""
        mine, below = (self.values.get(key, {}).get(name, {}) for name in (client, floor))
        found = [mine[number] / below[number] for number in mine if below.get(number)]
        return median(found) if found else None


def read(lines: Iterable[str]) -> Results:
    """Read lines of JSON: first what the run was, then a figure or an error in each."""
    first, *rest = (json.loads(line) for line in lines if line.strip())
    values: dict[Key, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    errors: dict[Key, dict[str, str]] = defaultdict(dict)
    for row in rest:
        key = (row["scenario"], row["size"], row["format"])
        if "error" in row:
            errors[key][row["client"]] = row["error"]
        else:
            values[key][row["client"]][row["round"]] = row["value"]
    return Results(first["about"], values, errors)


def exponent(costs: Mapping[int, float]) -> float | None:
    """
    Return e of the curve `fixed + each * size ** e` that fits *costs* by size best; None for fewer than three sizes.

    1 is linear, 2 quadratic, 0 a cost that does not grow. What does not depend on the size is taken out by the fit:
    a plain line through logarithms would tell 0.3 of a linear cost whose fixed part is large. All distances are
    relative, so that small sizes count as much as large ones.
    """
    if len(costs) < 3:
        return None
    if max(costs.values()) < 1.05 * min(costs.values()):
        return 0.0
    tried = [(_misfit(costs, step / 100), step / 100) for step in range(5, 301)]
    return min(tried)[1]


def _misfit(costs: Mapping[int, float], power: float) -> float:
    """Return the sum of squared relative distances of the best curve with this power, whose parts are not negative."""
    # Least squares of fixed / cost + each * size ** power / cost = 1, in two unknowns.
    rows = [(1 / cost, size**power / cost) for size, cost in costs.items()]
    aa, bb = sum(a * a for a, _ in rows), sum(b * b for _, b in rows)
    ab, a1, b1 = sum(a * b for a, b in rows), sum(a for a, _ in rows), sum(b for _, b in rows)
    fixed, each = 0.0, b1 / bb
    determinant = aa * bb - ab * ab
    if determinant > 0 and (a1 * bb - b1 * ab) > 0:
        fixed, each = (a1 * bb - b1 * ab) / determinant, (b1 * aa - a1 * ab) / determinant
    if each < 0:
        return math.inf
    return sum((fixed * a + each * b - 1) ** 2 for a, b in rows)


def number(value: float) -> str:
    """Write *value* with two or three digits that count, and thousands apart."""
    if abs(value) >= 1000:
        return f"{round(value, -1):,.0f}"
    if abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"


def ratio_text(value: float) -> str:
    """Write a ratio: two digits that count, but never more than three behind the point."""
    digits = 0 if value >= 10 else 1 if value >= 1 else 2 if value >= 0.1 else 3
    return f"{value:,.{digits}f}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown: a heading, and lines whose first cell is words and whose others are figures."""
    heading, *rest = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (heading, ["---", *("---:" for _ in heading[1:])], *rest))
