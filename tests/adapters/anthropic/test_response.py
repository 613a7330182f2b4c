"""Whole answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fiber._errors import FiberAuthError, FiberError, FiberParsingError
from fiber.adapters.anthropic import ADAPTER
from fiber.types.content import Opaque, Reasoning, Text, ToolCall
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic"
CASES = sorted(path.name for path in FIXTURES.iterdir())


def parse(head: HTTPHead, target: Target, **members: Any) -> ChatResult:
    """Decode a message with the given members."""
    return ADAPTER.parse_response(head, json.dumps({"content": [], **members}).encode(), target)


@pytest.mark.parametrize("case", CASES)
def test_fixture(case: str, head: HTTPHead, target: Target) -> None:
    """Each recorded answer decodes to what was expected of it."""
    body = (FIXTURES / case / "response.json").read_bytes()
    expected = json.loads((FIXTURES / case / "expected.json").read_text("utf-8"))

    result = ADAPTER.parse_response(head, body, target)

    calls = [[call.id, call.name, call.arguments] for call in result.tool_calls]
    sources = [[c.url, c.title, c.start, c.end] for c in result.citations]
    counts = msgspec.to_builtins(result.usage)
    assert result.text == expected["text"]
    assert result.reasoning == expected.get("reasoning", "")
    assert result.finish_reason == expected["finish_reason"]
    assert calls == expected.get("tool_calls", [])
    assert sources == expected.get("citations", [])
    assert list(result.warnings) == expected.get("warnings", [])
    assert result.model == expected.get("model", "claude-sonnet-4-6")
    for name in ("input_tokens", "output_tokens", "cache_write_1h_tokens", "server_tool_uses"):
        assert counts.get(name) == expected.get(name, 0 if name.endswith("1h_tokens") else None)
    for name in ("total_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
        if name in expected:
            assert counts[name] == expected[name]
    assert result.response_id == f"msg_{case}"
    assert result.request_id == "req_1"
    assert result.body == body


@pytest.mark.parametrize("case", CASES)
def test_answer_is_replayed_as_it_came(case: str, head: HTTPHead, target: Target) -> None:
    """Sent back, an answer has the blocks it came with; sealed ones keep their bytes."""
    body = (FIXTURES / case / "response.json").read_bytes()
    result = ADAPTER.parse_response(head, body, target)
    request = ChatRequest(messages=(ChatMessage.user("x"), result.message, ChatMessage.user("y")))

    sent = json.loads(ADAPTER.build_request(request, target, stream=False).body)

    content = sent["messages"][1]["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    assert blocks == json.loads(body)["content"]
    for part in result.message.parts:
        native = part if isinstance(part, Opaque) else part.native
        assert native is None or native.data.encode() in body


def test_what_carries_native_json(head: HTTPHead, target: Target) -> None:
    """Plain text and plain calls need none; thinking, callers, citations and unknown blocks do."""
    body = (FIXTURES / "thinking_and_tools" / "response.json").read_bytes()

    parts = ADAPTER.parse_response(head, body, target).message.parts

    natives = [(type(part), getattr(part, "native", None) is not None) for part in parts]
    assert natives == [
        (Reasoning, True),
        (Reasoning, True),
        (Text, False),
        (ToolCall, False),
        (ToolCall, True),
    ]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("pause_turn", "other"),
        ("compaction", "other"),
        ("tomorrow's word", "other"),
        (None, None),
        (7, None),
    ],
)
def test_finish_reasons(word: Any, reason: Any, head: HTTPHead, target: Target) -> None:
    """Known words are mapped, an unknown one is `other`, no word is no reason."""
    result = parse(head, target, stop_reason=word)

    assert result.finish_reason == reason
    assert result.raw_finish_reason == (word if isinstance(word, str) else None)


def test_calls_decide_the_finish_reason(head: HTTPHead, target: Target) -> None:
    """An answer with calls that says `end_turn` ends with tool_calls."""
    call = {"type": "tool_use", "id": "a", "name": "f", "input": {}}

    assert parse(head, target, content=[call], stop_reason="end_turn").finish_reason == "tool_calls"


@pytest.mark.parametrize("usage", [None, "many", [], {}, {"input_tokens": None}])
def test_odd_usage_is_unknown(usage: Any, head: HTTPHead, target: Target) -> None:
    """Usage that says nothing is unknown and not zero."""
    result = parse(head, target, usage=usage)

    assert result.usage.input_tokens is None
    assert result.usage.total_tokens is None
    assert result.usage.cost_status == "no_usage"


def test_usage_arithmetic(head: HTTPHead, target: Target) -> None:
    """All input is fresh plus written plus read; the sum of writes is found in their split."""
    usage = {
        "input_tokens": 1,
        "cache_read_input_tokens": 10,
        "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 1000},
        "output_tokens": "7",
        "server_tool_use": {"web_search_requests": 2, "odd": None},
    }

    counts = parse(head, target, usage=usage).usage

    assert (counts.input_tokens, counts.cache_write_tokens) == (1111, 1100)
    assert (counts.cache_write_1h_tokens, counts.output_tokens) == (1000, 7)
    assert counts.total_tokens == 1118
    assert counts.server_tool_uses == {"web_search_requests": 2}


def test_split_that_exceeds_the_sum_is_unknown(head: HTTPHead, target: Target) -> None:
    """A split out of date (streams tell it only at the start) is not believed."""
    usage = {
        "cache_creation_input_tokens": 5,
        "cache_creation": {"ephemeral_1h_input_tokens": 9},
    }

    counts = parse(head, target, usage=usage).usage

    assert (counts.cache_write_tokens, counts.cache_write_1h_tokens) == (5, None)


def test_strange_blocks_are_carried(head: HTTPHead, target: Target) -> None:
    """Blocks that are unknown, odd or no objects at all become opaque parts."""
    content = [{"type": "dream", "x": 1}, {"x": 2}, 3, None, {"type": 4}]

    parts = parse(head, target, content=content).message.parts

    assert [(part.kind, part.value()) for part in parts if isinstance(part, Opaque)] == [
        ("dream", {"type": "dream", "x": 1}),
        ("", {"x": 2}),
        ("", 3),
        ("", None),
        ("", {"type": 4}),
    ]


def test_odd_members_do_not_break(head: HTTPHead, target: Target) -> None:
    """Members of other types than documented are read as missing."""
    content = [
        {"type": "text", "text": None, "citations": "none"},
        {"type": "text", "text": "t", "citations": [None, {"start_char_index": "x"}]},
        {"type": "thinking"},
        {"type": "tool_use", "name": "f", "input": None},
        {"type": "fallback", "to": "x"},
    ]

    result = parse(
        head,
        target,
        content=content,
        model=5,
        id=6,
        container="c",
        stop_reason="refusal",
        stop_details={"category": None},
    )

    assert result.text == "t"
    assert [call.arguments_json for call in result.tool_calls] == ["{}"]
    assert result.tool_calls[0].id == "call_0_0"
    assert result.model == target.model
    assert result.response_id is None
    assert len(result.citations) == 2
    assert result.warnings == ()


def test_lone_surrogate_is_replaced(head: HTTPHead, target: Target) -> None:
    """A body that strict JSON parsers refuse is still read."""
    body = b'{"content":[{"type":"text","text":"a\\ud83d"}],"stop_reason":"end_turn"}'

    assert ADAPTER.parse_response(head, body, target).text == "a\ufffd"


def test_body_padded_with_blanks(head: HTTPHead, target: Target) -> None:
    """Blanks around the JSON do not matter."""
    assert ADAPTER.parse_response(head, b'\n {"content":[]}  \n', target).text == ""


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"null", b"[]", b"{}", b'{"content":null}', b'{"content":"hi"}', b'{"a":'],
)
def test_what_is_no_answer_is_a_parsing_error(body: bytes, target: Target) -> None:
    """HTML, text, nothing, or JSON without a content list is not taken for an answer."""
    with pytest.raises(FiberParsingError, match="base URL"):
        ADAPTER.parse_response(HTTPHead(200, {"content-type": "text/html"}), body, target)


def test_error_under_200_is_typed(head: HTTPHead, target: Target) -> None:
    """An error object is an error, whatever the status says."""
    body = b'{"type":"error","error":{"type":"authentication_error","message":"bad key"}}'

    with pytest.raises(FiberAuthError) as caught:
        ADAPTER.parse_response(head, body, target)

    error: FiberError = caught.value
    assert error.status_code == 401


@pytest.mark.parametrize(
    ("said", "tier", "region"),
    [
        ({"service_tier": "batch", "inference_geo": "us"}, "batch", "us"),
        ({"service_tier": "standard", "speed": "fast"}, "fast", None),
        ({"service_tier": 1, "inference_geo": []}, None, None),
    ],
)
def test_tier_and_region_are_told(
    said: dict[str, Any], tier: str | None, region: str | None, head: HTTPHead, target: Target
) -> None:
    """Fast mode is a tier, because its price is another one."""
    counts = parse(head, target, usage={"input_tokens": 1, "output_tokens": 1, **said}).usage

    assert (counts.service_tier, counts.region) == (tier, region)
