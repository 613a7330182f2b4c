"""Chat messages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from fiber._errors import FiberValidationError
from fiber.types.content import Image, Reasoning, Text, ToolCall, ToolResult
from fiber.types.messages import ROLES, ChatMessage, are_plain
from tests.strategies import chat_messages

CALL = ToolCall("1", "f", "{}")


@given(chat_messages())
def test_message_survives_json(message: ChatMessage) -> None:
    """Every message, written as JSON and read again, is equal to itself."""
    assert msgspec.json.decode(msgspec.json.encode(message), type=ChatMessage) == message


@pytest.mark.parametrize("role", ROLES)
def test_role_is_accepted(role: Any) -> None:
    """The five roles are accepted."""
    assert ChatMessage(role, "hi").role == role


def test_other_role_is_refused() -> None:
    """Any other role is refused when the message is made."""
    with pytest.raises(FiberValidationError, match="Unknown role 'bot': use one of system, developer") as caught:
        ChatMessage("bot")  # type: ignore[arg-type]

    assert caught.value.parameter == "messages"


@pytest.mark.parametrize(
    ("content", "expected"),
    [("hi", "hi"), ([Text("a")], (Text("a"),)), ((Text("a"),), (Text("a"),)), (None, ()), (iter([CALL]), (CALL,))],
    ids=["text", "list", "tuple", "none", "iterator"],
)
def test_content_is_text_or_a_tuple(content: Any, expected: Any) -> None:
    """Content is kept as text or becomes a tuple of parts."""
    assert ChatMessage("user", content).content == expected


@pytest.mark.parametrize("content", [5, b"hi"], ids=["number", "bytes"])
def test_other_content_is_refused(content: Any) -> None:
    """Content that is neither text nor parts is refused."""
    with pytest.raises(FiberValidationError, match=f"text or a list of parts, not {type(content).__name__}") as caught:
        ChatMessage("user", content)

    assert caught.value.parameter == "messages"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(ChatMessage.system("a"), ChatMessage("system", "a"), id="system"),
        pytest.param(
            ChatMessage.system([Text("a")], cache_hint="extended"),
            ChatMessage("system", (Text("a"),), cache_hint="extended"),
            id="system parts",
        ),
        pytest.param(
            ChatMessage.developer("a", cache_hint="ephemeral"),
            ChatMessage("developer", "a", cache_hint="ephemeral"),
            id="developer",
        ),
        pytest.param(
            ChatMessage.user([Text("a"), Image(url="u")], name="ann", cache_hint="ephemeral"),
            ChatMessage("user", (Text("a"), Image(url="u")), "ann", "ephemeral"),
            id="user",
        ),
        pytest.param(ChatMessage.assistant("a", name="hal"), ChatMessage("assistant", "a", "hal"), id="assistant"),
        pytest.param(
            ChatMessage.assistant(tool_calls=[CALL]), ChatMessage("assistant", (CALL,)), id="assistant that only calls"
        ),
        pytest.param(
            ChatMessage.assistant("a", tool_calls=iter([CALL])),
            ChatMessage("assistant", (Text("a"), CALL)),
            id="assistant with text and calls",
        ),
        pytest.param(
            ChatMessage.assistant([Reasoning("r")], tool_calls=[CALL], cache_hint="ephemeral"),
            ChatMessage("assistant", (Reasoning("r"), CALL), cache_hint="ephemeral"),
            id="assistant with parts and calls",
        ),
        pytest.param(ChatMessage.tool("1"), ChatMessage("tool", (ToolResult("1"),)), id="tool"),
        pytest.param(ChatMessage.tool(CALL, "a"), ChatMessage("tool", (ToolResult("1", "a", "f"),)), id="tool of call"),
        pytest.param(ChatMessage.tool(CALL, name="g"), ChatMessage("tool", (ToolResult("1", "", "g"),)), id="named"),
        pytest.param(
            ChatMessage.tool("1", [Text("a")], name="f", is_error=True, cache_hint="ephemeral"),
            ChatMessage("tool", (ToolResult("1", (Text("a"),), "f", True, "ephemeral"),)),
            id="tool with parts",
        ),
    ],
)
def test_helper_makes_the_message(made: ChatMessage, expected: ChatMessage) -> None:
    """The helper of a role makes the same message as the constructor."""
    assert made == expected


def test_parts_of_text() -> None:
    """Text is one part, and no text none."""
    assert ChatMessage("user", "a").parts == (Text("a"),)
    assert ChatMessage("assistant", "").parts == ()
    assert ChatMessage("assistant", (CALL,)).parts == (CALL,)


def test_properties_pick_their_kind() -> None:
    """Text, reasoning and tool calls are each read from their own parts, in order."""
    message = ChatMessage(
        "assistant", (Reasoning("r1"), Text("a"), CALL, Reasoning("r2"), Text("b"), ToolCall("2", "g"))
    )

    assert message.text == "ab"
    assert message.reasoning == "r1r2"
    assert message.tool_calls == (CALL, ToolCall("2", "g"))


def test_properties_of_text() -> None:
    """A message that is only text has neither reasoning nor calls."""
    message = ChatMessage("assistant", "a")

    assert (message.text, message.reasoning, message.tool_calls) == ("a", "", ())


@pytest.mark.parametrize(
    ("contents", "expected"),
    [(["hi", "you"], True), (["hi", ""], False), (["hi", (Text("you"),)], False), ([], False)],
    ids=["text", "empty text", "parts", "no message"],
)
def test_plain_messages_are_text_alone(contents: list[Any], *, expected: bool) -> None:
    """Messages are plain when there is one and each is text that is not empty."""
    assert are_plain([ChatMessage("user", content) for content in contents]) is expected
