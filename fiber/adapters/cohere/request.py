"""
From a `ChatRequest` to the HTTP request; one builder for plain answers and streams.

Documentation: https://docs.cohere.com/reference/chat, read 2026-11-21.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.cohere.messages import Conversation
from fiber.adapters.cohere.parameters import PARAMETERS, RANGES
from fiber.adapters.cohere.tools import place_tools
from fiber.adapters.compiling import reading_of, strict_schema
from fiber.adapters.dialects import COHERE
from fiber.adapters.parameters import of_row, place, refuse, settle
from fiber.adapters.posting import post
from fiber.types.http import HTTPRequest, Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ResponseFormat


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Build the request, without credentials.

    Raises:
        FiberCapabilityError: Something cannot be sent and `on_unsupported` is `raise`.
    """
    table = of_row(PARAMETERS, target)
    request, notes = settle(request, table, target, _out_of_range(request))
    conversation = Conversation(request, target, notes)
    body: dict[str, Any] = {"model": target.model, "messages": conversation.messages()}
    if conversation.documents:
        body["documents"] = conversation.documents
    place(body, request, table)
    place_tools(body, request, target, notes)
    if request.response_format is not None:
        body["response_format"] = _format(request.response_format, request, target, notes)
    if (thinking := _thinking(request, target, notes)) is not None:
        body["thinking"] = thinking
    body["stream"] = stream
    url, reading = f"{target.base_url}/v2/chat", reading_of(request, COHERE)
    return post(url, body, request, notes, stream=stream, target=target, reading=reading)


def _out_of_range(request: ChatRequest) -> dict[str, str]:
    refused: dict[str, str] = {}
    for name, (least, most) in RANGES.items():
        value = getattr(request, name)
        if value is not None and not least <= value <= most:
            refused[name] = f"Cohere takes {least} to {most}, not {value}"
    return refused


def _format(wanted: ResponseFormat, request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any]:
    if wanted.kind != "json_schema" or wanted.schema is None:
        return {"type": "text" if wanted.kind == "text" else "json_object"}
    if not wanted.strict:
        notes.append(Note("mapped", "response_format", "strict=False sent as a schema that is held to"))
    # The type is `json_object` with a schema, too.
    schema = strict_schema(wanted.schema, COHERE, "response_format", request, target, notes)
    return {"type": "json_object", "json_schema": schema}


def _thinking(request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any] | None:
    """
    Write the switch for thinking.

    Source: https://docs.cohere.com/docs/reasoning, read 2026-11-21: on or off, and a number of
    tokens; there are no levels.
    """
    asked = request.reasoning
    if asked is None:
        return None
    if asked.effort == "none" or asked.budget_tokens == 0:
        return {"type": "disabled"}
    if asked.summary is False:
        why = "Cohere shows its thinking whenever there is any"
        refuse(request, target, notes, "reasoning.summary", why)
    thinking: dict[str, Any] = {"type": "enabled"}
    if asked.budget_tokens is not None:
        thinking["token_budget"] = asked.budget_tokens
    if asked.effort is not None and asked.budget_tokens is not None:
        notes.append(Note("dropped", "reasoning.effort", "budget_tokens says it"))
    elif asked.effort is not None:
        why = f"effort {asked.effort!r} turns thinking on; Cohere has no levels, but budget_tokens"
        notes.append(Note("mapped", "reasoning", why))
    return thinking
