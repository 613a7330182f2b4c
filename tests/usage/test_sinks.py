"""Functions and files of lines as sinks."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from fiber import FiberValidationError, JSONLUsage, UsageRecord
from fiber.usage.sinks import FunctionUsage
from tests.usage.kit import BEGIN, FULL, record


def test_lines_come_back_as_they_were(tmp_path: Path) -> None:
    """Every field, costs to the last digit, in the order of time."""
    sink = JSONLUsage(tmp_path / "usage.jsonl")

    sink.write([record(2), FULL])
    sink.write([record(1)])

    assert list(sink.records()) == [FULL, record(1), record(2)]


def test_each_line_is_a_document(tmp_path: Path) -> None:
    """Costs are texts; what is not known is left out."""
    path = tmp_path / "usage.jsonl"

    JSONLUsage(path).write([FULL, record()])

    first, second = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert first["cost_usd"] == "1.2345678901234567890E-14"
    assert first["time"] == "2026-01-01T00:00:00Z"
    assert set(second) == {"id", "time", "provider", "model"}


def test_a_period_is_half_open(tmp_path: Path) -> None:
    """From the one time on, and before the other."""
    sink = JSONLUsage(tmp_path / "usage.jsonl")

    sink.write([record(number) for number in range(4)])
    found = sink.records(since=BEGIN + timedelta(minutes=1), until=BEGIN + timedelta(minutes=3))

    assert [one.id for one in found] == ["r1", "r2"]


def test_a_record_that_was_written_twice_is_one(tmp_path: Path) -> None:
    """By its id."""
    sink = JSONLUsage(tmp_path / "usage.jsonl")

    sink.write([record(1)])
    sink.write([record(1), record(2)])

    assert list(sink.records()) == [record(1), record(2)]


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    """What is written after it begins on a line of its own, and lines that are no records are left out."""
    path = tmp_path / "usage.jsonl"
    path.write_bytes(b'[]\n\n{"id": "torn", "ti')
    sink = JSONLUsage(path)

    sink.write([record(1)])

    assert list(sink.records()) == [record(1)]


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """And reading does not make it."""
    sink = JSONLUsage(tmp_path / "usage.jsonl")

    assert list(sink.records()) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """When the sink makes it."""
    path = tmp_path / "usage.jsonl"

    JSONLUsage(path).write([record()])

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_write_into_one_file(tmp_path: Path) -> None:
    """No line is cut by another."""
    path = tmp_path / "usage.jsonl"
    script = """
import sys
from fiber import JSONLUsage
from tests.usage.kit import record
sink, process = JSONLUsage(sys.argv[1]), int(sys.argv[2])
for batch in range(50):
    sink.write([record(n, id=f"{process}-{n}", label="x" * 500) for n in range(batch * 20, batch * 20 + 20)])
"""

    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(number)]) for number in range(3)]
    codes = [writer.wait(240) for writer in writers]

    assert codes == [0, 0, 0]
    assert len(path.read_text(encoding="utf-8").splitlines()) == 3000
    assert len({one.id for one in JSONLUsage(path).records()}) == 3000


def test_a_sink_says_where_it_writes(tmp_path: Path) -> None:
    """In its `repr`."""
    assert "usage.jsonl" in repr(JSONLUsage(tmp_path / "usage.jsonl"))


def test_a_path_must_be_one() -> None:
    """The message says what is missing."""
    with pytest.raises(FiberValidationError, match="path of a file"):
        JSONLUsage("")


def test_a_function_is_called_with_each_record() -> None:
    """Also when it raises; the first failure is told at the end."""
    seen: list[str] = []

    def function(one: UsageRecord) -> None:
        seen.append(one.id)
        if one.id != "r2":
            raise ValueError(one.id)

    with pytest.raises(ValueError, match="r1"):
        FunctionUsage(function).write([record(1), record(2), record(3)])

    assert seen == ["r1", "r2", "r3"]
