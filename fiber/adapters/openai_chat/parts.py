"""One content part of a message, in the words of Chat Completions."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec

from fiber.adapters.history import base64_of, data_url, leave_out, refuse_part, sealed
from fiber.adapters.openai_chat.schema import MEMBERS
from fiber.types.content import (
    Audio,
    Document,
    Image,
    Media,
    Opaque,
    Part,
    Reasoning,
    Text,
    media_type_of,
)
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_OWN = ("openai", "azure")
_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
"""
Formats of https://platform.openai.com/docs/guides/audio; compatible servers take others, by their
subtype.
"""


class Writer:
    """
    Writes the parts of one request.

    Attributes:
        notes: What was changed or left out.
        hinted: Blocks written so far that carry a cache hint, with the hint.
    """

    def __init__(self, request: ChatRequest, target: Target, notes: list[Note]) -> None:
        self.request = request
        self.target = target
        self.notes = notes
        self.hinted: list[tuple[dict[str, Any], str]] = []

    def part(self, part: Part, *, media: bool) -> dict[str, Any] | msgspec.Raw | None:
        """
        Write one part of a prompt or of a tool's result; None when it cannot be sent.

        Args:
            media: Pictures, sounds and documents may stand here (they may in user messages only).
        """
        if isinstance(part, Opaque | Reasoning):
            raw = None if isinstance(part, Reasoning) else sealed(part, self.target)
            if raw is None:
                leave_out(part, self.target, self.notes)
            return raw
        if part.native is not None and part.native.kind != MEMBERS:
            raw = sealed(part, self.target)
            if raw is not None:
                return raw
        block: dict[str, Any] | None = None
        if isinstance(part, Text):
            block = {"type": "text", "text": part.text}
        elif not isinstance(part, Image | Audio | Document):
            self.refuse(part, "it belongs into an assistant or tool message")
        elif not media:
            self.refuse(part, "Chat Completions takes it in user messages only")
        elif not isinstance(part, Document) and (why := self._not_here(part)) is not None:
            self.refuse(part, why)
        elif isinstance(part, Image):
            block = self._image(part)
        elif isinstance(part, Audio):
            block = self._audio(part)
        else:
            block = self._document(part)
        if block is not None and isinstance(part, Text | Media) and part.cache_hint is not None:
            self.hinted.append((block, part.cache_hint))
        return block

    def is_hinted(self, block: Any) -> bool:
        """Say whether *block* carries a cache hint."""
        return any(block is one for one, _ in self.hinted)

    def refuse(self, part: Part, why: str) -> None:
        """Treat *part* as one that cannot be sent."""
        refuse_part(self.request, self.target, self.notes, part, why)

    def _not_here(self, part: Media) -> str | None:
        return self.target.quirks.unsupported.get(f"content.{type(part).__name__.lower()}")

    def _image(self, part: Image) -> dict[str, Any] | None:
        url = data_url(part)
        if url is None:
            self.refuse(part, "Chat Completions takes pictures by URL or as bytes, not by file id")
            return None
        image: dict[str, Any] = {"url": url}
        if part.detail is not None:
            image["detail"] = part.detail
        return {"type": "image_url", "image_url": image}

    def _audio(self, part: Audio) -> dict[str, Any] | None:
        payload = base64_of(part)
        if payload is None:
            self.refuse(part, "Chat Completions takes sounds as bytes only")
            return None
        media_type = media_type_of(part)
        form = _AUDIO_FORMATS.get(media_type)
        if form is None and self.target.family in _OWN:
            self.refuse(part, f"OpenAI takes wav and mp3, not {media_type}")
            return None
        audio = {"data": payload, "format": form or media_type.rpartition("/")[2]}
        return {"type": "input_audio", "input_audio": audio}

    def _document(self, part: Document) -> dict[str, Any] | None:
        for name, said in (("context", part.context), ("citations", part.citations)):
            if said:
                why = "Chat Completions has no place for it"
                self.notes.append(Note("dropped", f"Document {name}", why))
        payload = base64_of(part)
        if payload is not None and media_type_of(part).startswith("text/"):
            why = "sent as text: files are PDFs in this format"
            self.notes.append(Note("mapped", "Document content", why))
            return {"type": "text", "text": b64decode(payload).decode("utf-8", "replace")}
        if (why_not := self._not_here(part)) is not None:
            self.refuse(part, why_not)
            return None
        if part.file_id is not None:
            return {"type": "file", "file": {"file_id": part.file_id}}
        url = data_url(part) or ""
        if not url.startswith("data:"):
            self.refuse(part, "Chat Completions takes documents as bytes or by file id, not by URL")
            return None
        filename = part.filename or part.title or f"document.{media_type_of(part).rpartition('/')[2]}"
        return {"type": "file", "file": {"filename": filename, "file_data": url}}


def content(blocks: list[Any], *, collapse: bool) -> Any:
    """
    Join *blocks* to the content of a message.

    One plain text is always a string, which every server takes. With *collapse* several texts are
    too, a line break between them (as vLLM's chat templates join them).
    """
    texts = [block["text"] for block in blocks if isinstance(block, dict) and block["type"] == "text"]
    if len(texts) == len(blocks) and (collapse or len(blocks) <= 1):
        return "\n".join(texts)
    return blocks
