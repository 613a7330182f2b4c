"""What recorded answers cost, read again by the command."""

from __future__ import annotations

import io
import json
import os
import sys
from argparse import Namespace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from fiber import Cost
from fiber.cli import main
from fiber.cli.recorded import cost_of
from tests.conformance.recordings import FOLDER, FORMATS, read
from tests.conformance.replay import row_of
from tests.registry.locking.samples import bindings, lockfile
from tests.registry.test_invoice import INVOICE

DAY = date(2026, 11, 20)
WHOLE = {
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5-5",
    "content": [{"type": "text", "text": "The Aare."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1000, "output_tokens": 200},
}
STREAM = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"model":"gpt-6-luna","usage":{"prompt_tokens":10,"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with an answer and an alias."""
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, bindings(deep=["claude-sonnet-5-5"]))
    (tmp_path / "answer.json").write_text(json.dumps(WHOLE))
    return tmp_path


def cost(*arguments: str) -> list[str]:
    """Return the arguments of the command, as of the day."""
    return ["cost", *arguments, "--at", str(DAY)]


def test_a_whole_answer_is_priced(capsys: pytest.CaptureFixture[str]) -> None:
    """Line by line, by the name of its model or an alias."""
    code = main(cost("--response", "answer.json", "-m", "deep"))
    shown = capsys.readouterr().out
    main(cost("--response", "answer.json", "-m", "anthropic:claude-sonnet-5-5", "--json"))

    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert shown.splitlines()[-1].split() == ["total", "0.004000"]
    assert Decimal(found["usd"]) == Decimal("0.004")
    assert [(line["component"], line["quantity"]) for line in found["lines"]] == [("input", 1000), ("output", 200)]


def test_a_stream_is_priced(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from standard input."""
    stdin = io.TextIOWrapper(io.BytesIO(STREAM))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert main(cost("--response", "-", "-m", "openai:gpt-6-luna", "--json")) == 0
    assert Decimal(json.loads(capsys.readouterr().out)["usd"]) == Decimal("0.000002")


def test_what_the_provider_says_counts(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Then there are no lines, and no day."""
    said = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 0.25},
    }
    (folder / "answer.json").write_text(json.dumps(said))

    assert main(cost("--response", "answer.json", "-m", "openrouter:some/model")) == 0
    assert "openrouter:some/model, the provider's word\n" in (shown := capsys.readouterr().out)
    assert shown.splitlines()[-1].split() == ["total", "0.25"]


@pytest.mark.parametrize(
    ("content", "path", "why"),
    [
        (b"Not found", "answer.json", "FiberParsingError"),
        (b"{}", "answer.json", "FiberParsingError"),
        (STREAM[:70], "answer.json", "FiberStreamInterruptedError"),
        (b"", "nowhere.json", "nowhere.json cannot be read: No such file or directory."),
    ],
)
def test_what_is_no_answer_is_told(
    content: bytes, path: str, why: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """With exit code 1."""
    (folder / "answer.json").write_bytes(content)

    assert main(cost("--response", path, "-m", "openai:gpt-6-luna")) == 1
    assert why in capsys.readouterr().err


def test_an_estimate_is_of_the_day_too(capsys: pytest.CaptureFixture[str]) -> None:
    """A price that changes on a day is right on both sides of it."""
    rates = []
    for day in ("2026-04-29", "2026-04-30"):
        main(["cost", "hello", "-m", "xai:grok-4.20", "--json", "--at", day])
        rates.append([line["rate"] for line in json.loads(capsys.readouterr().out)["lines"]])

    assert rates == [["2", "6"], ["1.25", "2.5"]]


@pytest.mark.parametrize("endpoint", sorted({line["endpoint"] for line in INVOICE}))
def test_recorded_answers_cost_what_the_invoice_says(endpoint: str) -> None:
    """To the last digit, through the whole machine, whole and streamed."""
    if not FOLDER.is_dir():
        reason = "../shared/wire is missing: there are no recordings to price"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    recordings = {recording.id: recording for recording in read(endpoint)}
    format = FORMATS[endpoint]
    row = row_of(endpoint.partition(".")[0], format)
    if row is None:
        pytest.skip(f"no row speaks {format} with {endpoint}")

    for line in (line for line in INVOICE if line["endpoint"] == endpoint):
        options = Namespace(lockfile=None, profile=None, at=DAY)
        found: Cost = cost_of(recordings[line["id"]].body(format), f"{row.name}:{line['model']}", options)

        assert found.usd == Decimal(line["usd"]), line["id"]
