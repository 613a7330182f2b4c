"""Prompts and answers in spans, where the host asks for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fiber import Audio, ChatMessage, Document, Fiber, FiberError, Image, Opaque, Reasoning, Text, ToolCall
from fiber.layers.tracing.content import _parts
from fiber.testing.fake import json_reply, sse_reply
from tests.kit import START, answer, piece, scripted, streamed, whole
from tests.layers.tracing.hearing import Spans, attributes

VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
CONTENT = ("gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for content in spans."""
    monkeypatch.setenv(VARIABLE, "SPAN_ONLY")


def content(spans: Spans) -> dict[str, Any]:
    """Return what the last call's span has of content."""
    found = attributes(spans.calls[-1])
    return {name: json.loads(found[name]) for name in CONTENT if name in found}


def said(text: str) -> dict[str, str]:
    """Return a part that is text."""
    return {"type": "text", "content": text}


@pytest.mark.parametrize("value", [None, "", "NO_CONTENT", "EVENT_ONLY", "false"])
def test_content_is_not_told_unless_asked_for(value: str | None, spans: Spans, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the standard variable, and with a value that means spans."""
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    fiber, _ = scripted(whole("canary"))

    fiber.sync.chat("canary")

    assert "canary" not in str([span.to_json() for span in spans.all])


@pytest.mark.parametrize("value", ["SPAN_ONLY", "span_and_event", "true"])
@pytest.mark.parametrize("stream", [False, True])
def test_question_and_answer_are_told_as_messages(
    stream: bool, value: str, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the convention's shape, instructions apart; whole and streamed alike."""
    monkeypatch.setenv(VARIABLE, value)
    fiber, _ = scripted(streamed("He", "llo") if stream else whole("Hello"))
    messages = [("system", "Be brief."), ("user", "Hi")]

    fiber.sync.chat_stream(messages).collect() if stream else fiber.sync.chat(messages)

    assert content(spans) == {
        "gen_ai.system_instructions": [said("Be brief.")],
        "gen_ai.input.messages": [{"role": "user", "parts": [said("Hi")]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [said("Hello")]}],
    }


@pytest.mark.usefixtures("asked")
def test_tools_are_told_as_calls_and_responses(spans: Spans) -> None:
    """Arguments as the value that they stand for, or as they are when they are no JSON."""
    fiber, _ = scripted(whole())
    calls = [ToolCall("1", "weather", '{"city": "Rome"}'), ToolCall("2", "weather", "{")]

    fiber.sync.chat([("user", "Hi"), ChatMessage.assistant(tool_calls=calls), *map(weather, calls)])

    assert content(spans)["gen_ai.input.messages"][1:] == [
        {
            "role": "assistant",
            "parts": [
                {"type": "tool_call", "id": "1", "name": "weather", "arguments": {"city": "Rome"}},
                {"type": "tool_call", "id": "2", "name": "weather", "arguments": "{"},
            ],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "rain"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "2", "response": "rain"}]},
    ]


def weather(call: ToolCall) -> ChatMessage:
    """Answer *call*."""
    return ChatMessage.tool(call, "rain")


def test_media_are_named_and_not_copied() -> None:
    """A part has its URL or its id, and no bytes; what only a provider can read is left out."""
    parts = [
        Image(url="https://example.com/a.png"),
        Image(url="data:image/png;base64,AAAA"),
        Audio(data=b"RIFF", media_type="audio/wav"),
        Document(file_id="f1"),
        Reasoning("I think"),
        Reasoning(""),
        Text(""),
        Opaque("{}"),
    ]

    assert list(_parts(parts, str)) == [
        {"type": "uri", "uri": "https://example.com/a.png", "modality": "image", "mime_type": None},
        {"type": "blob", "content": "", "modality": "image", "mime_type": None},
        {"type": "blob", "content": "", "modality": "audio", "mime_type": "audio/wav"},
        {"type": "file", "file_id": "f1", "modality": "document", "mime_type": None},
        {"type": "reasoning", "content": "I think"},
    ]


@pytest.mark.usefixtures("asked")
def test_what_came_of_a_broken_stream_is_told(spans: Spans) -> None:
    """As far as it came."""
    fiber, _ = scripted(sse_reply(START, piece("Hel")))

    with pytest.raises(FiberError):
        fiber.sync.chat_stream("Hi").collect()

    assert content(spans)["gen_ai.output.messages"] == [{"role": "assistant", "parts": [said("Hel")]}]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "call",
    [
        lambda fiber: fiber.sync.request("GET", "/canary", provider="openai"),
        lambda fiber: fiber.sync.request("POST", "/x", provider="openai", json={"a": "canary"}),
    ],
)
def test_a_raw_request_has_no_content(call: Callable[[Fiber], Any], spans: Spans) -> None:
    """Nobody knows what its body means."""
    fiber, _ = scripted(json_reply(answer("canary")))

    call(fiber)

    assert content(spans) == {}


@pytest.mark.usefixtures("asked")
def test_content_is_told_as_redaction_leaves_it(spans: Spans) -> None:
    """Each text goes through the hook under the name of its attribute; what it returns None for is left out."""
    seen: list[str] = []

    def redact(name: str, value: Any) -> Any:
        seen.append(name)
        return None if "secret" in value else value.replace("Rome", "a city")

    fiber, _ = scripted(whole("In Rome"), redact=redact)

    fiber.sync.chat([("system", "secret"), ("user", [Text("Rome?"), Text("secret")])])

    assert content(spans) == {
        "gen_ai.input.messages": [{"role": "user", "parts": [said("a city?")]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [said("In a city")]}],
    }
    assert {name for name in seen if name != "label"} == set(CONTENT)


@pytest.mark.usefixtures("asked")
def test_a_hook_that_fails_lets_nothing_through(spans: Spans) -> None:
    """And the call is none the worse."""

    def redact(name: str, value: Any) -> Any:
        raise LookupError(name)

    fiber, _ = scripted(whole("canary"), redact=redact)

    result = fiber.sync.chat("canary")

    assert result.text == "canary"
    assert "canary" not in str([span.to_json() for span in spans.all])
