"""
Build `generateContent` and `streamGenerateContent` requests.

Documentation: https://ai.google.dev/api/generate-content. Facts as of google-genai 3.4.0, November
2026.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fiber.adapters.gemini.messages import Contents
from fiber.adapters.gemini.models import facts, is_modern
from fiber.adapters.gemini.parameters import PARAMETERS
from fiber.adapters.gemini.reduce import reduced
from fiber.adapters.gemini.thinking import thinking_config
from fiber.adapters.gemini.tools import VERTEX, place_tools
from fiber.adapters.parameters import of_row, place, put, settle
from fiber.adapters.posting import post
from fiber.types.http import HTTPRequest, Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

DEFAULT_VERSION = "v1"
"""What google-genai 3 uses; preview features need `v1beta`, selected by `Quirks.api_version`."""

_SAMPLING = ("temperature", "top_p", "top_k")


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Build the request; streams differ in the method's name, `alt=sse` and two headers only.

    Raises:
        FiberCapabilityError: Something cannot be sent and `on_unsupported` is `raise`.
        FiberValidationError: The history lacks what the format needs.
    """
    refused = _refused_by_model(request, target, stream=stream)
    table = of_row(PARAMETERS, target)
    request, notes = settle(request, table, target, refused)
    body: dict[str, Any] = {}
    conversation = Contents(request, target, notes)
    conversation.build()
    body["contents"] = conversation.contents
    if conversation.system:
        body["systemInstruction"] = {"parts": conversation.system}
    place_tools(body, request, target, notes)
    if request.parallel_tool_calls:
        detail = "nothing is sent: calls in parallel are what Gemini always allows"
        notes.append(Note("mapped", "parallel_tool_calls", detail))
    place(body, request, table)
    if request.top_logprobs is not None:
        put(body, "generationConfig.responseLogprobs", True)
        put(body, "generationConfig.logprobs", request.top_logprobs)
    _place_format(body, request, notes)
    if thinking := thinking_config(request, target, notes):
        put(body, "generationConfig.thinkingConfig", thinking)
    _warn_of_sampling(request, target, notes)
    url = _url(target, stream=stream)
    query = {"alt": "sse"} if stream else None
    return post(url, body, request, notes, stream=stream, query=query, target=target)


def _refused_by_model(request: ChatRequest, target: Target, *, stream: bool) -> dict[str, str]:
    refused: dict[str, str] = {}
    if not facts(target.model).sampling:
        refused = dict.fromkeys(_SAMPLING, "this model takes no sampling parameters")
    if request.parallel_tool_calls is False:
        refused["parallel_tool_calls"] = "Gemini cannot be held to one call at a time"
    if stream and target.quirks.api_version != VERTEX:
        # The API answers 400 "LogProbs is not supported in streaming mode" (recorded); of Vertex no
        # refusal is known.
        why = "token probabilities come with whole replies only; call without streaming"
        if request.logprobs:
            refused["logprobs"] = why
        if request.top_logprobs is not None:
            refused["top_logprobs"] = why
    return refused


def _place_format(body: dict[str, Any], request: ChatRequest, notes: list[Note]) -> None:
    wanted = request.response_format
    if wanted is None:
        return
    mime = "text/plain" if wanted.kind == "text" else "application/json"
    put(body, "generationConfig.responseMimeType", mime)
    if wanted.kind == "json_schema" and wanted.schema is not None:
        if not wanted.strict:
            notes.append(Note("mapped", "response_format", "strict=False sent as a schema that is held to"))
        schema = reduced(wanted.schema, "response_format", notes)
        if wanted.description:
            schema.setdefault("description", wanted.description)
        put(body, "generationConfig.responseJsonSchema", schema)


def _warn_of_sampling(request: ChatRequest, target: Target, notes: list[Note]) -> None:
    if is_modern(target.model):
        for name in _SAMPLING:
            if getattr(request, name) is not None:
                notes.append(Note("warned", name, "deprecated for Gemini 3 and later"))


def _url(target: Target, *, stream: bool) -> str:
    folder, _, model = target.model.rpartition("/")
    if folder not in ("models", "tunedModels"):
        folder, model = "models", target.model
    version = target.quirks.api_version or DEFAULT_VERSION
    base = target.base_url if version == VERTEX else f"{target.base_url}/{quote(version, safe='')}"
    method = "streamGenerateContent" if stream else "generateContent"
    return f"{base}/{folder}/{quote(model, safe='')}:{method}"
