"""Definitions and calls of tools."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.tools import function_call, function_tool, opaque_tool
from fiber.types.content import Opaque, ToolCall
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import Tool

TARGET = Target(provider="acme", model="m", base_url="https://acme.test/v1")
SCHEMA = {"type": "object", "properties": {}}


@pytest.mark.parametrize(("description", "described"), [("", {}), ("Looks.", {"description": "Looks."})])
def test_a_function_says_what_it_is_for(description: str, described: dict[str, Any]) -> None:
    """Where somebody said so."""
    assert function_tool(Tool("look", description=description, parameters=SCHEMA)) == {
        "type": "function",
        "function": {"name": "look", **described, "parameters": SCHEMA},
    }


@pytest.mark.parametrize(("arguments", "sent"), [('{"a":1}', '{"a":1}'), ("", "{}")])
def test_a_call_has_its_arguments_as_text(arguments: str, sent: str) -> None:
    """Byte for byte; an empty object where there are none."""
    assert function_call(ToolCall("1", "look", arguments)) == {
        "id": "1",
        "type": "function",
        "function": {"name": "look", "arguments": sent},
    }


def test_an_own_definition_is_sent_as_it_is() -> None:
    """Byte for byte."""
    notes: list[Note] = []
    own = Opaque('{"a": 1}', "acme", "acme.test", "custom")

    assert list(map(bytes, opaque_tool(own, ChatRequest(messages=()), TARGET, notes))) == [b'{"a": 1}']
    assert notes == []


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (Opaque("{}", "other", "other.test", "custom"), "it belongs to other (other.test)"),
        (Opaque("{}", "other", "", "custom"), "it belongs to other (any host)"),
        (Opaque("", "", "", "custom"), "it belongs to nobody (any host)"),
    ],
)
def test_the_definition_of_another_provider_goes_nowhere(tool: Opaque, why: str) -> None:
    """It is refused, or dropped with a note, in the words of its format."""
    notes: list[Note] = []
    with pytest.raises(FiberCapabilityError) as caught:
        opaque_tool(tool, ChatRequest(messages=()), TARGET, notes)
    sent = opaque_tool(tool, ChatRequest(messages=(), on_unsupported="drop"), TARGET, notes, words="opaque tool")

    assert caught.value.parameter == "the tool 'custom'"
    assert (sent, notes) == ([], [Note("dropped", "opaque tool 'custom'", why)])
