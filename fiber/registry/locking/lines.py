"""
Where the statements of a TOML text stand, for errors that name a line and for edits that keep comments.

`tomllib` tells values and no places. So the text is cut into lines, lines are put together until `tomllib` reads them
as a whole, and what that gives is the statement's path: there is no second grammar here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys, and places in arrays from 0, from the top of the text."""

_ENDS = ("]", "}", '"""', "'''")
"""One of them stands in the last line of a statement that has several."""


class Statement(NamedTuple):
    """
    One header of a table, or one key with its value.

    Attributes:
        table: Path of the table that it opens, or stands in.
        data: Its key and value; None for a header, and for what never ends.
        first, last: Its lines, from 1.
        text: Its lines.
    """

    table: Path
    data: dict[str, Any] | None
    first: int
    last: int
    text: str


def statements(text: str) -> Iterator[Statement]:
    """Yield the statements of *text*, whose lines end in LF; what is not TOML comes last, with all that is below it."""
    table: Path = ()
    arrays: dict[Path, int] = {}
    held: list[str] = []
    first = 1
    for number, line in enumerate(text.split("\n"), start=1):
        held.append(line)
        if len(held) > 1 and not any(end in line for end in _ENDS):
            continue
        whole = "\n".join(held)
        try:
            data = tomllib.loads(whole)
        except (ValueError, RecursionError):
            continue  # it goes on in the next line
        if whole.lstrip().startswith("["):
            table = _opened(data, arrays)
            yield Statement(table, None, first, number, whole)
        elif data:
            yield Statement(table, data, first, number, whole)
        held, first = [], number + 1
    if held:
        yield Statement(table, None, first, first + len(held) - 1, "\n".join(held))


def line_of(text: str, path: Path) -> int:
    """Return the line of *path* in *text*, or of what is nearest above it; 1 when nothing is."""
    lines: dict[Path, int] = {(): 1}
    for statement in statements(text):
        for depth in range(1, len(statement.table) + 1):
            lines.setdefault(statement.table[:depth], statement.first)
        for inner in _paths(statement.data or {}, statement.table):
            lines.setdefault(inner, statement.first)
    while path not in lines:
        path = path[:-1]
    return lines[path]


def fault_of(text: str, error: Exception) -> tuple[int, str, str]:
    """Return line, field and message of *error*, which `tomllib` raised for *text*."""
    said = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error), re.DOTALL)
    message = said[1] if said else str(error)
    found = list(statements(text))
    line = int(said[2]) if said and said[2] else found[-1].first if found else 1
    field = ""
    for statement in found:
        if statement.first <= line:
            key = "" if statement.text.lstrip().startswith("[") else statement.text.partition("=")[0].strip()
            field = ".".join(filter(None, (spelled(statement.table), key)))
    return line, field, message


def spelled(path: Path) -> str:
    """Return *path* in words, like `profiles.dev.bindings[0].alias`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _opened(header: dict[str, Any], arrays: dict[Path, int]) -> Path:
    """Return the path of the table that *header* opens; *arrays* counts the tables of arrays."""
    path: Path = ()
    data: Any = header
    while data:
        key, data = next(iter(data.items()))
        path = (*path, key)
        if isinstance(data, list):
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
        if isinstance(data, list):
            break
    return path


def _paths(value: Any, above: Path) -> Iterator[Path]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*above, step)
        yield from _paths(inner, (*above, step))
