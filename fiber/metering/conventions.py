"""
The names that spans and metrics have in OpenTelemetry, and nothing that imports it.

Spans of calls: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-spans.md at commit
9430220e, with two that are newer: `cache_write` (docs/gen-ai/non-normative/migration.md at 32c328e8) and
`reasoning.level`. Spans of attempts: https://github.com/open-telemetry/semantic-conventions, docs/http/http-spans.md at
00e4b4ee (stable). All read 2026-11-22. The first are in development: they change here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from fiber._chain import Call
from fiber.types.telemetry import Semconv

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
MODEL = "gen_ai.request.model"
SERVER = "server.address"
PORT = "server.port"
ERROR = "error.type"

STREAM = "gen_ai.request.stream"
REASONING_LEVEL = "gen_ai.request.reasoning.level"
OUTPUT_TYPE = "gen_ai.output.type"
REQUEST = {
    # Parameter of a request, and its name. `stop` is not told: it is made of the caller's words.
    "max_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "seed": "gen_ai.request.seed",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "n": "gen_ai.request.choice.count",
}

RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_ID = "gen_ai.response.id"
FINISH_REASONS = "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
TOKEN_TYPE = "gen_ai.token.type"
USAGE = {
    # Member of `Usage`, and its name.
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}

SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"

METHOD = "http.request.method"
URL = "url.full"
STATUS = "http.response.status_code"
RESENDS = "http.request.resend_count"

PROVIDERS = {
    # Rows, and the provider as the convention spells it; all other rows keep their own names.
    "azure": "azure.ai.openai",
    "azure-dated": "azure.ai.openai",
    "azure-responses": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock-anthropic": "aws.bedrock",
    "bedrock-mantle": "aws.bedrock",
    "bedrock-mantle-anthropic": "aws.bedrock",
    "bedrock-mantle-responses": "aws.bedrock",
    "gemini": "gcp.gemini",
    "gemini-openai": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "openai-responses": "openai",
    "vertex": "gcp.vertex_ai",
    "vertex-anthropic": "gcp.vertex_ai",
    "vertex-openai": "gcp.vertex_ai",
    "xai": "x_ai",
    "xai-chat": "x_ai",
}

_CREATION = {"gen_ai.usage.cache_write.input_tokens": "gen_ai.usage.cache_creation.input_tokens"}
OLDER: dict[Semconv, dict[str, str]] = {
    # What was called otherwise in older versions of https://github.com/open-telemetry/semantic-conventions.
    "1.41.0": _CREATION,
    "1.36.0": {PROVIDER: "gen_ai.system", **_CREATION},
}
OLDER_PROVIDERS: dict[Semconv, dict[str, str]] = {"1.36.0": {"x_ai": "xai"}}

_PORTS = {"http": 80, "https": 443}


def identity(call: Call) -> Mapping[str, Any]:
    """Return what identifies *call* on its span and in metrics: operation, provider, model and server."""
    target = call.target
    return _identity(call.operation.name, target.provider, target.model, target.base_url, call.telemetry.semconv)


@lru_cache(maxsize=256)
def _identity(operation: str, provider: str, model: str, url: str, older: Semconv | None) -> Mapping[str, Any]:
    # Kept, because it is made for every call, also where nobody hears of it.
    provider = PROVIDERS.get(provider, provider)
    if older is not None:
        provider = OLDER_PROVIDERS.get(older, {}).get(provider, provider)
    return spelled({OPERATION: operation, PROVIDER: provider, MODEL: model or None, **server(url)}, older)


def server(url: str) -> dict[str, Any]:
    """Return address and port of the server that *url* names; the convention wants the usual ports too."""
    parts = urlsplit(url)
    return {SERVER: parts.hostname or "", PORT: parts.port or _PORTS.get(parts.scheme, 443)}


def spelled(attributes: Mapping[str, Any], older: Semconv | None) -> dict[str, Any]:
    """Return those of *attributes* that have a value, named as in the *older* version, where one was asked for."""
    names = OLDER[older] if older is not None else {}
    return {names.get(name, name): value for name, value in attributes.items() if value is not None}
