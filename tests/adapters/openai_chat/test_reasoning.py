"""How much the model thinks, in the three ways of saying it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.openai_chat import ADAPTER
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Quirks, Target
from fiber.types.tools import ReasoningOptions

KNOWN = ("low", "high", "max")


def build(wanted: ReasoningOptions, *, on_unsupported: Any = "raise", **quirks: Any) -> HTTPRequest:
    """Build a request that asks for *wanted*."""
    target = Target(provider="row", model="m", base_url="https://h/v1", quirks=Quirks(**quirks))
    request = ChatRequest(messages=(ChatMessage.user("hi"),), reasoning=wanted, on_unsupported=on_unsupported)
    return ADAPTER.build_request(request, target, stream=False)


def said(built: HTTPRequest) -> dict[str, Any]:
    """What the body says beyond model and messages."""
    body: dict[str, Any] = json.loads(built.body)
    return {name: value for name, value in body.items() if name not in ("model", "messages")}


@pytest.mark.parametrize(
    ("style", "wanted", "expected"),
    [
        ("effort", ReasoningOptions("none"), {"reasoning_effort": "none"}),
        ("effort", ReasoningOptions("max"), {"reasoning_effort": "max"}),
        ("thinking", ReasoningOptions("none"), {"thinking": {"type": "disabled"}}),
        ("thinking", ReasoningOptions(budget_tokens=0), {"thinking": {"type": "disabled"}}),
        ("thinking", ReasoningOptions("high"), {"reasoning_effort": "high"}),
        ("object", ReasoningOptions("none"), {"reasoning": {"enabled": False}}),
        ("object", ReasoningOptions(budget_tokens=0), {"reasoning": {"enabled": False}}),
        ("object", ReasoningOptions("high"), {"reasoning": {"effort": "high"}}),
        ("object", ReasoningOptions(budget_tokens=9), {"reasoning": {"max_tokens": 9}}),
        ("object", ReasoningOptions(summary=False), {"reasoning": {"exclude": True}}),
    ],
)
def test_row_says_it_in_its_own_words(style: str, wanted: ReasoningOptions, expected: dict[str, Any]) -> None:
    """As an effort, as an object, or as an effort that is turned off elsewhere; nothing is lost, so nothing noted."""
    built = build(wanted, reasoning=style)

    assert said(built) == expected
    assert built.notes == ()


def test_a_budget_goes_before_an_effort() -> None:
    """Where there may be one of them, the number is sent, and the rest is noted."""
    built = build(ReasoningOptions("high", budget_tokens=9), reasoning="object")

    assert said(built) == {"reasoning": {"max_tokens": 9}}
    assert [(note.kind, note.subject) for note in built.notes] == [("dropped", "reasoning effort")]


@pytest.mark.parametrize("style", ["effort", "object"])
@pytest.mark.parametrize(
    ("asked", "sent"), [("minimal", "low"), ("low", "low"), ("medium", "low"), ("xhigh", "high"), ("max", "max")]
)
def test_an_unknown_effort_is_sent_as_the_next_lower_one(style: str, asked: Any, sent: str) -> None:
    """Never as a dearer one, but that there must be one; and the caller is told."""
    built = build(ReasoningOptions(asked), reasoning=style, efforts=KNOWN)

    effort = {"effort": {"reasoning_effort": sent}, "object": {"reasoning": {"effort": sent}}}
    assert said(built) == effort[style]
    assert [note.kind for note in built.notes] == ["mapped"] * (asked != sent)


@pytest.mark.parametrize(
    "wanted", [ReasoningOptions("none"), ReasoningOptions(budget_tokens=5)], ids=["off", "a budget"]
)
def test_what_cannot_be_said_is_refused(wanted: ReasoningOptions) -> None:
    """Thinking that cannot be turned off, or counted."""
    with pytest.raises(FiberCapabilityError, match="reasoning"):
        build(wanted, efforts=KNOWN)

    built = build(wanted, efforts=KNOWN, on_unsupported="drop")

    assert said(built) == {}
    assert [note.kind for note in built.notes] == ["dropped"]


def test_none_may_be_an_effort() -> None:
    """A row that lists it can be told so."""
    assert said(build(ReasoningOptions("none"), efforts=("none", "low"))) == {"reasoning_effort": "none"}
