"""What becomes of each request parameter in this format; data only. What a single model lacks stands in `models`."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.adapters.parameters import Parameter, mapped, native, unsupported

PARAMETERS: Mapping[str, Parameter] = {
    "temperature": native("input.temperature"),
    "top_p": native("input.top_p"),
    "top_k": native("input.top_k"),
    "max_tokens": mapped("input.max_tokens"),
    "stop": mapped("input.stop_sequences"),
    "seed": native("input.seed"),
    "frequency_penalty": native("input.frequency_penalty"),
    "presence_penalty": native("input.presence_penalty"),
    "n": unsupported("a prediction of Replicate has one output; ask several times"),
    "logprobs": unsupported("Replicate gives text only"),
    "top_logprobs": unsupported("Replicate gives text only"),
    "logit_bias": unsupported("Replicate's models have no token bias"),
    "tools": unsupported("Replicate's models take no tools; tell them in words with emulate_tools=True"),
    "tool_choice": unsupported("Replicate's models take no tools"),
    "parallel_tool_calls": unsupported("Replicate's models take no tools"),
    "response_format": unsupported("Replicate holds no answer to a schema; ask for JSON in words, or for json_object"),
    "reasoning": mapped("input.reasoning_effort"),
    "user": unsupported("Replicate has no field for the end user; keep it in your own logs"),
    "metadata": unsupported("Replicate has no field for metadata; keep it in your own logs"),
    "store": unsupported("Replicate keeps the predictions of its API for an hour, always"),
    "previous_response_id": unsupported("a prediction does not go on with another; send the earlier messages instead"),
    "service_tier": unsupported("Replicate has no service tiers"),
    "safety_settings": unsupported("only Gemini has safety settings"),
}
"""One entry for every name in `fiber.types.request.PARAMETERS`."""
