"""The lockfile of a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fiber.cli import main
from fiber.cli.lockfiles import found
from tests.registry.locking.samples import TEXT, lockfile


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, whose lockfile is wrong."""
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, "version = 1\nprofile = 2")
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("ask", "hello", "--mock"),
        ("chat", "hello", "--mock"),
        ("models", "--mock"),
        ("smoke", "--mock", "--provider", "openai"),
        ("info", "openai:gpt-6-luna"),
        ("cost", "hello", "--model", "fast"),
        ("tokens", "hello", "--model", "fast"),
        ("alias", "list"),
        ("alias", "bind", "fast", "openai:gpt-6-luna"),
        ("alias", "unbind", "fast"),
        ("lock", "check"),
        ("lock", "validate"),
        ("lock", "bump"),
    ],
    ids=" ".join,
)
def test_a_wrong_lockfile_is_exit_code_two_everywhere(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """With line and field."""
    code = main(command)

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith("fiber: fiber.lock, line 2, profile: is not known")


def test_no_file_is_no_alias_for_calls(folder: Path) -> None:
    """Only commands that are about the file need one."""
    (folder / "fiber.lock").unlink()

    assert found().path == ""


def test_the_mock_server_knows_aliases_and_profiles(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the variable too, as with a real key; also in a batch, whose option says another one."""
    lockfile(folder, TEXT.replace("openai:gpt-6-luna", "openai:gpt-mock"))
    (folder / "in.jsonl").write_text('{"messages": "hello", "model": "fast"}\n')
    monkeypatch.setenv("FIBER_PROFILE", "prod")

    asked = main(["ask", "hello", "--mock", "--model", "fast", "--json", "--no-stream"])
    answer = json.loads(capsys.readouterr().out)
    batched = main(["batch", "in.jsonl", "out.jsonl", "--mock", "--profile", "dev"])

    assert (asked, batched) == (0, 0)
    assert answer["provider"] == "anthropic"
    assert json.loads((folder / "out.jsonl").read_text())["result"]["provider"] == "openai"
