"""Tools, tool choice and the shape of the answer, in the words of Chat Completions."""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.compiling import strict
from fiber.adapters.dialects import openai_dialect, sent_name
from fiber.adapters.parameters import refuse
from fiber.adapters.tools import opaque_tool
from fiber.types.content import Opaque
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import JSONSchema, ResponseFormat, ServerTool, Tool, ToolChoice


def place_tools(body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note]) -> None:
    """Put the tools of *request* in *body*, and how the model may choose among them."""
    functions: list[Any] = []
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            functions.append({"type": "function", "function": _function(tool, request, target, notes)})
        elif isinstance(tool, ServerTool):
            if (why := target.quirks.unsupported.get(f"tools.{tool.kind}")) is not None:
                refuse(request, target, notes, f"the server tool {tool.kind}", why)
            elif tool.kind == "web_search":
                body["web_search_options"] = dict(tool.options)
            else:
                why = "Chat Completions has no such tool; the Responses API may have it"
                refuse(request, target, notes, f"the server tool {tool.kind}", why)
        else:
            functions += opaque_tool(tool, request, target, notes)
    if functions:
        body["tools"] = functions
    if request.tool_choice is not None:
        body["tool_choice"] = _choice(request.tool_choice, request)


def _function(tool: Tool, request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = dict(tool.parameters)
    if (why := target.quirks.unsupported.get("tools.strict")) is not None:
        if tool.strict:
            refuse(request, target, notes, f"strict of the tool {tool.name}", why)
        return function
    if tool.strict:
        function["parameters"] = _strict(tool.parameters, f"tool {tool.name}", request, target, notes)
    if tool.strict is not None:
        function["strict"] = tool.strict
    return function


def _choice(choice: ToolChoice, request: ChatRequest) -> Any:
    if choice.mode != "named":
        return choice.mode
    for tool in request.tools or ():
        if isinstance(tool, Opaque) and _custom_name(tool) == choice.name:
            return {"type": "custom", "custom": {"name": choice.name}}
    return {"type": "function", "function": {"name": choice.name}}


def _custom_name(tool: Opaque) -> Any:
    try:
        return tool.value()["custom"]["name"]
    except (msgspec.DecodeError, KeyError, TypeError):
        return None


def response_format(wanted: ResponseFormat, request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any]:
    """Write the shape of the answer; a strict schema is compiled, and its changes noted."""
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    name = sent_name(wanted.name, notes)
    schema: dict[str, Any] = dict(wanted.schema or {})
    if wanted.strict:
        schema = _strict(schema, "response_format", request, target, notes)
    described = {"description": wanted.description} if wanted.description else {}
    return {
        "type": "json_schema",
        "json_schema": {"name": name, **described, "schema": schema, "strict": wanted.strict},
    }


def _strict(
    schema: JSONSchema, subject: str, request: ChatRequest, target: Target, notes: list[Note]
) -> dict[str, Any]:
    bent, changes = strict(schema, openai_dialect(target), subject, request, target, notes)
    notes.extend(Note("mapped", f"schema of {subject}", change) for change in changes)
    return bent
