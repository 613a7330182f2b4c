"""A request between its format, which has built it, and the bytes it becomes: where a row has its last word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from fiber.types.http import Note
from fiber.types.request import ChatRequest

if TYPE_CHECKING:
    from fiber.types.target import Target


class Draft(NamedTuple):
    """
    One request as its format built it, without the caller's own members, headers and query.

    Attributes:
        url: Without a query.
        body: To be encoded as JSON.
        query, headers: The format's own.
        stream: A stream is asked for.
        notes: What was changed or left out so far; a hook adds what it changes.
    """

    url: str
    body: dict[str, Any]
    query: Mapping[str, str]
    headers: tuple[tuple[str, str], ...]
    stream: bool
    notes: list[Note]


AdaptRequest: TypeAlias = "Callable[[Draft, ChatRequest, Target], Draft]"
"""A pure function that returns the draft as one provider wants it; it may raise `FiberCapabilityError`."""
