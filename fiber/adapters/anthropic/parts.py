"""
From content parts to content blocks.

Documentation: https://platform.claude.com/docs/en/api/messages.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

import msgspec

from fiber.adapters.anthropic.cache_hints import Block, mark
from fiber.adapters.claude_models import Model
from fiber.adapters.history import arguments_object, base64_of, leave_out, refuse_part, sealed
from fiber.types.content import (
    CacheHint,
    Document,
    Image,
    Media,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    media_type_of,
)
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
# The API answers 400 to any other character in a tool_use id; other providers use dots and colons.
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class Context:
    """What building a message needs to know; `notes` is added to."""

    request: ChatRequest
    target: Target
    model: Model
    notes: list[Note]


class _Refused(Exception):
    """The part cannot be sent; the argument says why."""


def block_of(part: Part, role: str, context: Context) -> Block | None:
    """
    Return the block of *part* in a message of *role*, with its cache hint; None if it is not sent.

    Raises:
        FiberCapabilityError: It cannot be sent, and `on_unsupported` is `raise`.
    """
    if (raw := sealed(part, context.target)) is not None:
        return mark(raw, getattr(part, "cache_hint", None))
    try:
        match part:
            case Text():
                # Empty text is a 400.
                block = {"type": "text", "text": part.text}
                return mark(block, part.cache_hint) if part.text else None
            case Reasoning() | Opaque():
                leave_out(part, context.target, context.notes)
                return None
            case ToolCall():
                return _call(part, role, context)
            case ToolResult():
                return _result(part, role, context)
            case _:
                return _media(part, role, context)
    except _Refused as refused:
        why = str(refused)
        refuse_part(context.request, context.target, context.notes, part, why)
        return None


def _call(part: ToolCall, role: str, context: Context) -> Block:
    if role != "assistant":
        _refuse("tool calls belong in an assistant message")
    arguments = arguments_object(part, context.notes)
    return {"type": "tool_use", "id": wire_id(part.id), "name": part.name, "input": arguments}


def _result(part: ToolResult, role: str, context: Context) -> Block:
    if role not in ("tool", "user"):
        _refuse("tool results belong in a tool message")
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": wire_id(part.call_id)}
    hint: CacheHint | None = part.cache_hint
    if isinstance(part.content, str):
        if part.content:
            block["content"] = part.content
    else:
        inner: list[Block] = []
        for piece in part.content:
            # A breakpoint inside a result counts as one on the result.
            hint = hint or getattr(piece, "cache_hint", None)
            if (made := block_of(_without_hint(piece), "tool", context)) is not None:
                inner.append(made)
        if inner:
            block["content"] = plain(inner)
    if part.is_error:
        block["is_error"] = True
    return mark(block, hint)


def _media(part: Media, role: str, context: Context) -> Block:
    if role not in ("user", "tool"):
        _refuse(f"the Messages API takes it in user messages only, not from the {role}")
    match part:
        case Image():
            block: dict[str, Any] = {"type": "image", "source": _image_source(part)}
            if part.detail not in (None, "auto"):
                context.notes.append(Note("dropped", "image detail", "the API has no such switch"))
        case Document():
            block = {"type": "document", "source": _document_source(part)}
            if title := part.title or part.filename:
                block["title"] = title
            if part.context:
                block["context"] = part.context
            if part.citations:
                block["citations"] = {"enabled": True}
        case _:
            _refuse("the Messages API takes no audio")
    return mark(block, part.cache_hint)


def _image_source(part: Image) -> dict[str, Any]:
    if (data := base64_of(part)) is not None:
        media_type = media_type_of(part)
        if media_type not in _IMAGE_TYPES:
            _refuse(f"{media_type} is none of {', '.join(_IMAGE_TYPES)}")
        return {"type": "base64", "media_type": media_type, "data": data}
    return _elsewhere(part)


def _document_source(part: Document) -> dict[str, Any]:
    is_inline = part.data is not None or (part.url or "").startswith("data:")
    if not is_inline:
        return _elsewhere(part)
    media_type = media_type_of(part)
    if media_type == "application/pdf" and (data := base64_of(part)) is not None:
        return {"type": "base64", "media_type": media_type, "data": data}
    if not media_type.startswith("text/"):
        _refuse(f"a document is a PDF or text, not {media_type}")
    try:
        text = _bytes_of(part).decode()
    except ValueError:
        _refuse("its text is not UTF-8")
    return {"type": "text", "media_type": "text/plain", "data": text}


def _elsewhere(part: Media) -> dict[str, Any]:
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    if part.url is None or part.url.startswith("data:"):
        _refuse("its data: URL is not base64")
    return {"type": "url", "url": part.url}


def _bytes_of(part: Document) -> bytes:
    if part.data is not None:
        return part.data
    header, _, payload = (part.url or "").partition(",")
    return b64decode(payload) if header.endswith(";base64") else unquote_to_bytes(payload)


def plain(blocks: list[Block]) -> str | list[Block]:
    """Return the text alone when *blocks* is one plain text: both spellings are one on the wire."""
    if len(blocks) == 1 and isinstance(blocks[0], dict) and blocks[0].keys() == {"type", "text"}:
        text = blocks[0]["text"]
        return text if isinstance(text, str) else blocks
    return blocks


def wire_id(call_id: str) -> str:
    """Return the id of a call as the API takes it; calls and results are renamed alike."""
    return _NOT_IN_IDS.sub("_", call_id)


def _without_hint(part: Text | Image | Document | Opaque) -> Part:
    if isinstance(part, Opaque) or part.cache_hint is None:
        return part
    return msgspec.structs.replace(part, cache_hint=None)


def _refuse(why: str) -> NoReturn:
    raise _Refused(why)
