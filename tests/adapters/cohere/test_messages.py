"""The conversation in Cohere's words."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Audio, Document, Image, Opaque, Reasoning, Text, ToolCall, ToolResult
from fiber.types.messages import ChatMessage
from tests.adapters.cohere.conftest import Tools

PIXEL = b"\x89PNG\r\n\x1a\n"
TEXT = Document(data=b"Rome is old.", media_type="text/plain", title="Cities", context="trip")
PLAN = Reasoning("I will look.", Opaque('"I will look."', "cohere", "api.cohere.com", "tool_plan"))
THINKING = Opaque('{"type":"thinking","thinking":"Hm."}', "cohere", "api.cohere.com", "thinking")


def test_roles_are_four(tools: Tools) -> None:
    """A developer is a system; several texts stay parts; names are left out, and that is told."""
    messages = (
        ChatMessage.developer("Be brief."),
        ChatMessage.system([Text("a"), Text("b")]),
        ChatMessage.user("Hi", name="Ada"),
        ChatMessage.user(""),
    )

    assert tools.sent(*messages) == [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": ""},
    ]
    assert tools.notes(*messages) == [("dropped", "name")]


def test_pictures_are_urls(tools: Tools) -> None:
    """Bytes become a data URL; a detail that is not known here is left out."""
    parts = [
        Text("What is it?"),
        Image(url="https://h.example/a.png", detail="low"),
        Image(data=PIXEL, detail="original"),
        Image(data=PIXEL),
    ]
    message = ChatMessage.user(parts)

    assert tools.sent(message)[0]["content"][1:] == [
        {"type": "image_url", "image_url": {"url": "https://h.example/a.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
    assert tools.notes(message) == [("dropped", "Image detail")]


def test_documents_stand_beside_the_messages(tools: Tools) -> None:
    """The model may cite them; a message that held nothing else is not sent."""
    bare = Document(data=b"x", media_type="text/markdown", filename="notes.md")
    messages = ChatMessage.user([TEXT, Text("Which is old?")]), ChatMessage.user([bare])
    body = tools.body(*messages)

    assert body["messages"] == [{"role": "user", "content": "Which is old?"}]
    assert body["documents"] == [
        {"data": {"title": "Cities", "context": "trip", "text": "Rome is old."}},
        {"data": {"title": "notes.md", "text": "x"}},
    ]
    assert tools.notes(*messages) == [("mapped", "Document content")] * 2


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (Image(file_id="f1"), "not by file id"),
        (Document(url="https://h.example/a.pdf"), "text of documents only"),
        (Document(data=b"%PDF-1.7"), "text of documents only"),
        (Audio(data=b"RIFF"), "no place"),
    ],
)
def test_part_that_cannot_be_sent_is_refused(tools: Tools, part: Any, said: str) -> None:
    """With the reason, or left out where that was asked for."""
    message = ChatMessage.user([Text("x"), part])

    with pytest.raises(FiberCapabilityError, match=said):
        tools.build(message)
    assert tools.sent(message, on_unsupported="drop") == [{"role": "user", "content": "x"}]


def test_opaque_parts_go_where_they_fit(tools: Tools) -> None:
    """A block of the caller's own is sent as it is; one of another provider is left out."""
    own = Opaque('{"type":"new","x":1}')
    message = ChatMessage.user([own, Opaque("{}", "openai"), Reasoning("secret")])

    assert tools.sent(message) == [{"role": "user", "content": [{"type": "new", "x": 1}]}]
    assert [kind for kind, _ in tools.notes(message)] == ["dropped", "dropped"]


def test_turn_of_the_assistant(tools: Tools) -> None:
    """Plan, thinking, text and calls each have their place."""
    call = ToolCall("c1", "weather", '{"city":"Rome"}')
    parts = [PLAN, Reasoning("Hm.", THINKING), Text("Well."), call, ToolCall("c2", "clock", "")]
    message = ChatMessage.assistant(parts)

    assert tools.sent(message) == [
        {
            "role": "assistant",
            "tool_plan": "I will look.",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Well."}],
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}},
                {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
            ],
        }
    ]
    assert tools.sent(ChatMessage.assistant("Hi")) == [{"role": "assistant", "content": "Hi"}]


def test_turn_with_nothing_in_it_is_not_sent(tools: Tools) -> None:
    """Cohere refuses a message that is empty, or nothing but a plan."""
    foreign = Reasoning("x", Opaque("{}", "anthropic", "h", "thinking"))
    messages = ChatMessage.assistant(""), ChatMessage.assistant([PLAN]), ChatMessage.assistant([foreign])

    assert tools.sent(*messages, ChatMessage.user("go on")) == [{"role": "user", "content": "go on"}]
    assert tools.notes(*messages) == [("dropped", "reasoning"), ("dropped", "reasoning")]


def test_picture_of_the_assistant_is_refused(tools: Tools) -> None:
    """Pictures stand in user messages only."""
    with pytest.raises(FiberCapabilityError, match="user messages only"):
        tools.build(ChatMessage.assistant([Image(data=PIXEL)]))


def test_results_of_tools(tools: Tools) -> None:
    """A text is a string, documents are blocks, and a failure says so in words."""
    messages = (
        ChatMessage.tool("c1", "sunny"),
        ChatMessage.tool("c2", [Text("See:"), TEXT]),
        ChatMessage.tool("c3", "no such city", is_error=True),
        ChatMessage.tool("c4", [TEXT], is_error=True),
    )
    document = {
        "type": "document",
        "document": {"data": {"title": "Cities", "context": "trip", "text": "Rome is old."}},
    }

    assert tools.sent(*messages) == [
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "See:"}, document]},
        {"role": "tool", "tool_call_id": "c3", "content": "Error: no such city"},
        {"role": "tool", "tool_call_id": "c4", "content": [{"type": "text", "text": "Error:"}, document]},
    ]
    assert tools.notes(*messages) == [("mapped", "ToolResult is_error")] * 2
    assert "documents" not in tools.body(*messages)


def test_result_leaves_out_what_belongs_to_others(tools: Tools) -> None:
    """And that is told."""
    message = ChatMessage.tool("c1", [Text("sunny"), Opaque("{}", "openai", "", "new")])

    assert tools.sent(message) == [{"role": "tool", "tool_call_id": "c1", "content": "sunny"}]
    assert tools.notes(message) == [("dropped", "opaque part 'new'")]


def test_results_among_words_come_first(tools: Tools) -> None:
    """A user message may bring results and words."""
    message = ChatMessage.user([Text("and?"), ToolResult("c1", "sunny")])

    assert [turn["role"] for turn in tools.sent(message)] == ["tool", "user"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (ChatMessage.tool("c1", [Image(data=PIXEL)]), "text and documents"),
        (ChatMessage.tool("c1", [Document(data=b"%PDF-1.7")]), "text of documents"),
        (ChatMessage("tool", (Text("x"),)), "results of tools only"),
    ],
)
def test_result_that_cannot_be_sent_is_refused(tools: Tools, message: ChatMessage, said: str) -> None:
    """Or left out: then the result is empty."""
    with pytest.raises(FiberCapabilityError, match=said):
        tools.build(message)
    assert all(turn["content"] == "" for turn in tools.sent(message, on_unsupported="drop"))
