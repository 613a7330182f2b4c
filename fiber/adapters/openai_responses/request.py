"""
Build the HTTP request: one builder for streams and whole replies.

Source: https://platform.openai.com/docs/api-reference/responses/create, read 2026-11-20.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.compiling import reading_of
from fiber.adapters.dialects import openai_dialect
from fiber.adapters.openai_responses.messages import input_items
from fiber.adapters.openai_responses.models import encrypts_reasoning, sampling_refused
from fiber.adapters.openai_responses.parameters import PARAMETERS
from fiber.adapters.openai_responses.tools import choice, text_format, tool_list
from fiber.adapters.parameters import of_row, place, put, refuse, settle
from fiber.adapters.posting import post
from fiber.types.http import HTTPRequest, Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_SAMPLING = ("temperature", "top_p", "logprobs", "top_logprobs")


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Turn *request* into `POST {base_url}/responses`.

    Raises:
        FiberCapabilityError: Something in it cannot be sent to this target.
    """
    table = of_row(PARAMETERS, target)
    request, notes = settle(request, table, target, _refused_by_model(request, target))
    body: dict[str, Any] = {
        "model": target.model,
        "input": input_items(request, target, notes),
    }
    place(body, request, table)
    _add_tools(body, request, target, notes)
    if request.response_format is not None:
        put(body, "text.format", text_format(request.response_format, request, target, notes))
    _add_reasoning(body, request, target, notes)
    _add_include(body, request, target)
    if stream:
        body["stream"] = True
    query = {"api-version": target.quirks.api_version} if target.quirks.api_version else {}
    url, reading = f"{target.base_url}/responses", reading_of(request, openai_dialect(target))
    return post(url, body, request, notes, stream=stream, query=query, target=target, reading=reading)


def _refused_by_model(request: ChatRequest, target: Target) -> dict[str, str]:
    effort = request.reasoning.effort if request.reasoning else None
    if not sampling_refused(target.model, effort):
        return {}
    why = "this model refuses it while it reasons"
    return dict.fromkeys(_SAMPLING, why)


def _add_tools(body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note]) -> None:
    tools = tool_list(request, target, notes)
    if tools:
        body["tools"] = tools
    elif request.tools and request.tool_choice is not None:
        notes.append(Note("dropped", "tool_choice", "none of its tools can be sent"))
        return
    if request.tool_choice is not None:
        body["tool_choice"] = choice(request, request.tool_choice)


def _add_reasoning(body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note]) -> None:
    options = request.reasoning
    if options is None:
        return
    if options.budget_tokens is not None:
        why = "the Responses API takes an effort, not a number of tokens"
        refuse(request, target, notes, "reasoning.budget_tokens", why)
    if options.effort is not None:
        put(body, "reasoning.effort", options.effort)
    # Without a word about it there is no summary, so `summary=False` needs none.
    if options.summary:
        put(body, "reasoning.summary", "auto")


def _add_include(body: dict[str, Any], request: ChatRequest, target: Target) -> None:
    include = []
    if request.logprobs or request.top_logprobs is not None:
        include.append("message.output_text.logprobs")
    # What the provider does not keep has to be carried by the caller, or the next turn loses the
    # reasoning.
    if request.store is False and encrypts_reasoning(target.model):
        include.append("reasoning.encrypted_content")
    if include:
        body["include"] = include
