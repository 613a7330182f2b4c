"""
Tools, tool choice and the format of the answer.

Documentation: https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use.html and .../structured-output.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fiber.adapters.bedrock_converse.cache_points import Block, close
from fiber.adapters.bedrock_converse.parts import Context
from fiber.adapters.compiling import strict_schema
from fiber.adapters.dialects import CLAUDE
from fiber.adapters.history import call_names
from fiber.adapters.parameters import refuse
from fiber.adapters.tools import opaque_tool
from fiber.types.content import ToolResult
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ServerTool, Tool, ToolChoice

_WHY_NONE = "this model has no way to be kept from calling, and the history holds calls, so the tools have to be sent"


def tool_config(context: Context, thinking: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """
    Return `toolConfig`, and Claude's own choice for what Converse cannot say.

    Raises:
        FiberCapabilityError: Something cannot be sent, and `on_unsupported` is `raise`.
    """
    request, notes = context.request, context.notes
    tools = _tools(context)
    choice, own = _choice(context, thinking)
    if choice == {"none": {}}:
        if not _has_calls(context):
            notes.append(Note("mapped", "tool_choice", "none: the tools are not sent, for Converse has no such choice"))
            return None, {}
        refuse(request, context.target, notes, "tool_choice", _WHY_NONE)
        choice = None
    if not tools and (names := dict.fromkeys(call_names(request.messages).values())):
        # A history with calls and no definitions is a 400.
        tools = [{"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object"}}}} for name in names]
        notes.append(Note("mapped", "tools", f"named after the history's calls, as Converse wants: {', '.join(names)}"))
        own = {"tool_choice": {"type": "none"}} if context.vendor.is_claude else own
    config: dict[str, Any] = {"tools": tools} if tools else {}
    if choice is not None:
        config["toolChoice"] = choice
    return config or None, own


def _tools(context: Context) -> list[Block]:
    request, target, notes = context.request, context.target, context.notes
    definitions: list[Block] = []
    for tool in request.tools or ():
        match tool:
            case Tool():
                definitions.append({"toolSpec": _function(tool, request, target, notes)})
                close(definitions, tool.cache_hint)
            case ServerTool():
                if (name := context.vendor.system_tools.get(tool.kind)) is None:
                    refuse(request, target, notes, f"server tool {tool.kind!r}", "this model has none on Converse")
                else:
                    definitions.append({"systemTool": {"name": name, **tool.options}})
            case _:
                definitions += opaque_tool(tool, request, target, notes, words="opaque tool")
    return definitions


def _function(tool: Tool, request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any]:
    schema: Mapping[str, Any] = {"type": "object", **tool.parameters}
    if tool.strict:
        schema = strict_schema(schema, CLAUDE, f"tools.{tool.name}", request, target, notes)
    definition: dict[str, Any] = {"name": tool.name}
    if tool.description:
        definition["description"] = tool.description
    definition["inputSchema"] = {"json": schema}
    if tool.strict is not None:
        definition["strict"] = tool.strict
    return definition


def _choice(context: Context, thinking: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return `toolChoice` (also a `none` that Converse lacks), and Claude's own `tool_choice`."""
    request, notes = context.request, context.notes
    asked, parallel = request.tool_choice, request.parallel_tool_calls
    if not request.tools and "toolConfig" not in (request.extra_body or {}):
        for name, value in (("tool_choice", asked), ("parallel_tool_calls", None if parallel else parallel)):
            if value is not None:
                notes.append(Note("dropped", name, "there are no tools"))
        return None, {}
    if asked is not None and asked.mode in ("required", "named") and (why := _unforced(context, thinking)) is not None:
        refuse(request, context.target, notes, "tool_choice", why)
        asked = None
    if context.vendor.is_claude and (parallel is False or (asked is not None and asked.mode == "none")):
        # Converse cannot say it: all of the choice goes in Claude's own words, for both would be a 400.
        return None, {"tool_choice": _of_claude(asked, parallel, notes)}
    match asked:
        case None:
            return None, {}
        case ToolChoice(mode="required"):
            return {"any": {}}, {}
        case ToolChoice(mode="named"):
            return {"tool": {"name": asked.name}}, {}
        case _:
            return {asked.mode: {}}, {}


def _of_claude(asked: ToolChoice | None, parallel: bool | None, notes: list[Note]) -> dict[str, Any]:
    match asked:
        case ToolChoice(mode="none"):
            if parallel is False:
                notes.append(Note("dropped", "parallel_tool_calls", "tool_choice is none: nothing is called"))
            return {"type": "none"}
        case ToolChoice(mode="required"):
            choice: dict[str, Any] = {"type": "any"}
        case ToolChoice(mode="named"):
            choice = {"type": "tool", "name": asked.name}
        case _:
            choice = {"type": "auto"}
    return {**choice, "disable_parallel_tool_use": True}


def _unforced(context: Context, thinking: Mapping[str, Any] | None) -> str | None:
    if context.vendor.is_claude and not context.model.forced_tool:
        return "this model answers a forced tool choice with 400; it takes auto and none"
    if thinking is not None and thinking["type"] == "enabled":
        return "thinking with a budget does not go with a forced tool choice"
    return None


def _has_calls(context: Context) -> bool:
    messages = context.request.messages
    return any(message.tool_calls or any(isinstance(p, ToolResult) for p in message.parts) for message in messages)


def format_of(context: Context) -> dict[str, Any] | None:
    """Return `outputConfig.textFormat`; JSON mode, which the format lacks, was put into words before."""
    wanted, notes = context.request.response_format, context.notes
    if wanted is None or wanted.kind == "text":
        return None
    if wanted.schema is None:
        refuse(context.request, context.target, notes, "response_format", "json_schema needs a schema")
        return None
    schema = strict_schema(wanted.schema, CLAUDE, "response_format", context.request, context.target, notes)
    # The schema travels as a string.
    described: dict[str, Any] = {"schema": msgspec.json.encode(schema).decode(), "name": wanted.name}
    if wanted.description:
        described["description"] = wanted.description
    if not wanted.strict:
        notes.append(Note("mapped", "response_format", "strict=False sent as a schema that is held to"))
    return {"type": "json_schema", "structure": {"jsonSchema": described}}
