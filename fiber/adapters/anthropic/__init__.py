"""
Anthropic Messages: `POST {base_url}/v1/messages`.

Documentation: https://platform.claude.com/docs/en/api/messages, versions 2026-10-21 (the default
here) and 2023-06-01; types of anthropic-sdk-python 2.11.0, November 2026.

What sets it apart: `max_tokens` is required, so the model's known maximum is sent when the caller
says nothing (4096 for a model nobody knows); the system prompt stands beside the messages; tool
results are blocks of a *user* message, before its text; tool arguments are objects; input counts
exclude what came from the cache; blocks this library does not know are carried as `Opaque` parts
and go back as they came.
"""

from __future__ import annotations

from fiber.adapters.anthropic.bedrock import stream_decoder
from fiber.adapters.anthropic.counting import COUNTING
from fiber.adapters.anthropic.errors import parse_error
from fiber.adapters.anthropic.parameters import PARAMETERS
from fiber.adapters.anthropic.request import build_request
from fiber.adapters.anthropic.response import parse_response
from fiber.adapters.base import Adapter

ADAPTER = Adapter(
    name="anthropic",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=stream_decoder,
    counting=COUNTING,
)
