"""What becomes of each request parameter in the Messages format; data only."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.adapters.parameters import Parameter, mapped, native, renamed, unsupported

PARAMETERS: Mapping[str, Parameter] = {
    # Sampling exists under version 2023-06-01 alone, and on models up to 4.6: see `request`.
    "temperature": native("temperature"),
    "top_p": native("top_p"),
    "top_k": native("top_k"),
    # Required on the wire: unsaid, it is the model's known maximum output, else 4096.
    "max_tokens": native("max_tokens"),
    "stop": renamed("stop_sequences"),
    "seed": unsupported("the Messages API has no seed"),
    "frequency_penalty": unsupported("the Messages API has no penalties"),
    "presence_penalty": unsupported("the Messages API has no penalties"),
    "n": unsupported("the Messages API gives one answer; ask several times"),
    "logprobs": unsupported("the Messages API gives no token probabilities"),
    "top_logprobs": unsupported("the Messages API gives no token probabilities"),
    "logit_bias": unsupported("the Messages API has no logit bias"),
    "tools": mapped("tools"),
    "tool_choice": mapped("tool_choice"),
    "parallel_tool_calls": mapped("tool_choice.disable_parallel_tool_use"),
    # A schema only; JSON mode is asked for in words: see `request`.
    "response_format": mapped("output_config.format"),
    "reasoning": mapped("thinking"),
    "user": renamed("metadata.user_id"),
    "metadata": mapped("metadata.user_id"),
    "store": unsupported("the Messages API keeps no answers to come back to"),
    "previous_response_id": unsupported("the Messages API keeps no answers; send the earlier messages instead"),
    "service_tier": native("service_tier"),
    "safety_settings": unsupported("the Messages API has no safety settings"),
}
