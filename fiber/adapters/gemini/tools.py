"""
Tools and how they may be used: `tools` and `toolConfig`.

Documentation: https://ai.google.dev/gemini-api/docs/function-calling and .../docs/tool-combination.
Facts as of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.adapters.gemini.models import is_before
from fiber.adapters.gemini.reduce import reduced
from fiber.adapters.parameters import refuse
from fiber.adapters.tools import opaque_tool
from fiber.types.content import Opaque
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import AnyTool, ServerTool, Tool

VERTEX = "-"
"""`Quirks.api_version` of Vertex rows, whose base URL ends in the version and the publisher."""

_SERVER_TOOLS: Mapping[str, str] = {
    "web_search": "googleSearch",
    "code_execution": "codeExecution",
    "web_fetch": "urlContext",
    "file_search": "fileSearch",
}
_MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY", "named": "ANY"}


def place_tools(body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note]) -> None:
    """
    Put `tools` and `toolConfig` into *body*.

    Raises:
        FiberCapabilityError: A tool or choice cannot be had and `on_unsupported` is `raise`.
    """
    choice = request.tool_choice
    functions: list[Any] = []
    others: list[Any] = []
    strict = declared = False
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            functions.append(_declaration(tool, notes))
            strict = strict or tool.strict is True
        elif (definition := _other(tool, request, target, notes)) is not None:
            others.append(definition)
            declared = declared or (isinstance(tool, Opaque) and "functionDeclarations" in tool.data)
    if others and not declared and choice is not None and choice.mode == "none":
        detail = "server tools are left out, for mode NONE covers functions only"
        notes.append(Note("mapped", "tool_choice", detail))
        others = []
    tools: list[Any] = [{"functionDeclarations": functions}] if functions else []
    if tools or others:
        body["tools"] = tools + others
    config: dict[str, Any] = {}
    if (calling := _calling(request, target, notes, bool(functions) or declared, strict)) is not None:
        config["functionCallingConfig"] = calling
    if functions and others and not declared:
        if is_before(target.model, 3, 0):
            detail = "Gemini before 3 may refuse functions beside server tools"
            notes.append(Note("warned", "tools", detail))
        elif target.quirks.api_version != VERTEX:
            # Vertex does not know the switch; models before 3 answer 400 to it.
            config["includeServerSideToolInvocations"] = True
    if config:
        body["toolConfig"] = config


def _declaration(tool: Tool, notes: list[Note]) -> dict[str, Any]:
    declaration: dict[str, Any] = {"name": tool.name}
    if tool.description:
        declaration["description"] = tool.description
    schema = reduced(tool.parameters, f"tool {tool.name}", notes)
    # A function without arguments has no `parameters`: older models answer 400 to an object without
    # properties.
    if schema.get("properties") or schema.keys() - {
        "type",
        "properties",
        "required",
        "additionalProperties",
    }:
        declaration["parametersJsonSchema"] = schema
    return declaration


def _other(tool: AnyTool, request: ChatRequest, target: Target, notes: list[Note]) -> Any:
    """Return the definition of a tool that is no function, None when it cannot be sent."""
    if isinstance(tool, ServerTool):
        if tool.kind == "file_search" and target.quirks.api_version == VERTEX:
            refuse(request, target, notes, "tool file_search", "Vertex AI has no fileSearch")
            return None
        return {_SERVER_TOOLS[tool.kind]: dict(tool.options)}
    assert isinstance(tool, Opaque)  # noqa: S101 - the last of the union
    return next(iter(opaque_tool(tool, request, target, notes, words="opaque tool")), None)


def _calling(
    request: ChatRequest, target: Target, notes: list[Note], functions: bool, strict: bool
) -> dict[str, Any] | None:
    """Return the `functionCallingConfig`, None when the default is meant."""
    choice = request.tool_choice
    mode = "auto" if choice is None else choice.mode
    if strict and is_before(target.model, 2, 5):
        refuse(request, target, notes, "strict tools", "mode VALIDATED came with Gemini 2.5")
        strict = False
    if strict and mode == "auto":
        detail = "mode VALIDATED holds every function to its schema, not only the strict ones"
        notes.append(Note("mapped", "tools.strict", detail))
        return {"mode": "VALIDATED"}
    if choice is None:
        return None
    if not functions and mode in ("required", "named"):
        why = "only functions can be forced, and there is none"
        refuse(request, target, notes, "tool_choice", why)
        return None
    config: dict[str, Any] = {"mode": _MODES[mode]}
    if mode == "named":
        config["allowedFunctionNames"] = [choice.name]
    return config
