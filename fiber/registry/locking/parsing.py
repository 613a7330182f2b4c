"""From the text of a lockfile to what it says; strict, for a name that is spelled wrong would be silently unheard."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from math import isfinite
from typing import Any

from fiber._errors import FiberValidationError
from fiber.registry.capabilities import checked
from fiber.registry.lockfile import DEFAULT, VERSION, Binding, Lockfile
from fiber.registry.locking import jsontext
from fiber.registry.locking.lines import Path, fault_of, line_of, spelled

_FIELDS = ("version", "default_profile", "profiles", "extends", "metadata", "registry_versions", "constraints")
_NAME = re.compile(r"\w[\w-]*", re.ASCII)
_ALIAS = re.compile(r"(?:(?P<package>[^\W\d]\w*(?:\.[^\W\d]\w*)*):)?\w[\w.-]*")
_PACKAGE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class _Wrong(Exception):
    """Something is wrong at *path*; within this module."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def parsed(text: str, name: str) -> Lockfile:
    """
    Read the text of the file *name*; of packages that it extends, only their names.

    Raises:
        FiberValidationError: It is neither TOML nor JSON, or no lockfile; the message and `parameter` say in which line
            and field.
    """
    text = text.replace("\r\n", "\n")
    try:
        data = jsontext.loaded(text) if jsontext.is_json(text) else tomllib.loads(text)
    except jsontext.Fault as fault:
        raise _error(name, fault.line, spelled(fault.path), fault.message) from None
    except (ValueError, RecursionError) as error:
        raise _error(name, *fault_of(text, error)) from None
    try:
        return _lockfile(data, name)
    except _Wrong as wrong:
        raise wrong_at(text, name, wrong.path, wrong.message) from None


def wrong_at(text: str, name: str, path: Path, message: str) -> FiberValidationError:
    """Return the error that something is wrong at *path*."""
    line = jsontext.line_of(text, path) if jsontext.is_json(text) else line_of(text.replace("\r\n", "\n"), path)
    return _error(name, line, spelled(path), message)


def check_alias(alias: str, packages: Iterable[str]) -> None:
    """
    Check the name of an alias.

    Raises:
        ValueError: It is no name, or that of a package that is none of *packages*.
    """
    found = _ALIAS.fullmatch(alias)
    if found is None:
        raise ValueError(
            f"{alias!r} is no name of an alias: use letters, digits, '-', '_' and '.', perhaps with a package and ':'"
            " before it."
        )
    if found["package"] is not None and found["package"] not in packages:
        raise ValueError(
            f"{alias!r} would override an alias of {found['package']!r}: name that package in extends.packages."
        )


def check_profile(name: str) -> None:
    """Raise ValueError when *name* cannot be that of a profile."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of a profile: use letters, digits, '-' and '_'.")


def check_model(model: str) -> None:
    """Raise ValueError when *model* cannot be that of a call."""
    if not model or not model.isprintable() or model != model.strip():
        raise ValueError(f"{model!r} is no model: write it as calls take it, like 'openai:gpt-6-luna'.")


def _lockfile(data: Mapping[str, Any], name: str) -> Lockfile:
    _known(data, (), _FIELDS)
    version = data.get("version")
    if type(version) is not int or version != VERSION:
        said = "is missing" if version is None else f"is {version!r}"
        raise _Wrong(("version",), f"{said}: write version = {VERSION}, the only one that this release reads.")
    extends = _extends(data)
    everywhere = _constraints(data, ())
    profiles = {}
    for profile, inner in _table(data, ("profiles",)).items():
        path: Path = ("profiles", profile)
        _checking(path, check_profile, profile)
        _known(_is_table(inner, path), path, ("bindings",))
        profiles[profile] = _bindings(inner, (*path, "bindings"), extends, everywhere)
    default = data.get("default_profile", DEFAULT)
    if default != DEFAULT and (not isinstance(default, str) or default not in profiles):
        known = ", ".join(sorted({*profiles, DEFAULT}))
        raise _Wrong(("default_profile",), f"{default!r} is no profile: use one of {known}.")
    return Lockfile(
        default_profile=default,
        profiles=profiles,
        extends=extends,
        metadata=_table(data, ("metadata",)),
        catalog=_catalog(data),
        path=name,
    )


def _extends(data: Mapping[str, Any]) -> tuple[str, ...]:
    path: Path = ("extends", "packages")
    said = _table(data, ("extends",))
    _known(said, ("extends",), ("packages",))
    packages = _texts(said.get("packages", []), path, 'a list of packages, like ["acme_notes"]')
    for place, package in enumerate(packages):
        if _PACKAGE.fullmatch(package) is None:
            raise _Wrong((*path, place), f"{package!r} is no package: write it as Python imports it.")
        if package in packages[:place]:
            raise _Wrong((*path, place), f"{package!r} stands there twice: leave one out.")
    return packages


def _bindings(
    profile: Mapping[str, Any], path: Path, extends: tuple[str, ...], everywhere: Mapping[str, Any]
) -> dict[str, Binding]:
    said = profile.get("bindings", [])
    if not isinstance(said, list):
        raise _Wrong(path, f"must be tables, each below [[{spelled(path)}]].")
    found: dict[str, Binding] = {}
    for place, binding in enumerate(said):
        here: Path = (*path, place)
        _known(_is_table(binding, here), here, ("alias", "models", "constraints"))
        alias = binding.get("alias")
        if not isinstance(alias, str):
            raise _Wrong((*here, "alias"), 'is missing or no text: write alias = "fast".')
        _checking((*here, "alias"), check_alias, alias, extends)
        if alias in found:
            raise _Wrong((*here, "alias"), f"{alias!r} is bound twice in this profile: leave one out.")
        models = _texts(binding.get("models"), (*here, "models"), 'a list of models, like ["openai:gpt-6-luna"]')
        if not models:
            raise _Wrong((*here, "models"), "is empty: name at least one model.")
        for number, model in enumerate(models):
            _checking((*here, "models", number), check_model, model)
            if model in models[:number]:
                raise _Wrong((*here, "models", number), f"{model!r} stands there twice: leave one out.")
        found[alias] = Binding(models, {**everywhere, **_constraints(binding, here)})
    return found


def _constraints(data: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    path = (*path, "constraints")
    said = _is_table(data.get("constraints", {}), path)
    for name, wanted in said.items():
        if isinstance(wanted, float) and not isfinite(wanted):
            raise _Wrong((*path, name), f"{wanted} is no number to compare with.")
    try:
        return checked(said)
    except FiberValidationError as error:
        raise _Wrong((*path, error.parameter or ""), error.message) from None


def _catalog(data: Mapping[str, Any]) -> date | None:
    said = _table(data, ("registry_versions",))
    _known(said, ("registry_versions",), ("catalog",))
    revision = said.get("catalog")
    if revision is not None and (not isinstance(revision, date) or isinstance(revision, datetime)):
        raise _Wrong(("registry_versions", "catalog"), "must be a day, like 2026-11-20; in TOML without quotes.")
    return revision


def _checking(path: Path, check: Callable[..., None], *arguments: Any) -> None:
    try:
        check(*arguments)
    except ValueError as error:
        raise _Wrong(path, str(error)) from None


def _table(data: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    return _is_table(data.get(str(path[-1]), {}), path)


def _is_table(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(path, f"must be a table, not {value!r}.")
    return value


def _texts(value: Any, path: Path, wanted: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _Wrong(path, f"must be {wanted}" + ("." if value is None else f", not {value!r}."))
    return tuple(value)


def _known(table: Mapping[str, Any], path: Path, names: Iterable[str]) -> None:
    for name in table:
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise _Wrong((*path, name), f"is not known: use {', '.join(names)}.{hint}")


def _error(name: str, line: int, field: str, message: str) -> FiberValidationError:
    where = f"{name}, line {line}, {field}: " if field else f"{name}, line {line}: "
    return FiberValidationError(where + message, parameter=field or "lockfile", outcome="not_sent")
