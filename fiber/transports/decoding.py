"""Undo the content encoding of a body, a bounded piece at a time: a body that unpacks to gigabytes costs little."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from fiber._errors import FiberParsingError

PIECE_BYTES = 256 * 1024
"""Longest decoded piece; what is left stays packed until it is asked for."""

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB, _BARE = 31, 15, -15
"""The windows of zlib's three wrappings; `deflate` is the second, and from some servers the third."""


class Unpacker:
    """
    Turns a packed body into the plain one: `feed` what came, take pieces until there is none, `finish` at the end.

    Args:
        encoding: Value of `content-encoding`.

    Raises:
        FiberParsingError: The encoding was not asked for, or there is more than one.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._name = encoding.strip().lower()
        if self._name not in ("gzip", "x-gzip", "deflate"):
            raise self._unreadable("only gzip was asked for")
        self._packed = b""
        self._machine: Any = None
        self._is_over = False

    def feed(self, packed: bytes) -> None:
        """Take the next packed bytes."""
        if not self._is_over:
            self._packed += packed

    def piece(self) -> bytes:
        """
        Return the next plain bytes, at most `PIECE_BYTES`; empty when more packed ones are needed.

        Raises:
            FiberParsingError: The bytes are not what the header says.
        """
        while self._packed:
            if self._machine is None:
                self._machine = zlib.decompressobj(self._window())
            elif self._machine.eof:
                if self._packed == _GZIP_MAGIC[:1]:  # may be the half of it
                    break
                if not self._packed.startswith(_GZIP_MAGIC):  # padding after the end
                    self._packed, self._is_over = b"", True
                    break
                self._machine = zlib.decompressobj(_GZIP)  # another member of the same body
            try:
                plain: bytes = self._machine.decompress(self._packed, PIECE_BYTES)
            except zlib.error as error:
                raise self._unreadable(str(error)) from None
            self._packed = self._machine.unconsumed_tail or self._machine.unused_data
            if plain:
                return plain
        return b""

    def finish(self) -> None:
        """
        The packed body ended. One of no bytes at all, as after a HEAD request, lacks nothing.

        Raises:
            FiberParsingError: It ended too early.
        """
        if self._machine is not None and not self._machine.eof:
            raise self._unreadable("it ends too early")

    def _window(self) -> int:
        if self._name != "deflate":
            return _GZIP
        return _ZLIB if self._packed[0] & 0x0F == 8 else _BARE  # RFC 1950, section 2.2: the method

    def _unreadable(self, why: str) -> FiberParsingError:
        return FiberParsingError(
            f"The answer's body has content-encoding {self._encoding[:40]!r} and cannot be unpacked: {why}.",
            outcome="unknown",
            should_retry=False,
        )


def unpacker_of(encoding: str) -> Unpacker | None:
    """Return what undoes *encoding*; None where nothing is to be undone."""
    return None if encoding.strip().lower() in ("", "identity") else Unpacker(encoding)


async def next_plain(unpacker: Unpacker, next_packed: Callable[[], Awaitable[bytes]]) -> bytes:
    """
    Return the next plain bytes of a body; empty at its end.

    Args:
        unpacker: What undoes its encoding.
        next_packed: Returns the next bytes as they were sent; empty at the end.

    Raises:
        FiberParsingError: The bytes are not what the header says, or end too early.
    """
    while not (plain := unpacker.piece()):
        packed = await next_packed()
        if not packed:
            unpacker.finish()
            break
        unpacker.feed(packed)
    return plain
