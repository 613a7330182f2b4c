"""
The binary event stream of AWS (`application/vnd.amazon.eventstream`) from bytes.

    u32 total length | u32 headers length | u32 CRC-32 of these 8 bytes | headers | payload | u32 CRC-32 of all before

A header is a name (u8 length), a type (u8) and a value; all numbers are big-endian.
Source: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html (event stream encoding) and
https://smithy.io/2.0/aws/amazon-eventstream.html (read 2026-11-21).

A length is believed only when its own checksum fits, so what is no event stream is told at its twelfth byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple, TypeAlias
from zlib import crc32

from fiber._errors import FiberParsingError

MAX_HEADERS_BYTES = 128 * 1024
MAX_PAYLOAD_BYTES = 24 * 1024 * 1024
"""Bounds of the format."""

HeaderValue: TypeAlias = bool | int | bytes | str
"""A timestamp is milliseconds since 1970, a UUID its 16 bytes."""

_PRELUDE = Struct(">III")
_CRC = Struct(">I")
_AROUND = _PRELUDE.size + _CRC.size
_FIXED: Mapping[int, Struct] = {
    # Types of one size: signed numbers of 8 to 64 bits, and a timestamp.
    2: Struct(">b"),
    3: Struct(">h"),
    4: Struct(">i"),
    5: Struct(">q"),
    8: Struct(">q"),
}
_BYTES, _TEXT, _UUID = 6, 7, 9
_STRAY_BYTES = 64 * 1024
_LENGTH = Struct(">H")
_UUID_BYTES = 16


class Message(NamedTuple):
    """One message: its headers, those of the format itself beginning with a colon, and its payload."""

    headers: Mapping[str, HeaderValue]
    payload: bytes


class EventStreamDecoder:
    """
    Incremental decoder: `feed` chunks, then `finish`.

    Attributes:
        failure: Why nothing more can be read: what came is damaged, or no event stream. What was good before it has
            been given out; later chunks give nothing.
        stray: What could not be read, as received; at most 64 KiB are kept.

    Args:
        max_payload_bytes: Longest payload accepted.
    """

    __slots__ = ("_buffer", "_limit", "_need", "failure", "stray")

    def __init__(self, max_payload_bytes: int = MAX_PAYLOAD_BYTES) -> None:
        self.failure: FiberParsingError | None = None
        self.stray = b""
        self._buffer = bytearray()
        self._limit = max_payload_bytes
        self._need = 0  # length of the message that is coming, when it is known

    def feed(self, chunk: bytes) -> list[Message]:
        """Take the next bytes, return the messages they complete; see `failure`."""
        if self.failure is not None:
            return []
        self._buffer += chunk
        messages: list[Message] = []
        try:
            while (message := self._next()) is not None:
                messages.append(message)
        except FiberParsingError as error:
            self.failure = error
            self.stray = bytes(self._buffer[:_STRAY_BYTES])
            self._buffer.clear()
        return messages

    def finish(self) -> bool:
        """End of the body: say whether it ended between two messages, not within one."""
        return not self._buffer

    def _next(self) -> Message | None:
        buffer = self._buffer
        if not self._need:
            if len(buffer) < _PRELUDE.size:
                return None
            self._need = self._announced()
        if len(buffer) < self._need:
            return None
        data = bytes(memoryview(buffer)[: self._need])
        del buffer[: self._need]
        self._need = 0
        body, (checksum,) = data[: -_CRC.size], _CRC.unpack(data[-_CRC.size :])
        if crc32(body) != checksum:
            raise _damaged("the checksum of a message does not fit")
        _, headers_length, _ = _PRELUDE.unpack_from(body)
        start = _PRELUDE.size + headers_length
        return Message(headers_of(body[_PRELUDE.size : start]), body[start:])

    def _announced(self) -> int:
        """Return the length of the message whose prelude is there."""
        total, headers_length, checksum = _PRELUDE.unpack_from(self._buffer)
        if crc32(memoryview(self._buffer)[:8]) != checksum:
            raise _damaged("the checksum of a message's beginning does not fit, so these are no such bytes")
        payload_length = total - headers_length - _AROUND
        if headers_length > MAX_HEADERS_BYTES or payload_length < 0:
            raise _damaged(f"a message of {total} bytes has {headers_length} bytes of headers")
        if payload_length > self._limit:
            raise _damaged(f"a message is longer than {self._limit} bytes")
        return int(total)


def headers_of(data: bytes) -> dict[str, HeaderValue]:
    """
    Read the headers of one message.

    Raises:
        FiberParsingError: A value is cut off, its type is not known, or a name stands twice.
    """
    found: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            end = at + 1 + data[at]
            name, kind = data[at + 1 : end].decode(), data[end]
            value, at = _value(kind, data, end + 1)
            if name in found:
                raise _damaged(f"the header {name!r} stands twice in a message")
            found[name] = value
    except (ValueError, IndexError):
        raise _damaged("the headers of a message cannot be read") from None
    return found


def _value(kind: int, data: bytes, at: int) -> tuple[HeaderValue, int]:
    """Return the value of type *kind* that begins at *at*, and where it ends."""
    if kind in (0, 1):
        return kind == 0, at
    if kind in _FIXED:
        size = _FIXED[kind].size
        (number,) = _FIXED[kind].unpack(_slice(data, at, size))
        return int(number), at + size
    if kind == _UUID:
        return _slice(data, at, _UUID_BYTES), at + _UUID_BYTES
    if kind not in (_BYTES, _TEXT):
        raise _damaged(f"a header has the unknown type {kind}")
    (size,) = _LENGTH.unpack(_slice(data, at, _LENGTH.size))
    start = at + _LENGTH.size
    value = _slice(data, start, size)
    return value.decode() if kind == _TEXT else value, start + size


def _slice(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    if len(piece) < size:
        raise IndexError
    return piece


def _damaged(why: str) -> FiberParsingError:
    return FiberParsingError(f"The event stream cannot be read: {why}.", outcome="unknown")
