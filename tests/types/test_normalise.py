"""Every spelling of a conversation."""

from __future__ import annotations

import base64
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import given

from fiber._errors import FiberValidationError
from fiber.types import normalise
from fiber.types.content import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from fiber.types.messages import ROLES, ChatMessage
from fiber.types.target import Quirks
from tests.strategies import parts

HI = (ChatMessage("user", "hi"),)
CALL = ToolCall("1", "f", '{"a":1}')
IMAGE = Image(url="https://x/a.png")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("hi", id="text"),
        pytest.param(["hi"], id="list of text"),
        pytest.param(("hi",), id="tuple of text"),
        pytest.param(iter(["hi"]), id="iterator"),
        pytest.param(("user", "hi"), id="pair"),
        pytest.param([("user", "hi")], id="list of pairs"),
        pytest.param([("user", ["hi"])], id="pair with text in a list"),
        pytest.param(("user", [Text("hi")]), id="pair with a part in a list"),
        pytest.param(("user", Text("hi")), id="pair with a part"),
        pytest.param(("user", {"type": "text", "text": "hi"}), id="pair with a dict"),
        pytest.param({"role": "user", "content": "hi"}, id="dict"),
        pytest.param(MappingProxyType({"role": "user", "content": "hi"}), id="mapping"),
        pytest.param([{"role": "user", "content": "hi"}], id="list of dicts"),
        pytest.param([{"role": "user", "content": [{"type": "text", "text": "hi"}]}], id="dict with a part"),
        pytest.param([{"role": "user", "content": "hi", "name": None, "refusal": None}], id="dict with nulls"),
        pytest.param(ChatMessage.user("hi"), id="message"),
        pytest.param([ChatMessage.user("hi")], id="list of messages"),
        pytest.param([ChatMessage.user([Text("hi")])], id="message with a part"),
        pytest.param([ChatMessage("user", ["hi"])], id="message with loose text"),  # type: ignore[arg-type]
        pytest.param(
            ChatMessage("user", [{"type": "text", "text": "hi"}]),  # type: ignore[arg-type]
            id="message with a dict",
        ),
    ],
)
def test_every_spelling_of_hi_is_equal(value: Any) -> None:
    """However a conversation is spelled, its canonical messages are equal."""
    assert normalise.messages(value) == HI


def test_spellings_can_be_mixed() -> None:
    """One list may hold several spellings, and keeps their order."""
    value = [
        ("system", "a"),
        ChatMessage.developer("b"),
        "c",
        {"role": "assistant", "content": "d"},
    ]

    assert [(message.role, message.text) for message in normalise.messages(value)] == [
        ("system", "a"),
        ("developer", "b"),
        ("user", "c"),
        ("assistant", "d"),
    ]


@pytest.mark.parametrize("role", ROLES[:-1])
def test_every_role_has_pair_and_dict(role: str) -> None:
    """Pairs and dicts take every role that needs nothing else."""
    assert normalise.messages([(role, "a")]) == normalise.messages([{"role": role, "content": "a"}])


def test_canonical_message_is_kept() -> None:
    """A message that is canonical already is passed on as it is."""
    message = ChatMessage("assistant", (Reasoning("r"), CALL), metadata={"a": 1})

    assert normalise.message(message) is message


@given(parts())
def test_part_and_its_dict_are_equal(part: Part) -> None:
    """The JSON of a part, as a dict, is read as that part."""
    written = msgspec.to_builtins(part)

    assert normalise.message(("assistant", [written, "x"])).content == (part, Text("x"))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, "", id="none"),
        pytest.param([], (), id="no parts"),
        pytest.param([Text("a"), Text("b")], (Text("a"), Text("b")), id="two texts stay two"),
        pytest.param([Text("a", "ephemeral")], (Text("a", "ephemeral"),), id="hint stays"),
        pytest.param([Text("a", native=Opaque("{}"))], (Text("a", native=Opaque("{}")),), id="native stays"),
        pytest.param(IMAGE, (IMAGE,), id="one part"),
        pytest.param(
            {"type": "text", "text": "a", "cache_hint": "extended"}, (Text("a", "extended"),), id="dict with a hint"
        ),
        pytest.param([{"type": "image_url", "image_url": "u"}], (Image(url="u"),), id="image as text"),
        pytest.param(
            [{"type": "image_url", "image_url": {"url": "u", "detail": "low"}}],
            (Image(url="u", detail="low"),),
            id="image",
        ),
        pytest.param(
            [{"type": "input_audio", "input_audio": {"data": base64.b64encode(b"abc").decode(), "format": "mp3"}}],
            (Audio(data=b"abc", media_type="audio/mpeg"),),
            id="audio",
        ),
        pytest.param(
            [{"type": "input_audio", "input_audio": {"data": "YWJj", "format": "opus"}}],
            (Audio(data=b"abc", media_type="audio/opus"),),
            id="audio of another format",
        ),
        pytest.param(
            [{"type": "file", "file": {"file_id": "f1"}}],
            (Document(file_id="f1"),),
            id="file",
        ),
        pytest.param(
            [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}],
            (Document(url="data:application/pdf;base64,AA==", filename="a.pdf"),),
            id="file with data",
        ),
        pytest.param(
            [{"type": "image", "data": "YWJj"}],
            (Image(data=b"abc"),),
            id="own image with base64",
        ),
    ],
)
def test_content_becomes_parts(content: Any, expected: Any) -> None:
    """Content of every accepted spelling becomes text or parts."""
    assert normalise.content(content) == expected


def test_openai_conversation_with_tools() -> None:
    """A conversation in OpenAI's chat shape, calls and results included, is read whole."""
    value = [
        {
            "role": "assistant",
            "content": None,
            "refusal": None,
            "annotations": [],
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"id": "2", "type": "function", "function": {"name": "g", "arguments": {"b": 2}}},
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "one"},
        {"role": "tool", "tool_call_id": "2", "content": [{"type": "text", "text": "two"}, IMAGE], "is_error": True},
    ]

    assert normalise.messages(value) == (
        ChatMessage("assistant", (CALL, ToolCall("2", "g", '{"b":2}'))),
        ChatMessage.tool("1", "one"),
        ChatMessage.tool("2", [Text("two"), IMAGE], is_error=True),
    )


@pytest.mark.parametrize(
    "call",
    [
        CALL,
        {"id": "1", "name": "f", "arguments": {"a": 1}},
        {"id": "1", "name": "f", "arguments_json": '{"a":1}'},
        {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
    ],
    ids=["call", "flat", "own", "openai"],
)
def test_every_spelling_of_a_call_is_equal(call: Any) -> None:
    """However a tool call is spelled, it is the same call, after the text."""
    value = {"role": "assistant", "content": "so", "tool_calls": [call]}

    assert normalise.message(value) == ChatMessage("assistant", (Text("so"), CALL))


def test_call_without_arguments() -> None:
    """A call of which no arguments are said has none."""
    value = {"role": "assistant", "content": [Text("a"), Text("b")], "tool_calls": [{"id": "1", "name": "f"}]}

    assert normalise.message(value).tool_calls == (ToolCall("1", "f", "{}"),)


def test_dict_takes_every_member() -> None:
    """A dict in this library's shape has the members of a message."""
    value = {"role": "user", "content": "hi", "name": "ann", "cache_hint": "ephemeral", "metadata": {"a": 1}}

    assert normalise.message(value) == ChatMessage("user", "hi", "ann", "ephemeral", {"a": 1})


def test_tool_dict_takes_every_member() -> None:
    """A tool's dict has its own members, or holds the results as parts."""
    value = {"role": "tool", "tool_call_id": "1", "content": None, "name": "f", "cache_hint": "extended"}
    result = ToolResult("1", "", "f", False, "extended")

    assert normalise.message(value) == ChatMessage("tool", (result,))
    assert normalise.message({"role": "tool", "content": [result]}) == ChatMessage("tool", (result,))


def test_only_the_user_must_say_something() -> None:
    """An empty message is accepted from everyone but the user."""
    assert normalise.messages([("system", ""), ("assistant", None)]) == (
        ChatMessage("system"),
        ChatMessage("assistant"),
    )


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        pytest.param([], "messages is empty", id="none"),
        pytest.param(None, "must be a string, a message or a list of messages, not NoneType", id="nothing"),
        pytest.param(5, "not int", id="number"),
        pytest.param(b"hi", "not bytes", id="bytes"),
        pytest.param([5], "Message 0 must be a string, .* not int", id="number inside"),
        pytest.param(["hi", None], "Message 1 must be", id="none inside"),
        pytest.param("", r"Message 0 \(user\) is empty", id="empty text"),
        pytest.param(["hi", ""], r"Message 1 \(user\) is empty", id="empty text later"),
        pytest.param([ChatMessage.user([])], r"Message 0 \(user\) is empty", id="no parts"),
        pytest.param([("user", [Text("")])], r"Message 0 \(user\) is empty", id="empty part"),
        pytest.param([("usr", "hi")], "Unknown role 'usr'", id="pair with a bad role"),
        pytest.param(("usr", "hi"), "Unknown role 'usr'", id="lone pair with a bad role"),
        pytest.param([("user",)], "Message 0 must be .* not tuple", id="short pair"),
        pytest.param([("user", "hi", "x")], "Message 0 must be .* not tuple", id="long pair"),
        pytest.param([(5, "hi")], "Message 0 must be .* not tuple", id="pair without a role"),
        pytest.param(
            [("user", 5)], "content of message 0 must be text or a list of parts, not int", id="number content"
        ),
        pytest.param([("user", b"hi")], "content of message 0 .* not bytes", id="bytes content"),
        pytest.param([{}], "Message 0 has role None: use one of system", id="dict without a role"),
        pytest.param([{"role": "bot", "content": "a"}], "Message 0 has role 'bot'", id="dict with a bad role"),
        pytest.param([{"role": ["user"], "content": "a"}], "Message 0 has role", id="dict with an odd role"),
        pytest.param([{"role": "user", "text": "a"}], r"unknown members \['text'\]; known are", id="unknown member"),
        pytest.param([{"role": "user", 5: "a"}], r"unknown members \['5'\]", id="odd member"),
        pytest.param([{"role": "user", "content": "a", "name": 5}], "name must be a string, not 5", id="name"),
        pytest.param(
            [{"role": "user", "content": "a", "cache_hint": "5m"}], "one of ephemeral, extended, not '5m'", id="hint"
        ),
        pytest.param([{"role": "tool", "content": "a"}], r"\(tool\) needs tool_call_id", id="tool without a call"),
        pytest.param([{"role": "tool", "tool_call_id": 5}], r"\(tool\) needs tool_call_id", id="tool with an odd call"),
        pytest.param(
            [{"role": "user", "content": "a", "tool_call_id": "1"}], "belong to a tool message", id="stray id"
        ),
        pytest.param([("user", [{"type": "text", "text": "a", "cache_control": {}}])], "unknown members", id="member"),
        pytest.param(
            [{"role": "assistant", "tool_calls": [{"id": "1", "name": "f", "arguments": None}]}],
            "needs id, name and arguments",
            id="null arguments",
        ),
        pytest.param([{"role": "assistant", "tool_calls": 5}], "tool_calls of message 0 must be a list", id="calls"),
        pytest.param([{"role": "assistant", "tool_calls": ["f"]}], "tool call of message 0 is not complete", id="call"),
        pytest.param([{"role": "assistant", "tool_calls": [{"id": "1"}]}], "needs id, name and arg", id="call name"),
        pytest.param([{"role": "assistant", "tool_calls": [{"name": "f"}]}], "not complete", id="call id"),
        pytest.param([{"role": "assistant", "tool_calls": [{"id": 1, "name": "f"}]}], "not complete", id="number id"),
        pytest.param(
            [{"role": "assistant", "tool_calls": [{"id": "1", "name": "f", "arguments": {1j}}]}],
            "not complete",
            id="odd arguments",
        ),
    ],
)
def test_bad_conversation_is_refused(value: Any, complaint: str) -> None:
    """A conversation that cannot be meant is refused before anything is sent, with the place of the fault."""
    with pytest.raises(FiberValidationError, match=complaint) as caught:
        normalise.messages(value)

    assert (caught.value.parameter, caught.value.outcome) == ("messages", "not_sent")


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        pytest.param(5, "is a int: use a part, a dict or a string", id="number"),
        pytest.param(Quirks(), "is a Quirks: use a part", id="another struct"),
        pytest.param(ChatMessage.user("a"), "is a ChatMessage", id="message"),
        pytest.param({}, "has type None: use one of", id="untyped"),
        pytest.param({"type": "tool_use", "id": "1"}, r"a provider's own block goes into Opaque\.of", id="foreign"),
        pytest.param({"type": ["text"]}, "wrong or not complete", id="odd type"),
        pytest.param({"type": "text"}, "'text' part of message 3 is wrong or not complete", id="text"),
        pytest.param({"type": "text", "text": None}, "Expected `str`, got `null`", id="null text"),
        pytest.param({"type": "text", "text": "a", "cache_hint": "5m"}, "cache_hint", id="hint"),
        pytest.param({"type": "image_url"}, "'image_url' part", id="image"),
        pytest.param({"type": "image_url", "image_url": {"detail": "low"}}, "KeyError", id="image without url"),
        pytest.param({"type": "image_url", "image_url": 5}, "not complete", id="image number"),
        pytest.param({"type": "image_url", "image_url": {"url": "u", "detail": "ultra"}}, "detail", id="detail"),
        pytest.param({"type": "image_url", "image_url": ""}, "Image is empty", id="empty image"),
        pytest.param({"type": "input_audio", "input_audio": {"data": "YQ=="}}, "format", id="audio format"),
        pytest.param(
            {"type": "input_audio", "input_audio": {"data": "!!!!", "format": "wav"}}, "base64", id="audio data"
        ),
        pytest.param({"type": "file", "file": "f1"}, "'file' part", id="file"),
        pytest.param({"type": "file", "file": {}}, "Document needs exactly one of", id="empty file"),
        pytest.param({"type": "image"}, "Image needs exactly one of", id="own image"),
        pytest.param({"type": "tool-call", "id": "1"}, "name", id="own call"),
    ],
)
def test_bad_part_is_refused(part: Any, complaint: str) -> None:
    """A part that cannot be meant is refused, with the number of its message."""
    with pytest.raises(FiberValidationError, match=complaint) as caught:
        normalise.message(("user", ["a", part]), 3)

    assert (caught.value.parameter, caught.value.outcome) == ("messages", "not_sent")
