"""From the conversation to `system` and `messages`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Image, Opaque, Reasoning, Text, ToolCall, ToolResult
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage

Ask = Callable[..., HTTPRequest]
Body = Callable[..., Any]
Notes = Callable[..., list[str]]

USER, HOST = ChatMessage.user("Hi"), "bedrock-runtime.us-east-1.amazonaws.com"
PNG = b"\x89PNG\r\n\x1a\n"
CALL = ToolCall("call_1", "look", '{"x": 1}')


def text(words: str) -> dict[str, str]:
    """A text block."""
    return {"text": words}


def test_system_stands_in_front_and_roles_alternate(body: Body) -> None:
    """Every system and developer message is a block of `system`; neighbours of one role are one message."""
    sent = body(
        ChatMessage.system("A"),
        ChatMessage.developer("B"),
        ChatMessage.user("one"),
        ChatMessage.user([Text("two"), Text("")]),
        ChatMessage.assistant("three"),
        ChatMessage.user("four"),
    )

    assert sent["system"] == [text("A"), text("B")]
    assert sent["messages"] == [
        {"role": "user", "content": [text("one"), text("two")]},
        {"role": "assistant", "content": [text("three")]},
        {"role": "user", "content": [text("four")]},
    ]


def test_results_come_first_in_their_turn(body: Body, notes: Notes) -> None:
    """A call, then its results and what the user says, in one message."""
    said = (
        USER,
        ChatMessage.assistant(tool_calls=[CALL]),
        ChatMessage.user("Well?"),
        ChatMessage.tool(CALL, "seen"),
        ChatMessage("tool", (ToolResult("call_2", (Text("a"), Image(data=PNG)), is_error=True),)),
        ChatMessage.tool("call_3"),
    )

    _, called, answered = body(*said, tools=None)["messages"]
    assert called["content"] == [{"toolUse": {"toolUseId": "call_1", "name": "look", "input": {"x": 1}}}]
    assert answered["content"] == [
        {"toolResult": {"toolUseId": "call_1", "content": [text("seen")]}},
        {
            "toolResult": {
                "toolUseId": "call_2",
                "content": [text("a"), {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}],
                "status": "error",
            }
        },
        {"toolResult": {"toolUseId": "call_3", "content": []}},
        text("Well?"),
    ]
    assert notes(*said) == ["mapped messages", "mapped tools"]


def test_ids_of_calls_are_made_to_fit_alike(body: Body) -> None:
    """Characters that Bedrock refuses, and what is too long, change in calls and results in the same way."""
    long = "call/" + "x" * 70
    called, answered = body(ChatMessage.assistant(tool_calls=[ToolCall(long, "look")]), ChatMessage.tool(long, "seen"))[
        "messages"
    ]

    id = called["content"][0]["toolUse"]["toolUseId"]
    assert id == answered["content"][0]["toolResult"]["toolUseId"] == "x" * 64
    assert body(ChatMessage.tool("a/b.c:d", "x"))["messages"][0]["content"][0]["toolResult"]["toolUseId"] == "a_b.c:d"


def test_arguments_that_are_no_object_are_wrapped(body: Body, notes: Notes) -> None:
    """Nothing of them is lost."""
    said = (USER, ChatMessage.assistant(tool_calls=[ToolCall("c", "look", "[1")]), ChatMessage.tool("c", "x"))

    assert body(*said)["messages"][1]["content"][0]["toolUse"]["input"] == {"_invalid_json": "[1"}
    assert notes(*said)[0] == "mapped tool_calls"


@pytest.mark.parametrize(
    ("model", "role", "expected"),
    [
        ("anthropic.claude-opus-4-8", "system", []),
        ("anthropic.claude-opus-4-7", None, ["mapped system message"]),
        ("amazon.nova-lite-v1:0", None, ["mapped system message"]),
    ],
)
def test_late_system_messages_stay_where_the_model_takes_them(
    model: str, role: str | None, expected: list[str], body: Body, notes: Notes
) -> None:
    """Elsewhere they move to the front, and a note says so."""
    said = (USER, ChatMessage.system("Now briefly."), ChatMessage.user("Go on."))

    sent = body(*said, model=model)
    late = [message for message in sent["messages"] if message["role"] == role]
    assert (late or [{"content": sent.get("system")}])[0]["content"] == [text("Now briefly.")]
    assert notes(*said, model=model) == expected


def test_prefill_is_refused_where_it_is_a_400(body: Body) -> None:
    """Newer Claude does not go on writing the assistant's message; others may, and calls are no prefill."""
    said = (USER, ChatMessage.assistant("It is"))

    with pytest.raises(FiberCapabilityError, match="last assistant message"):
        body(*said, model="anthropic.claude-sonnet-4-6")

    assert len(body(*said, model="anthropic.claude-sonnet-4-6", on_unsupported="drop")["messages"]) == 1
    assert len(body(*said, model="amazon.nova-lite-v1:0")["messages"]) == 2
    assert len(body(USER, ChatMessage.assistant(tool_calls=[CALL]))["messages"]) == 2


def test_names_and_empty_messages_are_left_out(body: Body, notes: Notes) -> None:
    """Converse has no names, and answers empty messages with 400."""
    said = (ChatMessage.user("Hi", name="Ann"), ChatMessage.assistant(""), ChatMessage.user("there"))

    assert body(*said)["messages"] == [{"role": "user", "content": [text("Hi"), text("there")]}]
    assert notes(*said) == ["dropped name"]


def test_sealed_parts_go_back_only_where_they_came_from(body: Body, notes: Notes) -> None:
    """Signed reasoning and unknown blocks keep their bytes; elsewhere, and without a seal, they are left out."""
    block = '{"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}'
    own = Reasoning("Hm.", Opaque(block, "bedrock", HOST, "reasoningContent"))
    others = Reasoning("Hm.", Opaque("{}", "anthropic", "api.anthropic.com", "thinking"))
    said = (USER, ChatMessage("assistant", (own, others, Reasoning("Hm."), Text("Yes."))), USER)

    assert body(*said)["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
        text("Yes."),
    ]
    assert notes(*said) == ["dropped reasoning", "dropped reasoning"]


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        (ChatMessage("user", (CALL,)), "ToolCall content"),
        (ChatMessage("assistant", (ToolResult("c"),)), "ToolResult content"),
        (ChatMessage("assistant", (Image(data=PNG),)), "Image content"),
        (ChatMessage("system", (Image(data=PNG),)), "Image content"),
    ],
)
def test_part_in_the_wrong_place_is_refused(message: ChatMessage, subject: str, ask: Ask) -> None:
    """A part belongs to certain roles."""
    with pytest.raises(FiberCapabilityError) as caught:
        ask(USER, message)

    assert caught.value.parameter == subject
    assert subject in [note.subject for note in ask(USER, message, on_unsupported="drop").notes]
