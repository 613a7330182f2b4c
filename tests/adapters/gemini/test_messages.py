"""Conversations as Gemini wants them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError, FiberValidationError
from fiber.types.content import (
    Audio,
    Document,
    Image,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
)
from fiber.types.messages import ChatMessage

PNG = b"\x89PNG\r\n\x1a\n"
HOST = "generativelanguage.googleapis.com"
user, assistant = ChatMessage.user, ChatMessage.assistant


def own(value: Any, kind: str = "") -> Opaque:
    """A native that came from here."""
    return Opaque(json.dumps(value), "gemini", HOST, kind)


def parts(body: dict[str, Any], turn: int = -1) -> Any:
    return body["contents"][turn]["parts"]


def test_roles_are_user_and_model(tools: Any) -> None:
    """The assistant is called model."""
    body = tools.body(user("a"), assistant("b"), user("c"))

    assert body == {
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"text": "b"}]},
            {"role": "user", "parts": [{"text": "c"}]},
        ]
    }


def test_every_system_prompt_is_kept_in_order(tools: Any) -> None:
    """System and developer prompts become parts of the instruction; a later one has a note."""
    said = (
        ChatMessage.system((Text("a"), Text("b"))),
        ChatMessage.developer("c"),
        user("x"),
        ChatMessage.system("d"),
    )

    assert tools.body(*said)["systemInstruction"] == {"parts": [{"text": t} for t in "abcd"]}
    assert tools.notes(*said) == [("mapped", "system")]


def test_system_prompt_is_text(tools: Any) -> None:
    """A picture in a system prompt is refused or dropped."""
    said = (ChatMessage.system((Image(data=PNG), Text("a"))), user("x"))

    with pytest.raises(FiberCapabilityError):
        tools.build(*said)

    body = tools.body(*said, on_unsupported="drop")
    assert body["systemInstruction"] == {"parts": [{"text": "a"}]}


def test_system_prompt_alone_is_no_conversation(tools: Any) -> None:
    """Without any turn there is nothing to answer."""
    with pytest.raises(FiberValidationError):
        tools.build(ChatMessage.system("a"))


def test_name_has_no_place(tools: Any) -> None:
    """A participant's name is left out with a note."""
    assert tools.notes(user("a", name="Ann")) == [("dropped", "name")]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Image(data=PNG), {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}),
        (
            Image(url="data:image/gif;base64,AAEC"),
            {"inlineData": {"mimeType": "image/gif", "data": "AAEC"}},
        ),
        (
            Document(url="data:text/plain,a%20b"),
            {"inlineData": {"mimeType": "text/plain", "data": "YSBi"}},
        ),
        (Audio(data=b"x"), {"inlineData": {"mimeType": "audio/wav", "data": "eA=="}}),
        (Image(url="https://a.example/x"), {"fileData": {"fileUri": "https://a.example/x"}}),
        (
            Document(file_id="files/1", media_type="application/pdf"),
            {"fileData": {"mimeType": "application/pdf", "fileUri": "files/1"}},
        ),
        (Opaque('{"fileData": 1}'), {"fileData": 1}),
        (Text("a"), {"text": "a"}),
    ],
)
def test_user_parts_have_their_forms(tools: Any, part: Any, expected: Any) -> None:
    """Bytes go inline, addresses and files by URI, and what is opaque as it is."""
    body = tools.body(user((part,)))

    assert parts(body) == [expected]
    assert tools.notes(user((part,))) == []


def test_what_a_file_cannot_say_is_noted(tools: Any) -> None:
    """Detail, titles and citations have no place, and notes say so."""
    said = user(
        (
            Image(data=PNG, detail="high"),
            Image(data=PNG, detail="auto"),
            Document(data=b"a", title="T", citations=True),
        )
    )

    assert tools.notes(said) == [
        ("dropped", "image detail"),
        ("dropped", "document title, citations"),
    ]


def test_parts_of_another_role_are_refused(tools: Any) -> None:
    """A user does not call tools."""
    with pytest.raises(FiberCapabilityError):
        tools.build(user((ToolCall("1", "f"),)))

    body = tools.body(user((ToolCall("1", "f"), Text("a"), Text(""))), on_unsupported="drop")
    assert parts(body) == [{"text": "a"}]


# -- replay ---------------------------------------------------------------------------------------


def test_answer_goes_back_as_it_came(tools: Any, case: str) -> None:
    """Every part with a native of a decoded stream returns with the same JSON value."""
    decoder, _ = tools.stream(tools.fixture(case, "stream.sse"))
    result = decoder.result()

    sent = tools.body(user("a"), result.message, user("b"))["contents"]

    model = sent[1]["parts"] if len(sent) == 3 else []
    natives = [native for native in tools.natives(result) if native is not None]
    assert [part for part in model if part in natives] == natives


def test_native_survives_byte_for_byte(tools: Any) -> None:
    """The JSON of a signed part is not written anew."""
    raw = '{"text":  "\\u00e9", "thoughtSignature":"cw==", "n":1.00}'

    made = tools.build(user("a"), assistant((Text("é", native=Opaque(raw, "gemini", HOST)),)))

    assert raw.encode() in made.body


def test_parts_of_other_providers_are_left_out_or_rebuilt(tools: Any) -> None:
    """Foreign reasoning and blocks are dropped with a note; foreign text is sent as text."""
    foreign = Opaque('{"x": 1}', "openai", "api.openai.com", "web_search_call")
    said = assistant((Reasoning("hm", foreign), foreign, Reasoning("bare"), Text("a", native=foreign)))

    body = tools.body(user("q"), said)

    assert parts(body) == [{"text": "a"}]
    assert [kind for kind, _ in tools.notes(user("q"), said)] == ["dropped"] * 3


def test_empty_turn_is_not_sent(tools: Any) -> None:
    """A turn of which nothing is left is no content."""
    body = tools.body(user("q"), assistant((Reasoning("hm"),)), user("r"))

    assert [content["role"] for content in body["contents"]] == ["user", "user"]


def test_signature_without_a_part_is_not_sent_back(tools: Any) -> None:
    """Signature-only parts come from media processing and stay here."""
    said = assistant((own({"thoughtSignature": "cw=="}, "thoughtSignature"), Text("a")))

    assert parts(tools.body(user("q"), said)) == [{"text": "a"}]
    assert tools.notes(user("q"), said) == [("dropped", "thoughtSignature")]
