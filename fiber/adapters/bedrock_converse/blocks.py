"""
Content blocks of an answer, whole or growing.

A block of a whole reply is one that began full and never grew, so both kinds of answer go one way. What goes back to
the provider is the JSON of the block: a whole one keeps its bytes, a grown one is written anew.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec

from fiber.adapters import jsons
from fiber.adapters.assembly import Assembly
from fiber.adapters.bedrock_converse import schema
from fiber.adapters.bedrock_converse.citations import cite
from fiber.adapters.history import as_object, wrapped
from fiber.types.content import Audio, Image, Opaque, Part

_TOLD = ("", "text", "reasoningContent")
"""Kinds whose deltas are told as they come; of none a start is documented."""
_KINDS = ("text", "toolUse", "reasoningContent", "citationsContent", "image", "audio", "toolResult")


def kind_of(members: schema.Members) -> str:
    """Return the member that a block is named by; a few servers put others beside it."""
    return next((kind for kind in _KINDS if kind in members), next(iter(members), ""))


def read_block(answer: Assembly, key: int, raw: msgspec.Raw) -> None:
    """Read a whole block."""
    members = schema.members_of(bytes(raw))
    kind = kind_of(members)
    inner = schema.inner(members, kind)
    native = answer.opaque(jsons.text_of(raw), kind)
    match kind:
        case "text":
            answer.text(schema.string(members, kind), key)
        case "toolUse" if schema.string(inner, "type") != "server_tool_use":
            answer.tool_start(key, schema.string(inner, "toolUseId"), schema.string(inner, "name"))
            given = jsons.text_of(inner.get("input", schema.NOTHING))
            answer.tool_arguments(key, "{}" if given == "null" else given)
            answer.tool_end(key)
        case "reasoningContent":
            thought = schema.inner(inner, "reasoningText")
            answer.reasoning(schema.string(thought, "text"), key)
            if schema.string(thought, "signature") or "redactedContent" in inner:
                answer.seal(native, key)
        case "citationsContent":
            for piece in schema.items_of(inner.get("content", schema.NOTHING)) or ():
                answer.text(schema.string(schema.members_of(bytes(piece)), "text"), key)
            for record in schema.items_of(inner.get("citations", schema.NOTHING)) or ():
                cite(answer, record)
            if answer.has(key):
                answer.seal(native, key)
        case _:
            answer.part(_media(kind, inner, native) or native, key)


class Block:
    """One block of a stream: begun by its start or by its first delta, grown by deltas, closed once."""

    def __init__(self, answer: Assembly, key: int, start: schema.Members) -> None:
        self._answer = answer
        self._key = key
        self._kind = kind_of(start)
        self._start = schema.inner(start, self._kind)
        self._pieces: list[str] = []
        self._signature: list[str] = []
        self._hidden: list[str] = []
        self._records: list[msgspec.Raw] = []
        if self._is_call:
            answer.tool_start(key, schema.string(self._start, "toolUseId"), schema.string(self._start, "name"))
        elif self._kind not in _TOLD:
            answer.hold(key)

    @property
    def _is_call(self) -> bool:
        return self._kind == "toolUse" and schema.string(self._start, "type") != "server_tool_use"

    def grow(self, delta: schema.Delta) -> None:
        """Take a delta; text and reasoning tell by their first one what they are."""
        if delta.text is not None:
            self._text(jsons.text(delta.text))
        elif delta.tool_use is not None:
            self._argument(jsons.text(delta.tool_use.input))
        elif delta.reasoning_content is not None:
            self._think(delta.reasoning_content)
        elif (record := delta.citation) != schema.NOTHING:
            self._kind = self._kind or "text"
            self._records.append(record)
            cite(self._answer, record)
        elif (result := delta.tool_result) != schema.NOTHING:
            self._records += schema.items_of(result) or []
        elif (image := delta.image) != schema.NOTHING:
            self._start |= schema.members_of(bytes(image))

    def close(self) -> None:
        """The block is whole."""
        answer, key = self._answer, self._key
        match self._kind:
            case "toolUse" if self._is_call:
                answer.tool_arguments(key, self._input())
                answer.tool_end(key)
            case "text" if self._records and self._pieces:
                cited = {"content": [{"text": "".join(self._pieces)}], "citations": self._records}
                answer.seal(self._native("citationsContent", cited), key)
            case "text" | "":
                pass
            case "reasoningContent":
                self._close_thought()
            case kind:
                native = self._native(kind, self._grown())
                answer.part(_media(kind, self._start, native) or native, key)

    def _text(self, piece: str) -> None:
        self._kind = self._kind or "text"
        if self._kind == "text":
            self._pieces.append(piece)
            self._answer.text(piece, self._key)

    def _argument(self, piece: str) -> None:
        if not self._kind:  # its start is missing
            self._kind = "toolUse"
            self._answer.tool_start(self._key, "", "")
        if self._kind == "toolUse":
            self._pieces.append(piece)
        if self._is_call:
            self._answer.tool_delta(self._key, piece)

    def _think(self, delta: schema.ReasoningPiece) -> None:
        self._kind = self._kind or "reasoningContent"
        if self._kind != "reasoningContent":
            return
        self._pieces.append(jsons.text(delta.text))
        self._signature.append(jsons.text(delta.signature))
        self._hidden.append(jsons.text(delta.redacted_content))
        self._answer.reasoning(self._pieces[-1], self._key)

    def _close_thought(self) -> None:
        thought: dict[str, Any] = {"reasoningText": {"text": "".join(self._pieces)}}
        if signature := "".join(self._signature):
            thought["reasoningText"]["signature"] = signature
        elif hidden := "".join(self._hidden):
            thought = {"redactedContent": hidden}
        else:
            return  # what is not signed cannot be sent back
        self._answer.seal(self._native("reasoningContent", thought), self._key)

    def _grown(self) -> dict[str, Any]:
        grown: dict[str, Any] = dict(self._start)
        if self._kind == "toolUse":
            grown["input"] = as_object(self._input()) or wrapped(self._input())
        if self._kind == "toolResult":
            grown["content"] = self._records
        return grown

    def _input(self) -> str:
        return "".join(self._pieces) or "{}"

    def _native(self, kind: str, block: dict[str, Any]) -> Opaque:
        return self._answer.opaque(msgspec.json.encode({kind: block}).decode("utf-8", "replace"), kind)


def _media(kind: str, members: schema.Members, native: Opaque) -> Part | None:
    """Return an image or a sound whose bytes came; None for anything else."""
    encoded = schema.string(schema.inner(members, "source"), "bytes")
    if kind not in ("image", "audio") or not encoded:
        return None
    try:
        data = b64decode(encoded, validate=True)
    except ValueError:
        return None
    media_type = f"{kind}/{schema.string(members, 'format')}"
    if kind == "image":
        return Image(data=data, media_type=media_type, native=native)
    return Audio(data=data, media_type=media_type.replace("mp3", "mpeg"), native=native)
