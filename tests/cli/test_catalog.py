"""Commands that ask the catalogue."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fiber.cli import main, output
from tests.registry.locking.samples import TEXT, lockfile


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


def test_info_of_a_misspelt_model_tells_those_that_are_near(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models and aliases; as JSON when that was asked for."""
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, TEXT)

    _, _, error = run(capsys, "info", "claude-sonet-5-5", "--json")
    _, _, near = run(capsys, "info", "fsat")

    said = json.loads(error)["error"]
    assert said["type"] == "FiberModelNotFoundError"
    assert "Near: anthropic:claude-sonnet-5-5" in said["message"]
    assert "Near aliases: fast" in near


def test_info_of_an_alias_tells_all_its_models(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its profile; one that is not known makes the exit code 1, and the others are told."""
    monkeypatch.chdir(tmp_path)
    lockfile(
        tmp_path, TEXT.replace("openai:gpt-6-luna", "openai:gpt-never").replace("claude-haiku-5", "claude-opus-5-5")
    )

    code, table, error = run(capsys, "info", "fast")
    good, documents, _ = run(capsys, "info", "fast", "--profile", "prod", "--json")

    assert code == 1
    assert table.startswith("fast is an alias of fiber.lock: openai:gpt-never, anthropic:claude-opus-5-5\n")
    assert "anthropic:claude-opus-5-5\nfield" in table
    assert "does not know 'openai:gpt-never'" in error
    assert (good, json.loads(documents)["model"]) == (0, "claude-opus-5-5")


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
    nothing = (1, "", "fiber: no model is known to meet that.\n")
    assert run(capsys, "find", "vision", "max_input_tokens=999999999") == nothing


def test_find_may_look_at_providers_with_keys_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that calls could be made to."""
    without = run(capsys, "find", "vision", "--keyed")
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    code, out, _ = run(capsys, "find", "vision", "--keyed")

    assert (without[0], without[1]) == (1, "")
    assert "of a provider whose key is set" in without[2]
    assert code == 0
    assert {line.partition(":")[0] for line in out.split()} == {"mistral"}


def test_find_draws_a_table_in_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With what people choose by; what is not known is a question mark."""
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    code, out, _ = run(capsys, "find", "provider=openai", "--limit", "30")

    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert code == 0
    assert rows["model"] == ["context", "output", "usd", "in", "usd", "out"]
    assert rows["openai:gpt-6-luna"] == ["922,000", "128,000", "0.1", "0.5"]
    assert rows["openai:gpt-oss-20b"][:2] == ["?", "?"]


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


def test_tokens_are_those_of_the_model_of_an_alias(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose family counts; of a name that is not known, the name tells it."""
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, TEXT)
    text = "Name a river of Portugal, and one of Spain, and one of France. " * 9

    plain, alias, unknown = (run(capsys, "tokens", text, "-m", name)[1] for name in ("gpt-6-sol", "deep", "my-claude"))

    assert int(plain) < int(alias) == int(unknown)
