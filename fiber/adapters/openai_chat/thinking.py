"""
Reasoning that has to be sent back: kept as it came, and joined again when it came in pieces.

OpenRouter: `reasoning_details`, a list of objects; in a stream pieces of text and summary with the
same type and index belong together, and all others are whole
(https://openrouter.ai/docs/use-cases/reasoning-tokens, read 2026-11-20). Mistral: content parts
`{"type": "thinking", "thinking": [{"type": "text", "text": ...}]}`
(https://docs.mistral.ai/capabilities/reasoning, read 2026-11-20).
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.jsons import members, text, text_of
from fiber.adapters.openai_chat.schema import LIST

_JOINED = {"reasoning.text": "text", "reasoning.summary": "summary"}
"""Types that come in pieces, with the member that does."""


class Details:
    """The `reasoning_details` of one choice."""

    __slots__ = ("_raws",)

    def __init__(self) -> None:
        self._raws: list[bytes] = []

    def add(self, raw: msgspec.Raw) -> bool:
        """Keep one member's value; say whether there is anything in it."""
        data = bytes(raw)
        if data in (b"", b"null", b"[]"):
            return False
        self._raws.append(data)
        return True

    def native(self) -> str | None:
        """
        Return the member to send back, None when there was none; the bytes of a single value are
        kept.
        """
        if not self._raws:
            return None
        if len(self._raws) == 1:
            return f'{{"reasoning_details":{text_of(self._raws[0])}}}'
        merged: list[dict[str, Any]] = []
        pieces: dict[tuple[Any, Any], tuple[dict[str, Any], list[str]]] = {}
        for raw in self._raws:
            for detail in _entries(raw):
                member = _JOINED.get(str(detail.get("type")))
                if member is None:
                    merged.append(detail)
                    continue
                key = (detail["type"], str(detail.get("index")))
                if key not in pieces:
                    pieces[key] = ({}, [])
                    merged.append(pieces[key][0])
                entry, words = pieces[key]
                entry.update({k: v for k, v in detail.items() if v is not None or k not in entry})
                words.append(str(detail.get(member) or ""))
                entry[member] = ""
        for (kind, _), (entry, words) in pieces.items():
            entry[_JOINED[kind]] = "".join(words)
        return msgspec.json.encode({"reasoning_details": merged}).decode()


def detail_text(raw: msgspec.Raw) -> str:
    """Return the visible text in one `reasoning_details` value."""
    details = _entries(bytes(raw))
    return "".join(text(detail.get(_JOINED.get(str(detail.get("type")), ""))) for detail in details)


def _entries(data: bytes) -> list[dict[str, Any]]:
    try:
        return [entry for entry in LIST.decode(data) if isinstance(entry, dict)]
    except msgspec.DecodeError:
        return []


class Thinking:
    """One thinking part of list content."""

    __slots__ = ("_first", "_items", "_members", "_pieces")

    def __init__(self) -> None:
        self._first: msgspec.Raw | None = None
        self._pieces = 0
        self._members: dict[str, Any] = {}
        self._items: list[Any] = []

    def add(self, raw: msgspec.Raw, part: dict[str, Any]) -> str:
        """Take (a piece of) the part, return its visible text."""
        if self._first is None:
            self._first = raw
        self._pieces += 1
        said = part.get("thinking")
        items = said if isinstance(said, list) else [{"type": "text", "text": said}]
        self._items.extend(items)
        self._members.update((k, v) for k, v in part.items() if v is not None)
        return "".join(map(_words, items))

    def native(self) -> str:
        """Return the part to send back; the bytes of a single piece are kept."""
        if self._pieces == 1 and self._first is not None:
            return text_of(self._first)
        joined: list[Any] = []
        run: list[str] = []
        for item in [*self._items, None]:
            if item is not None and _words(item):
                run.append(_words(item))
                continue
            if run:
                joined.append({"type": "text", "text": "".join(run)})
                run = []
            if item is not None and not (isinstance(item, dict) and item.get("type") == "text"):
                joined.append(item)
        return msgspec.json.encode({**self._members, "thinking": joined}).decode()


def _words(item: Any) -> str:
    return text(members(item).get("text"))
