"""
Lines of JSON from bytes (NDJSON, also called JSON Lines).

Rules: https://github.com/ndjson/ndjson-spec (read 2026-11-21). Lines end at LF and nowhere else, a CR before it is
white space to JSON; empty lines are passed over. A last line without its LF is given out by `finish`: whether it is
whole, only its JSON can tell.

Chunks are searched once. A line that spans many chunks is kept as a list of pieces and joined once, so the cost is
linear in the bytes however they are cut.
"""

from __future__ import annotations

from fiber._errors import FiberParsingError
from fiber.framing.sse import MAX_EVENT_BYTES, Frame

_BOM = b"\xef\xbb\xbf"


class NDJSONDecoder:
    """
    Incremental decoder: `feed` chunks, then `finish`. A line becomes a `Frame` without a name.

    Attributes:
        stray: Always empty; whatever stands in a line is its data. `SSEDecoder` has lines outside its format.

    Args:
        max_line_bytes: Longest line accepted.
    """

    __slots__ = ("_first", "_limit", "_pieces", "_size", "stray")

    def __init__(self, max_line_bytes: int = MAX_EVENT_BYTES) -> None:
        self.stray = b""
        self._limit = max_line_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._first = True

    def feed(self, chunk: bytes) -> list[Frame]:
        """
        Take the next bytes, return the lines they complete.

        Raises:
            FiberParsingError: A line is longer than the limit.
        """
        if not self._pieces and not chunk.strip(b"\n"):
            self._first = self._first and not chunk
            return []  # signs of life, or a flood of them
        head, *others = chunk.split(b"\n")
        self._keep(head)
        if not others:
            return []
        *middle, rest = others
        lines = [self._taken(), *middle]
        if any(len(line) > self._limit for line in middle):
            raise self._too_long()
        self._keep(rest)
        return [frame for line in lines if (frame := self._frame(line)) is not None]

    def finish(self) -> list[Frame]:
        """End of the body: return the last line if only its end is missing."""
        frame = self._frame(self._taken())
        return [] if frame is None else [frame]

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > self._limit:
                raise self._too_long()

    def _taken(self) -> bytes:
        line = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return line

    def _frame(self, line: bytes) -> Frame | None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        line = line.strip()
        return Frame("", line) if line else None

    def _too_long(self) -> FiberParsingError:
        return FiberParsingError(f"One line of the stream is longer than {self._limit} bytes.", outcome="unknown")
