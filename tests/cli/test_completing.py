"""What may stand at the end of a command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiber.cli.commands import parser
from fiber.cli.completing import FILES, offers
from fiber.registry.entries import bundled
from tests.registry.locking.samples import TEXT, bindings, lockfile

DEEPSEEK = [name for name in bundled().models["deepseek"] if name.startswith("deepseek-")]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a lockfile."""
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, TEXT)
    return tmp_path


def offered(line: str) -> list[str]:
    """Return the words that are offered at the end of *line*."""
    return [offer.word for offer in offers(parser(), line)[1]]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fiber loc", ["lock"]),
        ("fiber lo", ["lock", "logs"]),
        ("fiber alias ", ["bind", "unbind", "list"]),
        ("fiber lock v", ["validate"]),
        ("fiber ask --m", ["--model", "--max-tokens", "--mock"]),
        ("fiber ask hello there --verb", ["--verbose"]),
        ("fiber models ", ["--help", "--provider", "--json", "--mock"]),
        ("fiber find --order ", ["cost", "context", "output"]),
        ("fiber find --order=co", ["--order=cost", "--order=context"]),
        ("fiber find vision --limit ", []),
        ("fiber find vision --limit 3 audio", ["audio", "audio_output"]),
        ("fiber find vision --limit=3 --order outp", ["output"]),
        ("fiber find max_in", ["max_input_tokens="]),
        ("fiber models --provider vertex-", ["vertex-anthropic", "vertex-openai"]),
        ("fiber lock check ", ["deep", "fast"]),
        ("fiber lock check deep f", ["fast"]),
        ("fiber lock check --profile prod ", ["fast"]),
        ("fiber alias bind deep ope", ["openai:", "openai-responses:", "openrouter:"]),
        ("fiber ask --profile ", ["default", "dev", "prod"]),
        ("fiber ask -m deep", ["deep", "deepinfra:", "deepseek:", *DEEPSEEK]),
        ("fiber info openai:gpt-6-l", ["openai:gpt-6-luna"]),
        ("fiber info openai-responses:gpt-6-l", ["openai-responses:gpt-6-luna"]),
        ("fiber info nobody:", []),
        ("fiber info gpt-6-l", ["gpt-6-luna"]),
        ("fiber info --model=x", []),
        ("fiber smoke --provider=anthropi", ["--provider=anthropic"]),
        ("fiber completion z", ["zsh"]),
        ("fiber batch --conc", ["--concurrency"]),
        ("fiber nothing ", []),
        ("fiber lock init too much --fo", ["--force"]),
        ("fiber ask --nothing x --moc", ["--mock"]),
        ("fiber ask 'hello wor", []),
        ("fiber --vers", ["--version"]),
        ("fiber lock", ["lock"]),
    ],
)
def test_a_line_may_go_on(line: str, words: list[str]) -> None:
    """With commands, options, values of options, and names of this machine and of the catalogue."""
    assert offered(line) == words


def test_files_are_left_to_the_shell(folder: Path) -> None:
    """It knows them best."""
    for line in ("fiber batch ", "fiber batch in.jsonl o", "fiber lock check --lockfile ", "fiber info --lockfile=f"):
        assert offers(parser(), line)[1] == [FILES]


def test_all_providers_are_offered_before_their_models() -> None:
    """Not one thousand names at once."""
    found = offered("fiber ask --model ")

    assert found[:2] == ["deep", "fast"]
    assert all(word.endswith(":") for word in found[2:])


def test_what_is_offered_says_what_it_is() -> None:
    """A shell may show it."""
    said = {offer.word: offer.help for line in ("fiber a", "fiber lock check f") for offer in offers(parser(), line)[1]}

    assert said["ask"] == "send one prompt and print the answer"
    assert said["fast"] == "openai:gpt-6-luna, anthropic:claude-haiku-5"


def test_aliases_are_those_of_the_lockfile_that_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an option, or a variable; the same with the profile."""
    other = lockfile(folder, bindings("stage", slow=["m"], near=["m"]), "other.lock")

    assert offered(f"fiber lock check --lockfile {other} --profile stage s") == ["slow"]
    monkeypatch.setenv("FIBER_LOCKFILE", other)
    assert offered("fiber lock check ") == ["--help", "--lockfile", "--profile", "--json"]
    monkeypatch.setenv("FIBER_PROFILE", "stage")
    assert offered("fiber lock check ") == ["near", "slow"]


@pytest.mark.parametrize("text", ["version = 1\nwrong = 2", None])
def test_a_lockfile_that_is_wrong_or_not_there_has_no_alias(text: str | None, folder: Path) -> None:
    """At the tab key nobody reads an error."""
    (folder / "fiber.lock").unlink()
    if text is not None:
        lockfile(folder, text)

    assert offered("fiber lock check f") == []
