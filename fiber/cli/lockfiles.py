"""The lockfile of a command: found, read, and written in one step."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fiber import _env
from fiber._errors import FiberValidationError
from fiber._setup import find_lockfile
from fiber.cli.codes import USAGE, Refusal
from fiber.registry.lockfile import Lockfile
from fiber.registry.locking.finding import FILE, read
from fiber.registry.locking.parsing import parsed


def path_of(options: argparse.Namespace) -> str:
    """Return where the lockfile of *options* is, or would be."""
    return str(options.lockfile or _env.lockfile() or FILE)


def found(path: str | None = None) -> Lockfile:
    """Return the lockfile that calls use, which has no alias where there is no file."""
    with _reading():
        return find_lockfile(path)


def opened(options: argparse.Namespace) -> Lockfile:
    """Return the lockfile of *options*, which must be there."""
    return found(_there(options))


def text_of(options: argparse.Namespace) -> tuple[str, str, Lockfile]:
    """Return path and text of the lockfile of *options*, which must be there, and what it says by itself."""
    path = _there(options)
    with _reading():
        text = read(path)
        return path, text, parsed(text, path)


def said_profile(options: argparse.Namespace, lockfile: Lockfile) -> str | None:
    """Return the profile that is said, by option or, where a lockfile is, by variable; it may not be there."""
    return options.profile or (_env.profile() if lockfile.path else "") or None


def write(path: str, text: str) -> None:
    """Replace the file in one step, with its mode, also where *path* is a link to it."""
    path = os.path.realpath(path)
    name = ""
    try:
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=os.path.dirname(path))
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        # A temporary file is for its owner alone; a lockfile has no secrets and goes into a repository.
        os.chmod(name, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644)
        os.replace(name, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(name)
        raise unwritten(path, error) from None


def unwritten(path: str, error: OSError) -> Refusal:
    """Return what says that *path* cannot be written."""
    return Refusal(f"{path} cannot be written: {error.strerror}.")


def _there(options: argparse.Namespace) -> str:
    path = path_of(options)
    if not os.path.lexists(path):
        raise Refusal(f"There is no lockfile {path}: make one with `fiber lock init`, or say --lockfile PATH.")
    return path


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except FiberValidationError as error:
        raise Refusal(error.message, USAGE) from None
