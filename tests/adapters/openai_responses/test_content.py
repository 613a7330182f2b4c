"""Content parts: pictures, files, sounds, results of tools, cache breakpoints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import (
    Audio,
    Document,
    Image,
    Opaque,
    Text,
)
from fiber.types.messages import ChatMessage

HOST = "api.openai.com"
PNG = b"\x89PNG\r\n\x1a\n"
system, developer = ChatMessage.system, ChatMessage.developer
user, assistant, tool = ChatMessage.user, ChatMessage.assistant, ChatMessage.tool


def seal(value: dict[str, Any], provider: str = "openai", host: str = HOST) -> Opaque:
    """Seal JSON as the parser does."""
    return Opaque(json.dumps(value), provider, host, value.get("type", ""))


def message(role: str, content: Any) -> dict[str, Any]:
    """A message item."""
    return {"type": "message", "role": role, "content": content}


HINTED = {"mode": "explicit"}


def test_parts_are_listed_in_order(items: Any) -> None:
    """Several parts are a list with a type each."""
    sent = items(
        user(
            [
                Text("See"),
                Image(data=PNG, detail="low"),
                Image(url="https://e.x/i.png"),
                Image(file_id="f1"),
            ]
        )
    )

    assert sent == [
        message(
            "user",
            [
                {"type": "input_text", "text": "See"},
                {
                    "type": "input_image",
                    "image_url": "data:image/png;base64,iVBORw0KGgo=",
                    "detail": "low",
                },
                {"type": "input_image", "image_url": "https://e.x/i.png"},
                {"type": "input_image", "file_id": "f1"},
            ],
        )
    ]


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (
            Document(data=b"%PDF-1.7", filename="a.pdf"),
            {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjc="},
        ),
        (
            Document(data=b"text", title="Notes"),
            {"filename": "Notes", "file_data": "data:text/plain;base64,dGV4dA=="},
        ),
        (
            Document(data=b"%PDF-1.7"),
            {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjc="},
        ),
        (
            Document(url="data:application/x;base64,AA=="),
            {"filename": "document.bin", "file_data": "data:application/x;base64,AA=="},
        ),
        (Document(url="https://e.x/a.pdf"), {"file_url": "https://e.x/a.pdf"}),
        (Document(file_id="file_1"), {"file_id": "file_1"}),
    ],
)
def test_document_is_a_file(part: Document, sent: Any, items: Any, notes: Any) -> None:
    """A document goes by content with a name, by address, or by handle."""
    assert items(user([part]))[0]["content"] == [{"type": "input_file", **sent}]
    assert notes(user([part])) == []


@pytest.mark.parametrize("source", [{"url": "https://e.x/a"}, {"file_id": "f"}])
def test_name_of_a_remote_document_is_noted(source: Any, notes: Any) -> None:
    """A name that cannot be sent is not lost in silence."""
    assert notes(user([Document(title="T", **source)])) == ["dropped name of a document"]


@pytest.mark.parametrize("option", [{"citations": True}, {"context": "c"}])
def test_document_options_are_refused(option: Any, items: Any, notes: Any) -> None:
    """What only other providers do with documents is refused, or dropped with a note."""
    part = Document(file_id="f", **option)

    with pytest.raises(FiberCapabilityError, match="no such field"):
        items(user([part]))
    (note,) = notes(user([part]), on_unsupported="drop")
    assert note == f"dropped {next(iter(option))} of a document"


def test_audio_is_wav_or_mp3(items: Any, notes: Any) -> None:
    """Sounds go as base64 with their format; others are refused."""
    wav = Audio(data=b"RIFF0000WAVE")

    assert items(user([wav]))[0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "UklGRjAwMDBXQVZF", "format": "wav"}}
    ]
    for part in (Audio(data=b"OggS"), Audio(url="https://e.x/a.wav"), Audio(file_id="f")):
        with pytest.raises(FiberCapabilityError, match="Audio content"):
            items(user([part]))
        assert notes(user([Text("a"), part]), on_unsupported="drop") == ["dropped Audio content"]
    assert items(user([Audio(file_id="f")]), user("q"), on_unsupported="drop") == [message("user", "q")]


def test_result_may_hold_pictures_and_files(items: Any, notes: Any) -> None:
    """A result of several parts is a list; a part of another provider is left out with a note."""
    own = Opaque.of({"type": "input_file", "file_id": "f2"})
    foreign = Opaque('{"type":"x"}', "anthropic", "", "x")
    result = tool("c1", [Text("A"), Image(file_id="f1"), own, foreign])

    assert items(user("q"), result)[1]["output"] == [
        {"type": "input_text", "text": "A"},
        {"type": "input_image", "file_id": "f1"},
        {"type": "input_file", "file_id": "f2"},
    ]
    assert notes(user("q"), result) == ["dropped opaque part 'x'"]


def test_failed_result_says_so_in_words(items: Any, notes: Any) -> None:
    """There is no flag for a failed tool, so its words begin with one, and a note says it."""
    text = tool("c1", "boom", is_error=True)
    parts = tool("c1", [Image(file_id="f1")], is_error=True)

    assert items(user("q"), text)[1]["output"] == "Error: boom"
    assert items(user("q"), parts)[1]["output"] == [
        {"type": "input_text", "text": "Error: "},
        {"type": "input_image", "file_id": "f1"},
    ]
    assert notes(user("q"), text) == ["mapped is_error"]


def test_own_words_are_items_or_content_by_type(items: Any) -> None:
    """What the caller wrote in the provider's words goes into the content, or stands alone."""
    sent = items(
        user(
            [
                Text("A"),
                Opaque.of({"type": "input_image", "file_id": "f", "detail": "high"}),
                Opaque.of({"type": "mcp_approval_response", "approve": True}),
            ]
        )
    )

    assert [item["type"] for item in sent] == ["message", "mcp_approval_response"]
    assert sent[0]["content"][1] == {"type": "input_image", "file_id": "f", "detail": "high"}


def test_sealed_media_goes_as_it_came(items: Any) -> None:
    """A picture that carries its own content part is sent as that part."""
    native = seal({"type": "input_image", "file_id": "f", "detail": "high"})

    assert items(user([Text("A"), Image(file_id="g", native=native)]))[0]["content"][1] == {
        "type": "input_image",
        "file_id": "f",
        "detail": "high",
    }


@pytest.mark.parametrize(
    "history",
    [
        user([Text("A", cache_hint="ephemeral")]),
        user("A", cache_hint="ephemeral"),
    ],
)
def test_cache_hint_is_a_breakpoint_where_known(history: ChatMessage, items: Any) -> None:
    """A hint on a part or a message marks its last part, on models that take breakpoints."""
    part = {"type": "input_text", "text": "A"}

    assert items(history, model="gpt-5.6-sol")[0]["content"] == [part | {"prompt_cache_breakpoint": HINTED}]
    assert items(history)[0]["content"] == "A"


def test_extended_hint_keeps_longer(items: Any) -> None:
    """The longer hint asks for the longer lifetime, on results too."""
    mark = {"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
    text = tool("c1", "r", cache_hint="extended")
    parts = tool("c1", [Text("A"), Image(file_id="f")], cache_hint="extended")
    own = tool("c1", [Opaque.of({"type": "input_text", "text": "x"})], cache_hint="extended")
    newest = {"model": "gpt-6-luna"}

    assert items(user("q"), text, **newest)[1]["output"] == [{"type": "input_text", "text": "r"} | mark]
    assert items(user("q"), parts, **newest)[1]["output"][1] == {
        "type": "input_image",
        "file_id": "f",
        **mark,
    }
    assert items(user("q"), own, **newest)[1]["output"] == [{"type": "input_text", "text": "x"}]
    assert items(user("q"), text)[1]["output"] == "r"


def test_hint_on_an_answer_or_on_own_words_marks_nothing(items: Any) -> None:
    """Only input that this library writes can be marked."""
    own = Opaque.of({"type": "input_text", "text": "x"})
    newest = {"model": "gpt-6-luna"}

    assert items(user([own], cache_hint="ephemeral"), **newest)[0]["content"] == [own.value()]
    assert items(user("q"), assistant("A", cache_hint="ephemeral"), **newest)[1] == message("assistant", "A")
