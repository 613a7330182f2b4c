"""
Images, audio and documents as Parts: bytes inline, everything else by URI.

Documentation: https://ai.google.dev/gemini-api/docs/files and
https://ai.google.dev/api/caching#Part. Facts as of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from urllib.parse import unquote_to_bytes

from fiber.adapters.history import base64_of
from fiber.types.content import Document, Image, Media, media_type_of
from fiber.types.http import Note


def media_part(part: Media, notes: list[Note]) -> dict[str, Any]:
    """
    Return the Part for *part*.

    Raises:
        FiberValidationError: The media type of its bytes cannot be told.
    """
    _note_losses(part, notes)
    data = base64_of(part)
    if data is None and part.url is not None and part.url.startswith("data:"):
        data = b64encode(unquote_to_bytes(part.url.partition(",")[2])).decode()
    if data is not None:
        return {"inlineData": {"mimeType": media_type_of(part), "data": data}}
    file: dict[str, str] = {}
    if part.media_type:
        file["mimeType"] = part.media_type
    # A file id is the URI that the Files API gave (`https://…/files/abc`), sent as it is.
    file["fileUri"] = part.url or part.file_id or ""
    return {"fileData": file}


def _note_losses(part: Media, notes: list[Note]) -> None:
    if isinstance(part, Image) and part.detail not in (None, "auto"):
        why = (
            "generateContent has one resolution for the whole request: set"
            ' extra_body={"generationConfig": {"mediaResolution": ...}}'
        )
        notes.append(Note("dropped", "image detail", why))
    if isinstance(part, Document):
        lost = [name for name in ("filename", "title", "context", "citations") if getattr(part, name)]
        if lost:
            why = "Gemini has no place for it; say it in a text part"
            notes.append(Note("dropped", f"document {', '.join(lost)}", why))
