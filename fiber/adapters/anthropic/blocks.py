"""
Content blocks of an answer, whole or growing.

A block of a whole reply is one that began full and never grew, so both kinds of answer go one way.
What goes back to the provider is the JSON of the block: untouched members keep their bytes, grown
ones are written anew.

Documentation: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

import msgspec

from fiber.adapters import jsons
from fiber.adapters.anthropic import schema
from fiber.adapters.anthropic.answer import Answer
from fiber.adapters.anthropic.citations import cite
from fiber.adapters.history import as_object, wrapped
from fiber.types.content import Opaque

_PLAIN_CALL = {"type", "id", "name", "input"}
_IMPLIED = {
    # What a delta without a `content_block_start` belongs to.
    "text_delta": b'{"type":"text","text":""}',
    "citations_delta": b'{"type":"text","text":""}',
    "thinking_delta": b'{"type":"thinking","thinking":""}',
    "signature_delta": b'{"type":"thinking","thinking":""}',
    "input_json_delta": b'{"type":"tool_use","id":"","name":"","input":{}}',
}


class Block:
    """One block: made from its start, grown by deltas, closed once."""

    def __init__(self, answer: Answer, key: int, start: bytes) -> None:
        self._answer = answer
        self._key = key
        self._start = start
        self._members = schema.members_of(start) or {}
        self._kind = schema.string(self._members, "type")
        self._pieces: dict[str, list[str]] = {}
        self._arguments: list[str] = []
        self._citations = schema.items_of(self._members.get("citations", schema.NOTHING)) or []
        self._grown = False
        self._begin()

    @classmethod
    def implied(cls, answer: Answer, key: int, delta_type: object) -> Block | None:
        """Make the block that a delta without a start belongs to; None when it cannot be told."""
        start = _IMPLIED.get(delta_type) if isinstance(delta_type, str) else None
        return None if start is None else cls(answer, key, start)

    def _begin(self) -> None:
        answer, key, members = self._answer, self._key, self._members
        match self._kind:
            case "text":
                answer.text(schema.string(members, "text"), key)
                for record in self._citations:
                    cite(answer, record)
            case "thinking":
                answer.reasoning(schema.string(members, "thinking"), key)
            case "redacted_thinking":
                answer.reasoning("", key)
            case "tool_use":
                answer.tool_start(key, schema.string(members, "id"), schema.string(members, "name"))
            case _:
                answer.hold(key)

    def grow(self, delta: schema.Delta, event: bytes) -> None:
        """Take a delta; *event* is its whole JSON, read again for kinds that are not known."""
        match delta.type:
            case "text_delta":
                piece = jsons.text(delta.text)
                self._add("text", piece)
                if self._kind == "text":
                    self._answer.text(piece, self._key)
            case "thinking_delta":
                piece = jsons.text(delta.thinking)
                self._add("thinking", piece)
                if self._kind == "thinking":
                    self._answer.reasoning(piece, self._key)
            case "input_json_delta":
                piece = jsons.text(delta.partial_json)
                self._grown = True
                self._arguments.append(piece)
                if self._kind == "tool_use":
                    self._answer.tool_delta(self._key, piece)
            case "citations_delta":
                record = schema.read(event, schema.RAW_DELTA).delta.get("citation", schema.NOTHING)
                self._grown = True
                self._citations.append(record)
                cite(self._answer, record)
            case _:
                self._merge(schema.read(event, schema.RAW_DELTA).delta)

    def close(self) -> None:
        """The block is whole."""
        answer, key = self._answer, self._key
        match self._kind:
            case "text":
                if self._citations:
                    answer.seal(self._native(), key)
            case "thinking" | "redacted_thinking":
                answer.seal(self._native(), key)
            case "tool_use":
                answer.tool_arguments(key, self._input())
                plain = self._members.keys() <= _PLAIN_CALL
                answer.tool_end(key, native=None if plain else self._native())
            case _:
                answer.part(self._native(), key)
                if self._kind == "fallback":
                    # Another model took over; a whole reply names it as its model.
                    target = schema.value(self._members, "to")
                    model = target.get("model") if isinstance(target, dict) else None
                    answer.model = jsons.text(model) or answer.model

    def _add(self, member: str, piece: str) -> None:
        self._grown = True
        self._pieces.setdefault(member, []).append(piece)

    def _merge(self, delta: schema.Members) -> None:
        """Grow by a kind of delta that is not known: strings are appended, other values replace."""
        for name in delta:
            found = schema.value(delta, name)
            if name == "type" or found is None:
                continue
            if isinstance(found, str):
                self._add(name, found)
            else:
                self._grown = True
                self._members[name] = delta[name]

    def _input(self) -> str:
        if given := "".join(self._arguments):
            return given
        started = jsons.text_of(self._members.get("input", schema.NOTHING))
        return "{}" if started == "null" else started

    def _native(self) -> Opaque:
        if not self._grown:
            return self._answer.opaque(jsons.text_of(self._start), self._kind)
        members = dict(self._members)
        for name, pieces in self._pieces.items():
            members[name] = schema.encoded("".join([schema.string(members, name), *pieces]))
        if self._arguments:
            given = self._input()
            members["input"] = as_object(given) or wrapped(given)
        if self._citations:
            members["citations"] = schema.encoded(self._citations)
        return self._answer.opaque(msgspec.json.encode(members).decode("utf-8", "replace"), self._kind)
