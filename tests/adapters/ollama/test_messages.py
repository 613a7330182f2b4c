"""The conversation in Ollama's words."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Audio, Document, Image, Opaque, Reasoning, Text, ToolCall, ToolResult
from fiber.types.messages import ChatMessage
from tests.adapters.ollama.conftest import Tools

PIXEL = b"\x89PNG\r\n\x1a\n"
THINKING = Reasoning("Hm.", Opaque('"Hm."', "ollama", "localhost:11434", "thinking"))


def test_message_is_one_text(tools: Tools) -> None:
    """Several texts are joined by a line end; a developer is a system; names are left out, and that is told."""
    messages = (
        ChatMessage.developer("Be brief."),
        ChatMessage.user([Text("a"), Text("b")], name="Ada"),
        ChatMessage.user(""),
    )

    assert tools.sent(*messages) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a\nb"},
        {"role": "user", "content": ""},
    ]
    assert tools.notes(*messages) == [("dropped", "name")]


def test_pictures_are_bare_base64_beside_the_text(tools: Tools) -> None:
    """Of bytes and of data URLs."""
    parts = [Image(data=PIXEL), Text("What is it?"), Image(url="data:image/png;base64,AAAA")]

    assert tools.sent(ChatMessage.user(parts)) == [
        {"role": "user", "content": "What is it?", "images": ["iVBORw0KGgo=", "AAAA"]}
    ]
    assert tools.sent(ChatMessage.user(parts[:1])) == [{"role": "user", "content": "", "images": ["iVBORw0KGgo="]}]


def test_text_documents_become_text(tools: Tools) -> None:
    """And that is told."""
    message = ChatMessage.user([Document(data=b"Rome is old.", media_type="text/plain"), Text("Is it?")])

    assert tools.sent(message)[0]["content"] == "Rome is old.\nIs it?"
    assert tools.notes(message) == [("mapped", "Document content")]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Image(url="https://h.example/a.png"), "bytes only"),
        (Image(file_id="f1"), "bytes only"),
        (Document(data=b"%PDF-1.7"), "text of documents only"),
        (Document(url="https://h.example/a.pdf"), "text of documents only"),
        (Audio(data=b"RIFF"), "no place"),
        (Opaque('{"type":"new"}'), "no place"),
    ],
)
def test_part_that_cannot_be_sent_is_refused(tools: Tools, part: Any, said: str) -> None:
    """With the reason, or left out where that was asked for; a message that held nothing else is not sent."""
    both, alone = ChatMessage.user([Text("x"), part]), ChatMessage.user([part])

    with pytest.raises(FiberCapabilityError, match=said):
        tools.build(both)
    assert tools.sent(both, alone, on_unsupported="drop") == [{"role": "user", "content": "x"}]


def test_parts_of_other_providers_are_left_out(tools: Tools) -> None:
    """Their text is never pasted instead."""
    message = ChatMessage.user([Text("x"), Opaque("{}", "openai"), Reasoning("secret")])

    assert tools.sent(message) == [{"role": "user", "content": "x"}]
    assert [kind for kind, _ in tools.notes(message)] == ["dropped", "dropped"]


def test_turn_of_the_assistant(tools: Tools) -> None:
    """Thinking, text and calls each have their place; arguments are objects."""
    calls = [ToolCall("c1", "weather", '{"city": "Rome"}'), ToolCall("c2", "clock", "oops")]
    message = ChatMessage.assistant([THINKING, Text("Well. "), Text("So."), *calls])

    assert tools.sent(message) == [
        {
            "role": "assistant",
            "content": "Well. So.",
            "thinking": "Hm.",
            "tool_calls": [
                {"id": "c1", "function": {"index": 0, "name": "weather", "arguments": {"city": "Rome"}}},
                {"id": "c2", "function": {"index": 1, "name": "clock", "arguments": {"_invalid_json": "oops"}}},
            ],
        }
    ]
    assert tools.notes(message) == [("mapped", "tool_calls")]
    assert tools.sent(ChatMessage.assistant("")) == [{"role": "assistant", "content": ""}]


def test_turn_of_which_nothing_can_be_sent_is_not_sent(tools: Tools) -> None:
    """What another provider thought stays there."""
    foreign = Reasoning("x", Opaque("{}", "anthropic", "h", "thinking"))
    message = ChatMessage.assistant([foreign])

    assert tools.sent(message) == []
    assert tools.notes(message) == [("dropped", "reasoning")]


@pytest.mark.parametrize("part", [Image(data=PIXEL), Opaque('{"type":"new"}')])
def test_part_that_no_assistant_says_is_refused(tools: Tools, part: Any) -> None:
    """Pictures stand in user messages only, and there are no blocks."""
    with pytest.raises(FiberCapabilityError, match="from an assistant only"):
        tools.build(ChatMessage.assistant([part]))


def test_results_of_tools_name_their_tool(tools: Tools) -> None:
    """The name is given, or found by the id; a failure says so in words; pictures come along."""
    messages = (
        ChatMessage.assistant(tool_calls=[ToolCall("c1", "weather")]),
        ChatMessage.tool("c1", "sunny"),
        ChatMessage.tool("c2", "late", name="clock", is_error=True),
        ChatMessage.tool("c3", [Text("See:"), Image(data=PIXEL)]),
    )

    assert tools.sent(*messages)[1:] == [
        {"role": "tool", "tool_name": "weather", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_name": "clock", "tool_call_id": "c2", "content": "Error: late"},
        {"role": "tool", "tool_call_id": "c3", "content": "See:", "images": ["iVBORw0KGgo="]},
    ]
    assert tools.notes(*messages) == [("mapped", "ToolResult is_error")]


def test_results_among_words_come_first(tools: Tools) -> None:
    """A user message may bring results and words; a tool message may not."""
    message = ChatMessage.user([Text("and?"), ToolResult("c1", "sunny")])

    assert [turn["role"] for turn in tools.sent(message)] == ["tool", "user"]
    assert [turn["role"] for turn in tools.sent(ChatMessage.user([ToolResult("c1", "sunny")]))] == ["tool"]
    with pytest.raises(FiberCapabilityError, match="results of tools only"):
        tools.build(ChatMessage("tool", (Text("x"),)))
