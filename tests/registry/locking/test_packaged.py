"""A library that ships a lockfile: built as a wheel, installed, and asked for by `package:alias`."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from tests.registry.locking.samples import bindings

LIBRARY = '''\
"""Shortens notes."""

from fiber import Fiber, find_lockfile


def client(lockfile=None):
    """Return a client that knows the aliases of this library, and those of whoever uses it."""
    fiber = Fiber(api_keys={"openai": "not-a-real-key"}, lockfile=find_lockfile(lockfile, package=__name__))
    fiber.require_aliases(["acme_notes:short"], context="acme_notes")
    return fiber
'''
ASKS = """\
import sys
sys.path.insert(0, sys.argv[1])
from fiber import Fiber, find_lockfile
before = Fiber(lockfile=find_lockfile(), api_keys={"openai": "not-a-real-key"})
print([before.route(name).model for name in sys.argv[2:] if before.has_alias(name)], "acme_notes" in sys.modules)
import acme_notes
print(acme_notes.client().route("acme_notes:short").model)
"""


def wheel(folder: Path, files: dict[str, str]) -> Path:
    """Build a wheel of *files* as every build backend lays it out; return its path."""
    home = "acme_notes-1.0.dist-info"
    files = {
        **files,
        f"{home}/METADATA": "Metadata-Version: 2.1\nName: acme-notes\nVersion: 1.0\n",
        f"{home}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {name: urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=") for name, text in files.items()}
    record = [f"{name},sha256={digests[name].decode()},{len(files[name].encode())}" for name in files]
    path = folder / "acme_notes-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{home}/RECORD": "\n".join([*record, f"{home}/RECORD,,", ""])}.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Install the wheel of the library into a folder, as installers do with pure ones: unpacked."""
    files = {"acme_notes/__init__.py": LIBRARY, "acme_notes/fiber.lock": bindings(short=["openai:theirs"])}
    folder = tmp_path / "installed"
    with zipfile.ZipFile(wheel(tmp_path, files)) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(None, ["[] False", "theirs"], id="no file of the application"),
        pytest.param(bindings(fast=["openai:f"]), ["['f'] False", "theirs"], id="one that says nothing"),
        pytest.param(
            bindings(fast=["openai:f"]) + '[extends]\npackages = ["acme_notes"]\n',
            ["['theirs', 'f'] False", "theirs"],
            id="one that extends it",
        ),
        pytest.param(
            bindings(**{"acme_notes:short": ["openai:mine"]}) + '[extends]\npackages = ["acme_notes"]\n',
            ["['mine'] False", "mine"],
            id="one that overrides it",
        ),
    ],
)
def test_a_library_has_its_alias_wherever_it_runs(
    text: str | None, expected: list[str], installed: Path, tmp_path: Path
) -> None:
    """The application's file goes before it; nothing is imported to find it."""
    home = tmp_path / "application"
    home.mkdir()
    if text is not None:
        (home / "fiber.lock").write_text(text, encoding="utf-8")
    command = [sys.executable, "-c", ASKS, str(installed), "acme_notes:short", "fast"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=home)

    assert done.stdout.splitlines() == expected
