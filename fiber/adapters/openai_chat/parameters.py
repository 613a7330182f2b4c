"""What becomes of each request parameter in this format; data only."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.adapters.parameters import Parameter, mapped, native, unsupported

PARAMETERS: Mapping[str, Parameter] = {
    "temperature": native("temperature"),
    "top_p": native("top_p"),
    "top_k": unsupported("Chat Completions has no top_k; where a compatible server does, say it in extra_body"),
    "max_tokens": mapped("max_completion_tokens"),
    "stop": native("stop"),
    "seed": native("seed"),
    "frequency_penalty": native("frequency_penalty"),
    "presence_penalty": native("presence_penalty"),
    "n": native("n"),
    "logprobs": native("logprobs"),
    "top_logprobs": mapped("top_logprobs"),
    "logit_bias": mapped("logit_bias"),
    "tools": mapped("tools"),
    "tool_choice": mapped("tool_choice"),
    "parallel_tool_calls": native("parallel_tool_calls"),
    "response_format": mapped("response_format"),
    "reasoning": mapped("reasoning_effort"),
    "user": native("user"),
    "metadata": native("metadata"),
    "store": native("store"),
    "previous_response_id": unsupported(
        "Chat Completions keeps no state; send the messages again, or use the Responses API"
    ),
    "service_tier": native("service_tier"),
    "safety_settings": unsupported("only Gemini has safety settings"),
}
"""One entry for every name in `fiber.types.request.PARAMETERS`."""
