"""
What becomes of each request parameter in `generateContent`.

Documentation: https://ai.google.dev/api/generate-content (GenerationConfig and the request body).
Facts as of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from fiber.adapters.parameters import Parameter, mapped, native, renamed, unsupported

PARAMETERS: Mapping[str, Parameter] = {
    "temperature": native("generationConfig.temperature"),
    "top_p": native("generationConfig.topP"),
    "top_k": native("generationConfig.topK"),
    "max_tokens": renamed("generationConfig.maxOutputTokens"),
    "stop": renamed("generationConfig.stopSequences"),
    "seed": native("generationConfig.seed"),
    "frequency_penalty": native("generationConfig.frequencyPenalty"),
    "presence_penalty": native("generationConfig.presencePenalty"),
    "n": renamed("generationConfig.candidateCount"),
    "logprobs": renamed("generationConfig.responseLogprobs"),
    "top_logprobs": mapped("generationConfig.logprobs"),
    "logit_bias": unsupported("Gemini has no token bias"),
    "tools": mapped("tools"),
    "tool_choice": mapped("toolConfig.functionCallingConfig"),
    # Only true can be had, and it is the default: see `request.build_request`.
    "parallel_tool_calls": mapped("toolConfig"),
    "response_format": mapped("generationConfig.responseMimeType"),
    "reasoning": mapped("generationConfig.thinkingConfig"),
    "user": unsupported("Gemini has no field for the end user; keep it in your own logs"),
    "metadata": unsupported("Gemini has no field for metadata; keep it in your own logs"),
    "store": native("store"),
    "previous_response_id": unsupported("generateContent keeps no state; send the history with every request"),
    "service_tier": renamed("serviceTier"),
    "safety_settings": native("safetySettings"),
}
"""Every name of `fiber.types.request.PARAMETERS`."""
