"""From a `ChatRequest` to the HTTP request; one builder for plain answers and streams."""

from __future__ import annotations

from typing import Any

from fiber.adapters.compiling import reading_of
from fiber.adapters.dialects import openai_dialect
from fiber.adapters.openai_chat.messages import wire_messages
from fiber.adapters.openai_chat.models import refused_parameters
from fiber.adapters.openai_chat.parameters import PARAMETERS
from fiber.adapters.openai_chat.reasoning import place_reasoning
from fiber.adapters.openai_chat.tools import place_tools, response_format
from fiber.adapters.parameters import of_row, place, settle
from fiber.adapters.posting import post
from fiber.types.http import HTTPRequest, Note
from fiber.types.reading import Reading
from fiber.types.request import ChatRequest, said
from fiber.types.target import Target


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Build the request, without credentials.

    Args:
        request: Checked values.
        target: `base_url` ends before `/chat/completions`.
        stream: Ask for server-sent events.

    Returns:
        The request, with a note for everything that was changed or left out.

    Raises:
        FiberCapabilityError: Something cannot be sent and `on_unsupported` is `raise`.

    Source: https://platform.openai.com/docs/api-reference/chat/create, read 2026-11-20.
    """
    notes: list[Note] = []
    table, asks = of_row(PARAMETERS, target), bool(said(request))
    if asks:
        request, notes = settle(request, table, target, refused_parameters(request, target))
    body: dict[str, Any] = {"model": target.model, "messages": wire_messages(request, target, notes)}
    if asks:
        place(body, request, table)
        _place_mapped(body, request, target, notes)
    if stream:
        body["stream"] = True
        if target.quirks.stream_usage:
            body["stream_options"] = {"include_usage": True}
    # Azure's dated versions are a query.
    query = {"api-version": target.quirks.api_version} if target.quirks.api_version else {}
    url, reading = f"{target.base_url}/chat/completions", _reading(request, target) if asks else None
    return post(url, body, request, notes, stream=stream, query=query, target=target, reading=reading)


def _reading(request: ChatRequest, target: Target) -> Reading | None:
    strict_tools = "tools.strict" not in target.quirks.unsupported
    return reading_of(request, openai_dialect(target), strict_tools=strict_tools)


def _place_mapped(body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note]) -> None:
    if request.max_tokens is not None:
        body[target.quirks.max_tokens_field] = request.max_tokens
    if request.top_logprobs is not None:
        body["top_logprobs"] = request.top_logprobs
        body.setdefault("logprobs", True)  # the API wants both
    if request.logit_bias is not None:
        # The API's type is integer; 5.0 and 5 are the same wish.
        body["logit_bias"] = {
            token: int(bias) if bias == int(bias) else bias for token, bias in request.logit_bias.items()
        }
    place_tools(body, request, target, notes)
    if request.response_format is not None:
        body["response_format"] = response_format(request.response_format, request, target, notes)
    if request.reasoning is not None:
        place_reasoning(body, request.reasoning, request, target, notes)
