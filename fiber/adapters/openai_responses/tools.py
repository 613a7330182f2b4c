"""
Tools, how the model may choose among them, and the shape of the answer. All are flat here, not
nested as in chat.

Source: https://platform.openai.com/docs/api-reference/responses/create, `tools` and `text`, read
2026-11-20.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.compiling import strict_schema
from fiber.adapters.dialects import openai_dialect, sent_name
from fiber.adapters.parameters import refuse
from fiber.adapters.tools import opaque_tool
from fiber.types.content import Opaque
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import JSONSchema, ResponseFormat, ServerTool, Tool, ToolChoice

_HOSTED: dict[str, dict[str, Any]] = {
    "web_search": {"type": "web_search"},
    "file_search": {"type": "file_search"},
    # A container has to be named; `auto` has one made and reused.
    "code_execution": {"type": "code_interpreter", "container": {"type": "auto"}},
}


def tool_list(request: ChatRequest, target: Target, notes: list[Note]) -> list[Any]:
    """Return the tools that can be sent."""
    made: list[Any] = []
    for tool in request.tools or ():
        match tool:
            case Tool():
                made.append(_function(tool, request, target, notes))
            case ServerTool() if tool.kind in _HOSTED:
                made.append(_HOSTED[tool.kind] | dict(tool.options))
            case ServerTool():
                why = "the Responses API has no such tool; web_search opens pages too"
                refuse(request, target, notes, f"server tool {tool.kind!r}", why)
            case _:
                made += opaque_tool(tool, request, target, notes, words="tool definition")
    return made


def choice(request: ChatRequest, said: ToolChoice) -> Any:
    """Return `tool_choice`: a word, or the one tool to call, be it function, custom or hosted."""
    if said.mode != "named":
        return said.mode
    for tool in request.tools or ():
        if isinstance(tool, Opaque) and _custom_name(tool) == said.name:
            return {"type": "custom", "name": said.name}
        if isinstance(tool, ServerTool) and tool.kind == said.name and tool.kind in _HOSTED:
            return {"type": _HOSTED[tool.kind]["type"]}
    return {"type": "function", "name": said.name}


def text_format(said: ResponseFormat, request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any]:
    """Return `text.format`."""
    if said.kind != "json_schema":
        return {"type": said.kind}
    name = sent_name(said.name, notes)
    schema: Any = said.schema or {}
    if said.strict:
        schema = _strict(schema, "response_format", request, target, notes)
    made = {"type": "json_schema", "name": name, "schema": schema, "strict": said.strict}
    return made | ({"description": said.description} if said.description else {})


def _custom_name(tool: Opaque) -> Any:
    return tool.value().get("name") if tool.kind == "custom" else None


def _function(tool: Tool, request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "function", "name": tool.name}
    if tool.description:
        made["description"] = tool.description
    # Left out, `strict` means: try, and fall back to a loose schema.
    if tool.strict is None:
        return made | {"parameters": tool.parameters}
    if tool.strict:
        return made | {
            "parameters": _strict(tool.parameters, f"tool {tool.name!r}", request, target, notes),
            "strict": True,
        }
    return made | {"parameters": tool.parameters, "strict": False}


def _strict(
    schema: JSONSchema, subject: str, request: ChatRequest, target: Target, notes: list[Note]
) -> dict[str, Any]:
    dialect, words = openai_dialect(target), "schema made strict: "
    return strict_schema(schema, dialect, subject, request, target, notes, words=words)
