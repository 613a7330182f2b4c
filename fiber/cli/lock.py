"""`fiber alias` and `fiber lock`: the lockfile, read and edited; no key, no network."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from typing import Any

from fiber.cli import output
from fiber.cli.codes import DONE, FAILED, Refusal
from fiber.cli.lockfiles import opened, path_of, said_profile, text_of, unwritten, write
from fiber.providers.table import PROVIDERS
from fiber.registry.catalog import ModelCatalog
from fiber.registry.locking import editing
from fiber.registry.locking.checking import drifted, findings
from fiber.registry.locking.parsing import parsed
from fiber.registry.models import ModelRegistry


def bind(options: argparse.Namespace) -> int:
    """Write a binding into the lockfile."""
    path, text, lockfile = text_of(options)
    # Not `profile()`, which knows those only that are there: this may be the first binding of a new one.
    profile = said_profile(options, lockfile) or lockfile.default_profile
    edited = editing.bound(text, path, options.alias, options.model, profile)
    registry = ModelRegistry(PROVIDERS)
    for finding in findings(parsed(edited, path), registry, ModelCatalog(), _today()):
        if (finding.profile, finding.alias) == (profile, options.alias):
            output.note(str(finding))
    if profile not in (*lockfile.profiles, lockfile.default_profile):
        output.note(f"note: the profile {profile} is new")
    write(path, edited)
    said = {"profile": profile, "alias": options.alias, "models": list(dict.fromkeys(options.model))}
    _print(options, said, f"{path}, profile {profile}: {options.alias} = {', '.join(said['models'])}")
    return DONE


def unbind(options: argparse.Namespace) -> int:
    """Take a binding out of the lockfile."""
    path, text, lockfile = text_of(options)
    profile = lockfile.profile(said_profile(options, lockfile))
    write(path, editing.unbound(text, path, options.alias, profile))
    _print(options, {"profile": profile, "alias": options.alias}, f"{path}, profile {profile}: {options.alias} is out")
    return DONE


def listed(options: argparse.Namespace) -> int:
    """Print the aliases of a profile, those of packages too."""
    lockfile = opened(options)
    profile = lockfile.profile(said_profile(options, lockfile))
    aliases = lockfile.aliases(profile)
    if options.json:
        for name, binding in aliases.items():
            output.print_json({"profile": profile, "alias": name, "models": binding.models})
    else:
        rows = [(name, ", ".join(binding.models)) for name, binding in aliases.items()]
        output.print_table(f"{lockfile.path}, profile {profile}", ("alias", "models"), rows)
    return DONE


def init(options: argparse.Namespace) -> int:
    """Make a lockfile without an alias, where none is."""
    path = path_of(options)
    text = editing.fresh(ModelCatalog().revision, as_json=path.endswith(".json"))
    if options.force:
        write(path, text)
    else:
        try:
            with open(path, "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise Refusal(f"{path} is there already: --force replaces it.") from None
        except OSError as error:
            raise unwritten(path, error) from None
    _print(options, {"path": path}, f"{path} is made. Next: fiber alias bind fast MODEL...")
    return DONE


def check(options: argparse.Namespace) -> int:
    """Check that there is a lockfile, that it can be read, and that it has the aliases that are named."""
    lockfile = opened(options)
    profile = lockfile.profile(said_profile(options, lockfile))
    missing = [name for name in options.alias if lockfile.find(name, profile) is None]
    drift = drifted(lockfile, ModelCatalog())
    if drift is not None:
        output.note(str(drift))
    for name in missing:
        output.note(f"{lockfile.path}, profile {profile}, has no alias {name!r}.{lockfile.hint(name, profile)}")
    said = {"path": lockfile.path, "profile": profile, "digest": lockfile.digest, "missing": missing}
    _print(options, said, f"{lockfile.path}, profile {profile}: {lockfile.digest}")
    return FAILED if missing else DONE


def validate(options: argparse.Namespace) -> int:
    """Check every binding: that its models can be routed and are alive, and its constraints."""
    lockfile = opened(options)
    found = list(findings(lockfile, ModelRegistry(PROVIDERS), ModelCatalog(), _today()))
    for finding in found:
        if options.json:
            output.print_json(finding)
        else:
            print(finding)
    return FAILED if any(finding.level == "problem" for finding in found) else DONE


def bump(options: argparse.Namespace) -> int:
    """Write the revision of the installed catalogue into the lockfile."""
    path, text, lockfile = text_of(options)
    old, new = lockfile.catalog, ModelCatalog().revision
    if old != new:
        write(path, editing.pinned(text, path, new))
    said = {"path": path, "old": None if old is None else str(old), "new": str(new)}
    _print(options, said, f"{path}: catalogue of {new}" + (f", was {old}" if old not in (None, new) else ""))
    return DONE


def _print(options: argparse.Namespace, said: dict[str, Any], text: str) -> None:
    if options.json:
        output.print_json(said)
    else:
        print(text)


def _today() -> date:
    return datetime.now(UTC).date()
