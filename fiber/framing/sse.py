"""
Server-sent events from bytes.

Rules: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream (read 2026-11-20).
Lines end at LF, CR or CRLF and nowhere else; an event ends at an empty line. Two deliberate deviations: a last
event without its empty line is given out by `finish` (servers forget it), and `id` and `retry` are ignored.

Chunks are searched once. An event that spans many chunks is kept as a list of pieces and joined once, so the cost
is linear in the bytes however they are cut.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from fiber._errors import FiberParsingError

MAX_EVENT_BYTES = 4 * 1024 * 1024
_COMPACT_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_STRAY_BYTES = 64 * 1024


class Frame(NamedTuple):
    """One event: its name (empty when not said) and its data lines joined by LF."""

    event: str
    data: bytes


_new = tuple.__new__  # a step of C, where `Frame(...)` is one of Python


class SSEDecoder:
    """
    Incremental decoder: `feed` chunks, then `finish`.

    Attributes:
        stray: Lines outside the format, as received (some servers end a stream with a bare JSON error);
            at most 64 KiB are kept.

    Args:
        max_event_bytes: Longest event accepted.
    """

    __slots__ = ("_after_cr", "_comments", "_compact_at", "_ends_line", "_head", "_limit", "_pieces", "_size", "stray")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self.stray = b""
        self._limit = max_event_bytes
        self._pieces: list[bytes] = []
        self._size = 0
        self._comments = False
        self._ends_line = True
        self._after_cr = False
        self._head: bytes | None = b""
        self._compact_at = _COMPACT_BYTES

    def feed(self, chunk: bytes) -> list[Frame]:
        """
        Take the next bytes, return the events they complete.

        Raises:
            FiberParsingError: An event is longer than the limit.
        """
        if self._head is not None:
            chunk = self._without_bom(chunk)
        if not chunk:
            return []
        if self._after_cr:
            self._after_cr = False
            if chunk[:1] == b"\n":
                chunk = chunk[1:]
                if not chunk:
                    return []
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n\n" not in chunk and not (self._ends_line and chunk[:1] == b"\n"):
            self._keep(chunk)
            return []
        if self._pieces:
            self._pieces.append(chunk)
            chunk = b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            self._comments = False
            self._compact_at = _COMPACT_BYTES
        blocks = chunk.split(b"\n\n")
        rest = blocks.pop()
        if len(chunk) > self._limit and any(self._is_too_long(block) for block in blocks):
            raise self._too_long()
        self._ends_line = True
        if rest:
            self._keep(rest)
        frames: list[Frame] = []
        for block in blocks:
            if block[:6] == b"data: " and b"\n" not in block:
                frames.append(_new(Frame, ("", block[6:])))
            elif block and (frame := self._parse(block)) is not None:
                frames.append(frame)
        return frames

    def finish(self) -> list[Frame]:
        """End of the body: return the last event if only its empty line is missing."""
        tail = b"".join(self._pieces)
        if self._head:
            tail = self._head + tail
        self._pieces.clear()
        self._head = None
        frame = self._parse(tail) if tail else None
        return [] if frame is None else [frame]

    def _without_bom(self, chunk: bytes) -> bytes:
        head = (self._head or b"") + chunk
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        return head[len(_BOM) :] if head.startswith(_BOM) else head

    def _keep(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        self._ends_line = piece.endswith(b"\n")
        self._comments = self._comments or piece[:1] == b":" or b"\n:" in piece
        if self._size > self._compact_at:
            self._drop_comments()
        elif self._comments:
            return  # what is too much may be comments
        if self._size > self._limit:
            raise self._too_long()

    def _is_too_long(self, block: bytes) -> bool:
        return len(block) > self._limit and len(_without_comments(block + b"\n")) > self._limit

    def _too_long(self) -> FiberParsingError:
        return FiberParsingError(f"One event of the stream is longer than {self._limit} bytes.", outcome="unknown")

    def _drop_comments(self) -> None:
        # A flood of comment lines without empty lines is legal and must not count as one giant event.
        if self._comments:
            kept = _without_comments(b"".join(self._pieces))
            self._pieces = [kept]
            self._size = len(kept)
            self._ends_line = not kept or kept.endswith(b"\n")
            self._comments = kept[kept.rfind(b"\n") + 1 :][:1] == b":"  # the last line goes on
        # Twice as much, so that the cost stays linear; near the limit sooner, so that the memory stays bounded.
        least = max(self._limit, self._size + self._size // 4)
        self._compact_at = min(max(_COMPACT_BYTES, 2 * self._size), least)

    def _parse(self, block: bytes) -> Frame | None:
        name, between, said = block.partition(b"\ndata: ")
        if between and name[:7] == b"event: " and b"\n" not in name and b"\n" not in said:
            return _new(Frame, (_text(name[7:]), said))  # which is what most named events are
        event = b""
        data: list[bytes] = []
        for line in block.split(b"\n"):
            name, _, value = line.partition(b":")
            if value[:1] == b" ":
                value = value[1:]
            if name == b"data":
                data.append(value)
            elif name == b"event":
                event = value
            elif name and name not in (b"id", b"retry") and len(self.stray) < _STRAY_BYTES:
                self.stray = (self.stray + line + b"\n")[:_STRAY_BYTES]
        return Frame(_text(event), b"\n".join(data)) if data else None


@lru_cache(maxsize=64)
def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _without_comments(block: bytes) -> bytes:
    lines = block.split(b"\n")
    return b"\n".join([line for line in lines[:-1] if line[:1] != b":"] + lines[-1:])
