"""
Views of replies: only the fields that are used, and no type where a server may be odd.

Parts that are replayed stay `msgspec.Raw`, so that they go back byte for byte.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from fiber.adapters import jsons

T = TypeVar("T")
_NOTHING = msgspec.Raw(b"")


class Reply(msgspec.Struct, gc=False):
    """A whole reply, also inside the events that carry one."""

    id: Any = None
    model: Any = None
    status: Any = None
    output: msgspec.Raw = _NOTHING
    error: Any = None
    incomplete_details: Any = None
    usage: Any = None
    tool_usage: Any = None
    service_tier: Any = None
    tools: Any = None
    input_transformations: Any = None


class Event(msgspec.Struct, gc=False):
    """One event of a stream, whatever its type."""

    type: Any = None
    response: msgspec.Raw = _NOTHING
    item: msgspec.Raw = _NOTHING
    part: msgspec.Raw = _NOTHING
    item_id: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    text: Any = None
    arguments: Any = None
    annotation: Any = None
    logprobs: Any = None
    error: Any = None


class Item(msgspec.Struct, gc=False):
    """One item of the output, whatever its type."""

    type: Any = None
    id: Any = None
    role: Any = None
    phase: Any = None
    content: Any = None
    summary: Any = None
    call_id: Any = None
    name: Any = None
    arguments: Any = None
    input: Any = None
    result: Any = None
    output_format: Any = None


class Head(msgspec.Struct, gc=False):
    """What tells one sealed part from another."""

    type: Any = None
    id: Any = None


REPLY: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)
EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
ITEM: msgspec.json.Decoder[Item] = msgspec.json.Decoder(Item)
HEAD: msgspec.json.Decoder[Head] = msgspec.json.Decoder(Head)
RAW_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
RAW_FIELDS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(data: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """
    Decode *data* with *decoder*, as tolerant as `jsons.decode`.

    Raises:
        FiberParsingError: It is not JSON, or not of the decoder's type.
    """
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):
        return jsons.decode(bytes(data), decoder)


def is_object(raw: msgspec.Raw) -> bool:
    """Say whether *raw* is a JSON object, and not null or missing."""
    return bytes(memoryview(raw)[:1]) == b"{"


def raw_list(data: msgspec.Raw) -> list[msgspec.Raw] | None:
    """Return the elements of a JSON array; None when *data* is anything else."""
    return RAW_LIST.decode(data) if bytes(data).startswith(b"[") else None


def whole_text(raw: msgspec.Raw) -> msgspec.Raw:
    """Return *raw* with invalid UTF-8 replaced; msgspec does not look into `Raw`."""
    try:
        bytes(raw).decode()
    except UnicodeDecodeError:
        return msgspec.Raw(jsons.text_of(raw).encode())
    return raw
