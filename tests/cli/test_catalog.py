"""Commands that ask the catalogue."""

from __future__ import annotations

import json

import pytest

from fiber.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return exit code, output and errors."""
    code = main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_info_tells_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, without what is unknown, or as JSON."""
    code, table, _ = run(capsys, "info", "openai:gpt-6-luna")
    _, document, _ = run(capsys, "info", "openai:gpt-6-luna", "--json")

    assert code == 0
    assert "max_output_tokens" in table
    assert "sampling" not in table
    assert json.loads(document)["output_usd"] == "0.5"


def test_info_of_an_unknown_model_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what to write."""
    code, out, error = run(capsys, "info", "openai:gpt-never")

    assert (code, out) == (1, "")
    assert "provider:model" in error


def test_find_lists_models_best_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Requirements are names, or names with values."""
    wanted = ("provider=openai", "vision", "max-input-tokens=900_000", "input_usd=0.5", "audio=false")
    code, out, _ = run(capsys, "find", *wanted, "--limit", "2")
    _, documents, _ = run(capsys, "find", *wanted, "--json")

    assert code == 0
    assert out.split() == ["openai:gpt-6-luna", "openai:gpt-5.6-luna"]
    assert all(json.loads(line)["vision"] for line in documents.splitlines())


@pytest.mark.parametrize(
    ("wanted", "why"), [("visions", "Did you mean 'vision'"), ("max_input_tokens=many", "must be a number")]
)
def test_a_wrong_requirement_fails(capsys: pytest.CaptureFixture[str], wanted: str, why: str) -> None:
    """The message names it."""
    code, _, error = run(capsys, "find", wanted)

    assert code == 1
    assert why in error


def test_find_nothing_is_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A script can ask."""
    assert run(capsys, "find", "vision", "max_input_tokens=999999999") == (1, "", "")


def test_cost_is_estimated_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """In plain digits, with the day of the prices."""
    arguments = ("cost", "Name a river.", "--model", "openai:gpt-6-luna", "--max-tokens", "100")
    code, table, _ = run(capsys, *arguments)
    _, document, _ = run(capsys, *arguments, "--json")

    assert code == 0
    assert "0.000050" in table
    assert "E-" not in table
    assert json.loads(document)["status"] == "priced"


def test_an_unknown_cost_is_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason."""
    code, out, error = run(capsys, "cost", "x", "--model", "openai:gpt-never")

    assert (code, out) == (1, "")
    assert "model_not_in_catalogue" in error


def test_tokens_are_estimated(capsys: pytest.CaptureFixture[str]) -> None:
    """As a number, or as JSON."""
    code, out, _ = run(capsys, "tokens", "Name a river.")
    _, document, _ = run(capsys, "tokens", "Name a river.", "--json", "--model", "gpt-6-sol")

    assert code == 0
    assert json.loads(document) == {"input_tokens": int(out)}
