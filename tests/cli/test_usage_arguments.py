"""Arguments of the commands that read what calls took."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fiber import JSONLUsage
from fiber.cli.commands.usage import BY
from fiber.usage.summing import KEYS
from tests.cli.test_usage import ids, run
from tests.usage.kit import record


def test_all_can_be_summed_that_is_offered() -> None:
    """And all is offered that can be summed."""
    assert tuple(KEYS) == BY


@pytest.mark.parametrize("unit", "mhdw")
def test_a_time_may_be_said_as_how_long_ago(capsys: pytest.CaptureFixture[str], tmp_path: Path, unit: str) -> None:
    """Minutes, hours, days or weeks."""
    path = tmp_path / "usage.jsonl"
    JSONLUsage(path).write([record(1), record(2, time=datetime.now(UTC))])

    _, out, _ = run(capsys, "logs", "--json", "--from", str(path), "--since", f"9{unit}")

    assert ids(out) == ["r2"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("stats", "--since", "never"),
        ("stats", "--by", "mood"),
        ("logs", "--limit", "-1"),
        ("logs", "--until", "7y"),
    ],
)
def test_wrong_usage_is_exit_code_two(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    """As for all commands."""
    code, out, _ = run(capsys, *arguments)

    assert (code, out) == (2, "")
