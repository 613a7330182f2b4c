"""Decoding a whole answer, and its counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberParsingError
from fiber.adapters.bedrock_converse import ADAPTER
from fiber.adapters.bedrock_converse.usage import usage_from
from fiber.types.content import Audio, Image, Opaque, Reasoning, Text, ToolCall
from fiber.types.http import HTTPHead
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult
from fiber.types.target import Target

Parse = Callable[..., ChatResult]


def test_answer_is_read(parse: Parse) -> None:
    """Text, reason, request id; the model is the one asked, for the answer names none."""
    result = parse({"text": "Hello"}, usage={"inputTokens": 3, "outputTokens": 2})

    assert (result.text, result.finish_reason, result.raw_finish_reason) == ("Hello", "stop", "end_turn")
    assert (result.model, result.provider, result.request_id) == (
        "anthropic.claude-sonnet-4-6-v1:0",
        "bedrock",
        "req_1",
    )
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.total_tokens) == (3, 2, 5)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_model_output", "error"),
        ("malformed_tool_use", "error"),
        ("something_new", "other"),
        (None, None),
        (7, None),
    ],
)
def test_reason_is_translated(said: Any, meant: str | None, parse: Parse) -> None:
    """Each word of Bedrock has its meaning; a new one is none of ours, a missing one is unknown."""
    result = parse({"text": "x"}, stopReason=said)

    assert result.finish_reason == meant
    assert result.raw_finish_reason == (said if isinstance(said, str) else None)


def test_calls_and_reasoning_are_read(parse: Parse) -> None:
    """Arguments keep their bytes; reasoning with a signature, and hidden one, go back as they came."""
    thought = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}}
    hidden = {"reasoningContent": {"redactedContent": "AAAA"}}
    bare = {"reasoningContent": {"reasoningText": {"text": "Ah."}}}
    call = {"toolUse": {"toolUseId": "c1", "name": "look", "input": {"x": 1}, "type": "tool_use"}, "type": "x"}

    result = parse(thought, hidden, bare, call, {"toolUse": {"toolUseId": "c2", "name": "go"}}, stopReason="tool_use")

    first, second, third, *calls = result.message.parts
    assert isinstance(first, Reasoning)
    assert isinstance(second, Reasoning)
    assert first.native is not None
    assert second.native is not None
    assert (first.text, first.native.value(), second.text, second.native.value()) == ("Hm.", thought, "", hidden)
    assert third == Reasoning("Ah.")
    assert calls == [ToolCall("c1", "look", '{"x":1}'), ToolCall("c2", "go", "{}")]
    assert result.finish_reason == "tool_calls"


def test_cited_text_brings_its_sources(parse: Parse) -> None:
    """Each source is told, and the block goes back as it came."""
    web = {"title": "T", "location": {"web": {"url": "https://a", "domain": "a"}}}
    page = {
        "source": "s3://b/c",
        "sourceContent": [{"text": "cited "}, {"text": "words"}],
        "location": {"documentPage": {"documentIndex": 1, "start": 2, "end": 3}},
    }
    found = {"location": {"searchResultLocation": {"searchResultIndex": 4}}, "source": "not a url"}
    block = {"citationsContent": {"content": [{"text": "A"}, {"text": "B"}], "citations": [web, page, found]}}

    result = parse({"text": "0"}, block, {"citationsContent": {}})

    part = result.message.parts[1]
    assert isinstance(part, Text)
    assert part.native is not None
    assert (result.text, part.native.value()) == ("0AB", block)
    facts = [(c.url, c.title, c.cited_text, c.document_index, c.start, c.end) for c in result.citations]
    assert facts == [
        ("https://a", "T", None, None, None, None),
        ("s3://b/c", None, "cited words", 1, 2, 3),
        (None, None, None, 4, None, None),
    ]


def test_pictures_and_sounds_are_parts(parse: Parse) -> None:
    """Their bytes are decoded; what cannot be, and what is elsewhere, is carried as it is."""
    picture = {"image": {"format": "png", "source": {"bytes": "iVBORw=="}}}
    sound = {"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}}
    broken = {"image": {"format": "png", "source": {"bytes": "%"}}}
    elsewhere = {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b"}}}}
    server = {"toolUse": {"toolUseId": "c", "name": "n", "input": {}, "type": "server_tool_use"}}

    image, audio, *others = parse(picture, sound, broken, elsewhere, server, {"new": 1}, {}).message.parts

    assert isinstance(image, Image)
    assert isinstance(audio, Audio)
    assert (image.data, image.media_type, audio.data, audio.media_type) == (
        b"\x89PNG",
        "image/png",
        b"\0\0\0",
        "audio/mpeg",
    )
    assert image.native is not None
    assert image.native.value() == picture
    assert [(part.kind, part.value()) for part in others if isinstance(part, Opaque)] == [
        ("image", broken),
        ("image", elsewhere),
        ("toolUse", server),
        ("new", {"new": 1}),
        ("", {}),
    ]


def test_trace_tells_the_model_and_the_guardrail(parse: Parse) -> None:
    """A router says who answered; a guardrail why it stepped in."""
    trace = {"promptRouter": {"invokedModelId": "arn:x"}, "guardrail": {"actionReason": "Guardrail blocked."}}

    result = parse({"text": "No."}, stopReason="guardrail_intervened", trace=trace)

    assert result.model == "arn:x"
    assert result.warnings == ("A guardrail of the provider said: Guardrail blocked.",)
    assert parse({"text": "x"}, trace={"guardrail": 1, "promptRouter": {"invokedModelId": 2}}).warnings == ()


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"output": {}}', b'{"output": {"message": {"content": 1}}}', b'{"output": 1}'],
)
def test_what_is_no_answer_is_told(body: bytes, head: HTTPHead, target: Target) -> None:
    """A body without a content list is an error that shows it."""
    with pytest.raises(FiberParsingError) as caught:
        ADAPTER.parse_response(head, body, target)

    assert caught.value.raw_response == body.decode()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (None, Usage(cost_status="no_usage")),
        ({"inputTokens": "x"}, Usage(cost_status="no_usage")),
        (
            {
                "inputTokens": 6,
                "outputTokens": 2,
                "totalTokens": 8,
                "cacheReadInputTokens": 100,
                "cacheWriteInputTokens": 50,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 20}, {"ttl": "5m", "inputTokens": 30}, 1],
                "serverToolUsage": {"search": 1, "odd": None},
            },
            Usage(
                input_tokens=156,
                output_tokens=2,
                total_tokens=158,
                cache_read_tokens=100,
                cache_write_tokens=50,
                cache_write_1h_tokens=20,
                server_tool_uses={"search": 1},
            ),
        ),
        ({"inputTokens": 6, "serverToolUsage": {}}, Usage(input_tokens=6)),
        ({"outputTokens": 6}, Usage(output_tokens=6)),
    ],
)
def test_counts_are_made_whole(counts: Any, expected: Usage) -> None:
    """Input is the sum of three; what was not said is unknown."""
    assert usage_from(counts) == expected
