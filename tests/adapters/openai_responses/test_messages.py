"""Messages become input items."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import (
    Opaque,
    Text,
    ToolCall,
    ToolResult,
)
from fiber.types.messages import ChatMessage
from fiber.types.target import Quirks

HOST = "api.openai.com"
system, developer = ChatMessage.system, ChatMessage.developer
user, assistant, tool = ChatMessage.user, ChatMessage.assistant, ChatMessage.tool


def seal(value: dict[str, Any], provider: str = "openai", host: str = HOST) -> Opaque:
    """Seal JSON as the parser does."""
    return Opaque(json.dumps(value), provider, host, value.get("type", ""))


def message(role: str, content: Any) -> dict[str, Any]:
    """A message item."""
    return {"type": "message", "role": role, "content": content}


def test_roles_stay_where_they_are(items: Any) -> None:
    """System and developer prompts are items in their place, first or later, all of them."""
    sent = items(system("A"), developer("B"), user("C"), assistant("D"), system("E"))

    assert sent == [
        message("system", "A"),
        message("developer", "B"),
        message("user", "C"),
        message("assistant", "D"),
        message("system", "E"),
    ]


def test_row_may_want_one_word_for_prompts(items: Any) -> None:
    """A row that knows one of the two roles gets that one."""
    sent = items(system("A"), developer("B"), user("C"), quirks=Quirks(system_role="system"))

    assert [item["role"] for item in sent] == ["system", "system", "user"]


def test_string_and_single_text_are_the_same(ask: Any) -> None:
    """One text part is the string."""
    assert ask(user("Hi")).body == ask(user([Text("Hi")])).body


def test_texts_of_an_answer_are_output(items: Any) -> None:
    """Several texts of the model are output parts."""
    assert items(user("q"), assistant([Text("A"), Text("B")]))[1] == message(
        "assistant",
        [
            {"type": "output_text", "text": "A", "annotations": []},
            {"type": "output_text", "text": "B", "annotations": []},
        ],
    )


def test_row_may_want_texts_as_one_string(items: Any) -> None:
    """A row that takes no lists of text gets one string."""
    sent = items(user([Text("A"), Text("B")]), quirks=Quirks(collapse_text=True))

    assert sent == [message("user", "AB")]


def test_participants_name_is_refused(items: Any, notes: Any) -> None:
    """There are no names here."""
    with pytest.raises(FiberCapabilityError, match="names"):
        items(user("Hi", name="Ann"))
    assert notes(user("Hi", name="Ann"), on_unsupported="drop") == ["dropped name of a message"]


def test_tool_round_from_fields(items: Any) -> None:
    """Calls and results without a seal are written from their fields."""
    sent = items(
        user("q"),
        assistant("Wait.", tool_calls=[ToolCall("c1", "f", '{"a":1}'), ToolCall("c2", "g", "")]),
        tool("c1", "one"),
        tool("c2", [Text("two")]),
    )

    assert sent[1:] == [
        message("assistant", "Wait."),
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"type": "function_call_output", "call_id": "c2", "output": "two"},
    ]


def test_result_beside_text_keeps_its_place(items: Any) -> None:
    """A result in a user message is an item between the texts around it."""
    sent = items(user([Text("A"), ToolResult("c1", "r"), Text("B")]))

    assert [item["type"] for item in sent] == ["message", "function_call_output", "message"]
