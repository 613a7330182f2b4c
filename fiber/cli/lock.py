"""
`fiber alias` and `fiber lock`: the lockfile, read and edited; no key, no network.

Exit codes: 0 good, 1 something is missing or does not hold, 2 the lockfile cannot be read.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any

from fiber import _env
from fiber._errors import FiberValidationError
from fiber._setup import find_lockfile
from fiber.cli import output
from fiber.cli.arguments import add_json, add_profile
from fiber.providers.table import PROVIDERS
from fiber.registry.catalog import ModelCatalog
from fiber.registry.locking import editing
from fiber.registry.locking.checking import drifted, findings
from fiber.registry.locking.finding import FILE, read
from fiber.registry.locking.parsing import parsed
from fiber.registry.models import ModelRegistry

GOOD, MISSING, WRONG = 0, 1, 2


def bind(options: argparse.Namespace) -> int:
    """Write a binding into the lockfile."""
    path = _path(options)
    text = read(path)
    lockfile = parsed(text, path)
    # Not `profile()`, which knows those only that are there: this may be the first binding of a new one.
    profile = options.profile or _env.profile() or lockfile.default_profile
    edited = editing.bound(text, path, options.alias, options.model, profile)
    registry = ModelRegistry(PROVIDERS)
    for finding in findings(parsed(edited, path), registry, ModelCatalog(), _today()):
        if (finding.profile, finding.alias) == (profile, options.alias):
            output.note(str(finding))
    if profile not in (*lockfile.profiles, lockfile.default_profile):
        output.note(f"note: the profile {profile} is new")
    _write(path, edited)
    said = {"profile": profile, "alias": options.alias, "models": list(dict.fromkeys(options.model))}
    _print(options, said, f"{path}, profile {profile}: {options.alias} = {', '.join(said['models'])}")
    return GOOD


def listed(options: argparse.Namespace) -> int:
    """Print the aliases of a profile, those of packages too."""
    lockfile = find_lockfile(_path(options))
    profile = lockfile.profile(options.profile or _env.profile())
    aliases = lockfile.aliases(profile)
    if options.json:
        for name, binding in aliases.items():
            output.print_json({"profile": profile, "alias": name, "models": binding.models})
    else:
        rows = [(name, ", ".join(binding.models)) for name, binding in aliases.items()]
        output.print_table(f"{lockfile.path}, profile {profile}", ("alias", "models"), rows)
    return GOOD


def init(options: argparse.Namespace) -> int:
    """Make a lockfile without an alias, where none is."""
    path = options.lockfile or _env.lockfile() or FILE
    text = editing.fresh(ModelCatalog().revision)
    if options.force:
        _write(path, text)
    else:
        try:
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            output.note(f"{path} is there already: --force replaces it.")
            return MISSING
        except OSError as error:
            raise _unwritten(path, error) from None
    _print(options, {"path": path}, f"{path} is made. Next: fiber alias bind fast MODEL...")
    return GOOD


def check(options: argparse.Namespace) -> int:
    """Check that there is a lockfile, that it can be read, and that it has the aliases that are named."""
    lockfile = find_lockfile(_path(options))
    profile = lockfile.profile(options.profile or _env.profile())
    missing = [name for name in options.alias if lockfile.find(name, profile) is None]
    drift = drifted(lockfile, ModelCatalog())
    if drift is not None:
        output.note(str(drift))
    for name in missing:
        output.note(f"{lockfile.path}, profile {profile}, has no alias {name!r}.{lockfile.hint(name, profile)}")
    said = {"path": lockfile.path, "profile": profile, "digest": lockfile.digest, "missing": missing}
    _print(options, said, f"{lockfile.path}, profile {profile}: {lockfile.digest}")
    return MISSING if missing else GOOD


def validate(options: argparse.Namespace) -> int:
    """Check every binding: that its models can be routed and are alive, and its constraints."""
    lockfile = find_lockfile(_path(options))
    found = list(findings(lockfile, ModelRegistry(PROVIDERS), ModelCatalog(), _today()))
    for finding in found:
        if options.json:
            output.print_json(finding)
        else:
            print(finding)
    return MISSING if any(finding.level == "problem" for finding in found) else GOOD


def bump(options: argparse.Namespace) -> int:
    """Write the revision of the installed catalogue into the lockfile."""
    path = _path(options)
    text = read(path)
    old, new = parsed(text, path).catalog, ModelCatalog().revision
    if old != new:
        _write(path, editing.pinned(text, path, new))
    said = {"path": path, "old": None if old is None else str(old), "new": str(new)}
    _print(options, said, f"{path}: catalogue of {new}" + (f", was {old}" if old not in (None, new) else ""))
    return GOOD


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    aliases = commands.add_parser("alias", help="list and bind the aliases of a lockfile")
    aliases = aliases.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    command = aliases.add_parser("bind", help="let an alias stand for models, the first choice first")
    command.add_argument("alias", help="the alias, or `package:alias`")
    command.add_argument("model", nargs="+", help="models, as in `openai:gpt-6.1-terra`")
    _finish(command, bind)
    _finish(aliases.add_parser("list", help="list the aliases of a profile"), listed)

    locks = commands.add_parser("lock", help="make and check a lockfile")
    locks = locks.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    command = locks.add_parser("init", help="make a lockfile without an alias")
    command.add_argument("--force", action="store_true", help="replace the one that is there")
    _finish(command, init, profile=False)
    command = locks.add_parser("check", help="check that there is a lockfile, and that it has these aliases")
    command.add_argument("alias", nargs="*", help="aliases that must be there")
    _finish(command, check)
    _finish(locks.add_parser("validate", help="check the models of all profiles"), validate, profile=False)
    command = locks.add_parser("bump", help="take note of the revision of the installed catalogue")
    _finish(command, bump, profile=False)


def _finish(command: argparse.ArgumentParser, run: Callable[[Any], int], *, profile: bool = True) -> None:
    command.add_argument("--lockfile", metavar="PATH", help="the lockfile; FIBER_LOCKFILE, or fiber.lock, by default")
    if profile:
        add_profile(command)
    add_json(command)
    command.set_defaults(run=lambda options: _coded(run, options))


def _coded(run: Callable[[Any], int], options: argparse.Namespace) -> int:
    """Run a command on a lockfile that may be missing or wrong."""
    if run is not init:
        path = _path(options)
        if not os.path.lexists(path):
            output.note(f"There is no lockfile {path}: make one with `fiber lock init`, or say --lockfile PATH.")
            return MISSING
        try:
            find_lockfile(path) if run not in (bind, bump) else parsed(read(path), path)
        except FiberValidationError as error:
            output.note(error.message)
            return WRONG
    return run(options)


def _path(options: argparse.Namespace) -> str:
    return str(options.lockfile or _env.lockfile() or FILE)


def _print(options: argparse.Namespace, said: dict[str, Any], text: str) -> None:
    if options.json:
        output.print_json(said)
    else:
        print(text)


def _today() -> date:
    return datetime.now(UTC).date()


def _write(path: str, text: str) -> None:
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
        raise _unwritten(path, error) from None


def _unwritten(path: str, error: OSError) -> FiberValidationError:
    return FiberValidationError(f"{path} cannot be written: {error.strerror}.", parameter="lockfile")
