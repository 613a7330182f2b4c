"""
Build the HTTP request of one chat call: the same builder for streams and plain calls.

Documentation: https://platform.claude.com/docs/en/api/messages and /api/versioning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fiber.adapters.anthropic.bedrock import invocation
from fiber.adapters.anthropic.cache_hints import hold_to_limits
from fiber.adapters.anthropic.messages import conversation
from fiber.adapters.anthropic.parameters import PARAMETERS
from fiber.adapters.anthropic.parts import Context
from fiber.adapters.anthropic.tools import choice_of, format_of, tools_of
from fiber.adapters.claude_models import Model, model_of
from fiber.adapters.claude_thinking import plan
from fiber.adapters.parameters import of_row, place, put, refuse, settle
from fiber.adapters.posting import post
from fiber.types.http import HTTPRequest, Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

DEFAULT_VERSION = "2026-10-21"
_SAMPLING = ("temperature", "top_p", "top_k")


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Turn *request* into HTTP, without credentials.

    Raises:
        FiberCapabilityError: Something cannot be sent, and `on_unsupported` is `raise`.
    """
    model = model_of(target.model)
    version = _version(request, target)
    refused = _refused(request, model, version)
    table = of_row(PARAMETERS, target)
    request, notes = settle(request, table, target, refused)

    thought = plan(request, target, model, notes)
    body: dict[str, Any] = {"model": target.model, "max_tokens": thought.max_tokens}
    if tools := tools_of(request, target, notes):
        body["tools"] = tools
    system, body["messages"] = conversation(Context(request, target, model, notes))
    if system is not None:
        body["system"] = system
    hold_to_limits(body, notes)
    if (choice := choice_of(request, target, model, thought.thinking, notes)) is not None:
        body["tool_choice"] = choice
    if thought.thinking is not None:
        body["thinking"] = thought.thinking
    if thought.effort is not None:
        put(body, "output_config.effort", thought.effort)
    if (output_format := format_of(request, target, notes)) is not None:
        put(body, "output_config.format", output_format)
    if request.metadata is not None:
        _metadata(body, request, target, notes)
    place(body, msgspec.structs.replace(request, max_tokens=thought.max_tokens), table)
    if stream:
        body["stream"] = True
    if target.quirks.platform == "bedrock":
        return invocation(body, request, target, notes, version, stream=stream)
    headers = (("anthropic-version", version),)
    return post(f"{target.base_url}/v1/messages", body, request, notes, stream=stream, headers=headers, target=target)


def _version(request: ChatRequest, target: Target) -> str:
    for name, value in (request.extra_headers or {}).items():
        if name.lower() == "anthropic-version":
            return value
    return target.quirks.api_version or DEFAULT_VERSION


def _refused(request: ChatRequest, model: Model, version: str) -> dict[str, str]:
    refused = _refused_sampling(request, model, version)
    if request.response_format is not None and request.response_format.kind == "json_object":
        refused["response_format"] = "the Messages API holds an answer to a schema only"
    return refused


def _refused_sampling(request: ChatRequest, model: Model, version: str) -> dict[str, str]:
    # Versions are dates, on other platforms with a prefix (`vertex-2023-10-16`).
    if version[-10:] >= DEFAULT_VERSION:
        why = f"API version {version} has no sampling; 2023-06-01 has it, for models up to 4.6"
        return dict.fromkeys(_SAMPLING, why)
    if not model.sampling:
        return dict.fromkeys(_SAMPLING, "this model has no sampling parameters")
    if request.temperature is not None and request.temperature > 1:
        return {"temperature": f"{request.temperature} is above 1, the most the Messages API takes"}
    return {}


def _metadata(body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note]) -> None:
    metadata: Mapping[str, str] = request.metadata or {}
    if "user_id" in metadata:
        put(body, "metadata.user_id", metadata["user_id"])
    if others := [name for name in metadata if name != "user_id"]:
        why = f"the Messages API takes user_id only, not {', '.join(others)}"
        refuse(request, target, notes, "metadata", why)
