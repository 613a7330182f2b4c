"""Reasoning in each vendor's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.tools import ReasoningOptions

Body = Callable[..., Any]
Notes = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("model", "options", "fields", "effort"),
    [
        ("anthropic.claude-opus-4-7", {"effort": "xhigh"}, {"thinking": {"type": "adaptive"}}, "xhigh"),
        (
            "anthropic.claude-haiku-4-5",
            {"budget_tokens": 2000},
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            None,
        ),
        ("anthropic.claude-sonnet-5", {"effort": "none"}, {"thinking": {"type": "disabled"}}, None),
        (
            "us.amazon.nova-2-lite-v1:0",
            {"effort": "low"},
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
            None,
        ),
        ("amazon.nova-2-lite-v1:0", {"budget_tokens": 0}, {"reasoningConfig": {"type": "disabled"}}, None),
        ("openai.gpt-oss-20b-1:0", {"effort": "medium"}, {"reasoning_effort": "medium"}, None),
        ("openai.gpt-5.6", {"effort": "high"}, {"reasoning": {"effort": "high"}}, None),
        ("qwen.qwen3-32b-v1:0", {"effort": "low"}, {"reasoning_config": "low"}, None),
        ("deepseek.v3-v1:0", {"effort": "none"}, {"reasoning_effort": "none"}, None),
    ],
)
def test_effort_is_said_in_the_vendors_words(
    model: str, options: dict[str, Any], fields: dict[str, Any], effort: str | None, body: Body, notes: Notes
) -> None:
    """The vendors' own members stand in the additional fields; only effort is Converse's, for Claude."""
    sent = body(model=model, reasoning=ReasoningOptions(**options))

    assert sent["additionalModelRequestFields"] == fields
    assert sent.get("outputConfig", {}).get("effort") == effort
    assert notes(model=model, reasoning=ReasoningOptions(**options)) == []


@pytest.mark.parametrize(
    ("model", "options", "fields", "expected"),
    [
        ("openai.gpt-oss-20b-1:0", {"effort": "max"}, {"reasoning_effort": "high"}, ["mapped reasoning"]),
        ("deepseek.v3-v1:0", {"effort": "low"}, {"reasoning_effort": "high"}, ["mapped reasoning"]),
        (
            "openai.gpt-oss-20b-1:0",
            {"effort": "low", "summary": True},
            {"reasoning_effort": "low"},
            ["dropped reasoning.summary"],
        ),
        ("openai.gpt-oss-20b-1:0", {"summary": False}, None, ["dropped reasoning.summary"]),
    ],
)
def test_what_is_changed_is_noted(
    model: str, options: dict[str, Any], fields: Any, expected: list[str], body: Body, notes: Notes
) -> None:
    """An effort that a model lacks becomes its nearest."""
    reasoning = ReasoningOptions(**options)

    assert body(model=model, reasoning=reasoning).get("additionalModelRequestFields") == fields
    assert notes(model=model, reasoning=reasoning) == expected


@pytest.mark.parametrize(
    ("model", "options", "subject"),
    [
        ("meta.llama3-1-8b-instruct-v1:0", {"effort": "high"}, "reasoning"),
        ("meta.llama3-1-8b-instruct-v1:0", {"effort": "none"}, "reasoning"),
        ("openai.gpt-oss-20b-1:0", {"effort": "none"}, "reasoning"),
        ("openai.gpt-oss-20b-1:0", {"budget_tokens": 100}, "reasoning.budget_tokens"),
    ],
)
def test_what_a_model_lacks_is_refused(model: str, options: dict[str, Any], subject: str, notes: Notes) -> None:
    """No member is guessed."""
    reasoning = ReasoningOptions(**options)

    with pytest.raises(FiberCapabilityError, match=subject):
        notes(model=model, reasoning=reasoning)

    assert notes(model=model, reasoning=reasoning, on_unsupported="drop") == [f"dropped {subject}"]


def test_maximum_of_the_model_is_not_sent(body: Body) -> None:
    """Unsaid, Converse itself takes the most that the model gives, with thinking too."""
    assert "inferenceConfig" not in body(reasoning=ReasoningOptions(budget_tokens=2000))
