"""Definitions and calls of tools, as several formats have them."""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.history import sealed
from fiber.adapters.parameters import refuse
from fiber.types.content import Opaque, ToolCall
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import Tool


def function_tool(tool: Tool) -> dict[str, Any]:
    """Write *tool* as OpenAI's chat format had it before it could be strict."""
    described = {"description": tool.description} if tool.description else {}
    return {"type": "function", "function": {"name": tool.name, **described, "parameters": dict(tool.parameters)}}


def function_call(call: ToolCall) -> dict[str, Any]:
    """Write *call* as OpenAI's chat format has it."""
    function = {"name": call.name, "arguments": call.arguments_json or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def opaque_tool(
    tool: Opaque, request: ChatRequest, target: Target, notes: list[Note], *, words: str = "the tool"
) -> list[msgspec.Raw]:
    """
    Return the definition in *tool* as it is; nothing, with a note, when it belongs to another provider or host.

    Args:
        words: What such a tool is called in errors and notes, before its kind.

    Raises:
        FiberCapabilityError: It does, and `on_unsupported` is `raise`.
    """
    if (raw := sealed(tool, target)) is not None:
        return [raw]
    why = f"it belongs to {tool.provider or 'nobody'} ({tool.host or 'any host'})"
    refuse(request, target, notes, f"{words} {tool.kind!r}", why)
    return []
