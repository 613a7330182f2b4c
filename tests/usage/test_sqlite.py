"""Books in a SQLite file."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fiber import FiberValidationError, SQLiteUsage
from fiber.types.usage import FIELDS
from fiber.usage.sqlite import record_of_row
from tests.kit import eventually
from tests.usage.kit import BEGIN, FULL, record

CALLS = """
import sys
from fiber import SQLiteUsage
from tests.kit import scripted, whole
from tests.layers.test_budget import Flat
path, name, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
fiber, _ = scripted(*[whole() for _ in range(calls)], usage=SQLiteUsage(path), prices=Flat())
"""
"""A process that makes calls and writes them down."""


def started(script: str, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process."""
    return subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], **options)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    """Every field, costs to the last digit, in the order of time."""
    sink = SQLiteUsage(tmp_path / "usage.sqlite3")

    sink.write([record(2), FULL])
    sink.write([record(1)])

    assert list(sink.records()) == [FULL, record(1), record(2)]


def test_any_program_can_read_the_table(tmp_path: Path) -> None:
    """Costs are texts without an exponent, times sort as texts, truths are 0 or 1."""
    sink = SQLiteUsage(tmp_path / "usage.sqlite3")
    sink.write([FULL])

    with closing(sqlite3.connect(sink.path)) as database:
        [row] = database.execute("SELECT time, cost_usd, saved_usd, stream, input_tokens, metadata, user FROM usage")

    *values, metadata, user = row
    assert values == ["2026-01-01T00:00:00.000000+00:00", "0.000000000000012345678901234567890", "0.000000001", 1, 3]
    assert (json.loads(metadata), user) == (FULL.metadata, "ü")


def test_a_row_of_another_database_is_a_record_too() -> None:
    """One that keeps values as they are."""
    values = {name: getattr(FULL, name) for name in FIELDS}

    assert record_of_row({**values, "label": None}) == msgspec.structs.replace(FULL, label="")


def test_a_period_is_half_open(tmp_path: Path) -> None:
    """From the one time on, and before the other, in whichever zone they are said."""
    sink = SQLiteUsage(tmp_path / "usage.sqlite3")
    zone = timezone(timedelta(hours=5))

    sink.write([record(number) for number in range(4)])
    found = sink.records(since=(BEGIN + timedelta(minutes=1)).astimezone(zone), until=BEGIN + timedelta(minutes=3))

    assert [one.id for one in found] == ["r1", "r2"]


def test_a_record_that_was_written_twice_is_one(tmp_path: Path) -> None:
    """By its id."""
    sink = SQLiteUsage(tmp_path / "usage.sqlite3")

    sink.write([record(1)])
    sink.write([record(1), record(2)])

    assert list(sink.records()) == [record(1), record(2)]


@pytest.mark.parametrize("kind", ["missing", "empty"])
def test_a_file_without_the_table_is_empty(tmp_path: Path, kind: str) -> None:
    """And reading makes none."""
    path = tmp_path / "usage.sqlite3"
    if kind == "empty":
        path.touch()

    assert list(SQLiteUsage(path).records()) == []
    assert path.exists() is (kind == "empty")


@pytest.mark.parametrize("kind", ["text", "other table"])
def test_the_file_of_something_else_is_an_error(tmp_path: Path, kind: str) -> None:
    """The message names it."""
    path = tmp_path / "usage.sqlite3"
    if kind == "text":
        path.write_text("no database" * 100, encoding="utf-8")
    else:
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE usage (what TEXT)")

    with pytest.raises(FiberValidationError, match=r"usage\.sqlite3 holds no usage"):
        list(SQLiteUsage(path).records())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_default_file_is_in_the_folder_of_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made when something is written, for its owner alone."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    sink = SQLiteUsage()

    before = list(tmp_path.iterdir())
    sink.write([record()])

    assert before == []
    assert sink.path == tmp_path / "state" / "fiber" / "usage.sqlite3"
    assert stat.S_IMODE(sink.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(sink.path.parent.stat().st_mode) == 0o700
    assert str(sink.path) in repr(sink)


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    """Where the caller said the path, a wrong one must not go unseen."""
    with pytest.raises(FileNotFoundError):
        SQLiteUsage(tmp_path / "no" / "usage.sqlite3").write([record()])


def test_another_process_may_be_turning_the_file_around(tmp_path: Path) -> None:
    """Then the records are written in whatever way the file has."""
    sink = SQLiteUsage(tmp_path / "usage.sqlite3")
    sink.write([record(1)])

    with closing(sqlite3.connect(sink.path)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN")
        other.execute("SELECT * FROM usage").fetchone()
        with closing(sink._connected()) as database:
            mode = database.execute("PRAGMA journal_mode").fetchone()

    assert mode == ("delete",)


def test_eight_processes_write_into_one_file(tmp_path: Path) -> None:
    """A thousand calls each: no record is lost, none is doubled, and all is paid."""
    path = tmp_path / "usage.sqlite3"
    script = (
        CALLS
        + """
for number in range(calls):
    fiber.sync.chat("Hi", context={"tenant": name, "number": number})
assert fiber.usage.flush(200)
assert fiber.usage.lost == 0
fiber.sync.close()
"""
    )

    writers = [started(script, path, number, 1000) for number in range(8)]
    codes = [writer.wait(240) for writer in writers]
    records = list(SQLiteUsage(path).records())

    assert codes == [0] * 8
    assert Counter((one.tenant, one.metadata["number"]) for one in records) == {
        (str(process), number): 1 for process in range(8) for number in range(1000)
    }
    assert f"{sum(one.cost_usd or 0 for one in records):.2f}" == "0.64"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_kill_loses_at_most_what_was_not_written_yet(tmp_path: Path) -> None:
    """All that was flushed is there, and nothing is torn; what followed may be there or not, in order."""
    path = tmp_path / "usage.sqlite3"
    script = (
        CALLS
        + """
for number in range(100):
    fiber.sync.chat("Hi", context={"number": number})
assert fiber.usage.flush(30)
print("flushed", flush=True)
for number in range(100, calls):
    fiber.sync.chat("Hi", context={"number": number})
print("called", flush=True)
sys.stdin.read()
"""
    )

    with started(script, path, "", 1000, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = [process.stdout.readline(), process.stdout.readline()]
        os.kill(process.pid, signal.SIGKILL)
    numbers = [one.metadata["number"] for one in SQLiteUsage(path).records()]
    with closing(sqlite3.connect(path)) as database:
        state = database.execute("PRAGMA integrity_check").fetchone()

    assert said == [b"flushed\n", b"called\n"]
    assert sorted(numbers) == list(range(len(numbers)))
    assert 100 <= len(numbers) <= 1000
    assert state == ("ok",)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_records_are_written_without_being_asked_for(tmp_path: Path) -> None:
    """A process that lives on and is killed later loses none of them."""
    path = tmp_path / "usage.sqlite3"
    script = (
        CALLS
        + """
for number in range(calls):
    fiber.sync.chat("Hi")
print("called", flush=True)
sys.stdin.read()
"""
    )

    with started(script, path, "", 300, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        eventually(lambda: len(list(SQLiteUsage(path).records())) == 300)
        os.kill(process.pid, signal.SIGKILL)

    assert len(list(SQLiteUsage(path).records())) == 300
