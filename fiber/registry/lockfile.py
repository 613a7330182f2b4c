"""
Aliases: names of yours that stand for ordered lists of models, by profile.

Values only: `fiber/registry/locking/` reads and edits the file that they stand in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from os import PathLike
from typing import Any, TypeAlias

import msgspec

from fiber._errors import FiberValidationError

VERSION = 1
DEFAULT = "default"
"""The profile that is always there, if need be without a binding."""

_FILE_ONLY = ("path", "package", "packages")
"""Fields that tell where a lockfile was found, not what it says."""


class Binding(msgspec.Struct, frozen=True):
    """
    What an alias stands for.

    Attributes:
        models: Models as calls take them; the first is asked, the others are its fallbacks, in order.
        constraints: What each of them must be able to do, as `ModelCatalog.find_models` takes it; `fiber lock validate`
            checks it, calls do not.
    """

    models: tuple[str, ...]
    constraints: Mapping[str, Any] = {}


class Lockfile(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """
    What a `fiber.lock` says; `find_lockfile` finds one, and an empty one has no alias.

    Attributes:
        default_profile: Profile of calls that name none.
        profiles: Bindings by alias, by profile.
        extends: Packages whose aliases can be asked for as `package:alias`.
        metadata: Yours; not read.
        catalog: Revision of the catalogue that the bindings were made with.
        path: Where it was found; empty for a value that was made.
        package: The package that it came with, when it is nobody else's.
        packages: Lockfiles of `extends`.
    """

    default_profile: str = DEFAULT
    profiles: Mapping[str, Mapping[str, Binding]] = {}
    extends: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}
    catalog: date | None = None
    path: str = ""
    package: str = ""
    packages: Mapping[str, Lockfile] = {}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what it says, in hexadecimal: not of layout, comments, order of bindings, or other files."""
        said = {name: value for name, value in msgspec.structs.asdict(self).items() if name not in _FILE_ONLY}
        said["extends"] = sorted(self.extends)
        return sha256(msgspec.json.encode(said, enc_hook=str, order="deterministic")).hexdigest()

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.path or "the lockfile"

    def profile(self, name: str | None = None) -> str:
        """
        Return the profile that *name* chooses; the default one when it says nothing.

        Raises:
            FiberValidationError: There is no such profile; the message lists those there are.
        """
        if not name:
            return self.default_profile
        if name in (DEFAULT, *self.profiles):
            return name
        if self.package:
            return self.default_profile  # it came with a package, which does not know the profiles of its users
        known = sorted({*self.profiles, DEFAULT})
        where = self.path or "a client without a lockfile"
        raise FiberValidationError(
            f"There is no profile {name!r} in {where}: use one of {', '.join(known)}.",
            parameter="profile",
            outcome="not_sent",
        )

    def find(self, alias: str, profile: str | None = None) -> Binding | None:
        """
        Return what *alias*, or `package:alias`, stands for; None when it is no alias.

        A binding of `package:alias` goes before that of the package, whose own `extends` counts for nothing.
        """
        chosen = self.profile(profile)
        own = self.profiles.get(chosen, {})
        if alias in own:
            return own[alias]
        package, found, name = alias.partition(":")
        if found and package == self.package:
            return own.get(name)
        theirs = self.packages.get(package) if found else None
        return None if theirs is None else theirs.profiles.get(_profile_in(theirs, chosen), {}).get(name)

    def aliases(self, profile: str | None = None) -> dict[str, Binding]:
        """Return all aliases of a profile, sorted; those of packages as `package:alias`."""
        chosen = self.profile(profile)
        found = dict(self.profiles.get(chosen, {}))
        for package, theirs in self.packages.items():
            for name, binding in theirs.profiles.get(_profile_in(theirs, chosen), {}).items():
                found.setdefault(f"{package}:{name}", binding)
        return dict(sorted(found.items()))

    def hint(self, alias: str, profile: str | None = None) -> str:
        """Return a sentence on where *alias* may be meant to be, and a space before it; empty when nobody knows."""
        chosen = self.profile(profile)
        owners = [name for name in self.packages if self.find(f"{name}:{alias}", chosen) is not None]
        others = [name for name, bindings in sorted(self.profiles.items()) if alias in bindings]
        near = get_close_matches(alias, self.aliases(chosen), 3)
        if owners:
            said = " or ".join(f"{name}:{alias}" for name in owners)
            return f" {alias!r} is an alias of {_listed(owners)}: write {said}."
        if others:
            return f" The alias {alias!r} is bound in {_listed(others)}, and the profile is {chosen}."
        return f" Near aliases: {', '.join(near)}." if near else ""

    def require(self, names: Iterable[str], *, context: str = "", profile: str | None = None) -> None:
        """
        Check that all *names* are aliases.

        Raises:
            FiberValidationError: Some are not; the message lists them, and names the file and *context*.
        """
        wanted = [names] if isinstance(names, str) else list(names)
        chosen = self.profile(profile)
        missing = [name for name in wanted if self.find(name, chosen) is None]
        if not missing:
            return
        who = f"{context} needs" if context else "Needed are"
        where = f"{self.path}, profile {chosen}," if self.path else "a client without a lockfile"
        hints = "".join(self.hint(name, chosen) for name in missing)
        remedy = "Bind each with `fiber alias bind ALIAS MODEL`" if self.path else "Make a file with `fiber lock init`"
        raise FiberValidationError(
            f"{who} aliases that {where} does not have: {', '.join(missing)}.{hints} {remedy}.",
            parameter="aliases",
            outcome="not_sent",
        )


AnyLockfile: TypeAlias = Lockfile | str | PathLike[str]
"""A lockfile, or the path of one."""

NONE = Lockfile()
"""No lockfile."""


def _profile_in(theirs: Lockfile, chosen: str) -> str:
    return chosen if chosen in theirs.profiles else theirs.default_profile


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)
