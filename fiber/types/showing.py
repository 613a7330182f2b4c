"""
What a `repr` shows of values that may hold what is not for logs: headers, and bytes of a body.

A `repr` is written where nobody looks: into a traceback with variables, a log record, a crash report.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

HARMLESS_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "content-encoding",
        "content-length",
        "content-type",
        "openai-beta",
        "user-agent",
    }
)
"""Headers whose values are shown; those of all others are masked, for nobody knows what a gateway takes as a key."""


class Shown:
    """Stands in a `repr` for what is not shown there."""

    __slots__ = ("_words",)

    def __init__(self, words: str) -> None:
        self._words = words

    def __repr__(self) -> str:
        return self._words


_MASK = Shown("'***'")


def size_of(data: bytes) -> bytes | Shown:
    """Return what is shown of the bytes of a body: how many there are."""
    return Shown(f"<{len(data)} bytes>") if data else data


def masked(headers: Iterable[tuple[str, object]]) -> tuple[tuple[str, object], ...]:
    """Return *headers* as they are shown."""
    return tuple((name, value if name.lower() in HARMLESS_HEADERS else _MASK) for name, value in headers)


def repr_of(value: msgspec.Struct, **instead: object) -> str:
    """Return the `repr` of *value* with other values *instead* of some of its members."""
    return msgspec.Struct.__repr__(msgspec.structs.replace(value, **instead))
