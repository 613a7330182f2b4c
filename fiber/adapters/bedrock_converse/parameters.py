"""What becomes of each request parameter in Converse; data only."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.adapters.parameters import Parameter, mapped, native, renamed, unsupported

PARAMETERS: Mapping[str, Parameter] = {
    # From 0 to 1; Claude from 4.7 on takes neither: see `request`.
    "temperature": native("inferenceConfig.temperature"),
    "top_p": renamed("inferenceConfig.topP"),
    # Where a vendor's models take it, by the vendor's own name: see `models`.
    "top_k": mapped("additionalModelRequestFields.top_k"),
    # Unsaid, it is the model's own maximum.
    "max_tokens": renamed("inferenceConfig.maxTokens"),
    "stop": renamed("inferenceConfig.stopSequences"),
    "seed": unsupported("Converse has no seed"),
    "frequency_penalty": unsupported("Converse has no penalties"),
    "presence_penalty": unsupported("Converse has no penalties"),
    "n": unsupported("Converse gives one answer; ask several times"),
    "logprobs": unsupported("Converse gives no token probabilities"),
    "top_logprobs": unsupported("Converse gives no token probabilities"),
    "logit_bias": unsupported("Converse has no logit bias"),
    "tools": mapped("toolConfig.tools"),
    "tool_choice": mapped("toolConfig.toolChoice"),
    # Claude only, by its own `tool_choice`.
    "parallel_tool_calls": mapped("additionalModelRequestFields.tool_choice"),
    # A schema only; JSON mode is asked for in words: see `request`.
    "response_format": mapped("outputConfig.textFormat"),
    "reasoning": mapped("additionalModelRequestFields"),
    "user": unsupported("Converse knows no end users; put the id into metadata"),
    "metadata": renamed("requestMetadata"),
    "store": unsupported("Converse keeps no answers to come back to"),
    "previous_response_id": unsupported("Converse keeps no answers; send the earlier messages instead"),
    "service_tier": renamed("serviceTier.type"),
    # One mapping, a guardrail in Bedrock's words.
    "safety_settings": mapped("guardrailConfig"),
}
