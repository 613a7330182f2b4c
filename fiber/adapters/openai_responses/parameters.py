"""
What becomes of each request parameter; data only.

Source: https://platform.openai.com/docs/api-reference/responses/create, read 2026-11-20.
"""

from __future__ import annotations

from fiber.adapters.parameters import mapped, native, renamed, unsupported

_CHAT_ONLY = "the Responses API has no such parameter; use the provider's chat completions API for it"

PARAMETERS = {
    "temperature": native("temperature"),
    "top_p": native("top_p"),
    "top_k": unsupported("the Responses API has no top_k; use top_p"),
    "max_tokens": renamed("max_output_tokens"),
    "stop": unsupported(_CHAT_ONLY),
    "seed": unsupported(_CHAT_ONLY),
    "frequency_penalty": unsupported(_CHAT_ONLY),
    "presence_penalty": unsupported(_CHAT_ONLY),
    "n": unsupported("the Responses API gives one answer; ask several times"),
    "logprobs": mapped("include"),
    "top_logprobs": native("top_logprobs"),
    "logit_bias": unsupported(_CHAT_ONLY),
    "tools": mapped("tools"),
    "tool_choice": mapped("tool_choice"),
    "parallel_tool_calls": native("parallel_tool_calls"),
    "response_format": mapped("text.format"),
    "reasoning": mapped("reasoning"),
    "user": native("user"),
    "metadata": native("metadata"),
    "store": native("store"),
    "previous_response_id": native("previous_response_id"),
    "service_tier": native("service_tier"),
    "safety_settings": unsupported("only Gemini has safety settings"),
}
"""One entry for every name in `fiber.types.request.PARAMETERS`."""
