"""
Views of what the Messages API answers: only the fields that are used, and tolerant of all others.

Blocks are read as raw members, so that their JSON goes back byte for byte.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from fiber._errors import FiberParsingError
from fiber.adapters import jsons

T = TypeVar("T")
Members = dict[str, msgspec.Raw]

NOTHING = msgspec.Raw(b"null")


class Message(msgspec.Struct, gc=False):
    """A whole reply, or the beginning of one in `message_start`."""

    type: Any = None
    id: Any = None
    model: Any = None
    content: msgspec.Raw = NOTHING
    stop_reason: Any = None
    stop_details: Any = None
    container: Any = None
    usage: Any = None
    error: Any = None


class Delta(msgspec.Struct, gc=False):
    """What changed: in a block, or in the message."""

    type: Any = None
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    stop_reason: Any = None
    stop_details: Any = None
    container: Any = None


class Event(msgspec.Struct, gc=False):
    """One event of a stream."""

    type: Any = None
    index: int | float | str | None = None
    delta: Delta | None = None
    content_block: msgspec.Raw = NOTHING
    message: Message | None = None
    usage: Any = None
    error: Any = None


class RawDelta(msgspec.Struct, gc=False):
    """The same event, its delta as raw members."""

    delta: Members


MESSAGE = msgspec.json.Decoder(Message)
EVENT = msgspec.json.Decoder(Event)
RAW_DELTA = msgspec.json.Decoder(RawDelta)
_MEMBERS = msgspec.json.Decoder(Members)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def read(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """
    Decode *data*; JSON that msgspec refuses but servers send is cleaned first (see `jsons`).

    Raises:
        FiberParsingError: It is not JSON, or not of the decoder's type.
    """
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):
        pass
    clean = msgspec.json.encode(jsons.decode_any(data))
    try:
        return decoder.decode(clean)
    except ValueError as error:
        raise FiberParsingError(
            f"The provider's JSON does not fit: {error}.",
            raw_response=jsons.excerpt(data),
            outcome="unknown",
        ) from None


def members_of(data: bytes) -> Members | None:
    """Return the members of the JSON object *data*; None when it is none."""
    try:
        return read(data, _MEMBERS)
    except FiberParsingError:
        return None


def items_of(raw: msgspec.Raw) -> list[msgspec.Raw] | None:
    """Return the items of a JSON array; None when it is none."""
    data = bytes(raw)
    if not data.startswith(b"["):  # mostly nothing at all, which is not worth an exception
        return None
    try:
        return read(data, _RAWS)
    except FiberParsingError:
        return None


def value(members: Members, name: str) -> Any:
    """Return the member *name* as a Python value; None when it is missing."""
    raw = members.get(name)
    return None if raw is None else jsons.decode_any(bytes(raw))


def string(members: Members, name: str) -> str:
    """Return the member *name* when it is a string, else an empty one."""
    return jsons.text(value(members, name))


def encoded(found: Any) -> msgspec.Raw:
    """Return *found* as JSON."""
    return msgspec.Raw(msgspec.json.encode(found))
