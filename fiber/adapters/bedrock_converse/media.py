"""
Images, documents and sounds as blocks: base64, or an object in S3; Converse fetches no URL.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html, and
.../API_runtime_ImageBlock.html and .../API_runtime_AudioBlock.html beside it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from fiber.adapters.history import base64_of
from fiber.types.content import Audio, Document, Image, Media, media_type_of
from fiber.types.http import Note

_OFFICE = "application/vnd.openxmlformats-officedocument"
_FORMATS: Mapping[type[Media], Mapping[str, str]] = {
    Image: {f"image/{word}": word for word in ("png", "jpeg", "gif", "webp")},
    Document: {
        "application/pdf": "pdf",
        "text/csv": "csv",
        "application/msword": "doc",
        f"{_OFFICE}.wordprocessingml.document": "docx",
        "application/vnd.ms-excel": "xls",
        f"{_OFFICE}.spreadsheetml.sheet": "xlsx",
        "text/html": "html",
        "text/plain": "txt",
        "text/markdown": "md",
    },
    Audio: {
        "audio/mpeg": "mp3",
        "audio/mp3": "mp3",
        "audio/opus": "opus",
        "audio/wav": "wav",
        "audio/x-wav": "wav",
        "audio/aac": "aac",
        "audio/flac": "flac",
        "audio/mp4": "m4a",
        "audio/x-m4a": "m4a",
        "audio/ogg": "ogg",
        "audio/webm": "webm",
        "audio/pcm": "pcm",
    },
}
_MEMBERS: Mapping[type[Media], str] = {Image: "image", Document: "document", Audio: "audio"}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9()\[\]-]+")
_MOST_IN_NAME = 200


class Refused(Exception):
    """The part cannot be sent; the argument says why."""


def media_block(part: Media, names: dict[str, int], notes: list[Note], *, cites: bool) -> dict[str, Any]:
    """
    Return the block of *part*.

    Args:
        names: Names of documents so far, each with how often it was wanted; added to.
        cites: The model can cite documents.

    Raises:
        Refused: It cannot be sent.
    """
    kind = next(kind for kind in _MEMBERS if isinstance(part, kind))
    block: dict[str, Any] = {"format": _format(part, kind), "source": _source(part)}
    if isinstance(part, Image) and part.detail not in (None, "auto"):
        notes.append(Note("dropped", "image detail", "Converse has no such switch"))
    if isinstance(part, Document):
        block["name"] = _name(part.title or part.filename, names)
        if part.context:
            block["context"] = part.context
        if part.citations and cites:
            block["citations"] = {"enabled": True}
        elif part.citations:
            notes.append(Note("dropped", "citations", "only Claude cites documents"))
    return {_MEMBERS[kind]: block}


def _format(part: Media, kind: type[Media]) -> str:
    media_type = media_type_of(part)
    formats = _FORMATS[kind]
    if media_type in formats:
        return formats[media_type]
    if kind is Document and media_type.startswith("text/"):
        return "txt"
    raise Refused(f"{media_type} is none of {', '.join(formats)}")


def _source(part: Media) -> dict[str, Any]:
    if (data := base64_of(part)) is not None:
        return {"bytes": data}
    if part.url is None:
        raise Refused("Converse has no file ids; give the bytes, or a URL of S3")
    if part.url.startswith("s3://"):
        return {"s3Location": {"uri": part.url}}
    if part.url.startswith("data:"):
        return {"bytes": b64encode(unquote_to_bytes(part.url.partition(",")[2])).decode()}
    raise Refused("Converse fetches no URL; give the bytes (see fiber.fetch_part), or a URL of S3")


def _name(wanted: str, names: dict[str, int]) -> str:
    """Return a name as the API takes it: few kinds of characters, and none twice."""
    name = _NOT_IN_NAMES.sub(" ", wanted).strip()[: _MOST_IN_NAME - 5].strip() or "document"
    names[name] = names.get(name, 0) + 1
    return name if names[name] == 1 else f"{name} ({names[name]})"
