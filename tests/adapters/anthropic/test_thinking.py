"""Reasoning options against the matrix of models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.tools import ReasoningOptions, Tool, ToolChoice

Body = Callable[..., Any]
Notes = Callable[..., list[str]]

ADAPTIVE = {"type": "adaptive"}
OFF = {"type": "disabled"}


def budget(tokens: int, **more: Any) -> dict[str, Any]:
    """The thinking object of a budget."""
    return {"type": "enabled", "budget_tokens": tokens, **more}


@pytest.mark.parametrize(
    ("model", "options", "thinking", "effort"),
    [
        ("claude-opus-5-5", {"effort": "xhigh"}, ADAPTIVE, "xhigh"),
        ("claude-opus-4-7", {"effort": "max"}, ADAPTIVE, "max"),
        ("claude-sonnet-4-6", {"effort": "xhigh"}, ADAPTIVE, "high"),
        ("claude-opus-5", {"effort": "minimal"}, ADAPTIVE, "low"),
        ("claude-sonnet-4-6", {"budget_tokens": 3000}, budget(3000), None),
        ("claude-sonnet-4-6", {"budget_tokens": 3000, "effort": "low"}, budget(3000), "low"),
        ("claude-opus-4-5", {"effort": "medium"}, budget(10_000), "medium"),
        ("claude-haiku-4-5", {"effort": "low"}, budget(2048), None),
        ("claude-haiku-4-5", {"effort": "max"}, budget(16_384), None),
        ("claude-haiku-4-5", {"effort": "low", "budget_tokens": 5000}, budget(5000), None),
        ("claude-3-7-sonnet-20250219", {"effort": "minimal"}, budget(1024), None),
        ("someone", {"effort": "high"}, ADAPTIVE, "high"),
        ("someone", {"budget_tokens": 9000}, budget(9000), None),
        ("claude-opus-4-6", {"effort": "none"}, OFF, None),
        ("claude-opus-5", {"budget_tokens": 0, "effort": "max"}, OFF, "high"),
        ("claude-opus-4-6", {"budget_tokens": 0, "effort": "max"}, OFF, "max"),
        ("claude-3-haiku", {"effort": "none"}, None, None),
        ("claude-opus-5", {"summary": True}, {**ADAPTIVE, "display": "summarized"}, None),
        ("claude-opus-5", {"summary": False}, {**ADAPTIVE, "display": "omitted"}, None),
        (
            "claude-haiku-4-5",
            {"effort": "low", "summary": True},
            budget(2048, display="summarized"),
            None,
        ),
        ("claude-opus-4-6", {"summary": True}, None, None),
        ("claude-opus-4-6", {"summary": False}, None, None),
        ("claude-opus-4-6", {}, None, None),
    ],
)
def test_reasoning_is_mapped(
    model: str, options: dict[str, Any], thinking: Any, effort: str | None, body: Body
) -> None:
    """Each model gets the form of thinking it takes."""
    sent = body(model=model, reasoning=ReasoningOptions(**options))

    assert sent.get("thinking") == thinking
    assert sent.get("output_config", {}).get("effort") == effort


@pytest.mark.parametrize(
    ("model", "options", "why"),
    [
        ("claude-opus-5-5", {"effort": "none"}, "always thinks"),
        ("claude-fable-5", {"budget_tokens": 0}, "always thinks"),
        ("claude-sonnet-5-5", {"effort": "none"}, "between_tools"),
        ("claude-opus-4-7", {"budget_tokens": 2000}, "effort instead"),
        ("claude-3-haiku-20240307", {"effort": "low"}, "does not think"),
    ],
)
def test_reasoning_is_refused(model: str, options: dict[str, Any], why: str, body: Body, notes: Notes) -> None:
    """What a model answers with 400 is refused before it is sent, or dropped with a note."""
    asked = {"model": model, "reasoning": ReasoningOptions(**options)}

    with pytest.raises(FiberCapabilityError, match=why):
        body(**asked)

    assert "thinking" not in body(**asked, on_unsupported="drop")
    assert all(note.startswith("dropped reasoning") for note in notes(**asked, on_unsupported="drop"))


def test_dropped_budget_leaves_the_effort(body: Body) -> None:
    """A budget that is dropped takes nothing else with it."""
    options = ReasoningOptions(budget_tokens=2000, effort="low")

    sent = body(model="claude-opus-5", reasoning=options, on_unsupported="drop")

    assert (sent["thinking"], sent["output_config"]) == (ADAPTIVE, {"effort": "low"})


@pytest.mark.parametrize(
    ("model", "asked", "max_tokens", "sent", "limit"),
    [
        ("claude-haiku-4-5", 100, None, 1024, 64_000),
        ("claude-haiku-4-5", 90_000, None, 63_999, 64_000),
        ("claude-haiku-4-5", 9000, 3000, 2999, 3000),
        ("someone", 9000, 3000, 2999, 3000),
        ("someone", 9000, None, 9000, 13_096),
    ],
)
def test_budget_is_held_between_1024_and_max_tokens(
    model: str, asked: int, max_tokens: int | None, sent: int, limit: int, body: Body, notes: Notes
) -> None:
    """A budget outside the API's bounds is moved to the nearest one, with a note."""
    options = {
        "model": model,
        "reasoning": ReasoningOptions(budget_tokens=asked),
        "max_tokens": max_tokens,
    }

    made = body(**options)

    assert (made["thinking"], made["max_tokens"]) == (budget(sent), limit)
    assert notes(**options) == ([] if sent == asked else ["mapped reasoning"])


def test_budget_without_room_is_refused(body: Body) -> None:
    """With max_tokens of 1024 or less there is no budget that the API would take."""
    options = {"reasoning": ReasoningOptions(budget_tokens=2000), "max_tokens": 1024}

    with pytest.raises(FiberCapabilityError, match="no room"):
        body(**options)

    assert "thinking" not in body(**options, on_unsupported="drop")


def test_changes_of_meaning_are_noted(notes: Notes) -> None:
    """An effort sent as a budget or as another effort, and a summary of nothing, are noted."""
    haiku = "claude-haiku-4-5"

    assert notes(model=haiku, reasoning=ReasoningOptions("low")) == ["mapped reasoning"]
    assert notes(model="claude-opus-5", reasoning=ReasoningOptions("minimal")) == ["mapped reasoning"]
    assert notes(reasoning=ReasoningOptions(summary=True)) == ["dropped reasoning.summary"]
    assert notes(reasoning=ReasoningOptions(summary=False)) == []
    assert notes(model=haiku, reasoning=ReasoningOptions("low", budget_tokens=2000)) == ["dropped reasoning.effort"]


def test_forced_choice_and_thinking(body: Body, notes: Notes) -> None:
    """A forced tool choice turns adaptive thinking off (a warning) and breaks a budget (refused)."""
    forced = {"tools": (Tool("look"),), "tool_choice": ToolChoice("required")}

    adaptive = {**forced, "reasoning": ReasoningOptions("low")}
    assert body(**adaptive)["tool_choice"] == {"type": "any"}
    assert notes(**adaptive) == ["warned tool_choice"]
    with pytest.raises(FiberCapabilityError, match="with a budget"):
        body(**forced, reasoning=ReasoningOptions(budget_tokens=2000))
    off = body(**forced, reasoning=ReasoningOptions("none"))
    assert off["tool_choice"] == {"type": "any"}
