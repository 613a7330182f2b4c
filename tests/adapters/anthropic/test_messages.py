"""The conversation on the wire: roles, system prompts, tool results, content parts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.anthropic import ADAPTER
from fiber.types.content import (
    Audio,
    Document,
    Image,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

Body = Callable[..., Any]
Notes = Callable[..., list[str]]

HERE = {"provider": "anthropic", "host": "api.anthropic.com"}
PNG = b"\x89PNG\r\n\x1a\n..."
system, user, assistant, tool = (
    ChatMessage.system,
    ChatMessage.user,
    ChatMessage.assistant,
    ChatMessage.tool,
)
DEVELOPER = ChatMessage.developer("B")


def native(data: str, kind: str = "") -> Opaque:
    """A part's own JSON, from the place the tests call."""
    return Opaque(data, kind=kind, **HERE)


def only(body: Body, part: Any, role: str = "user", **options: Any) -> Any:
    """The wire content of a conversation that ends with one part."""
    sent = body(ChatMessage(role, (part,)), user("x"), **options)  # type: ignore[arg-type]
    return sent["messages"][0]["content"]


def test_leading_system_is_a_string_or_blocks(body: Body) -> None:
    """One plain system prompt is a string, several are blocks in their order."""
    assert body(system("A"), user("x"))["system"] == "A"
    assert body(system("A"), DEVELOPER, user("x"))["system"] == [
        {"type": "text", "text": "A"},
        {"type": "text", "text": "B"},
    ]
    assert "system" not in body(system(""), user("x"))


def test_later_system_keeps_its_place_where_the_model_takes_it(body: Body, notes: Notes) -> None:
    """Newer models take a system message amid the conversation."""
    talk = (system("A"), user("x"), DEVELOPER, user("y"))

    sent = body(*talk, model="claude-opus-4-8")

    assert sent["system"] == "A"
    assert [(m["role"], m["content"]) for m in sent["messages"]] == [
        ("user", "x"),
        ("system", "B"),
        ("user", "y"),
    ]
    assert notes(*talk, model="claude-opus-4-8") == []


@pytest.mark.parametrize("model", ["claude-opus-4-7", "claude-sonnet-5", "someone"])
def test_later_system_moves_to_the_front_elsewhere(model: str, body: Body, notes: Notes) -> None:
    """On other models a later system message is kept, behind the leading ones, with a note."""
    talk = (user("x"), DEVELOPER, user("y"))

    sent = body(*talk, model=model)

    assert sent["system"] == "B"
    assert [m["content"] for m in sent["messages"]] == ["x", "y"]
    assert notes(*talk, model=model) == ["mapped system message"]


def test_tool_results_are_grouped_in_one_user_message(body: Body, notes: Notes) -> None:
    """All results of a run of tool and user messages come first, in one message."""
    calls = (ToolCall("a", "f", '{"x": 1.0}'), ToolCall("b", "f"), ToolCall("c", "f"))
    talk = (user("go"), assistant("ok", tool_calls=calls), tool("a", "1"), user("meanwhile"))
    talk += (tool("b", "no", is_error=True), tool("c"), user("and?"))

    sent = body(*talk)["messages"]

    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == [
        {"type": "text", "text": "ok"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1.0}},
        {"type": "tool_use", "id": "b", "name": "f", "input": {}},
        {"type": "tool_use", "id": "c", "name": "f", "input": {}},
    ]
    assert sent[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": "1"},
        {"type": "tool_result", "tool_use_id": "b", "content": "no", "is_error": True},
        {"type": "tool_result", "tool_use_id": "c"},
        {"type": "text", "text": "meanwhile"},
        {"type": "text", "text": "and?"},
    ]
    assert notes(*talk) == ["mapped messages"]


def test_results_in_order_need_no_note(body: Body, notes: Notes) -> None:
    """Results followed by text stand as the API wants them, and neighbours without results stay."""
    talk = (assistant("", tool_calls=(ToolCall("a", "f"),)), tool("a", "1"), user("thanks"))

    assert len(body(*talk)["messages"]) == 2
    assert notes(*talk) == []
    assert len(body(user("a"), user("b"))["messages"]) == 2


def test_result_parts(body: Body) -> None:
    """A result may hold text, images, documents and the provider's own blocks."""
    one = ToolResult("a", (Text("t"),))
    many = ToolResult("b", (Text("t"), Text(""), Image(data=PNG), native('{"type":"search_result"}')))

    assert only(body, one, "tool")[0]["content"] == "t"
    content = only(body, many, "tool")[0]["content"]
    assert [block["type"] for block in content] == ["text", "image", "search_result"]
    assert "content" not in only(body, ToolResult("c", (Text(""),)), "tool")[0]


def test_arguments_keep_their_bytes(ask: Callable[..., Any]) -> None:
    """Arguments that are an object are sent as the model wrote them."""
    written = '{"big": 12345678901234567890123, "f": 1.50, "s": "\\u00e9"}'

    sent = ask(assistant("", tool_calls=(ToolCall("a", "f", written),)), user("x"))

    assert f'"input":{written}'.encode() in sent.body


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", '"text"', "NaN"])
def test_invalid_arguments_are_wrapped(arguments: str, body: Body, notes: Notes) -> None:
    """What is no JSON object is kept as text inside one, with a note."""
    talk = (assistant("", tool_calls=(ToolCall("a", "f", arguments),)), user("x"))

    assert body(*talk)["messages"][0]["content"][0]["input"] == {"_invalid_json": arguments}
    assert notes(*talk) == ["mapped tool_calls"]


def test_empty_arguments_are_an_empty_object(body: Body) -> None:
    """No arguments at all, as other providers write it, is an empty object."""
    assert only(body, ToolCall("a", "f", ""), "assistant")[0]["input"] == {}


def test_foreign_ids_are_made_to_fit(body: Body) -> None:
    """Ids with characters the API refuses are changed alike in calls and results."""
    sent = body(assistant("", tool_calls=(ToolCall("f.x:0", "f"),)), tool("f.x:0", "1"))["messages"]

    assert sent[0]["content"][0]["id"] == sent[1]["content"][0]["tool_use_id"] == "f_x_0"


def test_native_parts_are_replayed_byte_for_byte(ask: Callable[..., Any]) -> None:
    """Sealed parts go back exactly as they came."""
    raws = [
        '{"type": "thinking", "thinking": "", "signature":"c2ln"}',
        '{"type":"text", "text":"t", "citations":[ ]}',
        '{"type":"server_tool_use","id":"s","input": {"n":1.0}}',
        '{"type":"tool_use","id":"a","name":"f","input":{},"caller":{"type":"direct"}}',
    ]
    parts = (
        Reasoning("", native(raws[0])),
        Text("t", native=native(raws[1])),
        native(raws[2]),
        ToolCall("a", "f", native=native(raws[3])),
    )

    sent = ask(assistant(parts), tool("a", "1"))

    assert f'"content":[{",".join(raws)}]'.encode() in sent.body
    assert sent.notes == ()


def test_parts_of_another_place_are_left_out(body: Body, notes: Notes) -> None:
    """Sealed reasoning and opaque parts of another provider or host are dropped with a note."""
    far = Opaque('{"type":"thinking"}', "anthropic", "elsewhere", "thinking")
    talk = (user("x"), assistant((Reasoning("secret", far), far)), user("y"))

    assert [m["content"] for m in body(*talk)["messages"]] == ["x", "y"]
    assert "secret" not in str(body(*talk))
    assert notes(*talk) == ["dropped reasoning", "dropped opaque part 'thinking'"]


def test_names_are_dropped_with_a_note(body: Body, notes: Notes) -> None:
    """The API has no names on messages."""
    assert notes(user("x", name="Ann")) == ["dropped name"]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            Image(data=PNG),
            {
                "type": "image",
                "source": {
                    "type": "base64",
                    "media_type": "image/png",
                    "data": b64encode(PNG).decode(),
                },
            },
        ),
        (
            Image(url="data:image/gif;base64,QQ=="),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/gif", "data": "QQ=="},
            },
        ),
        (
            Image(url="https://x/y.png", detail="auto"),
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        ),
        (
            Image(file_id="file_1"),
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        ),
        (
            Document(data=b"%PDF-1", filename="a.pdf", context="c", citations=True),
            {
                "type": "document",
                "source": {
                    "type": "base64",
                    "media_type": "application/pdf",
                    "data": b64encode(b"%PDF-1").decode(),
                },
                "title": "a.pdf",
                "context": "c",
                "citations": {"enabled": True},
            },
        ),
        (
            Document(data="é".encode(), title="T", filename="ignored"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "é"},
                "title": "T",
            },
        ),
        (
            Document(url="data:text/markdown;base64,IyBI"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "# H"},
            },
        ),
        (
            Document(url="data:text/plain,a%20b"),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "a b"},
            },
        ),
        (
            Document(url="https://x/y.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}},
        ),
        (
            Document(file_id="file_2"),
            {"type": "document", "source": {"type": "file", "file_id": "file_2"}},
        ),
    ],
)
def test_media(part: Any, block: Any, body: Body) -> None:
    """Images and documents go as base64, text, URL or file, whichever they are given as."""
    assert only(body, part) == [block]


@pytest.mark.parametrize(
    ("part", "role", "why"),
    [
        (Audio(data=b"ID3"), "user", "audio"),
        (Image(data=b"?", media_type="image/bmp"), "user", "image/bmp"),
        (Image(url="data:image/png,raw"), "user", "base64"),
        (Document(data=b"PK", media_type="application/zip"), "user", "PDF or text"),
        (Document(data=b"\xff", media_type="text/plain"), "user", "UTF-8"),
        (Document(url="data:text/plain;base64,A"), "user", "UTF-8"),
        (Document(url="data:application/pdf,x"), "user", "PDF or text"),
        (Image(data=PNG), "assistant", "user messages only"),
        (Document(data=b"%PDF-1"), "system", "user messages only"),
        (ToolCall("a", "f"), "user", "assistant message"),
        (ToolResult("a", "1"), "assistant", "tool message"),
    ],
)
def test_content_that_cannot_be_sent_is_refused(part: Any, role: Any, why: str, body: Body, notes: Notes) -> None:
    """What the format cannot express is refused with the reason, or dropped with a note."""
    talk = (ChatMessage(role, (part,)), user("x"))

    with pytest.raises(FiberCapabilityError, match=why):
        body(*talk)

    assert body(*talk, on_unsupported="drop")["messages"] == [{"role": "user", "content": "x"}]
    assert notes(*talk, on_unsupported="drop") == [f"dropped {type(part).__name__} content"]


def test_detail_is_dropped_with_a_note(body: Body, notes: Notes) -> None:
    """The API has no switch for an image's resolution."""
    assert notes(user((Image(data=PNG, detail="low"),))) == ["dropped image detail"]


def test_prefill(body: Body, notes: Notes) -> None:
    """A last message of the assistant is sent where the model goes on writing it, else refused."""
    talk = (user("x"), assistant("{"))

    assert body(*talk, model="claude-haiku-4-5")["messages"][-1]["content"] == "{"
    with pytest.raises(FiberCapabilityError, match="does not continue"):
        body(*talk)
    assert len(body(*talk, on_unsupported="drop")["messages"]) == 1
    assert notes(*talk, on_unsupported="drop") == ["dropped last assistant message"]


def test_paused_turn_goes_on(body: Body) -> None:
    """A paused turn ends with the assistant and is sent as it is, on every model."""
    paused = assistant((Text("t"), native('{"type":"server_tool_use"}', "server_tool_use")))

    assert len(body(user("x"), paused, model="claude-opus-5-5")["messages"]) == 2


def test_request_without_messages(target: Target) -> None:
    """An empty conversation is left to the provider to judge."""
    made = ADAPTER.build_request(ChatRequest(messages=()), target, stream=False)

    assert b'"messages":[]' in made.body
