"""What becomes of each request parameter in this format; data only."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.adapters.parameters import Parameter, mapped, native, renamed, unsupported

PARAMETERS: Mapping[str, Parameter] = {
    "temperature": native("options.temperature"),
    "top_p": native("options.top_p"),
    "top_k": native("options.top_k"),
    "max_tokens": renamed("options.num_predict"),
    "stop": native("options.stop"),
    "seed": native("options.seed"),
    "frequency_penalty": native("options.frequency_penalty"),
    "presence_penalty": native("options.presence_penalty"),
    "n": unsupported("Ollama gives one answer; ask several times"),
    "logprobs": native("logprobs"),
    "top_logprobs": mapped("top_logprobs"),
    "logit_bias": unsupported("Ollama has no token bias"),
    "tools": mapped("tools"),
    "tool_choice": mapped("tools"),
    "parallel_tool_calls": unsupported("Ollama cannot be held to one call at a time"),
    "response_format": mapped("format"),
    "reasoning": mapped("think"),
    "user": unsupported("Ollama has no field for the end user; keep it in your own logs"),
    "metadata": unsupported("Ollama has no field for metadata; keep it in your own logs"),
    "store": unsupported("Ollama keeps no answers"),
    "previous_response_id": unsupported("Ollama keeps no answers; send the earlier messages instead"),
    "service_tier": unsupported("Ollama has no service tiers"),
    "safety_settings": unsupported("only Gemini has safety settings"),
}
"""One entry for every name in `fiber.types.request.PARAMETERS`."""
