"""Commands that read and edit a lockfile."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from fiber import ModelCatalog
from fiber.cli import main
from tests.registry.locking.samples import TEXT, bindings, lockfile, package


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without standard input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; return exit code, output and errors."""
    code = main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_lockfile_is_made_bound_listed_and_checked(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """From nothing to an alias that calls may use."""
    made = run(capsys, "lock", "init")
    bound = run(capsys, "alias", "bind", "fast", "openai:gpt-6-luna", "anthropic:claude-haiku-5", "openai:gpt-6-luna")
    listed = run(capsys, "alias", "list")
    checked = run(capsys, "lock", "check", "fast")

    assert made == (0, "fiber.lock is made. Next: fiber alias bind fast MODEL...\n", "")
    assert bound[:2] == (0, "fiber.lock, profile default: fast = openai:gpt-6-luna, anthropic:claude-haiku-5\n")
    assert listed[0] == checked[0] == 0
    assert "fast   openai:gpt-6-luna, anthropic:claude-haiku-5" in listed[1]
    assert [path.name for path in folder.iterdir()] == ["fiber.lock"]


def test_nothing_is_made_but_by_init(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Every other command fails with exit code 1, and says which one makes a file."""
    for command in (
        ("alias", "list"),
        ("alias", "bind", "fast", "m"),
        ("alias", "unbind", "fast"),
        ("lock", "check"),
        ("lock", "validate"),
        ("lock", "bump"),
    ):
        code, out, error = run(capsys, *command)

        assert (code, out) == (1, "")
        assert "make one with `fiber lock init`" in error
    assert list(folder.iterdir()) == []


def test_init_replaces_a_file_only_by_force(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Without it the exit code is 1."""
    path = lockfile(folder, "precious", "other.lock")

    refused = run(capsys, "lock", "init", "--lockfile", path)
    kept = Path(path).read_text()
    forced = run(capsys, "lock", "init", "--lockfile", path, "--force", "--json")

    assert refused[0] == 1
    assert "--force replaces it" in refused[2]
    assert kept == "precious"
    assert (forced[0], json.loads(forced[1])) == (0, {"path": path})
    assert "version = 1" in Path(path).read_text()


def test_a_lockfile_may_be_json(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made, edited and read as one in TOML."""
    monkeypatch.setenv("FIBER_LOCKFILE", "models.json")

    codes = [
        run(capsys, *command)[0]
        for command in (
            ("lock", "init"),
            ("alias", "bind", "fast", "openai:gpt-6-luna"),
            ("alias", "bind", "deep", "openai:gpt-6-sol"),
            ("alias", "unbind", "deep"),
            ("lock", "bump"),
            ("lock", "validate"),
        )
    ]

    said = json.loads((folder / "models.json").read_text())
    assert codes == [0] * 6
    assert said["profiles"] == {"default": {"bindings": [{"alias": "fast", "models": ["openai:gpt-6-luna"]}]}}
    assert "fast   openai:gpt-6-luna" in run(capsys, "alias", "list")[1]


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_folder_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], force: list[str]) -> None:
    """As an error of the call."""
    code, _, error = run(capsys, "lock", "init", "--lockfile", "nowhere/fiber.lock", *force)

    assert code == 1
    assert "nowhere/fiber.lock cannot be written: No such file or directory" in error


def test_bind_edits_and_keeps_the_rest(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Comments, mode and links too; a new profile is told."""
    real = Path(lockfile(folder, TEXT, "real.lock"))
    real.chmod(0o640)
    Path("fiber.lock").symlink_to(real)

    code, out, error = run(capsys, "alias", "bind", "fast", "openai:gpt-6-luna", "--profile", "stage", "--json")

    assert code == 0
    assert json.loads(out) == {"profile": "stage", "alias": "fast", "models": ["openai:gpt-6-luna"]}
    assert "the profile stage is new" in error
    assert real.read_text().startswith(TEXT)
    assert Path("fiber.lock").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(path.name for path in folder.iterdir()) == ["fiber.lock", "real.lock"]


def test_an_alias_is_taken_out(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Of the profile that is said; one that is not there is told."""
    lockfile(folder, TEXT)

    out = run(capsys, "alias", "unbind", "deep")
    json_out = run(capsys, "alias", "unbind", "fast", "--profile", "prod", "--json")
    code, _, error = run(capsys, "alias", "unbind", "deep")

    assert out == (0, "fiber.lock, profile dev: deep is out\n", "")
    assert json.loads(json_out[1]) == {"profile": "prod", "alias": "fast"}
    assert (code, error) == (1, "fiber: fiber.lock, profile dev, binds no alias 'deep'.\n")


def test_bind_tells_what_is_wrong_with_a_model(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """And writes it all the same: a provider may be one of your own."""
    lockfile(folder, "version = 1")

    code, _, error = run(capsys, "alias", "bind", "fast", "house:model")

    assert code == 0
    assert "problem: default, fast, house:model: No provider is known" in error


def test_a_failed_write_leaves_the_file(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole, and nothing beside it."""
    lockfile(folder, TEXT)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    code, _, error = run(capsys, "alias", "bind", "fast", "openai:x")

    assert code == 1
    assert "cannot be written: No space left on device" in error
    assert Path("fiber.lock").read_text() == TEXT
    assert [path.name for path in folder.iterdir()] == ["fiber.lock"]


def test_list_tells_a_profile(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the option, of the variable, or of the file; aliases of packages too."""
    package(folder, "acme_notes", bindings(short=["openai:s"]))
    monkeypatch.syspath_prepend(str(folder))
    lockfile(folder, TEXT + '[extends]\npackages = ["acme_notes"]\n')

    own = run(capsys, "alias", "list", "--json")[1]
    monkeypatch.setenv("FIBER_PROFILE", "prod")
    by_variable = run(capsys, "alias", "list", "--json")[1]
    by_option = run(capsys, "alias", "list", "--json", "--profile", "default")[1]

    assert [json.loads(line)["alias"] for line in own.splitlines()] == ["acme_notes:short", "deep", "fast"]
    assert [json.loads(line)["profile"] for line in by_variable.splitlines()] == ["prod", "prod"]
    assert json.loads(by_option) == {"profile": "default", "alias": "acme_notes:short", "models": ["openai:s"]}


def test_an_unknown_profile_is_told(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """With those there are."""
    lockfile(folder, TEXT)

    code, _, error = run(capsys, "alias", "list", "--profile", "stage")

    assert code == 1
    assert "use one of default, dev, prod" in error


def test_check_tells_missing_aliases(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, with exit code 1, in the file that the variable names."""
    monkeypatch.setenv("FIBER_LOCKFILE", lockfile(folder, TEXT, "other.lock"))

    good = run(capsys, "lock", "check", "fast", "deep")
    code, out, error = run(capsys, "lock", "check", "fast", "deep", "slow", "--profile", "prod", "--json")

    assert good[0] == 0
    assert code == 1
    assert json.loads(out)["missing"] == ["deep", "slow"]
    assert len(json.loads(out)["digest"]) == 64
    assert "profile prod, has no alias 'deep'. The alias 'deep' is bound in dev" in error


def test_check_tells_drift(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Which is no error; bump ends it, and a second bump has nothing to do."""
    lockfile(folder, "version = 1\n[registry_versions]\ncatalog = 2026-01-01\n")
    revision = str(ModelCatalog().revision)

    before = run(capsys, "lock", "check")
    bumped = run(capsys, "lock", "bump", "--json")
    after = run(capsys, "lock", "check")
    again = run(capsys, "lock", "bump")

    assert before[0] == after[0] == 0
    assert "the lockfile of 2026-01-01" in before[2]
    assert json.loads(bumped[1]) == {"path": "fiber.lock", "old": "2026-01-01", "new": revision}
    assert after[2] == ""
    assert again == (0, f"fiber.lock: catalogue of {revision}\n", "")


def test_bump_tells_what_was(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Where there was something."""
    lockfile(folder, TEXT.replace("2026-11-20", "2026-01-01"))

    assert run(capsys, "lock", "bump")[1].endswith(", was 2026-01-01\n")


def test_validate_checks_every_profile(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """A problem is exit code 1; a note alone is none."""
    lockfile(folder, bindings("dev", good=["openai:gpt-6-luna"]))
    good = run(capsys, "lock", "validate")
    lockfile(folder, bindings("dev", fast=["openai:gpt-never"]))
    noted = run(capsys, "lock", "validate", "--json")
    lockfile(folder, bindings("dev", fast=["nobodys-model"]))
    bad = run(capsys, "lock", "validate")

    assert good == (0, "", "")
    assert (noted[0], json.loads(noted[1])["level"]) == (0, "note")
    assert bad[0] == 1
    assert bad[1].startswith("problem: dev, fast, nobodys-model: ")


def test_ask_and_cost_take_an_alias(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """In the profile that is named."""
    lockfile(folder, TEXT.replace("openai:gpt-6-luna", "openai:gpt-mock"))

    asked = run(capsys, "ask", "--mock", "-m", "fast", "--json", "--no-stream", "hello")
    there = run(capsys, "ask", "--mock", "-m", "fast", "--json", "--no-stream", "--profile", "prod", "hello")
    cost = run(capsys, "cost", "hello", "-m", "deep", "--json", "--profile", "dev")
    unknown = run(capsys, "cost", "hello", "-m", "deep", "--profile", "prod")

    assert json.loads(asked[1])["provider"] == "openai"
    assert json.loads(there[1])["provider"] == "anthropic"
    assert json.loads(cost[1])["status"] == "priced"
    assert unknown[0] == 1
    assert "The alias 'deep' is bound in dev, and the profile is prod" in unknown[2]


def test_cost_takes_the_profile_of_the_variable(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is a lockfile; else it means nothing."""
    monkeypatch.setenv("FIBER_PROFILE", "prod")
    without = run(capsys, "cost", "hello", "-m", "openai:gpt-6-luna", "--json")
    lockfile(folder, TEXT)
    within = run(capsys, "cost", "hello", "-m", "deep")

    assert without[0] == 0
    assert "the profile is prod" in within[2]
