"""Conversations on the wire: roles, parts, tool results, replay, cache hints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.openai_chat import ADAPTER
from fiber.types.content import (
    Audio,
    Document,
    Image,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Quirks, Target

PNG = b"\x89PNG\r\n\x1a\n"
WAV = b"RIFF0000WAVE"
ROW = Target(provider="row", model="m", base_url="https://host.example/v1")
LACKING = Target(
    provider="row",
    model="m",
    base_url="https://host.example/v1",
    quirks=Quirks(unsupported={f"content.{kind}": "not here" for kind in ("document", "image", "audio")}),
)
OWN = Target(provider="openai", model="gpt-4o", base_url="https://api.openai.com/v1")
NEW = Target(provider="openai", model="gpt-6-sol", base_url="https://api.openai.com/v1")


def build(*messages: ChatMessage, to: Target = ROW, **options: Any) -> HTTPRequest:
    """Build a request of *messages*."""
    return ADAPTER.build_request(ChatRequest(messages=messages, **options), to, stream=False)


def sent(*messages: ChatMessage, to: Target = ROW, **options: Any) -> list[Any]:
    """Build a request of *messages*, return the messages on the wire."""
    wire: list[Any] = json.loads(build(*messages, to=to, **options).body)["messages"]
    return wire


def user(*parts: Part) -> ChatMessage:
    """Make a user message."""
    return ChatMessage("user", parts)


def quirky(**quirks: Any) -> Target:
    """Make a target with *quirks*."""
    return Target(provider="row", model="m", base_url="https://h/v1", quirks=Quirks(**quirks))


def test_all_prompts_are_kept_in_order() -> None:
    """System and developer prompts stay where they are, under the role that the row has."""
    messages = (
        ChatMessage.system("a"),
        ChatMessage.user("b", name="bob"),
        ChatMessage.developer("c"),
    )

    as_is = sent(*messages)
    as_system = sent(*messages, to=quirky(system_role="system"))

    assert as_is == [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "b", "name": "bob"},
        {"role": "developer", "content": "c"},
    ]
    assert [message["role"] for message in as_system] == ["system", "user", "system"]


def test_one_text_is_a_string() -> None:
    """A string and a single text part are the same on the wire; several texts are parts."""
    assert sent(user(Text("a"))) == sent(ChatMessage.user("a"))
    assert sent(user(Text("a"), Text("b")))[0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
    ]


def test_texts_collapse_where_the_row_says_so() -> None:
    """Text-only servers get several texts as one string, and pictures still as parts."""
    to = quirky(collapse_text=True)

    assert sent(user(Text("a"), Text("b")), to=to)[0]["content"] == "a\nb"
    assert len(sent(user(Text("a"), Image(url="https://i")), to=to)[0]["content"]) == 2


def test_media_parts() -> None:
    """Pictures, sounds and documents take the format's own shapes."""
    content = sent(
        user(
            Image(url="https://a.example/i.png", detail="low"),
            Image(data=PNG),
            Audio(data=WAV),
            Audio(data=b"ID3x", media_type="audio/mpeg"),
            Audio(data=b"fLaC"),
            Document(data=b"%PDF-1", filename="a.pdf"),
            Document(data=b"%PDF-1"),
            Document(file_id="file-1"),
        )
    )[0]["content"]

    assert content == [
        {
            "type": "image_url",
            "image_url": {"url": "https://a.example/i.png", "detail": "low"},
        },
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "input_audio", "input_audio": {"data": "UklGRjAwMDBXQVZF", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "SUQzeA==", "format": "mp3"}},
        {"type": "input_audio", "input_audio": {"data": "ZkxhQw==", "format": "flac"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0x"},
        },
        {
            "type": "file",
            "file": {
                "filename": "document.pdf",
                "file_data": "data:application/pdf;base64,JVBERi0x",
            },
        },
        {"type": "file", "file": {"file_id": "file-1"}},
    ]


def test_text_document_becomes_text() -> None:
    """A text file is sent as text, and what has no place is noted."""
    document = Document(data=b"words", context="c", citations=True)

    built = build(user(document))

    assert json.loads(built.body)["messages"][0]["content"] == "words"
    assert [(note.kind, note.subject) for note in built.notes] == [
        ("dropped", "Document context"),
        ("dropped", "Document citations"),
        ("mapped", "Document content"),
    ]


@pytest.mark.parametrize(
    ("part", "to"),
    [
        (Image(file_id="f"), ROW),
        (Audio(url="https://a"), ROW),
        (Audio(data=b"fLaC"), OWN),
        (Document(url="https://a"), ROW),
        (Document(data=b"%PDF-"), LACKING),
        (Image(url="https://i"), LACKING),
        (Audio(data=b"RIFF    WAVE"), LACKING),
        (ToolCall("1", "f"), ROW),
    ],
    ids=["image id", "audio url", "flac", "document url", "no documents", "no pictures", "no sounds", "call"],
)
def test_parts_that_cannot_be_sent_are_refused(part: Part, to: Target) -> None:
    """A part without a form is refused, or dropped with a note, and its empty message with it."""
    with pytest.raises(FiberCapabilityError, match=type(part).__name__):
        build(user(part), to=to)

    built = build(user(part), ChatMessage.user("x"), to=to, on_unsupported="drop")

    assert json.loads(built.body)["messages"] == [{"role": "user", "content": "x"}]
    assert [note.kind for note in built.notes] == ["dropped"]


@pytest.mark.parametrize("role", ["system", "assistant"])
def test_media_stand_in_user_messages_only(role: Any) -> None:
    """Pictures are refused outside user messages."""
    with pytest.raises(FiberCapabilityError, match="user messages only"):
        build(ChatMessage(role, (Image(url="https://i"),)))


def test_own_blocks_are_sent_as_they_are() -> None:
    """An opaque block goes to its provider byte for byte, and is left out with a note elsewhere."""
    block = Opaque('{"type":"video_url", "x":1.0}', "row", "host.example", "video_url")

    built = build(user(Text("a"), block))
    elsewhere = build(user(Text("a"), block, Reasoning("hm")), to=OWN)

    assert b'{"type":"video_url", "x":1.0}' in built.body
    assert json.loads(elsewhere.body)["messages"][0]["content"] == "a"
    assert [note.subject for note in elsewhere.notes] == ["opaque part 'video_url'", "reasoning"]


def test_native_of_a_part_wins_at_home() -> None:
    """A part with the provider's own JSON is sent as that, elsewhere from its fields."""
    native = Opaque('{"type":"text","text":"own"}', "row")
    part = Text("mine", native=native)

    assert sent(user(part, Text("b")))[0]["content"][0]["text"] == "own"
    assert sent(user(part, Text("b")), to=OWN)[0]["content"][0]["text"] == "mine"


def test_tool_round() -> None:
    """Calls and results take the format's shapes, and missing text is null."""
    history = (
        ChatMessage.assistant("", tool_calls=[ToolCall("c1", "f", '{"a":1}')]),
        ChatMessage.tool("c1", "done"),
        ChatMessage.assistant("say", tool_calls=[ToolCall("c2", "g", "")], name="bot"),
        ChatMessage("tool", (ToolResult("c2", "no", is_error=True),)),
    )

    built = build(*history)

    assert json.loads(built.body)["messages"] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {
            "role": "assistant",
            "content": "say",
            "name": "bot",
            "tool_calls": [{"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c2", "content": "Error: no"},
    ]
    assert [note.subject for note in built.notes] == ["ToolResult is_error"]


def test_pictures_of_results_follow_all_results() -> None:
    """Media of tool results come in user messages after the last result, for calls need answers."""
    picture = Image(url="https://i")
    history = (
        ChatMessage.assistant("", tool_calls=[ToolCall("c1", "f"), ToolCall("c2", "g")]),
        ChatMessage("tool", (ToolResult("c1", (Text("see"), picture)),)),
        ChatMessage("tool", (ToolResult("c2", (picture,), is_error=True),)),
        ChatMessage.user("well?"),
    )

    wire = sent(*history)
    at_the_end = sent(*history[:2])

    assert [message["role"] for message in wire] == [
        "assistant",
        "tool",
        "tool",
        "user",
        "user",
        "user",
    ]
    assert wire[1]["content"] == "see"
    assert wire[2]["content"] == "Error: "
    assert wire[3]["content"] == [
        {"type": "text", "text": "Content of the result of tool call c1 (f):"},
        {"type": "image_url", "image_url": {"url": "https://i"}},
    ]
    assert at_the_end[-1]["role"] == "user"
    assert len(build(*history).notes) == 3


def test_result_of_pictures_only_says_so() -> None:
    """A result without text points to the message that follows."""
    wire = sent(ChatMessage("tool", (ToolResult("c1", (Image(url="https://i"),)),)))

    assert wire[0]["content"] == "The content follows in a user message."


def test_results_in_a_user_message() -> None:
    """Results inside a user message come first, then their media, then the words."""
    result = ToolResult("c1", (Text("r"), Image(url="https://i")), name="f")

    wire = sent(user(Text("and?"), result))

    assert [message["role"] for message in wire] == ["tool", "user", "user"]
    assert wire[2]["content"] == "and?"


def test_result_without_what_belongs_elsewhere() -> None:
    """Somebody else's block in a result is left out with a note."""
    foreign = Opaque('{"type":"x"}', "elsewhere", kind="x")

    built = build(ChatMessage("tool", (ToolResult("c1", (Text("r"), foreign)),)))

    assert json.loads(built.body)["messages"][0]["content"] == "r"
    assert [note.kind for note in built.notes] == ["dropped"]


def test_result_with_native_is_sent_as_it_is() -> None:
    """A tool result with the provider's own JSON is that JSON."""
    native = Opaque('{"role":"tool","tool_call_id":"c1","content":"x","y":1}', "row")

    assert sent(ChatMessage("tool", (ToolResult("c1", "z", native=native),)))[0]["y"] == 1


def test_misplaced_parts_are_refused() -> None:
    """A tool message holds results, an assistant message holds none."""
    with pytest.raises(FiberCapabilityError, match="results of tools only"):
        build(ChatMessage("tool", (Text("x"),)))
    with pytest.raises(FiberCapabilityError, match="ToolResult"):
        build(ChatMessage("assistant", (ToolResult("c1", "x"),)))


def test_turn_with_nothing_to_send_is_left_out() -> None:
    """A turn of somebody else's reasoning vanishes with a note; an empty one stays."""
    foreign = Reasoning("hm", Opaque("{}", "other"))

    built = build(ChatMessage("assistant", (foreign,)), ChatMessage("assistant", ""))

    assert json.loads(built.body)["messages"] == [{"role": "assistant", "content": ""}]
    assert [note.kind for note in built.notes] == ["dropped"]


def test_sound_is_referred_to_at_home_and_read_elsewhere() -> None:
    """Sound of an answer is sent back by its id, to others as its transcript."""
    native = Opaque('{"audio":{"id":"audio_1"}}', "row", "host.example", "assistant.members")
    part = Audio(data=WAV, transcript="hello", native=native)

    home = build(ChatMessage("assistant", (part,)))
    away = build(ChatMessage("assistant", (part,)), to=OWN)
    heard = sent(user(part))

    assert json.loads(home.body)["messages"] == [{"role": "assistant", "content": None, "audio": {"id": "audio_1"}}]
    assert json.loads(away.body)["messages"] == [{"role": "assistant", "content": "hello"}]
    assert [note.kind for note in away.notes] == ["mapped"]
    assert heard[0]["content"][0]["type"] == "input_audio"


def test_pictures_of_answers_go_back_in_their_member() -> None:
    """Pictures that a gateway gave are sent back in `images`, as they came."""
    raw = '{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}'
    part = Image(url="data:image/png;base64,AA==", native=Opaque(raw, "row", kind="images"))

    wire = sent(ChatMessage("assistant", (Text("see"), part)))

    assert wire == [{"role": "assistant", "content": "see", "images": [json.loads(raw)]}]


def test_calls_of_unknown_kind_go_back_among_the_calls() -> None:
    """An opaque tool call is sent back in `tool_calls`."""
    call = Opaque('{"type":"mcp","id":"x"}', "row", kind="tool_calls")

    wire = sent(ChatMessage("assistant", (call,)))

    assert wire == [{"role": "assistant", "content": None, "tool_calls": [{"type": "mcp", "id": "x"}]}]


def test_cache_hints_become_breakpoints() -> None:
    """The last four hints become breakpoints on models that have them, and nothing elsewhere."""
    history = (
        ChatMessage.system("s", cache_hint="extended"),
        user(Text("1", cache_hint="ephemeral"), Text("2", cache_hint="ephemeral")),
        ChatMessage("tool", (ToolResult("c", "r", cache_hint="ephemeral"),)),
        ChatMessage.user("u", cache_hint="extended"),
        user(Text("x")),
    )

    wire = sent(*history, to=NEW)

    plain = {"mode": "explicit"}
    assert wire[0]["content"] == [{"type": "text", "text": "s"}]
    assert [part["prompt_cache_breakpoint"] for part in wire[1]["content"]] == [plain, plain]
    assert wire[2]["content"][0]["prompt_cache_breakpoint"] == plain
    assert wire[3]["content"][0]["prompt_cache_breakpoint"] == {**plain, "ttl": "30m"}
    assert wire[4]["content"] == "x"
    assert "breakpoint" not in json.dumps(sent(*history, to=OWN))
    assert sent(*history, to=ROW)[0]["content"] == "s"


def test_hint_on_somebody_elses_json_is_left() -> None:
    """A message hint after an opaque block changes nothing."""
    block = Opaque('{"type":"x"}', "openai")

    wire = sent(ChatMessage("user", (block,), cache_hint="ephemeral"), to=NEW)

    assert wire[0]["content"] == [{"type": "x"}]
