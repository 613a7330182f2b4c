"""A thin sample of the recordings, quick enough for every run of the tests; `nox -s conformance` replays them all."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.recordings import FOLDER, FORMATS, read
from tests.conformance.replay import replay
from tests.conformance.report import BASELINE, Tally, by_provider, judge, read_baseline, right
from tests.conformance.reviewed import REVIEWED

EVERY = 25
CHUNKINGS = 2
LEAST_SHARE = 0.995


@pytest.fixture(autouse=True)
def recordings() -> None:
    """Need the recordings, which lie beside the repository: skipped without them on a desk, failed in CI."""
    if FOLDER.is_dir():
        return
    reason = "../shared/wire is missing: there are no recordings to replay"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.parametrize("endpoint", FORMATS)
def test_recordings_decode_to_what_they_say(endpoint: str) -> None:
    """Every sampled recording gives the text, calls, reason and usage in it, however it is cut, and goes back whole."""
    rows = read(endpoint)[::EVERY]

    problems = {row.id: judge(row.id, replay(row, FORMATS[endpoint], CHUNKINGS)) for row in rows}

    assert {id: found for id, found in problems.items() if found} == {}


def test_reviewed_recordings_raise_what_was_reviewed() -> None:
    """Each recording that rightly fails does so with the class that was reviewed."""
    rows = {row.id: row for endpoint in {id.rpartition(".")[0] for id in REVIEWED} for row in read(endpoint)}

    problems = {id: judge(id, replay(rows[id], FORMATS[rows[id].endpoint], CHUNKINGS)) for id in REVIEWED}

    assert {id: found for id, found in problems.items() if found} == {}


def test_baseline_has_every_endpoint() -> None:
    """The recorded figures cover the endpoints that have to conform, and account for every row."""
    baseline = read_baseline()

    assert list(baseline) == list(FORMATS), BASELINE
    assert all(counts["passed"] + counts["truthful"] <= counts["rows"] for counts in baseline.values())


def test_every_endpoint_is_replayed_or_the_docs_say_why_not() -> None:
    """Nothing that was recorded is passed over in silence."""
    docs = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")
    endpoints = {path.name.partition(".jsonl")[0] for path in FOLDER.glob("*.jsonl*")} - set(FORMATS)

    silent = {name for name in endpoints if f"`{name}`" not in docs and f"`*.{name.partition('.')[2]}`" not in docs}

    assert endpoints
    assert silent == set()


def test_promise_that_leads_elsewhere_is_a_problem() -> None:
    """A promise is held to the recording's own addresses, and to be no answer."""
    [row] = [row for row in read("replicate.predictions") if row.id.endswith("e6f05bbb96")]
    other = "https://elsewhere.example"

    good = replay(row, "replicate", CHUNKINGS)
    astray = replay(replace(row, text=row.text.replace("https://", f"{other}/")), "replicate", CHUNKINGS)

    assert (good.kind, good.problems) == ("promise", [])
    assert len(astray.problems) == 3
    assert all(other in problem for problem in astray.problems)


def test_baseline_is_right_for_every_provider() -> None:
    """Of what each provider answered, at least 99.5 % are read as what they are; the rest would be failures."""
    tallies = [Tally(endpoint, Counter(counts)) for endpoint, counts in read_baseline().items()]

    shares = {tally.endpoint: right(tally) for tally in by_provider(tallies)}

    assert len(shares) >= 32
    assert {provider: share for provider, share in shares.items() if share < LEAST_SHARE} == {}
