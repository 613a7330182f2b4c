r"""
Put a character together that a server cut in two.

Servers written in JavaScript cut text by UTF-16 units: an emoji's first half (`"\ud83d"`) ends one event and its
second half begins the next. JSON decoders rightly refuse such halves. So an event that ends a string in a first half
is held back for one event, and when that one begins a string with a second half, the first half moves over to it.
"""

from __future__ import annotations

import re

from fiber.framing.sse import Frame

# It begins with what is rare, so that a long text is searched quickly; whether the backslash is itself escaped is
# looked at afterwards.
_FIRST_AT_END = re.compile(rb'\\u[dD][89abAB][0-9a-fA-F]{2}(?=")')
_SECOND_AT_START = re.compile(rb'(?<=")\\u[dD][c-fC-F][0-9a-fA-F]{2}')


class Rejoiner:
    """Passes frames on, at most one late; `finish` gives out the one that is held."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: Frame | None = None

    def feed(self, frames: list[Frame]) -> list[Frame]:
        """Take the next frames, return those that are ready."""
        if self._held is None and not any(b"\\u" in data for _, data in frames):
            return frames
        ready: list[Frame] = []
        for frame in frames:
            ready += self._next(frame)
        return ready

    def finish(self) -> list[Frame]:
        """The stream ended: the held frame has to do without its other half."""
        held, self._held = self._held, None
        return [] if held is None else [held]

    def _next(self, frame: Frame) -> list[Frame]:
        ready: list[Frame] = []
        if self._held is not None:
            before, frame = _moved(self._held, frame)
            ready.append(before)
            self._held = None
        if _firsts(frame.data):
            self._held = frame
        else:
            ready.append(frame)
        return ready


def _moved(before: Frame, after: Frame) -> tuple[Frame, Frame]:
    """Move the first halves at the end of *before* to the second halves in *after*, when there are as many."""
    firsts = _firsts(before.data)
    if len(_SECOND_AT_START.findall(after.data)) != len(firsts):
        return before, after
    halves = iter(firsts)
    return (
        before._replace(data=_FIRST_AT_END.sub(lambda match: match[0] if _is_escaped(match) else b"", before.data)),
        after._replace(data=_SECOND_AT_START.sub(lambda match: next(halves) + match[0], after.data)),
    )


def _firsts(data: bytes) -> list[bytes]:
    return [match[0] for match in _FIRST_AT_END.finditer(data) if not _is_escaped(match)]


def _is_escaped(match: re.Match[bytes]) -> bool:
    before = match.start()
    while before and match.string[before - 1] == ord("\\"):
        before -= 1
    return (match.start() - before) % 2 == 1
