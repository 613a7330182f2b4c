"""Commands that read what calls took."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fiber import NO_RETRY, Cache, FiberError, JSONLUsage, SQLiteUsage, UsageRecord
from fiber.cli import main
from fiber.testing import MockServer
from fiber.testing.fake import json_reply, sse_reply
from fiber.types.usage import FIELDS
from tests.kit import KEY, START, piece, refused, scripted, streamed, whole
from tests.usage.kit import BEGIN, FULL, record

RECORDS = [
    record(0, cost_usd=Decimal("0.10"), input_tokens=3, output_tokens=5, latency_ms=20.0, tenant="a", label="x"),
    record(1, cost_usd=Decimal("0.2"), input_tokens=4, output_tokens=6, latency_ms=30.4, tenant="b", model="other"),
    record(2, outcome="error", error="FiberTimeoutError", tenant="a"),
    record(3, time=BEGIN + timedelta(days=1), cached=True, cost_usd=Decimal(0), saved_usd=Decimal("0.1"), tenant="a"),
    record(4, time=BEGIN + timedelta(days=1), input_tokens=1, output_tokens=1, conversation_id="c"),
]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No close gives up because a machine is busy."""
    monkeypatch.setattr("fiber.metering.courier._CLOSE_SECONDS", 60.0)


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some records in the user's own file; its path."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    sink = SQLiteUsage()
    sink.write(RECORDS)
    return sink.path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return exit code, output and errors."""
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(str(ended.code))
    said = capsys.readouterr()
    return code, said.out, said.err


def ids(output: str) -> list[str]:
    """Return the ids of JSON lines."""
    return [json.loads(line)["id"] for line in output.splitlines()]


@pytest.mark.usefixtures("books")
def test_stats_are_a_table_by_day(capsys: pytest.CaptureFixture[str]) -> None:
    """With all of it at the end; what has no price is told."""
    code, out, error = run(capsys, "stats")

    title, columns, *days, total = [line.split() for line in out.splitlines()]
    assert (code, title, columns[0]) == (0, ["Usage"], "day")
    assert days == [
        ["2026-01-01", "3", "1", "0", "7", "11", "0.3", "0", "20", "30", "30"],
        ["2026-01-02", "2", "0", "1", "1", "1", "0", "0.1", "0", "0", "0"],
    ]
    assert total[:7] == ["total", "5", "1", "1", "8", "12", "0.3"]
    assert "price of 1 calls" in error


@pytest.mark.usefixtures("books")
def test_stats_of_calls_whose_prices_are_known_are_told_without_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    """One day is one line, and the whole another."""
    code, out, error = run(capsys, "stats", "--tenant", "b")

    assert (code, len(out.splitlines()), error) == (0, 4, "")


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("week", ["2026-W01"]),
        ("month", ["2026-01"]),
        ("model", ["openai:other", "openai:gpt-test"]),
        ("provider", ["openai"]),
        ("tenant", ["b", "a", ""]),
    ],
)
def test_stats_are_by_what_is_asked_for(capsys: pytest.CaptureFixture[str], by: str, keys: list[str]) -> None:
    """As JSON, exactly."""
    code, out, _ = run(capsys, "stats", "--by", by, "--json")

    documents = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [document["key"] for document in documents] == keys
    assert sum(Decimal(document["cost_usd"]) for document in documents) == Decimal("0.30")


@pytest.mark.usefixtures("books")
def test_stats_as_values(capsys: pytest.CaptureFixture[str]) -> None:
    """Separated by commas, below their names."""
    _, out, error = run(capsys, "stats", "--csv", "--by", "tenant")

    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["key"], row["calls"]) for row in rows] == [("b", "1"), ("a", "3"), ("", "1")]
    assert [row["cost_usd"] for row in rows] == ["0.2", "0.10", "0"]
    assert rows[0]["p50_ms"] == "30.4"
    assert error == ""


@pytest.mark.usefixtures("books")
def test_logs_are_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Oldest first, each with what became of it."""
    code, out, _ = run(capsys, "logs")

    title, _, *lines = [line.split() for line in out.splitlines()]
    assert (code, title, len(lines)) == (0, ["Calls"], 5)
    assert lines[0] == ["2026-01-01", "00:00:00", "openai:gpt-test", "complete", "3", "5", "0.1", "20", "a", "x"]
    assert [line[3] for line in lines] == ["complete", "complete", "FiberTimeoutError", "cached", "complete"]


@pytest.mark.usefixtures("books")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), "r0 r1 r2 r3 r4"),
        (("--limit", "2"), "r3 r4"),
        (("--limit", "0"), "r0 r1 r2 r3 r4"),
        (("--errors",), "r2"),
        (("--tenant", "a"), "r0 r2 r3"),
        (("--tenant", ""), "r4"),
        (("--model", "other"), "r1"),
        (("--provider", "never"), ""),
        (("--label", "x"), "r0"),
        (("--outcome", "error"), "r2"),
        (("--conversation-id", "c"), "r4"),
        (("--since", "2026-01-01T00:01"), "r1 r2 r3 r4"),
        (("--since", "2026-01-01T01:01+01:00", "--until", "2026-01-02"), "r1 r2"),
        (("--since", "1d"), ""),
    ],
)
def test_logs_are_those_that_are_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    """Nothing found is no failure."""
    code, out, _ = run(capsys, "logs", "--json", *arguments)

    assert code == 0
    assert ids(out) == expected.split()


def test_logs_as_values_are_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Every column, exactly; a text may hold commas, quotes and lines."""
    path = tmp_path / "usage.jsonl"
    JSONLUsage(path).write([FULL])

    _, out, _ = run(capsys, "logs", "--csv", "--from", str(path))

    names, row = list(csv.reader(io.StringIO(out)))
    found = dict(zip(names, row, strict=True))
    assert tuple(names) == FIELDS
    assert (found["tenant"], found["cost_usd"]) == (FULL.tenant, "0.000000000000012345678901234567890")
    assert json.loads(found["metadata"]) == FULL.metadata


def test_a_page_is_written(capsys: pytest.CaptureFixture[str], tmp_path: Path, books: Path) -> None:
    """Of the records that are asked for, from where the variable says."""
    file = tmp_path / "usage.html"

    code, out, _ = run(capsys, "stats", "--html", str(file), "--tenant", "b", "--from", str(books))

    assert (code, out) == (0, "")
    assert '<data value="0.2">' in file.read_text(encoding="utf-8")
    assert '<data value="0.3">' not in file.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_an_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, books: Path
) -> None:
    """It names the file."""
    code, _, error = run(capsys, "stats", "--from", str(books), "--html", str(tmp_path / "no" / "usage.html"))

    assert code == 1
    assert "usage.html cannot be written" in error


def test_the_variable_says_where(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The argument wins."""
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    JSONLUsage(first).write([record(1)])
    JSONLUsage(second).write([record(2)])
    monkeypatch.setenv("FIBER_USAGE", str(first))

    _, said, _ = run(capsys, "logs", "--json")
    _, asked, _ = run(capsys, "logs", "--json", "--from", str(second))

    assert (ids(said), ids(asked)) == (["r1"], ["r2"])


def test_a_command_writes_down_its_calls(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the variable says where, before it ends; calls to the mock server are nobody's usage."""
    monkeypatch.setenv("FIBER_USAGE", str(tmp_path / "usage.sqlite3"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    with MockServer() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        code, *_ = run(capsys, "ask", "-m", "openai:gpt-test", "Hello")
        over_mock, *_ = run(capsys, "ask", "--mock", "Hello")
    found: list[UsageRecord] = list(SQLiteUsage(tmp_path / "usage.sqlite3").records())

    assert (code, over_mock) == (0, 0)
    assert [(one.provider, one.model, one.outcome) for one in found] == [("openai", "gpt-test", "complete")]


@pytest.mark.parametrize("command", ["stats", "logs"])
def test_no_usage_is_exit_code_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The message says how to have some."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    code, out, error = run(capsys, command)

    assert (code, out) == (1, "")
    assert "FIBER_USAGE" in error


def test_neither_keys_nor_contents_are_written_anywhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when a provider repeats them in its refusals: not in lines, tables, values or pages."""
    prompt, said = "canary-prompt", "canary-answer"
    lines, table, drawn = tmp_path / "usage.jsonl", tmp_path / "usage.sqlite3", tmp_path / "usage.html"
    records: list[UsageRecord] = []
    script = (
        whole(said),
        streamed(said, said),
        refused(400, code=KEY, message=f"{KEY} {prompt}"),
        refused(401, code=prompt, message=f"{KEY} {prompt}"),
        sse_reply(START, piece(said)),
        json_reply({"error": f"{KEY} {prompt}"}),
    )
    fiber, _ = scripted(*script, usage=[lines, table, records.append], cache=Cache(), retry=NO_RETRY)

    for number in range(len(script)):
        with suppress(FiberError):
            if number in (1, 4):
                fiber.sync.chat_stream(f"{prompt} {number}", user=prompt, metadata={"a": prompt}).collect()
            else:
                fiber.sync.chat(f"{prompt} {number}", cache_policy="write_through", extra_body={"b": prompt})
    fiber.sync.chat(f"{prompt} 0", cache_policy="write_through", extra_body={"b": prompt})
    fiber.sync.close()
    for arguments in (("logs",), ("logs", "--json"), ("logs", "--csv"), ("stats", "--html", str(drawn))):
        assert main([*arguments, "--from", str(table)]) == 0
    shown = capsys.readouterr()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    everything = written + f"{records!r}{shown.out}{shown.err}{fiber.usage!r}".encode()
    assert [one.outcome for one in records] == [
        "complete",
        "complete",
        "error",
        "error",
        "truncated",
        "error",
        "complete",
    ]
    assert all(word.encode() not in everything for word in (KEY, prompt, said))
