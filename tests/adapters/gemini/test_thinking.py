"""Reasoning of Gemini: levels and budgets."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.messages import ChatMessage
from fiber.types.tools import ReasoningOptions


@pytest.mark.parametrize(
    ("model", "asked", "expected", "noted"),
    [
        ("gemini-3-flash", {"effort": "high"}, {"thinkingLevel": "HIGH"}, False),
        ("gemini-3-flash", {"effort": "minimal"}, {"thinkingLevel": "MINIMAL"}, False),
        ("gemini-3-flash", {"effort": "max"}, {"thinkingLevel": "XHIGH"}, True),
        ("gemini-3-flash", {"effort": "none"}, {"thinkingLevel": "MINIMAL"}, True),
        ("gemini-3-flash", {"budget_tokens": 0}, {"thinkingLevel": "MINIMAL"}, True),
        ("gemini-3-pro-preview", {"effort": "medium"}, {"thinkingLevel": "HIGH"}, True),
        ("gemini-3-pro-preview", {"effort": "minimal"}, {"thinkingLevel": "LOW"}, True),
        ("gemini-3.1-pro-preview", {"effort": "medium"}, {"thinkingLevel": "MEDIUM"}, False),
        ("gemini-3.8-flash", {"effort": "minimal"}, {"thinkingLevel": "LOW"}, True),
        ("gemini-4-argon", {"effort": "xhigh"}, {"thinkingLevel": "HIGH"}, True),
        ("gemini-2.5-flash", {"effort": "low"}, {"thinkingBudget": 1024}, True),
        ("gemini-2.5-flash", {"effort": "medium"}, {"thinkingBudget": 8192}, True),
        ("gemini-2.5-flash", {"effort": "max"}, {"thinkingBudget": 24576}, True),
        ("gemini-2.5-pro", {"effort": "xhigh"}, {"thinkingBudget": 32768}, True),
        ("gemini-2.5-flash", {"effort": "none"}, {"thinkingBudget": 0}, False),
        ("gemini-2.5-pro", {"budget_tokens": 500}, {"thinkingBudget": 500}, False),
        (
            "gemini-2.5-pro",
            {"budget_tokens": 500, "effort": "high"},
            {"thinkingBudget": 500},
            True,
        ),
        ("my-tuned-model", {"effort": "high"}, {"thinkingLevel": "HIGH"}, False),
        ("my-tuned-model", {"effort": "max"}, {"thinkingLevel": "XHIGH"}, True),
        ("my-tuned-model", {"budget_tokens": 7}, {"thinkingBudget": 7}, False),
        ("my-tuned-model", {"effort": "none"}, {"thinkingBudget": 0}, False),
        ("gemini-3-flash", {"summary": True}, {"includeThoughts": True}, False),
        ("gemini-2.5-pro", {"summary": False}, {"includeThoughts": False}, False),
        ("gemini-2.0-flash", {"effort": "none"}, None, True),
        ("gemini-2.0-flash", {"summary": False}, None, True),
    ],
)
def test_reasoning_is_a_level_or_a_budget(
    tools: Any, model: str, asked: dict[str, Any], expected: Any, noted: bool
) -> None:
    """Each model is told in its own way, never in both; a note says when the meaning changed."""
    fields = {"to": tools.target(model), "reasoning": ReasoningOptions(**asked)}

    config = tools.body(**fields).get("generationConfig", {}).get("thinkingConfig")

    assert config == expected
    assert bool(tools.notes(**fields)) is noted


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("gemini-2.5-pro", {"effort": "none"}),
        ("gemini-2.5-pro", {"budget_tokens": 0}),
        ("gemini-3-pro-preview", {"effort": "none"}),
        ("gemini-4-argon", {"effort": "none"}),
        ("gemini-3-flash", {"budget_tokens": 1000}),
        ("gemini-2.0-flash", {"effort": "low"}),
        ("gemini-2.0-flash", {"summary": True}),
    ],
)
def test_reasoning_that_the_model_lacks_is_refused(tools: Any, model: str, asked: dict[str, Any]) -> None:
    """Thinking that cannot be had, or not be turned off, is refused or dropped with a note."""
    fields = {"to": tools.target(model), "reasoning": ReasoningOptions(**asked)}

    with pytest.raises(FiberCapabilityError) as caught:
        tools.build(**fields)

    assert (caught.value.parameter or "").startswith("reasoning")
    kept = tools.build(ChatMessage.user("Hi"), **fields, on_unsupported="drop")
    assert b"thinking" not in kept.body
    assert [note.kind for note in kept.notes] == ["dropped"]
