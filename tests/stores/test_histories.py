"""Where conversations are kept."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fiber import FiberValidationError, FileHistories, MemoryHistories, SQLiteHistories

KINDS = ("memory", "file", "sqlite")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """One of each kind."""
    return {
        "memory": MemoryHistories,
        "file": lambda: FileHistories(tmp_path / "talks"),
        "sqlite": lambda: SQLiteHistories(tmp_path / "talks.db"),
    }[request.param]()


def test_what_was_saved_last_is_loaded(store: Any) -> None:
    """By any id, until it is deleted."""
    for id in ("a", "../b", "\ud800" if not isinstance(store, SQLiteHistories) else "ü"):
        assert store.load(id) is None
        store.save(id, b"1", revision=1)
        store.save(id, b"2", revision=2)
        assert store.load(id) == b"2"
    store.delete("a")
    store.delete("a")

    assert store.load("a") is None
    assert store.load("../b") == b"2"
    store.save("a", b"3", revision=1)
    assert store.load("a") == b"3"


@pytest.mark.parametrize("revision", [1, 2, 4])
def test_nobody_overwrites_what_another_saved(store: Any, revision: int) -> None:
    """Only the next revision is taken."""
    store.save("a", b"1", revision=1)
    store.save("a", b"2", revision=2)
    with pytest.raises(FiberValidationError) as caught:
        store.save("a", b"x", revision=revision)

    assert caught.value.parameter == "conversation"
    assert store.load("a") == b"2"


def test_a_first_revision_must_be_the_first(store: Any) -> None:
    """What was deleted meanwhile is not gone on with."""
    with pytest.raises(FiberValidationError):
        store.save("a", b"2", revision=2)

    assert store.load("a") is None


def test_of_many_who_go_on_from_one_point_one_does(store: Any) -> None:
    """Threads race for each revision; every revision is saved, and once."""
    won = []

    def race(number: int) -> None:
        for revision in range(1, 11):
            try:
                store.save("a", f"{number}".encode(), revision=revision)
                won.append(revision)
            except FiberValidationError:
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(race, range(4)))

    assert sorted(won) == list(range(1, 11))
    assert store.load("a") is not None


def test_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    """One file a conversation, and no name that a caller chose."""
    store = FileHistories(tmp_path / "talks")
    for revision in (1, 2, 3):
        store.save("../../etc/passwd", b"x", revision=revision)
    (file,) = (tmp_path / "talks").glob("*.json")

    assert stat.S_IMODE(os.stat(tmp_path / "talks").st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "passwd" not in file.name


def test_a_file_that_vanishes_while_it_is_read_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that took its place is read; or nothing, when all are gone."""
    store = FileHistories(tmp_path)
    store.save("a", b"1", revision=1)
    (file,) = tmp_path.glob("*.json")
    seen = iter([[(0, tmp_path / "gone.json")], [(1, file)], [(0, tmp_path / "gone.json")], []])
    monkeypatch.setattr(store, "_files", lambda id: next(seen))

    assert store.load("a") == b"1"
    assert store.load("a") is None


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    """Before anything was saved there is nothing to delete."""
    store = FileHistories(tmp_path / "talks")
    store.delete("a")
    store.save("a", b"1", revision=1)

    store.delete("a")

    assert store.load("a") is None


@pytest.mark.parametrize("kind", [FileHistories, SQLiteHistories])
def test_a_place_is_needed(kind: Any) -> None:
    """An empty path is a mistake."""
    with pytest.raises(FiberValidationError) as caught:
        kind("")

    assert caught.value.parameter == "path"


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Nothing of it is changed, and the message says what to do."""
    path = tmp_path / "notes.txt"
    path.write_bytes(b"no database" * 100)

    with pytest.raises(FiberValidationError, match="another file") as caught:
        SQLiteHistories(path).load("a")

    assert caught.value.parameter == "path"
    assert path.read_bytes() == b"no database" * 100
