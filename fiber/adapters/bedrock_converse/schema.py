"""
Views of what Converse answers: only the members that are used, and tolerant of all others.

Blocks are read as raw members, so that their JSON goes back byte for byte.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber._errors import FiberParsingError
from fiber.adapters import jsons

Members = dict[str, msgspec.Raw]

NOTHING = msgspec.Raw(b"null")


class Message(msgspec.Struct):
    """The message of a whole reply."""

    content: msgspec.Raw = NOTHING


class Output(msgspec.Struct):
    """What a whole reply puts out."""

    message: Message | None = None


class Reply(msgspec.Struct, rename="camel"):
    """A whole reply; the counts and the trace of a stream come in its last event."""

    output: Output | None = None
    stop_reason: Any = None
    usage: Any = None
    trace: Any = None


class ToolPiece(msgspec.Struct):
    """A piece of a call's arguments."""

    input: Any = None


class ReasoningPiece(msgspec.Struct, rename="camel"):
    """A piece of reasoning: text, its signature, or what is hidden, as base64."""

    text: Any = None
    signature: Any = None
    redacted_content: Any = None


class Delta(msgspec.Struct, rename="camel"):
    """What a block grows by: one of these."""

    text: Any = None
    tool_use: ToolPiece | None = None
    reasoning_content: ReasoningPiece | None = None
    citation: msgspec.Raw = NOTHING
    tool_result: msgspec.Raw = NOTHING
    image: msgspec.Raw = NOTHING


class Event(msgspec.Struct, rename="camel"):
    """The payload of an event; its type says which of these it has."""

    content_block_index: int | float | str | None = None
    start: msgspec.Raw = NOTHING
    delta: Delta | None = None
    stop_reason: Any = None
    usage: Any = None
    trace: Any = None


REPLY = msgspec.json.Decoder(Reply)
EVENT = msgspec.json.Decoder(Event)
_MEMBERS = msgspec.json.Decoder(Members)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def members_of(data: bytes) -> Members:
    """Return the members of the JSON object *data*; none when it is no object."""
    try:
        return jsons.decode(data, _MEMBERS)
    except FiberParsingError:
        return {}


def items_of(raw: msgspec.Raw) -> list[msgspec.Raw] | None:
    """Return the items of a JSON array; None when it is none."""
    try:
        return jsons.decode(bytes(raw), _RAWS)
    except FiberParsingError:
        return None


def inner(members: Members, name: str) -> Members:
    """Return the members of the member *name*; none when it is missing or no object."""
    return members_of(bytes(members.get(name, NOTHING)))


def string(members: Members, name: str) -> str:
    """Return the member *name* when it is a string, else an empty one."""
    return jsons.text(jsons.decode_any(bytes(members.get(name, NOTHING))))


def number(members: Members, name: str) -> int | None:
    """Return the member *name* when it is a number."""
    return jsons.count(jsons.decode_any(bytes(members.get(name, NOTHING))))
