"""What becomes of each request parameter in this format; data only."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.adapters.parameters import Parameter, mapped, native, renamed, unsupported

PARAMETERS: Mapping[str, Parameter] = {
    "temperature": native("temperature"),
    "top_p": renamed("p"),
    "top_k": renamed("k"),
    "max_tokens": native("max_tokens"),
    "stop": renamed("stop_sequences"),
    "seed": native("seed"),
    "frequency_penalty": native("frequency_penalty"),
    "presence_penalty": native("presence_penalty"),
    "n": unsupported("Cohere gives one answer; ask several times"),
    "logprobs": native("logprobs"),
    "top_logprobs": unsupported("Cohere tells the chosen tokens only; ask for logprobs"),
    "logit_bias": unsupported("Cohere has no token bias"),
    "tools": mapped("tools"),
    "tool_choice": mapped("tool_choice"),
    "parallel_tool_calls": unsupported("Cohere cannot be held to one call at a time"),
    "response_format": mapped("response_format"),
    "reasoning": mapped("thinking"),
    "user": unsupported("Cohere has no field for the end user; keep it in your own logs"),
    "metadata": unsupported("Cohere has no field for metadata; keep it in your own logs"),
    "store": unsupported("Cohere keeps no answers to come back to"),
    "previous_response_id": unsupported("Cohere keeps no answers; send the earlier messages instead"),
    "service_tier": unsupported("Cohere has a priority, a number from 0 to 999: say it in extra_body"),
    "safety_settings": unsupported("only Gemini has safety settings; say Cohere's safety_mode in extra_body"),
}
"""One entry for every name in `fiber.types.request.PARAMETERS`."""

RANGES: Mapping[str, tuple[float, float]] = {
    "top_p": (0.01, 0.99),
    "top_k": (0, 500),
    "frequency_penalty": (0, 1),
    "presence_penalty": (0, 1),
}
"""Least and greatest value of parameters whose range is smaller here than elsewhere."""
