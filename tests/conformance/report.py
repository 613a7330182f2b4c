"""The figures of a run, their comparison with the recorded baseline, and how both are printed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance.replay import Verdict
from tests.conformance.reviewed import REVIEWED
from tests.conformance.shown import COLUMNS

BASELINE = Path(__file__).with_name("baseline.json")
COUNTED = ("rows", "whole", "streams", "errors", "promises", "passed", "truthful", "natives")
"""Figures of an endpoint that the baseline holds; none of them may fall."""
SHOWS = "shows "
"""With the name of a column behind it: how many recordings that passed speak for that column of the scoreboard."""

_READ = ("whole", "streams", "errors", "promises")
_COLUMNS = ("rows", *_READ, "other", "passed", "truthful", "failed", "cut", "natives", "left out")
_KINDS = {"whole": "whole", "stream": "streams", "error": "errors", "promise": "promises", "other": "other"}
_MOST_SHOWN = 40
_MOST_FIELDS = 12


def judge(id: str, verdict: Verdict) -> list[str]:
    """Return what is wrong with a recording; an exception is, unless the reviewed table foretells it."""
    foretold, _ = REVIEWED.get(id, ("", ""))
    if verdict.raised.partition(":")[0] == foretold:
        return verdict.problems
    return [*verdict.problems, f"raised {verdict.raised or 'nothing'}; reviewed is {foretold or 'nothing'}"]


@dataclass
class Tally:
    """
    What one endpoint, or a share of it, came to.

    Attributes:
        failures: Id and words of what is wrong.
        raised: Exceptions that are no failure, each class with its ids.
    """

    endpoint: str
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)
    raised: dict[str, list[str]] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    shows: Counter[str] = field(default_factory=Counter)

    def add(self, id: str, verdict: Verdict) -> None:
        """Judge one recording."""
        counts = self.counts
        counts["rows"] += 1
        counts[_KINDS[verdict.kind]] += 1
        counts["cut"] += verdict.chunkings
        counts["natives"] += verdict.natives
        counts["left out"] += verdict.left_out
        self.unknown.update(verdict.unknown)
        problems = judge(id, verdict)
        self.failures.extend((id, problem) for problem in problems)
        if problems:
            counts["failed"] += 1
        elif verdict.raised:
            counts["truthful"] += 1
            self.raised.setdefault(verdict.raised.partition(":")[0], []).append(id)
        elif verdict.kind != "other":
            counts["passed"] += 1
            self.shows.update(verdict.shows)

    def merge(self, share: Tally) -> None:
        """Add another share of the same endpoint."""
        self.counts.update(share.counts)
        self.failures.extend(share.failures)
        self.unknown.update(share.unknown)
        self.shows.update(share.shows)
        for kind, ids in share.raised.items():
            self.raised.setdefault(kind, []).extend(ids)


def by_provider(tallies: Iterable[Tally]) -> list[Tally]:
    """Add up the endpoints of each provider."""
    sums: dict[str, Tally] = {}
    for tally in tallies:
        provider = tally.endpoint.partition(".")[0]
        sums.setdefault(provider, Tally(provider)).merge(tally)
    return [sums[provider] for provider in sorted(sums)]


def right(tally: Tally) -> float:
    """Return the share of answers that are read as what they are: an answer, or an error that the table foretells."""
    counts = tally.counts
    return (counts["passed"] + counts["truthful"]) / max(1, sum(counts[kind] for kind in _READ))


def table(tallies: Iterable[Tally], heading: str = "endpoint") -> str:
    """Return the figures, one line for each endpoint or provider."""
    rows = [[heading, *_COLUMNS, "right"]]
    rows += [[each.endpoint, *(str(each.counts[name]) for name in _COLUMNS), f"{right(each):.1%}"] for each in tallies]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            word.ljust(width) if not at else word.rjust(width)
            for at, (word, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def details(tally: Tally) -> str:
    """Return what is to be said about one endpoint: truthful exceptions, new members, failures."""
    lines = [f"{tally.endpoint}"]
    for kind, ids in sorted(tally.raised.items()):
        lines.append(f"  truthful {kind}: {len(ids)}")
        lines.extend(f"    {id}: {REVIEWED.get(id, ('', 'not reviewed'))[1]}" for id in sorted(ids))
    if tally.unknown:
        top = ", ".join(f"{name} ({count})" for name, count in tally.unknown.most_common(_MOST_FIELDS))
        lines.append(f"  unknown members: {len(tally.unknown)} names, {tally.unknown.total()} times: {top}")
    lines.extend(f"  FAILED {id}: {words}" for id, words in tally.failures[:_MOST_SHOWN])
    if len(tally.failures) > _MOST_SHOWN:
        lines.append(f"  ... and {len(tally.failures) - _MOST_SHOWN} more")
    return "\n".join(lines) if len(lines) > 1 else ""


def figures(tallies: Iterable[Tally]) -> dict[str, dict[str, int]]:
    """Return the figures that the baseline holds."""
    return {
        each.endpoint: {name: each.counts[name] for name in COUNTED}
        | {SHOWS + name: each.shows[name] for name in COLUMNS if each.shows[name]}
        for each in tallies
    }


def below_baseline(tallies: Iterable[Tally], baseline: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Say which figures fell below *baseline*."""
    now = figures(tallies)
    return [
        f"{endpoint}: {name} fell from {count} to {now.get(endpoint, {}).get(name, 0)}"
        for endpoint, counts in baseline.items()
        for name, count in counts.items()
        if now.get(endpoint, {}).get(name, 0) < count
    ]


def read_baseline() -> dict[str, dict[str, int]]:
    """Return the recorded figures; none when there are none yet."""
    if not BASELINE.exists():
        return {}
    recorded: dict[str, dict[str, int]] = json.loads(BASELINE.read_text(encoding="utf-8"))
    return recorded


def write_baseline(tallies: Iterable[Tally]) -> None:
    """Record the figures."""
    BASELINE.write_text(json.dumps(figures(tallies), indent=2) + "\n", encoding="utf-8")
