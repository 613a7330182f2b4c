"""Schemas in Claude's strict mode."""

from __future__ import annotations

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.compiling import strict_schema
from fiber.adapters.dialects import CLAUDE
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

TARGET = Target(provider="row", model="m", base_url="https://row.test")
REQUEST = ChatRequest(messages=(ChatMessage.user("hi"),))


def test_changes_are_one_note() -> None:
    """Bounds go, objects are closed, and one note lists what went; without a change there is none."""
    notes: list[Note] = []

    bent = strict_schema(
        {"type": "object", "properties": {"a": {"minimum": 1, "maximum": 2}}}, CLAUDE, "x", REQUEST, TARGET, notes
    )
    again = strict_schema(bent, CLAUDE, "x", REQUEST, TARGET, notes)

    assert bent == again == {"type": "object", "properties": {"a": {}}, "additionalProperties": False}
    assert notes == [Note("mapped", "x", "$.properties.a: minimum removed; $.properties.a: maximum removed")]


def test_arguments_may_be_none_and_answers_not() -> None:
    """A bare object is a tool without arguments, and a map in an answer, which is refused."""
    assert strict_schema({"type": "object"}, CLAUDE, "tools.f", REQUEST, TARGET, [])["additionalProperties"] is False
    with pytest.raises(FiberCapabilityError, match="the names of its members are free"):
        strict_schema({"type": "object"}, CLAUDE, "response_format", REQUEST, TARGET, [])
