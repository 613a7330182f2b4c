"""
Edits of a lockfile's text that leave alone what they are not about: comments, order, layout.

Statements are replaced or added, and what comes of it is read again. Where that does not say what was meant (a file may
be laid out in ways that nobody edits here, like tables in one line), there is an error and no edit. A file in JSON is
written anew: it has no comments.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from datetime import date

import msgspec

from fiber._errors import FiberValidationError
from fiber.registry.lockfile import DEFAULT, VERSION, Binding, Lockfile
from fiber.registry.locking import jsontext
from fiber.registry.locking.lines import Path, Statement, statements
from fiber.registry.locking.parsing import check_alias, check_model, check_profile, parsed


def fresh(revision: date, *, as_json: bool = False) -> str:
    """Return the text of a new lockfile, without an alias."""
    if as_json:
        return jsontext.written(
            {"version": VERSION, "default_profile": DEFAULT, "registry_versions": {"catalog": str(revision)}}
        )
    return f"""\
# Aliases: names for models, in order of preference. `fiber alias bind fast MODEL...` adds one.
version = {VERSION}
default_profile = "default"

[registry_versions]
catalog = {revision}  # `fiber lock bump` renews it
"""


def bound(text: str, name: str, alias: str, models: Sequence[str], profile: str) -> str:
    """
    Return *text* in which *alias* stands for *models* in *profile*, which is added when it is new.

    Raises:
        FiberValidationError: *text* is wrong or cannot be edited, or a name is.
    """
    lockfile = parsed(text, name)
    try:
        check_profile(profile)
        check_alias(alias, lockfile.extends)
        for model in models:
            check_model(model)
    except ValueError as error:
        raise FiberValidationError(str(error), parameter="alias", outcome="not_sent") from None
    models = tuple(dict.fromkeys(models))
    bindings = lockfile.profiles.get(profile, {})
    array: Path = ("profiles", profile, "bindings")
    place = [*bindings, alias].index(alias)
    line = f"models = {json.dumps(models, ensure_ascii=False)}"
    if jsontext.is_json(text):
        edited = jsontext.bound(text, profile, place, alias, models)
    elif alias in bindings:
        edited = _replaced(text, (*array, place, "models"), line)
    else:
        header = f"[[{'.'.join(map(str, array))}]]"
        edited = _added(text, array, f"{header}\nalias = {json.dumps(alias, ensure_ascii=False)}\n{line}")
    old = bindings.get(alias, Binding(()))
    wanted = {**lockfile.profiles, profile: {**bindings, alias: msgspec.structs.replace(old, models=models)}}
    return _checked(edited, name, msgspec.structs.replace(lockfile, profiles=wanted), f"write `{line}` into it")


def unbound(text: str, name: str, alias: str, profile: str) -> str:
    """
    Return *text* without the binding of *alias* in *profile*, which stays, if need be without a binding.

    Raises:
        FiberValidationError: *text* is wrong or cannot be edited, or the alias is not bound there.
    """
    lockfile = parsed(text, name)
    bindings = dict(lockfile.profiles.get(profile, {}))
    if alias not in bindings:
        raise FiberValidationError(
            f"{name}, profile {profile}, binds no alias {alias!r}.{lockfile.hint(alias, profile)}",
            parameter="alias",
            outcome="not_sent",
        )
    place = list(bindings).index(alias)
    if jsontext.is_json(text):
        edited = jsontext.unbound(text, profile, place)
    else:
        edited = _without(text, ("profiles", profile, "bindings", place), keep=len(bindings) == 1)
    del bindings[alias]
    wanted = msgspec.structs.replace(lockfile, profiles={**lockfile.profiles, profile: bindings})
    return _checked(edited, name, wanted, f"take the alias {alias!r} out of it")


def defaulted(text: str, name: str, profile: str) -> str:
    """
    Return *text* with *profile* as that of calls which name none.

    Raises:
        FiberValidationError: *text* is wrong or cannot be edited, or has no such profile.
    """
    lockfile = parsed(text, name)
    wanted = msgspec.structs.replace(lockfile, default_profile=lockfile.profile(profile))
    line = f"default_profile = {json.dumps(profile)}"
    if profile == lockfile.default_profile:
        return text
    if jsontext.is_json(text):
        edited = jsontext.defaulted(text, profile)
    else:
        edited = _replaced(text, ("default_profile",), line)
        edited = _below_version(text, line) if edited == text else edited
    return _checked(edited, name, wanted, f"write `{line}` into it")


def pinned(text: str, name: str, revision: date) -> str:
    """
    Return *text* with *revision* as that of the catalogue.

    Raises:
        FiberValidationError: *text* is wrong or cannot be edited.
    """
    lockfile = parsed(text, name)
    line = f"catalog = {revision}"
    if jsontext.is_json(text):
        edited = jsontext.pinned(text, revision)
    elif lockfile.catalog is not None:
        edited = _replaced(text, ("registry_versions", "catalog"), line)
    else:
        edited = _added(text, ("registry_versions",), f"[registry_versions]\n{line}")
    return _checked(edited, name, msgspec.structs.replace(lockfile, catalog=revision), f"write `{line}` into it")


def _replaced(text: str, path: Path, line: str) -> str:
    """Return *text* with *line* for the statement at *path*; as it is when no statement is there alone."""
    lines = _lines(text)
    for statement in statements("\n".join(lines)):
        if statement.data and (*statement.table, *statement.data) == path:
            lines[statement.first - 1 : statement.last] = [line + _comment(statement)]
            break
    return _joined(text, lines)


def _added(text: str, near: Path, block: str) -> str:
    """Return *text* with *block* below all that belongs to *near*, or at the end."""
    lines = _lines(text.rstrip() + "\n")
    last = len(lines) - 1
    for statement in statements("\n".join(lines)):
        if statement.table[: len(near)] == near:
            last = statement.last
    gap = [""] * bool(lines[last])
    return _joined(text, [*lines[:last], "", *block.split("\n"), *gap, *lines[last:]])


def _without(text: str, path: Path, *, keep: bool) -> str:
    """Return *text* without the table at *path*, and what stands between its lines; *keep* the table around it."""
    lines = _lines(text)
    found = list(statements("\n".join(lines)))
    within = [each for each in found if each.table[: len(path)] == path]
    if not within:
        return text
    around = path[:2]
    above, below = lines[: within[0].first - 1], lines[within[-1].last :]
    if keep and all(each.table != around for each in found):
        above.append(f"[{'.'.join(map(str, around))}]")
    elif above and not above[-1] and below and not below[0]:
        below = below[1:]
    return _joined(text, [*above, *below])


def _below_version(text: str, line: str) -> str:
    """Return *text* with *line* below that of the version, which every lockfile has above its tables."""
    lines = _lines(text)
    last = next(each.last for each in statements("\n".join(lines)) if "version" in (each.data or {}))
    return _joined(text, [*lines[:last], line, *lines[last:]])


def _checked(text: str, name: str, wanted: Lockfile, remedy: str) -> str:
    try:
        if _meaning(parsed(text, name)) == _meaning(wanted):
            return text
    except FiberValidationError:  # the layout was broken, not improved
        pass
    raise FiberValidationError(
        f"{name} is laid out in a way that is not edited here: {remedy} yourself.",
        parameter="lockfile",
        outcome="not_sent",
    )


def _meaning(lockfile: Lockfile) -> Lockfile:
    """Return *lockfile* without the constraints, some of which a new binding gets from the whole file."""
    profiles = {
        profile: {alias: Binding(binding.models) for alias, binding in bindings.items()}
        for profile, bindings in lockfile.profiles.items()
    }
    return msgspec.structs.replace(lockfile, profiles=profiles)


def _comment(statement: Statement) -> str:
    """Return the comment behind *statement*, with the space before it; empty when there is none."""
    *_, last = statement.text.split("\n")
    above = statement.text[: len(statement.text) - len(last)]
    for place, sign in enumerate(last):
        if sign == "#":
            try:
                tomllib.loads(above + last[:place])
            except ValueError:  # the sign stands within a text
                continue
            return last[len(last[:place].rstrip()) :]
    return ""


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _joined(text: str, lines: Sequence[str]) -> str:
    """Return *lines* as one text, with the line ends of *text*."""
    return ("\r\n" if "\r\n" in text else "\n").join(lines)
