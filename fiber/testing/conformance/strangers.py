"""JSON with members of which nobody has heard, and what an answer says all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fiber.framing.event_stream import EventStreamDecoder, HeaderValue
from fiber.testing.formats.event_stream import message as framed
from fiber.types.result import ChatResult

_STRANGER = {"unknown_member": {"of": ["the", "future", 1, None]}}

GARBAGE = (b"", b"<html></html>", b"null", b"[]", b'{"error":', b"\xff\xfe\x00")
"""Bodies that are no answer, and that come all the same."""


def gist(result: ChatResult) -> Any:
    """Return what must not change when unknown members come."""
    return result.text, result.finish_reason, [call.name for call in result.tool_calls]


def with_strangers(data: bytes) -> bytes:
    """Add an unknown member to each object of the JSON in *data*: a whole body, or lines or messages of a stream."""
    if messages := EventStreamDecoder().feed(data):
        return b"".join(_reframed(*message) for message in messages)
    try:
        return msgspec.json.encode(_grown(msgspec.json.decode(data)))
    except ValueError:
        return b"\n".join(map(_grown_line, data.split(b"\n")))


def _grown_line(line: bytes) -> bytes:
    field = b"data:" if line.startswith(b"data:") else b""
    try:
        return field + msgspec.json.encode(_grown(msgspec.json.decode(line[len(field) :])))
    except ValueError:
        return line


def _reframed(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    return framed({name: str(value) for name, value in headers.items()}, with_strangers(payload))


def _grown(value: Any) -> Any:
    match value:
        case dict():
            return {name: _grown(member) for name, member in value.items()} | _STRANGER
        case list():
            return [_grown(member) for member in value]
        case _:
            return value
