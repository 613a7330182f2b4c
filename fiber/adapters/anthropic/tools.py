"""
Tools and tool choice.

Documentation: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview; type strings
of server tools from anthropic-sdk-python 2.11.0, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.adapters.anthropic.cache_hints import Block, mark
from fiber.adapters.claude_models import Model
from fiber.adapters.compiling import strict_schema
from fiber.adapters.dialects import CLAUDE
from fiber.adapters.parameters import refuse
from fiber.adapters.tools import opaque_tool
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ServerTool, Tool

_SERVER_TOOLS = {
    "web_search": "web_search_20260318",
    "web_fetch": "web_fetch_20260318",
    "code_execution": "code_execution_20260521",
}


def tools_of(request: ChatRequest, target: Target, notes: list[Note]) -> list[Block]:
    """Return the definitions of the tools that can be sent."""
    definitions: list[Block] = []
    for tool in request.tools or ():
        match tool:
            case Tool():
                definitions.append(_function(tool, request, target, notes))
            case ServerTool():
                if (kind := _SERVER_TOOLS.get(tool.kind)) is None:
                    why = "the Messages API has no such tool"
                    refuse(request, target, notes, f"server tool {tool.kind!r}", why)
                else:
                    definitions.append({"type": kind, "name": tool.kind, **tool.options})
            case _:
                definitions += opaque_tool(tool, request, target, notes, words="opaque tool")
    return definitions


def _function(tool: Tool, request: ChatRequest, target: Target, notes: list[Note]) -> Block:
    schema: Mapping[str, Any] = {"type": "object", **tool.parameters}
    if tool.strict:
        schema = strict_schema(schema, CLAUDE, f"tools.{tool.name}", request, target, notes)
    definition: dict[str, Any] = {"name": tool.name}
    if tool.description:
        definition["description"] = tool.description
    definition["input_schema"] = schema
    if tool.strict is not None:
        definition["strict"] = tool.strict
    return mark(definition, tool.cache_hint)


def choice_of(
    request: ChatRequest,
    target: Target,
    model: Model,
    thinking: Mapping[str, Any] | None,
    notes: list[Note],
) -> dict[str, Any] | None:
    """Return `tool_choice`, which also holds the switch for parallel calls."""
    asked, parallel = request.tool_choice, request.parallel_tool_calls
    if asked is None and parallel is None:
        return None
    if not request.tools and "tools" not in (request.extra_body or {}):
        named = [("tool_choice", asked), ("parallel_tool_calls", None if parallel else parallel)]
        for name, value in named:
            if value is not None:
                notes.append(Note("dropped", name, "there are no tools"))
        return None
    choice: dict[str, Any] = {"type": "auto"}
    if asked is not None and asked.mode == "none":
        choice = {"type": "none"}
    elif asked is not None and asked.mode != "auto":
        if (why := _unforced(model, thinking)) is not None:
            refuse(request, target, notes, "tool_choice", why)
        else:
            required = asked.mode == "required"
            choice = {"type": "any"} if required else {"type": "tool", "name": asked.name}
            if thinking is not None and thinking["type"] == "adaptive":
                why = "with a forced tool choice the model answers without thinking"
                notes.append(Note("warned", "tool_choice", why))
    if parallel is not None and choice["type"] != "none":
        choice["disable_parallel_tool_use"] = not parallel
    elif parallel is not None:
        notes.append(Note("dropped", "parallel_tool_calls", "tool_choice is none: nothing is called"))
    return choice


def _unforced(model: Model, thinking: Mapping[str, Any] | None) -> str | None:
    if not model.forced_tool:
        return "this model answers a forced tool choice with 400; it takes auto and none"
    if thinking is not None and thinking["type"] == "enabled":
        return "thinking with a budget does not go with a forced tool choice"
    return None


def format_of(request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any] | None:
    """Return `output_config.format`; JSON mode, which the format lacks, was put into words before."""
    wanted = request.response_format
    if wanted is None or wanted.kind == "text":
        return None
    if wanted.schema is None:
        refuse(request, target, notes, "response_format", "json_schema needs a schema")
        return None
    schema = strict_schema(wanted.schema, CLAUDE, "response_format", request, target, notes)
    if wanted.description:
        schema.setdefault("description", wanted.description)
    if not wanted.strict:
        notes.append(Note("mapped", "response_format", "strict=False sent as a schema that is held to"))
    return {"type": "json_schema", "schema": schema}
