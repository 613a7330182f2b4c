"""
Content parts of messages and of tool results: text, images, files, sounds.

Source: https://platform.openai.com/docs/api-reference/responses/create, `input`, read 2026-11-20.
Cache breakpoints: https://platform.openai.com/docs/guides/prompt-caching, read 2026-11-20.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.history import base64_of, data_url, refuse_part
from fiber.adapters.parameters import refuse
from fiber.types.content import (
    Audio,
    CacheHint,
    Document,
    Image,
    Text,
    media_type_of,
)
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

KINDS = frozenset(("input_text", "input_image", "input_file", "input_audio", "output_text", "refusal"))
"""Types of content parts; every other type is an item of its own."""

_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
_EXTENSIONS = {"application/pdf": "pdf", "text/plain": "txt", "text/markdown": "md"}


class Content:
    """
    Makes content parts for one request.

    Attributes:
        breakpoints: The model takes explicit prompt-cache breakpoints.
    """

    def __init__(self, request: ChatRequest, target: Target, notes: list[Note], *, breakpoints: bool) -> None:
        self._request = request
        self._target = target
        self._notes = notes
        self.breakpoints = breakpoints

    def of(self, part: Text | Image | Audio | Document, *, answer: bool = False) -> dict[str, Any] | None:
        """
        Return *part* as a content part; None when it was refused and dropped.

        Args:
            answer: The part is the model's own text.
        """
        made: dict[str, Any] | None
        match part:
            case Text():
                if answer:
                    return {"type": "output_text", "text": part.text, "annotations": []}
                made = {"type": "input_text", "text": part.text}
            case Image():
                made = _image(part)
            case Document():
                made = self._document(part)
            case _:
                made = self._audio(part)
        return made and self.hinted(made, part.cache_hint)

    def hinted(self, part: dict[str, Any], hint: CacheHint | None) -> dict[str, Any]:
        """
        Return *part* as a cache breakpoint, where asked for and known; elsewhere caching is
        automatic.
        """
        if hint is None or not self.breakpoints:
            return part
        mark = {"mode": "explicit"} | ({"ttl": "12h"} if hint == "extended" else {})
        return part | {"prompt_cache_breakpoint": mark}

    def _document(self, part: Document) -> dict[str, Any]:
        if part.citations:
            self._refuse("citations of a document")
        if part.context:
            self._refuse("context of a document")
        if part.file_id is not None:
            self._note_name(part)
            return {"type": "input_file", "file_id": part.file_id}
        url = data_url(part) or ""
        if not url.startswith("data:"):
            self._note_name(part)
            return {"type": "input_file", "file_url": url}
        # The API wants a name for every file that is sent in the request itself.
        extension = _EXTENSIONS.get(media_type_of(part), "bin")
        name = part.filename or part.title or f"document.{extension}"
        return {"type": "input_file", "filename": name, "file_data": url}

    def _audio(self, part: Audio) -> dict[str, Any] | None:
        data = base64_of(part)
        kind = _AUDIO_FORMATS.get(media_type_of(part)) if data is not None else None
        if kind is None:
            why = "only WAV and MP3 given as bytes can be sent"
            refuse_part(self._request, self._target, self._notes, part, why)
            return None
        return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}

    def _note_name(self, part: Document) -> None:
        if part.filename or part.title:
            why = "only a file sent in the request itself has a name"
            self._notes.append(Note("dropped", "name of a document", why))

    def _refuse(self, what: str) -> None:
        why = "the Responses API has no such field"
        refuse(self._request, self._target, self._notes, what, why)


def _image(part: Image) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "input_image"}
    if part.file_id is not None:
        made["file_id"] = part.file_id
    else:
        made["image_url"] = data_url(part)
    if part.detail is not None:
        made["detail"] = part.detail
    return made
