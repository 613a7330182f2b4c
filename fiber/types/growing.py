"""Typed values that grow while their JSON comes in."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from fiber._errors import FiberParsingError
from fiber.types.events import MessageStart, Restart, StreamEvent, TextDelta
from fiber.types.jsons import parse_json
from fiber.types.partial import partial_json

T = TypeVar("T")

_SMOOTH = 2048
"""Up to so many characters every piece is looked at; beyond, text must grow by a share of it, or all is quadratic."""
_SHARE = 32
_DEPTH = 32
"""Open objects and arrays, from the innermost, that may be left out to make a value fit."""


class GrowingValue(Generic[T]):
    """
    A value of type *kind* that grows with the events of a stream, or the pieces of its JSON, fed as they come.

    Every value given is a true instance of *kind*, validated: what is not there yet takes its default, and a member or
    element that does not fit yet is left out. So a field without a default holds its object back until it is there,
    strings grow, and a list of whole objects grows by one at a time. Only a choice of words may be taken back, where
    one of them is the beginning of another.

    Reading costs a constant time per character: beyond 2048 characters a value is made whenever the text has grown by
    a thirty-second part.

    Args:
        kind: As for `response_format`: msgspec Struct, dataclass, TypedDict, pydantic model, `list[...]`; None for
            plain data.

    Attributes:
        value: The last value given; None before the first.
    """

    def __init__(self, kind: type[T] | None) -> None:
        self.value: T | None = None
        self._kind = kind
        self._pieces: list[str] = []
        self._size = 0
        self._due = 0
        self._member = ""

    def feed(self, piece: str | StreamEvent) -> T | None:
        """
        Add *piece*; return the value so far when it is another one than before, else None.

        Args:
            piece: Text, or any event of a stream: the text of its first choice counts, a `Restart` begins anew, and
                of an object that only holds the value (`MessageStart.json_member`) the value counts.

        Raises:
            FiberParsingError: However the text goes on, it is no JSON.
        """
        text = piece if isinstance(piece, str) else self._text_of(piece)
        self._pieces.append(text)
        self._size += len(text)
        if not text or self._size < self._due:
            return None
        self._due = self._size + max(0, self._size - _SMOOTH) // _SHARE
        data = partial_json(self._whole())
        if self._member:
            data = data.get(self._member) if isinstance(data, dict) else None
        value: T | None = _fitting(data, self._kind)
        if value is None or value == self.value:
            return None
        self.value = value
        return value

    def finish(self) -> T:
        """
        Return the value of the whole text.

        Raises:
            FiberParsingError: It is not JSON, or does not fit.
        """
        value: T = parse_json(self._whole(), self._kind, member=self._member)
        self.value = value
        return value

    def _text_of(self, event: StreamEvent) -> str:
        match event:
            case TextDelta(text=text, index=0):
                return text
            case MessageStart(json_member=member):
                self._member = member
            case Restart():
                self.value = None
                self._pieces, self._size, self._due = [], 0, 0
            case _:
                pass
        return ""

    def _whole(self) -> str:
        self._pieces = ["".join(self._pieces)]
        return self._pieces[0]


def _fitting(value: Any, kind: Any) -> Any:
    """Return *value* as a *kind*, without what at its end does not fit; None when nothing does."""
    if kind is None or value is None:
        return value
    for container in [None, *reversed(_last_branch(value)[-_DEPTH:])]:
        if isinstance(container, dict):
            container.popitem()
        elif isinstance(container, list):
            container.pop()
        try:
            return parse_json(msgspec.json.encode(value).decode(), kind)
        except FiberParsingError:
            continue
    return None


def _last_branch(value: Any) -> list[Any]:
    """Return the objects and arrays that hold the last thing said, outermost first."""
    branch = []
    while isinstance(value, dict | list) and value:
        branch.append(value)
        value = value[-1] if isinstance(value, list) else next(reversed(value.values()))
    return branch
