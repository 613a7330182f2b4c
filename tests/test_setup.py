"""Which lockfile is found, and which profile of it is chosen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fiber import Fiber, FiberValidationError, Lockfile, find_lockfile
from tests.registry.locking.samples import TEXT, bindings, lockfile, package

PLACES = ("path", "variable", "folder", "package")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, in which packages are found, with one key."""
    home = tmp_path / "work"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    return home


@pytest.mark.parametrize("first", range(len(PLACES) + 1))
def test_the_first_place_with_a_lockfile_wins(first: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path that is given, the variable, the working directory, the package that asks; else there is none."""
    there = PLACES[first:]
    path = lockfile(folder.parent, bindings(path=["m"]), "given.lock") if "path" in there else None
    if "variable" in there:
        monkeypatch.setenv("FIBER_LOCKFILE", lockfile(folder.parent, bindings(variable=["m"]), "named.lock"))
    if "folder" in there:
        lockfile(folder, bindings(folder=["m"]))
    if "package" in there:
        package(folder.parent, "acme_asks", bindings(package=["m"]))
    asks = "acme_asks" if "package" in there else None

    found = find_lockfile(path, package=asks)

    own = [*there[:1]] + ["acme_asks:package"] * (asks is not None and there != ("package",))
    assert sorted(found.aliases()) == sorted(own)
    assert bool(found.path) == bool(there)


def test_a_package_is_answered_whatever_was_found(folder: Path) -> None:
    """By its own file, unless the one that was found has another opinion."""
    package(folder.parent, "acme_asks", bindings(short=["openai:a"], long=["openai:b"]))
    bare = find_lockfile(package="acme_asks")
    lockfile(folder, bindings(**{"acme_asks:short": ["openai:mine"]}) + '[extends]\npackages = ["acme_asks"]\n')
    over = find_lockfile(package="acme_asks")

    assert bare.find("acme_asks:short").models == ("openai:a",)  # type: ignore[union-attr]
    assert over.find("acme_asks:short").models == ("openai:mine",)  # type: ignore[union-attr]
    assert over.find("acme_asks:long").models == ("openai:b",)  # type: ignore[union-attr]
    assert "acme_asks" not in sys.modules


def test_a_lockfile_is_taken_as_it_is(folder: Path) -> None:
    """An empty one asks for none, whatever is in the folder."""
    lockfile(folder, TEXT)
    given = Lockfile()

    assert find_lockfile(given) is given
    assert not Fiber.from_env(lockfile=given).has_alias("fast")
    assert Fiber.from_env().has_alias("fast")


@pytest.mark.parametrize("name", ["path", "variable", "package"])
def test_a_place_that_is_named_must_have_one(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is taken instead."""
    if name != "package":
        lockfile(folder, TEXT)
    if name == "variable":
        monkeypatch.setenv("FIBER_LOCKFILE", "missing.lock")
    arguments: dict[str, Any] = {"path": {"path": "missing.lock"}, "package": {"package": "missing"}}.get(name, {})

    with pytest.raises(FiberValidationError, match="missing"):
        find_lockfile(**arguments)


@pytest.mark.parametrize(
    ("said", "variable", "expected"),
    [
        ("prod", "stage", "prod"),
        (None, "stage", "stage"),
        (None, None, "dev"),
        ("default", None, "default"),
    ],
)
def test_a_profile_is_chosen(
    said: str | None, variable: str | None, expected: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The argument, the variable, the lockfile's own."""
    lockfile(folder, TEXT + "\n" + bindings("stage", here=["m"])[len("version = 1\n") :])
    if variable:
        monkeypatch.setenv("FIBER_PROFILE", variable)

    fiber = Fiber.from_env(profile=said)

    assert f"profile {expected}:" in fiber.explain("fast")[0] + ":"


def test_the_profile_of_a_file_that_names_none_is_default(folder: Path) -> None:
    """It is always there."""
    lockfile(folder, bindings(fast=["openai:a"]))

    assert Fiber.from_env().explain("fast")[0] == "alias in fiber.lock, profile default: openai:a"


def test_an_unknown_profile_is_an_error_when_the_client_is_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the variable too, when there is a lockfile; without one it is for other programs."""
    monkeypatch.setenv("FIBER_PROFILE", "stage")
    Fiber.from_env()
    lockfile(folder, TEXT)

    with pytest.raises(FiberValidationError, match="use one of default, dev, prod"):
        Fiber.from_env()
    with pytest.raises(FiberValidationError, match="There is no profile 'x'"):
        Fiber(lockfile="fiber.lock", profile="x")


def test_the_constructor_reads_only_what_it_is_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the folder nor the variables."""
    path = lockfile(folder, TEXT)
    monkeypatch.setenv("FIBER_LOCKFILE", path)
    monkeypatch.setenv("FIBER_PROFILE", "prod")

    assert Fiber().lockfile == Lockfile()
    assert Fiber(lockfile=Path(path)).lockfile.path == path
    assert Fiber(lockfile=path).explain("fast")[0].startswith(f"alias in {path}, profile dev: ")


@pytest.mark.parametrize("said", [3, b"fiber.lock", {"fast": ["m"]}])
def test_what_is_no_lockfile_is_told(said: Any) -> None:
    """With what to pass."""
    with pytest.raises(FiberValidationError, match=r"what find_lockfile\(\) returns") as caught:
        Fiber(lockfile=said)

    assert caught.value.parameter == "lockfile"


def test_nothing_is_made(folder: Path) -> None:
    """Not by looking, not by a client."""
    find_lockfile()
    Fiber.from_env()
    Fiber()

    assert list(folder.iterdir()) == []


def test_a_client_without_a_lockfile_loads_no_parser() -> None:
    """Nor does the import of the library."""
    program = (
        "import sys, fiber; fiber.Fiber(default_model='openai:x').explain('openai:x');"
        "print([name for name in sys.modules if name == 'tomllib' or name.startswith('fiber.registry.locking')])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
