"""
Tools, and how the model may choose among them.

Documentation: https://docs.cohere.com/docs/tool-use-overview and .../tool-use-parameter-types, read
2026-11-21.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.compiling import strict_schema
from fiber.adapters.dialects import COHERE
from fiber.adapters.parameters import refuse
from fiber.adapters.tools import function_tool, opaque_tool
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ServerTool, Tool


def place_tools(body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note]) -> None:
    """Put the tools of *request* in *body*, and how the model may choose among them."""
    choice = request.tool_choice
    offered = request.tools or ()
    if choice is not None and choice.mode == "named":
        # No tool can be named, but one that is alone and has to be called is.
        why = f"sent as REQUIRED with {choice.name!r} as the only tool: Cohere cannot be told which one to call"
        notes.append(Note("mapped", "tool_choice", why))
        offered = tuple(tool for tool in offered if not isinstance(tool, Tool) or tool.name == choice.name)
    written: list[Any] = []
    strict: set[bool] = set()
    for tool in offered:
        if isinstance(tool, Tool):
            strict.add(bool(tool.strict))
            sent = tool
            if tool.strict:
                bent = strict_schema(tool.parameters, COHERE, f"tool {tool.name}", request, target, notes)
                sent = msgspec.structs.replace(tool, parameters=bent)
            written.append(function_tool(sent))
        elif isinstance(tool, ServerTool):
            refuse(request, target, notes, f"the server tool {tool.kind}", "Cohere runs no tools itself")
        else:
            written += opaque_tool(tool, request, target, notes)
    if written:
        body["tools"] = written
    if True in strict:
        body["strict_tools"] = True
        if False in strict:
            notes.append(Note("mapped", "tools", "strict holds for all tools: Cohere has one switch for them together"))
    if choice is not None and choice.mode != "auto":
        body["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
