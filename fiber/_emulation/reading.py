"""
Read tool calls out of the text of an answer, in whatever pieces it comes.

    text <tool_call>{"name": "f", "arguments": {...}}</tool_call> text

Text is given out at once. Held back is only what may become a call: the beginning of an opening tag, an open tag
with `{` behind it, and white space that so far stands alone. A call ends at the first closing tag. What is no
readable call stays text, with a warning; nothing is repaired. White space alone beside a call is no text.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from fiber.types.content import Part, Text, ToolCall
from fiber.types.result import ChatResult, Choice, FinishReason

OPEN, CLOSE = "<tool_call>", "</tool_call>"
UNREADABLE = f'A {OPEN} of the answer is not followed by JSON with a "name" and {CLOSE}: it stays text.'
UNCLOSED = f"The answer ends before the {CLOSE} of a {OPEN}: it stays text."

Piece: TypeAlias = Text | ToolCall

_NO_CALL = re.compile(rf"{OPEN}\s*[^\s{{]")


class _Call(msgspec.Struct, frozen=True):
    """What stands between the tags; `arguments` is kept as it was written."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


_CALL = msgspec.json.Decoder(_Call)


class Reader:
    """
    The text of one choice on its way into parts: the same ones for every way to cut the text.

    Args:
        prefix: What the ids of the calls begin with; their number follows.

    Attributes:
        calls: How many there were.
        warnings: What stayed text although it looked like a call.
    """

    def __init__(self, prefix: str) -> None:
        self.calls = 0
        self.warnings: list[str] = []
        self._prefix = prefix
        self._held = ""
        self._searched = 0
        self._blank: str | None = ""  # white space that stands alone so far; None once the text has more

    @property
    def holds(self) -> bool:
        """Something is held back."""
        return bool(self._held or self._blank)

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of text, return what is certain."""
        held, self._held = self._held, ""
        held += text  # its only reference: CPython grows it in place, so a long call is not copied for every piece
        pieces: list[Piece] = []
        at = 0
        while True:
            start = _start(held, at)
            self._say(held[at:start], pieces)
            at = start
            if not held.startswith(OPEN, at):
                break
            if _NO_CALL.match(held, at):
                at = self._refuse(held, at, at + len(OPEN), pieces)
            elif (end := held.find(CLOSE, max(at, self._searched))) < 0:
                break
            elif (call := self._call(held[at + len(OPEN) : end])) is not None:
                pieces.append(call)
                self._blank = ""
                at = end + len(CLOSE)
            else:
                # When the model only talked of tags, the last one may begin a call all the same.
                last = held.rfind(OPEN, at + 1, end)
                at = self._refuse(held, at, end + len(CLOSE) if last < 0 else last, pieces)
        self._held = held[at:]
        self._searched = max(0, len(self._held) - len(CLOSE))
        return pieces

    def finish(self) -> list[Piece]:
        """The text ended: what is held is text."""
        pieces: list[Piece] = []
        if self._held.startswith(OPEN):
            self._warn(UNCLOSED)
        self._say(self._held, pieces)
        if self._blank and not self.calls:
            pieces.append(Text(self._blank))
        self._held = self._blank = ""
        return pieces

    def _say(self, text: str, pieces: list[Piece]) -> None:
        if self._blank is not None:
            text = self._blank + text
            if not text or text.isspace():
                self._blank = text
                return
            self._blank = None
        if text:
            pieces.append(Text(text))

    def _refuse(self, held: str, start: int, stop: int, pieces: list[Piece]) -> int:
        """Say what begins like a call as text; return where it stops."""
        self._warn(UNREADABLE)
        self._say(held[start:stop], pieces)
        return stop

    def _warn(self, warning: str) -> None:
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _call(self, text: str) -> ToolCall | None:
        try:
            found = _CALL.decode(text)
        except (ValueError, RecursionError):
            return None
        if not found.name:
            return None
        self.calls += 1
        return ToolCall(f"{self._prefix}{self.calls}", found.name, bytes(found.arguments).decode())


def _start(text: str, at: int) -> int:
    """Return where a call begins or may begin, from *at* on, else the length of *text*."""
    if (found := text.find(OPEN, at)) >= 0:
        return found
    last = text.rfind("<", at)
    return last if last >= 0 and OPEN.startswith(text[last:]) else len(text)


def prefix_of(turn: str, choice: int) -> str:
    """Return what the ids of a choice begin with."""
    return f"{turn}{choice}_"


def reason_of(reason: FinishReason | None, calls: int) -> FinishReason | None:
    """Return why an answer with so many calls ended, in place of *reason*, which knows nothing of them."""
    return "tool_calls" if calls and reason == "stop" else reason


def read(result: ChatResult, turn: str) -> ChatResult:
    """
    Return *result* with the calls in its text as parts; *turn* begins their ids.

    The parts made of text carry nothing of the provider's own, for the text is no longer what it sent.
    """
    warnings: list[str] = []
    choices = tuple(_read(choice, turn, warnings) for choice in result.choices)
    return msgspec.structs.replace(result, choices=choices, warnings=(*result.warnings, *warnings))


def _read(choice: Choice, turn: str, warnings: list[str]) -> Choice:
    if OPEN not in choice.text:
        return choice
    reader = Reader(prefix_of(turn, choice.index))
    parts: list[Part] = []
    for part in choice.message.parts:
        for piece in reader.feed(part.text) if isinstance(part, Text) else (part,):
            _add(parts, piece)
    for piece in reader.finish():
        _add(parts, piece)
    warnings += reader.warnings
    return msgspec.structs.replace(
        choice,
        message=msgspec.structs.replace(choice.message, content=tuple(parts)),
        finish_reason=reason_of(choice.finish_reason, reader.calls),
    )


def _add(parts: list[Part], part: Part) -> None:
    """Add *part*; text goes on with the text before it."""
    if isinstance(part, Text) and parts and isinstance(last := parts[-1], Text):
        parts[-1] = Text(last.text + part.text)
    else:
        parts.append(part)
