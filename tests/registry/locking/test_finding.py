"""Lockfiles on disk and in packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fiber import FiberValidationError, Lockfile
from fiber.registry.locking.finding import MAX_BYTES, bundled, load, with_package
from tests.registry.locking.samples import bindings, lockfile, package

EXTENDS = '\n[extends]\npackages = ["acme_notes"]\n'


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give out a folder in which packages are found."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_a_lockfile_is_read_with_those_it_extends(tmp_path: Path, installed: Path) -> None:
    """The packages are not imported, and know whose they are."""
    home = package(installed, "acme_notes", bindings(short=["openai:a"]))
    path = lockfile(tmp_path, bindings(fast=["openai:b"]) + EXTENDS)

    found = load(path)

    assert list(found.aliases()) == ["acme_notes:short", "fast"]
    assert found.path == path
    assert found.packages["acme_notes"].package == "acme_notes"
    assert found.packages["acme_notes"].path == str(home / "fiber.lock")
    assert "acme_notes" not in sys.modules


def test_a_package_inside_another_is_found_without_importing_either(installed: Path) -> None:
    """Python's own search would import the outer one."""
    package(installed, "acme", None)
    package(installed, "acme/notes", bindings(short=["openai:a"]))

    found = bundled("acme.notes")

    assert found is not None
    assert found.package == "acme.notes"
    assert bundled("acme") is None
    assert "acme" not in sys.modules


def test_a_folder_without_code_is_a_package_too(installed: Path) -> None:
    """As it is for Python."""
    (installed / "plain").mkdir()
    lockfile(installed / "plain", bindings(short=["openai:a"]))

    assert bundled("plain") is not None


@pytest.mark.parametrize("name", ["nobody_has_this", "nobody_has_this.inner", "json.decoder", "sys", "__main__"])
def test_what_has_no_lockfile_has_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing packages, modules, and the program itself."""
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)

    assert bundled(name) is None


def test_a_missing_package_is_told_with_its_line(tmp_path: Path) -> None:
    """It was meant to be there."""
    path = lockfile(tmp_path, "version = 1\n" + EXTENDS)

    with pytest.raises(FiberValidationError) as caught:
        load(path)

    assert caught.value.message.startswith(f"{path}, line 4, extends.packages[0]: 'acme_notes' is not installed")


def test_a_wrong_lockfile_of_a_package_is_told(tmp_path: Path, installed: Path) -> None:
    """By the name of its own file."""
    home = package(installed, "acme_notes", "version = 2")
    path = lockfile(tmp_path, "version = 1\n" + EXTENDS)

    with pytest.raises(FiberValidationError) as caught:
        load(path)

    assert caught.value.message.startswith(f"{home / 'fiber.lock'}, line 1, version: ")


def test_what_a_package_extends_counts_for_nothing(tmp_path: Path, installed: Path) -> None:
    """One level only: it need not even be there."""
    package(installed, "acme_notes", bindings(short=["openai:a"]) + '[extends]\npackages = ["nobody_has_this"]\n')
    path = lockfile(tmp_path, "version = 1\n" + EXTENDS)

    assert list(load(path).aliases()) == ["acme_notes:short"]


def test_a_package_is_added_as_if_it_were_extended(tmp_path: Path, installed: Path) -> None:
    """Once; one that has nothing to add is a mistake."""
    package(installed, "acme_notes", bindings(short=["openai:a"]))
    own = load(lockfile(tmp_path, bindings(fast=["openai:b"])))

    both = with_package(own, "acme_notes")

    assert list(both.aliases()) == ["acme_notes:short", "fast"]
    assert with_package(both, "acme_notes") is both
    with pytest.raises(FiberValidationError, match="'nobody_has_this' is not installed"):
        with_package(own, "nobody_has_this")


def test_a_mark_at_the_beginning_is_no_content(tmp_path: Path) -> None:
    """Some editors write one."""
    path = tmp_path / "fiber.lock"
    path.write_bytes(b"\xef\xbb\xbfversion = 1\r\n")

    assert load(path) == Lockfile(path=str(path))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file"),
        (b"version = 1\n# \xff", ", line 2: it is not UTF-8"),
        (b"#" * (MAX_BYTES + 1), f"has more than {MAX_BYTES} bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, why: str) -> None:
    """With its path."""
    path = tmp_path / "fiber.lock"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(FiberValidationError) as caught:
        load(path)

    assert why in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.parameter == "lockfile"


def test_a_folder_and_an_impossible_name_are_no_lockfiles(tmp_path: Path) -> None:
    """Neither is an error of another library."""
    with pytest.raises(FiberValidationError, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(FiberValidationError, match="no file can have this name"):
        load("a\0b")
