"""
Function arguments that Vertex streams as JSON paths, put together to JSON text again.

With `streamFunctionCallArguments` a call comes as leaves: `{"jsonPath": "$.recipe.steps[0]",
"stringValue": "Mix"}`, and a string goes on in the next leaf with the same path while
`willContinue` is true. Leaves come in the order of the document, so the text can be written as they
come: a stack of the open objects and arrays, closed as far as the next path leaves them. When a
path goes back to what is closed already, writing stops, and at the end the whole is built from all
leaves.

Documentation: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling.
Facts as of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec

from fiber._errors import FiberParsingError
from fiber.adapters.jsons import objects

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_ESCAPED = re.compile(r"\\(.)")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")

Path: TypeAlias = tuple[str | int, ...]


class PartialArguments:
    """
    Writer of one call's arguments: `add` leaves, then `finish`.

    Attributes:
        pieces: The JSON text so far; all of it after `finish`.
    """

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._leaves: dict[Path, Any] = {}  # a string is a list of its pieces
        self._stack: list[str | int] = []  # keys on the way to the last leaf's container
        self._members: list[set[str | int]] = [set()]  # what each open container has
        self._string: Path | None = None
        self._goes_on = False
        self._in_order = True
        self._text = "{"

    def add(self, partial_args: Any) -> str:
        """
        Take `partialArgs`, return the JSON text they add.

        Raises:
            FiberParsingError: A path cannot be read.
        """
        for entry in objects(partial_args):
            self._leaf(entry)
        return self._take()

    def finish(self) -> tuple[str, str | None]:
        """Return the rest of the text, and the whole of it when the pieces do not make it."""
        if not self._in_order:
            self.pieces = [msgspec.json.encode(self._build()).decode()]
            return "", self.pieces[0]
        self._end_string()
        self._close(0)
        self._text += "}"
        return self._take(), None

    def _take(self) -> str:
        text, self._text = self._text, ""
        self.pieces.append(text)
        return text

    def _leaf(self, entry: dict[str, Any]) -> None:
        path = _steps(entry.get("jsonPath"))
        kind = next((name for name in _VALUES if name in entry), None)
        if kind is None:
            # A leaf without a value only says that a string is over.
            self._goes_on = False
            return
        value = None if kind == "nullValue" else entry[kind]
        if not isinstance(value, str):
            self._leaves[path] = value
            self._write(path, msgspec.json.encode(value).decode())
            return
        piece = msgspec.json.encode(value).decode()[1:-1]
        if path == self._string and self._goes_on:
            self._leaves[path].append(value)
            self._text += piece if self._in_order else ""
        else:
            self._leaves[path] = [value]
            self._write(path, f'"{piece}')
            self._string = path
        self._goes_on = entry.get("willContinue") is True

    def _write(self, path: Path, text: str) -> None:
        if not self._in_order:
            return
        self._end_string()
        shared = 0
        while shared < min(len(self._stack), len(path) - 1) and self._stack[shared] == path[shared]:
            shared += 1
        self._close(shared)
        for depth in range(shared, len(path)):
            key, inside = path[depth], self._members[-1]
            if not _may_follow(key, inside):
                self._in_order = False
                return
            self._text += "," if inside else ""
            self._text += f"{msgspec.json.encode(key).decode()}:" if isinstance(key, str) else ""
            inside.add(key)
            if depth < len(path) - 1:
                self._text += "{" if isinstance(path[depth + 1], str) else "["
                self._stack.append(key)
                self._members.append(set())
        self._text += text

    def _end_string(self) -> None:
        if self._string is not None:
            self._text += '"'
            self._string = None

    def _close(self, depth: int) -> None:
        while len(self._stack) > depth:
            self._stack.pop()
            self._text += "]" if isinstance(next(iter(self._members.pop())), int) else "}"

    def _build(self) -> Any:
        root: dict[str, Any] = {}
        for path, value in self._leaves.items():
            node: Any = root
            for step, following in pairwise(path):
                node = _enter(node, step, {} if isinstance(following, str) else [])
            leaf = "".join(value) if isinstance(value, list) else value
            if _enter(node, path[-1], leaf) is not leaf:
                raise _unreadable(path[-1])
        return root


def _may_follow(key: str | int, inside: set[str | int]) -> bool:
    """Say whether *key* can be written next into a container that has *inside*."""
    if isinstance(key, int):
        return key == len(inside) and not isinstance(next(iter(inside), 0), str)
    return key not in inside and not isinstance(next(iter(inside), ""), int)


def _enter(node: Any, step: str | int, value: Any) -> Any:
    """Return the member *step* of *node*, which is *value* when there is none yet."""
    if isinstance(node, dict) and isinstance(step, str):
        return node.setdefault(step, value)
    if isinstance(node, list) and isinstance(step, int) and step <= len(node):
        if step == len(node):
            node.append(value)
        return node[step]
    raise _unreadable(step)


def _steps(path: Any) -> Path:
    """Read a JSON path like `$.recipe.steps[0]` or `$['a b'].c`."""
    steps: list[str | int] = []
    position = 1
    if isinstance(path, str) and path.startswith("$"):
        while (found := _STEP.match(path, position)) is not None:
            name, index, single, double = found.groups()
            if index is not None:
                steps.append(int(index))
            else:
                quoted = single if single is not None else double
                steps.append(name if quoted is None else _ESCAPED.sub(r"\1", quoted))
            position = found.end()
    if not steps or position != len(path) or not isinstance(steps[0], str):
        raise _unreadable(path)
    return tuple(steps)


def _unreadable(path: Any) -> FiberParsingError:
    return FiberParsingError(
        f"The arguments of a streamed function call do not fit together at {str(path)[:200]!r}."
        " Turn streamFunctionCallArguments off to get them whole.",
        outcome="unknown",
    )
