"""One message of an AWS event stream, as bytes; see `fiber.framing.event_stream` for the format."""

from __future__ import annotations

from collections.abc import Mapping
from struct import pack
from zlib import crc32

_TEXT = 7


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Frame *payload* with headers of type string, the only ones that Bedrock sends."""
    block = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = pack(">II", len(block) + len(payload) + 16, len(block))
    start = lengths + pack(">I", crc32(lengths)) + block + payload
    return start + pack(">I", crc32(start))


def event(kind: str, payload: bytes) -> bytes:
    """Frame an event of type *kind* with its JSON."""
    return message(
        {":event-type": kind, ":content-type": "application/json", ":message-type": "event"},
        payload,
    )


def exception(kind: str, payload: bytes) -> bytes:
    """Frame an exception of type *kind* with its JSON."""
    return message(
        {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"},
        payload,
    )


def _header(name: bytes, value: bytes) -> bytes:
    return pack(">B", len(name)) + name + pack(">BH", _TEXT, len(value)) + value
