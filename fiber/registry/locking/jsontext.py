"""Lockfiles in JSON: read with the line of every value, and written anew, for there are no comments to keep."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

from fiber.registry.locking.lines import Path

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_PIN = ("registry_versions", "catalog")


class Fault(ValueError):
    """Something is wrong in a line, at *path*."""

    def __init__(self, message: str, line: int, path: Path = ()) -> None:
        super().__init__(message)
        self.message, self.line, self.path = message, line, path


def is_json(text: str) -> bool:
    """Say whether *text* is meant to be JSON; no TOML begins so."""
    return text.lstrip().startswith("{")


def loaded(text: str) -> dict[str, Any]:
    """
    Read *text*; the day of the catalogue, which JSON writes as a text, as a day.

    Raises:
        Fault: It is no JSON, or says one thing twice.
    """
    try:
        data: dict[str, Any] = json.loads(text, parse_constant=_refused)
        json.dumps(data, ensure_ascii=False).encode()  # half a character can be written in JSON, and nowhere else
    except json.JSONDecodeError as error:
        raise Fault(error.msg, error.lineno) from None
    except (ValueError, RecursionError) as error:
        raise Fault(str(error), 1) from None
    seen: set[Path] = set()
    for path, line in places(text):
        if path in seen:
            raise Fault("stands there twice: leave one out.", line, path)
        seen.add(path)
    pins = data.get(_PIN[0])
    if isinstance(pins, dict) and isinstance(pins.get(_PIN[1]), str):
        with suppress(ValueError):  # whoever reads it says what is wrong with it
            pins[_PIN[1]] = date.fromisoformat(pins[_PIN[1]])
    return data


def places(text: str) -> Iterator[tuple[Path, int]]:
    """Yield path and line of every member and every item of *text*, which is JSON."""
    steps: list[Any] = []  # the place in each open object (None before its key) and array
    opened: list[str] = []
    line, end = 1, 0
    for found in _TOKEN.finditer(text):
        token = found[0]
        line, end = line + text.count("\n", end, found.start()), found.start()
        if token in ("}", "]"):
            steps.pop()
            opened.pop()
        elif token == ",":
            step = steps.pop()
            steps.append(step + 1 if opened[-1] == "[" else None)
        elif opened and opened[-1] == "{" and steps[-1] is None:
            steps[-1] = json.loads(token)
            yield tuple(steps), line
        elif token != ":":
            if opened and opened[-1] == "[":
                yield tuple(steps), line
            if token in ("{", "["):
                opened.append(token)
                steps.append(None if token == "{" else 0)


def line_of(text: str, path: Path) -> int:
    """Return the line of *path* in *text*, or of what is nearest above it; 1 when nothing is."""
    lines = {(): 1, **dict(places(text))}
    while path not in lines:
        path = path[:-1]
    return lines[path]


def bound(text: str, profile: str, place: int, alias: str, models: Sequence[str]) -> str:
    """Return *text* with *models* in the binding at *place* of *profile*; behind all others it is a new one."""

    def edit(data: dict[str, Any]) -> None:
        bindings = data.setdefault("profiles", {}).setdefault(profile, {}).setdefault("bindings", [])
        if place == len(bindings):
            bindings.append({"alias": alias})
        bindings[place]["models"] = list(models)

    return _edited(text, edit)


def unbound(text: str, profile: str, place: int) -> str:
    """Return *text* without the binding at *place* of *profile*."""
    return _edited(text, lambda data: data["profiles"][profile]["bindings"].pop(place))


def defaulted(text: str, profile: str) -> str:
    """Return *text* with *profile* as the default one."""
    return _edited(text, lambda data: data.update(default_profile=profile))


def pinned(text: str, revision: date) -> str:
    """Return *text* with *revision* as that of the catalogue."""
    return _edited(text, lambda data: data.setdefault(_PIN[0], {}).update({_PIN[1]: str(revision)}))


def written(data: Mapping[str, Any], indent: str = "  ") -> str:
    """Return *data* as the text of a file."""
    return json.dumps(data, indent=indent, ensure_ascii=False) + "\n"


def _edited(text: str, edit: Callable[[dict[str, Any]], object]) -> str:
    """Return *text* after *edit* of what it says, with its indentation and its line ends."""
    data = json.loads(text)
    edit(data)
    indent = re.match(r"\s*\{\s*\n([ \t]+)", text)
    new = written(data, indent[1] if indent else "  ")
    return new.replace("\n", "\r\n") if "\r\n" in text else new


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
