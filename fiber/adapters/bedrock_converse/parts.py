"""
From content parts to content blocks.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fiber.adapters.bedrock_converse.cache_points import Block, close
from fiber.adapters.bedrock_converse.media import Refused, media_block
from fiber.adapters.bedrock_converse.models import Vendor
from fiber.adapters.claude_models import Model
from fiber.adapters.history import arguments_object, leave_out, refuse_part, sealed
from fiber.types.content import Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]")
_MOST_IN_ID = 64


@dataclass(frozen=True, slots=True)
class Context:
    """What building a message needs to know; `notes` and `names`, of documents, are added to."""

    request: ChatRequest
    target: Target
    vendor: Vendor
    model: Model
    notes: list[Note]
    names: dict[str, int]


def blocks_of(part: Part, role: str, context: Context) -> list[Block]:
    """
    Return the block of *part* in a message of *role*, and its cache point; nothing if it is not sent.

    Raises:
        FiberCapabilityError: It cannot be sent, and `on_unsupported` is `raise`.
    """
    if (raw := sealed(part, context.target)) is not None:
        blocks: list[Block] = [raw]
    else:
        try:
            blocks = _made(part, role, context)
        except Refused as refused:
            refuse_part(context.request, context.target, context.notes, part, str(refused))
            return []
    close(blocks, getattr(part, "cache_hint", None))
    return blocks


def _made(part: Part, role: str, context: Context) -> list[Block]:
    match part:
        case Text():
            return [{"text": part.text}] if part.text else []  # empty text is a 400
        case Reasoning() | Opaque():
            leave_out(part, context.target, context.notes)
            return []
        case ToolCall():
            return [_call(part, role, context)]
        case ToolResult():
            return [_result(part, role, context)]
        case _:
            if role not in ("user", "tool"):
                raise Refused(f"Converse takes it in user messages only, not from the {role}")
            return [media_block(part, context.names, context.notes, cites=context.vendor.is_claude)]


def _call(part: ToolCall, role: str, context: Context) -> Block:
    if role != "assistant":
        raise Refused("tool calls belong in an assistant message")
    arguments = arguments_object(part, context.notes)
    return {"toolUse": {"toolUseId": wire_id(part.id), "name": part.name, "input": arguments}}


def _result(part: ToolResult, role: str, context: Context) -> Block:
    if role not in ("tool", "user"):
        raise Refused("tool results belong in a tool message")
    content: list[Block] = []
    if isinstance(part.content, str):
        content = [{"text": part.content}] if part.content else []
    else:
        for piece in part.content:
            if getattr(piece, "cache_hint", None) is not None:
                context.notes.append(Note("dropped", "cache_hint", "Converse has no cache points inside of a result"))
            content += _inside(piece, context)
    result: dict[str, Any] = {"toolUseId": wire_id(part.call_id), "content": content}
    if part.is_error:
        result["status"] = "error"  # the other word, success, some models do not take
    return {"toolResult": result}


def _inside(piece: Part, context: Context) -> list[Block]:
    return [
        block for block in blocks_of(piece, "tool", context) if not (isinstance(block, dict) and "cachePoint" in block)
    ]


def wire_id(call_id: str) -> str:
    """Return the id of a call as the API takes it; calls and results are renamed alike."""
    return _NOT_IN_IDS.sub("_", call_id)[-_MOST_IN_ID:]
