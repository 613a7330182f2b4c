"""From where books are to who keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiber import FiberValidationError, JSONLUsage, PostgresUsage, SQLiteUsage
from fiber.usage.places import sink_at


@pytest.mark.parametrize(
    ("where", "kind"),
    [("usage.jsonl", JSONLUsage), ("a/b.ndjson", JSONLUsage), ("usage.sqlite3", SQLiteUsage), ("usage", SQLiteUsage)],
)
def test_the_ending_of_a_path_says_what_it_is(where: str, kind: type) -> None:
    """Lines, or else SQLite; as text or as path."""
    assert type(sink_at(where)) is type(sink_at(Path(where))) is kind


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_url_is_a_database(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is connected yet, and nobody sees the password."""
    monkeypatch.setattr("fiber.usage.postgres.find_spec", lambda name: True)

    sink = sink_at(f"{scheme}://me:canary@localhost/db")

    assert isinstance(sink, PostgresUsage)
    assert "canary" not in repr(sink) + repr(vars(sink))


@pytest.mark.parametrize("where", ["", "mysql://localhost/db"])
def test_nothing_and_other_databases_are_errors(where: str) -> None:
    """The message says what there is."""
    with pytest.raises(FiberValidationError, match="postgresql://"):
        sink_at(where)
