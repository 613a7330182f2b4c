"""
Token counts.

The arithmetic: `promptTokenCount` has the cached tokens in it; `toolUsePromptTokenCount` is further
input; `candidatesTokenCount` is without the thoughts, so all output is both together. Some backends
fold the thoughts into the candidates; then prompt and candidates alone make the total (the check
litellm does too). A count of 0 is left out by the API, so a missing output count is 0 only where
the total says so; all else that is missing is unknown.

Documentation: https://ai.google.dev/api/generate-content#UsageMetadata. Facts as of google-genai
3.4.0, November 2026.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.assembly import usage_of
from fiber.adapters.jsons import count, members, objects, total
from fiber.types.receipt import Usage


def read_usage(metadata: Any) -> Usage:
    """Read `usageMetadata`, whatever it is."""
    said = members(metadata)
    prompt = count(said.get("promptTokenCount"))
    tool_use = count(said.get("toolUsePromptTokenCount"))
    candidates = count(said.get("candidatesTokenCount"))
    thoughts = count(said.get("thoughtsTokenCount"))
    whole = count(said.get("totalTokenCount"))
    given = None if prompt is None else prompt + (tool_use or 0)
    output = total(candidates, thoughts)
    if given is not None:
        if output is None and whole == given:
            output = 0
        elif thoughts and candidates is not None and given + candidates == whole:
            output = candidates
    inputs = _modalities(said, "promptTokensDetails", "toolUsePromptTokensDetails")
    outputs = _modalities(said, "candidatesTokensDetails")
    return usage_of(
        input_tokens=given,
        output_tokens=output,
        total_tokens=whole,
        cache_read_tokens=count(said.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        audio_input_tokens=inputs.get("AUDIO"),
        audio_output_tokens=outputs.get("AUDIO"),
        image_tokens=total(inputs.get("IMAGE"), outputs.get("IMAGE")),
    )


def has_counts(metadata: Any) -> bool:
    """Say whether *metadata* counts anything; Vertex sends some with `trafficType` only."""
    said = members(metadata)
    return "totalTokenCount" in said or any(name.endswith("TokenCount") for name in said)


def _modalities(said: dict[str, Any], *names: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        for detail in objects(said.get(name)):
            modality, tokens = detail.get("modality"), count(detail.get("tokenCount"))
            if isinstance(modality, str) and tokens is not None:
                found[modality] = found.get(modality, 0) + tokens
    return found
