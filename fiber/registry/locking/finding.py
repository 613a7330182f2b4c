"""Lockfiles on disk: at a path, or in an installed package, which is found without being imported."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import msgspec

from fiber._errors import FiberValidationError
from fiber.registry.lockfile import Lockfile
from fiber.registry.locking.parsing import parsed, wrong_at

FILE = "fiber.lock"
"""Name of a lockfile in a folder, or in a package."""

MAX_BYTES = 256 * 1024
"""Longest lockfile that is read."""


def load(path: str | os.PathLike[str]) -> Lockfile:
    """
    Read the lockfile at *path*, and those of the packages that it extends.

    Raises:
        FiberValidationError: One of them cannot be read, or is wrong; the message says in which line and field.
    """
    text = read(path)
    lockfile = parsed(text, str(path))
    packages = {}
    for place, package in enumerate(lockfile.extends):
        theirs = bundled(package)
        if theirs is None:
            why = f"{package!r} is not installed, or has no {FILE}: install it, or leave it out."
            raise wrong_at(text, str(path), ("extends", "packages", place), why)
        packages[package] = theirs
    return msgspec.structs.replace(lockfile, packages=packages)


def read(path: str | os.PathLike[str]) -> str:
    """
    Return the text of the file at *path*, its line ends as they are.

    Raises:
        FiberValidationError: It cannot be read, is no UTF-8, or is longer than `MAX_BYTES`.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file can have this name"
        raise _wrong(f"The lockfile {path} cannot be read: {why}.") from None
    if len(data) > MAX_BYTES:
        raise _wrong(f"{path} has more than {MAX_BYTES} bytes: it is no lockfile.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _wrong(f"{path}, line {line}: it is not UTF-8.") from None


def bundled(package: str) -> Lockfile | None:
    """
    Return the lockfile that *package* was installed with; None when there is neither.

    Raises:
        FiberValidationError: It is wrong.
    """
    for folder in _folders(package):
        path = folder / FILE
        if os.path.isfile(path):
            return msgspec.structs.replace(parsed(read(path), str(path)), package=package)
    return None


def with_package(lockfile: Lockfile, package: str) -> Lockfile:
    """
    Return *lockfile* with the aliases of *package*, as if it extended it.

    Raises:
        FiberValidationError: It has no lockfile, or a wrong one.
    """
    if package in lockfile.packages:
        return lockfile
    theirs = bundled(package)
    if theirs is None:
        raise FiberValidationError(
            f"The package {package!r} is not installed, or has no {FILE}.", parameter="package", outcome="not_sent"
        )
    return msgspec.structs.replace(lockfile, packages={**lockfile.packages, package: theirs})


def _folders(package: str) -> list[Path]:
    # Only the outermost package is asked for: to find an inner one, Python would import what is around it.
    top, *inner = package.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):  # also of a program that runs as this name
        return []
    places = spec.submodule_search_locations if spec is not None else None
    return [Path(place, *inner) for place in places or ()]


def _wrong(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="lockfile", outcome="not_sent")
