"""
Views of what Cohere sends: only the members that are read, and `Any` where a gateway may send
something odd.

Blocks, calls and citations stay raw JSON until they are read one by one.
Documentation: https://docs.cohere.com/reference/chat, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fiber._errors import FiberParsingError
from fiber.adapters.jsons import decode

TOOL_PLAN = "tool_plan"
"""Member of the message that says what the model plans to do with tools, and kind of its native."""


class Message(msgspec.Struct):
    """A message; in an event one piece of it, and then not in a list."""

    content: Any = None
    tool_plan: Any = None
    tool_calls: Any = None
    citations: Any = None


class Reply(msgspec.Struct):
    """A whole reply; an error has a text for its message."""

    id: Any = None
    message: Message | str | None = None
    finish_reason: Any = None
    usage: Any = None
    logprobs: Any = None
    error: Any = None
    error_type: Any = None


class Delta(msgspec.Struct):
    """What an event brings."""

    message: Message | None = None
    finish_reason: Any = None
    usage: Any = None
    error: Any = None
    error_type: Any = None


class Event(msgspec.Struct):
    """One event; in an error event `message` is its text."""

    type: Any = None
    index: Any = None
    id: Any = None
    delta: Delta | None = None
    logprobs: Any = None
    message: Any = None


class Kind(msgspec.Struct):
    """What an event calls itself."""

    type: str | int | float | bool | None = None


REPLY = msgspec.json.Decoder(Reply)
EVENT = msgspec.json.Decoder(Event)
KIND = msgspec.json.Decoder(Kind)
KNOWN = frozenset(
    f"{part}-{what}"
    for part in ("message", "content", "tool-plan", "tool-call", "citation")
    for what in ("start", "delta", "end")
)
"""Kinds of events that are read."""


def read_reply(data: bytes) -> Reply:
    """
    Decode a whole reply.

    Raises:
        FiberParsingError: It is none.
    """
    return decode(data, REPLY)


def read_event(data: bytes) -> Event | None:
    """
    Decode one event; None when it is of a kind that is not known, and of another shape.

    Raises:
        FiberParsingError: It is no JSON, or not what its kind promises.
    """
    try:
        return decode(data, EVENT)
    except FiberParsingError:
        if decode(data, KIND).type in KNOWN:
            raise
        return None


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Walk the objects in *value*, a list of them or one."""
    return (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict))
