"""
From a `ChatRequest` to the HTTP request; one builder for plain answers and streams.

Documentation: https://docs.ollama.com/api/chat, /capabilities/thinking and
/capabilities/structured-outputs, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.adapters.ollama.messages import Conversation
from fiber.adapters.ollama.parameters import PARAMETERS
from fiber.adapters.parameters import of_row, place, refuse, settle
from fiber.adapters.posting import post
from fiber.adapters.tools import function_tool, opaque_tool
from fiber.types.http import HTTPRequest, Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ResponseFormat, ServerTool, Tool

STREAM_TYPE = "application/x-ndjson"
_LEVELS: Mapping[str, str] = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high"}
"""Effort to level of thinking; `max` is one of both."""
_FORCED: Mapping[str, str] = dict.fromkeys(
    ("tool_choice.required", "tool_choice.named"), "Ollama cannot be told to call a tool"
)


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Build the request, without credentials.

    Raises:
        FiberCapabilityError: Something cannot be sent and `on_unsupported` is `raise`.
    """
    table = of_row(PARAMETERS, target)
    request, notes = settle(request, table, target, _FORCED)
    body: dict[str, Any] = {
        "model": target.model,
        "messages": Conversation(request, target, notes).messages(),
        "stream": stream,
    }
    place(body, request, table)
    if tools := _tools(request, target, notes):
        body["tools"] = tools
    if request.top_logprobs is not None:
        body["top_logprobs"] = request.top_logprobs
        body.setdefault("logprobs", True)  # the API wants both
    if (form := _format(request.response_format, notes)) is not None:
        body["format"] = form
    if (think := _think(request, target, notes)) is not None:
        body["think"] = think
    url = f"{target.base_url}/api/chat"
    return post(url, body, request, notes, stream=stream, stream_type=STREAM_TYPE, target=target)


def _tools(request: ChatRequest, target: Target, notes: list[Note]) -> list[Any]:
    """Write the tools; there is no choice among them but to offer them or not."""
    if request.tool_choice is not None and request.tool_choice.mode == "none":
        if request.tools:
            notes.append(Note("mapped", "tool_choice", "none is sent as no tools at all"))
        return []
    written: list[Any] = []
    for tool in request.tools or ():
        if isinstance(tool, Tool):
            written.append(function_tool(tool))
            if tool.strict:
                why = "Ollama does not hold the arguments of tools to their schema"
                notes.append(Note("dropped", f"strict of tool {tool.name}", why))
        elif isinstance(tool, ServerTool):
            refuse(request, target, notes, f"the server tool {tool.kind}", "Ollama runs no tools itself")
        else:
            written += opaque_tool(tool, request, target, notes)
    return written


def _format(wanted: ResponseFormat | None, notes: list[Note]) -> Any:
    """Write the shape of the answer: a schema as it is, which the answer is always held to."""
    if wanted is None or wanted.kind == "text":
        return None
    if wanted.kind == "json_object":
        return "json"
    if not wanted.strict:
        notes.append(Note("mapped", "response_format", "strict=False sent as a schema that is held to"))
    return dict(wanted.schema or {})


def _think(request: ChatRequest, target: Target, notes: list[Note]) -> bool | str | None:
    """Write the switch for thinking: off, on, or a level, which models without levels take for on."""
    asked = request.reasoning
    if asked is None:
        return None
    if asked.effort == "none" or asked.budget_tokens == 0:
        return False
    if asked.budget_tokens is not None:
        refuse(request, target, notes, "reasoning.budget_tokens", "Ollama has levels of thinking; use effort")
    if asked.summary is False:
        refuse(request, target, notes, "reasoning.summary", "Ollama shows its thinking whenever there is any")
    if asked.effort is None:
        return True
    level = _LEVELS.get(asked.effort, asked.effort)
    if level != asked.effort:
        notes.append(Note("mapped", "reasoning", f"effort {asked.effort!r} sent as {level!r}"))
    return level
