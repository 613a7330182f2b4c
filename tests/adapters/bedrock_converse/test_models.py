"""Finding a vendor by the name of a model."""

from __future__ import annotations

import pytest

from fiber.adapters.bedrock_converse.models import UNKNOWN, vendor_of


@pytest.mark.parametrize(
    ("model", "top_k", "effort"),
    [
        ("anthropic.claude-sonnet-4-6-v1:0", "top_k", ""),
        ("global.anthropic.claude-opus-4-7", "top_k", ""),
        ("amazon.nova-lite-v1:0", "inferenceConfig.topK", ""),
        ("us.amazon.nova-2-lite-v1:0", "inferenceConfig.topK", "reasoningConfig.maxReasoningEffort"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-2-lite-v1:0", "inferenceConfig.topK", "reason"),
        ("openai.gpt-oss-120b-1:0", "", "reasoning_effort"),
        ("openai.gpt-5.6", "", "reasoning.effort"),
        ("qwen.qwen3-32b-v1:0", "", "reasoning_config"),
    ],
)
def test_vendor_is_found_in_any_name(model: str, top_k: str, effort: str) -> None:
    """Regions, versions and ARNs are looked through, and the longest name wins."""
    vendor = vendor_of(model)

    assert vendor.top_k == top_k
    assert vendor.effort.startswith(effort)
    assert vendor.is_claude == ("claude" in model)


def test_unknown_vendor_takes_nothing_of_its_own() -> None:
    """An application profile does not tell whose model it is."""
    assert vendor_of("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123") is UNKNOWN
