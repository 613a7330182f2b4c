"""Whole replies: every place where servers put things, and what is no answer."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from fiber._errors import (
    FiberContentFilterError,
    FiberParsingError,
    FiberProviderError,
    FiberQuotaError,
)
from fiber.adapters.openai_chat import ADAPTER
from fiber.types.content import Audio, Image, Opaque, Text
from fiber.types.http import HTTPHead
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult, TokenLogprob
from fiber.types.target import Target

HEAD = HTTPHead(200, {"content-type": "application/json"})
TARGET = Target(provider="row", model="asked", base_url="https://host.example/v1")


def parse(reply: Any) -> ChatResult:
    """Decode *reply*, a value or bytes."""
    body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
    return ADAPTER.parse_response(HEAD, body, TARGET)


def answer(message: dict[str, Any], finish_reason: Any = "stop", **beside: Any) -> ChatResult:
    """Decode a reply with one choice."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return parse({"id": "r", "model": "m", "choices": [choice], **beside})


def usage(**said: Any) -> Usage:
    """Decode *said* as usage."""
    return answer({"content": "x"}, usage=said).usage


def test_facts_of_the_reply_are_kept() -> None:
    """Model, ids, body and headers of the reply stand in the result."""
    result = answer({"content": "x"}, request_id="q")

    assert (result.model, result.provider, result.response_id) == ("m", "row", "r")
    assert result.request_id == "q"
    assert result.raw["id"] == "r"
    assert result.usage == Usage(cost_status="no_usage")


def test_several_choices() -> None:
    """Each choice keeps its index; choices without one are pieces of one answer (Copilot)."""
    choices = [{"index": i, "message": {"content": str(i)}, "finish_reason": "stop"} for i in (1, 0)]
    assert [choice.text for choice in parse({"choices": choices}).choices] == ["0", "1"]

    call = {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    pieces = [{"message": {"content": "a"}}, {"message": {"tool_calls": [call]}}]
    merged = parse({"choices": pieces})

    assert len(merged.choices) == 1
    assert merged.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("model_length", "length"),
        ("function_call", "tool_calls"),
        ("sensitive", "content_filter"),
        ("network_error", "error"),
        ("surprise", "other"),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_finish_reasons(said: Any, reason: Any) -> None:
    """Finish reasons become our words; unknown ones are other, missing ones unknown."""
    result = answer({"content": "x"}, said)

    assert result.finish_reason == reason
    assert result.raw_finish_reason == (said if reason else None)


def test_calls_decide_about_an_empty_finish_reason() -> None:
    """With calls, a finish reason that is stop, empty or missing means tool calls."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}

    assert [answer({"tool_calls": [call]}, said).finish_reason for said in ("stop", "", None)] == ["tool_calls"] * 3


def test_reasoning_is_read_from_one_member() -> None:
    """Reasoning that stands in two members is read once, and the member read is sent back."""
    result = answer({"content": "x", "reasoning_content": "a", "reasoning": "a"})
    only = answer({"content": "x", "reasoning": "b", "reasoning_content": None})

    assert result.reasoning == "a"
    assert only.message.parts[0].native.data == '{"reasoning":"b"}'  # type: ignore[union-attr]


@pytest.mark.parametrize("details", ["[]", "null", "7", "[7]"])
def test_empty_details_are_none(details: str) -> None:
    """Details without anything in them do not hide the reasoning text."""
    body = b'{"choices":[{"message":{"reasoning":"b","reasoning_details":%s}}]}' % details.encode()

    assert parse(body).reasoning == "b"


def test_details_alone_carry_the_text() -> None:
    """Without another member the text comes from the details, encrypted ones add none."""
    details = [
        {"type": "reasoning.summary", "summary": "s", "index": 0},
        {"type": "reasoning.encrypted", "data": "d", "index": 1},
    ]

    assert answer({"content": "x", "reasoning_details": details}).reasoning == "s"


def test_structured_content_becomes_its_json() -> None:
    """Content given as an object is its JSON text (Cloudflare)."""
    assert answer({"content": {"a": 1}}).text == '{"a":1}'


def test_parts_of_list_content() -> None:
    """Parts keep their order; unknown ones stay opaque, byte for byte; nonsense is skipped."""
    body = (
        b'{"choices":[{"message":{"content":[{"type":"text","text":"a"},'
        b'{"type":"reference", "reference_ids":[1.0]},{"type":"text","text":"b"},'
        b'{"type":"image_url","image_url":"https://i"},{"type":"refusal","refusal":"no"},'
        b'{"type":7},{"type":"thinking","thinking":"hm"},null]}}]}'
    )

    parts = parse(body).message.parts

    assert [type(part).__name__ for part in parts] == [
        "Text",
        "Opaque",
        "Text",
        "Image",
        "Text",
        "Opaque",
        "Reasoning",
    ]
    assert isinstance(parts[1], Opaque)
    assert parts[1].data == '{"type":"reference", "reference_ids":[1.0]}'
    assert parts[1].kind == "reference"


def test_refusal_is_text() -> None:
    """A refusal is text that ends with the finish reason refusal, unless something else ended it."""
    refused = answer({"content": None, "refusal": "no"})
    cut = answer({"content": None, "refusal": "no"}, "length")
    none = answer({"content": "x", "refusal": 7})

    assert (refused.text, refused.finish_reason) == ("no", "refusal")
    assert (cut.text, cut.finish_reason) == ("no", "length")
    assert (none.text, none.finish_reason) == ("x", "stop")


def test_pictures_of_gateways() -> None:
    """Entries of `images` become pictures with their JSON; what is no picture stays opaque."""
    images = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}, {}, 7]

    parts = answer({"content": "x", "images": images}).message.parts

    assert isinstance(parts[1], Image)
    assert parts[1].url == "data:image/png;base64,AA=="
    assert [type(part) for part in parts[2:]] == [Opaque, Opaque]


def test_sound() -> None:
    """Audio output becomes a part with its bytes, transcript and the id to send back."""
    said = {"id": "audio_1", "data": "UklGRg==", "transcript": "hi", "expires_at": 5}

    part = answer({"content": None, "audio": said}).message.parts[0]

    assert isinstance(part, Audio)
    assert (part.data, part.transcript) == (b"RIFF", "hi")
    assert part.native is not None
    assert part.native.data == '{"audio":{"id":"audio_1"}}'


def test_sound_without_bytes() -> None:
    """Audio without usable bytes is its id, to be sent back, else its transcript."""
    known = answer({"content": None, "audio": {"id": "a", "data": "x"}}).message.parts
    words = answer({"content": None, "audio": {"transcript": "hi"}}).message.parts

    assert isinstance(known[0], Opaque)
    assert known[0].data == '{"audio":{"id":"a"}}'
    assert words == (Text("hi"),)


@pytest.mark.parametrize("said", [{}, 7])
def test_no_sound(said: Any) -> None:
    """Audio without anything in it gives no part."""
    assert answer({"content": "x", "audio": said}).message.parts == (Text("x"),)


def test_legacy_function_call() -> None:
    """The deprecated member is a tool call with an id of ours; nonsense there is none."""
    result = answer({"content": None, "function_call": {"name": "f", "arguments": "{}"}}, "function_call")

    assert [(c.id, c.name) for c in result.tool_calls] == [("call_0_0", "f")]
    assert result.finish_reason == "tool_calls"
    assert answer({"content": "x", "function_call": {}}).tool_calls[0].name == ""
    assert answer({"content": "x", "function_call": 7}).tool_calls == ()


def test_citations() -> None:
    """Annotations are sources, nested, flat, or of files; nonsense is skipped."""
    nested = {"url": "https://a", "title": "A", "start_index": 1, "end_index": 2}
    annotations = [
        {"type": "url_citation", "url_citation": nested},
        {"type": "url_citation", "url": "https://b", "summary": "words"},
        {"type": "file", "file": {"hash": "h", "name": "n", "content": [1]}},
        7,
    ]

    one, two, three = answer({"content": "x", "annotations": annotations}).citations

    assert (one.url, one.title, one.start, one.end) == ("https://a", "A", 1, 2)
    assert (two.url, two.cited_text) == ("https://b", "words")
    assert (three.file_id, three.title) == ("h", "n")
    assert three.native is not None
    assert three.native.value() == annotations[2]
    assert answer({"content": "x", "annotations": {"a": 1}}).citations == ()


def test_sources_beside_the_choices() -> None:
    """Sources at the top are read when the message has none: results before bare addresses."""
    results = [{"title": "A", "url": "https://a", "snippet": "w"}, 7]

    both = answer({"content": "x"}, search_results=results, citations=["https://a"])
    bare = answer({"content": "x"}, citations=["https://a", None])
    odd = answer({"content": "x"}, citations={"a": 1})

    assert [(c.url, c.title, c.cited_text) for c in both.citations] == [("https://a", "A", "w")]
    assert [c.url for c in bare.citations] == ["https://a"]
    assert odd.citations == ()


def test_logprobs() -> None:
    """Token probabilities have one shape, with alternatives; nonsense is skipped."""
    token = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "b"}]}
    token["top_logprobs"].append({"token": "c", "logprob": -1, "bytes": None})  # type: ignore[attr-defined]
    choice = {
        "message": {"content": "a"},
        "logprobs": {"content": [token, 7, {"token": "x"}], "refusal": None},
    }

    result = parse({"choices": [choice]})

    assert result.logprobs == (TokenLogprob("a", -0.5, (97,), (TokenLogprob("c", -1.0),)),)


def test_logprobs_in_lists() -> None:
    """Parallel lists are read too (Together); anything else is no probability."""
    lists = {"tokens": ["a", None], "token_logprobs": [-0.5, None]}

    def read(said: Any) -> Any:
        return parse({"choices": [{"message": {"content": "a"}, "logprobs": said}]}).logprobs

    assert read(lists) == (TokenLogprob("a", -0.5),)
    assert read({"tokens": ["a"]}) is None
    assert read(-0.5) is None


def test_usage_of_openai() -> None:
    """Counts of OpenAI and their parts."""
    assert usage(
        prompt_tokens=100,
        completion_tokens=50,
        total_tokens=150,
        prompt_tokens_details={
            "cached_tokens": 60,
            "cache_write_tokens": 5,
            "audio_tokens": 1,
            "image_tokens": 2,
        },
        completion_tokens_details={"reasoning_tokens": 20, "audio_tokens": 3, "image_tokens": 4},
    ) == Usage(
        input_tokens=100,
        output_tokens=50,
        total_tokens=150,
        cache_read_tokens=60,
        cache_write_tokens=5,
        reasoning_tokens=20,
        audio_input_tokens=1,
        audio_output_tokens=3,
        image_tokens=6,
    )


def test_reasoning_outside_the_output_is_added() -> None:
    """Where the total shows that reasoning was not counted as output (xAI), it is added."""
    counts = {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": None}

    assert usage(**counts, total_tokens=22, reasoning_tokens=7).output_tokens == 12
    assert usage(**counts, total_tokens=15, reasoning_tokens=7).output_tokens == 5


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        ({"cost": 0.1}, Decimal("0.1")),
        ({"cost": {"total_cost": 0.006}}, Decimal("0.006")),
        ({"estimated_cost": 2}, Decimal(2)),
        ({"cost_in_usd_ticks": 37756000}, Decimal("0.0037756")),
        ({"cost": True}, None),
        ({"cost": "x"}, None),
    ],
)
def test_cost_that_the_provider_says(said: dict[str, Any], cost: Decimal | None) -> None:
    """A reported cost is exact, whatever its spelling."""
    read = usage(prompt_tokens=1, **said)

    assert read.cost_usd == cost
    assert read.cost_status == ("no_price" if cost is None else "priced")


def test_cost_is_a_number() -> None:
    """A cost that is no number is unknown."""
    body = b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1,"cost":1e999}}'

    assert parse(body).usage.cost_usd is None


@pytest.mark.parametrize(
    "said",
    [
        {"prompt_cache_hit_tokens": 4},
        {"cached_tokens": 4},
        {"cache_read_input_tokens": 4},
        {"num_cached_tokens": "4"},
    ],
)
def test_cached_tokens_under_other_names(said: dict[str, Any]) -> None:
    """Cached tokens are found under their other names."""
    assert usage(prompt_tokens=9, **said).cache_read_tokens == 4


def test_server_tools_are_counted() -> None:
    """Uses of the provider's tools are counted by name."""
    said = {"server_tool_use_details": {"web_search_requests": 2, "x": None}}

    assert usage(**said, num_sources_used=3).server_tool_uses == {
        "web_search_requests": 2,
        "num_sources_used": 3,
    }


@pytest.mark.parametrize("said", [None, 7, "x", [], {}, {"prompt_tokens": "many"}])
def test_odd_usage_is_unknown(said: Any) -> None:
    """Usage that is missing or odd is unknown: no zero, no exception."""
    result = answer({"content": "x"}, usage=said)

    assert result.usage == Usage(cost_status="no_usage")


def test_usage_of_groq() -> None:
    """Usage beside the answer is read when there is no other."""
    assert answer({"content": "x"}, x_groq={"usage": {"prompt_tokens": 3}}).usage.input_tokens == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"<html></html>",
        b"upstream error",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"index":0,"message":null}]}',
        b'{"choices":5}',
        b'{"choices":[{"message":"x"}]}',
        b'{"choices":[{"message":{"content":"x"}}',
    ],
)
def test_what_is_no_answer(body: bytes) -> None:
    """HTML, text, nothing and other JSON are parsing errors that say where they came from."""
    with pytest.raises(FiberParsingError) as caught:
        parse(body)

    assert caught.value.provider == "row"
    assert caught.value.status_code == 200


def test_error_under_200() -> None:
    """An error object under a 200 is typed by its code and has the status it stands for."""
    error = {"message": "no", "code": "insufficient_quota"}
    for body in ({"error": error}, [{"error": error}], {"object": "error", **error}):
        with pytest.raises(FiberQuotaError) as caught:
            parse(body)

        assert caught.value.status_code == 429


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "no"},
        {"errors": [{"message": "no"}]},
        {"x_groq": {"error": "no"}},
        {"base_resp": {"status_code": 1000, "status_msg": "no"}},
    ],
)
def test_other_errors_under_200(body: Any) -> None:
    """Errors of other shapes under a 200 are errors too."""
    with pytest.raises(FiberProviderError, match="no"):
        parse(body)


def test_success_beside_a_status_of_success() -> None:
    """MiniMax says that all is well beside the answer."""
    assert answer({"content": "x"}, base_resp={"status_code": 0}).text == "x"


def test_upstream_failure_in_a_choice() -> None:
    """A choice that broke off is an error, with what came in `partial`."""
    choice = {
        "message": {"content": "half"},
        "error": {"code": 502, "message": "DataInspectionFailed: x"},
    }
    with pytest.raises(FiberContentFilterError) as caught:
        parse({"choices": [choice]})

    assert caught.value.status_code == 502
    assert caught.value.partial is not None
    assert caught.value.partial.text == "half"


def test_lone_surrogate_does_not_break_the_reply() -> None:
    """Half of a surrogate pair is replaced, the rest of the answer survives, details included."""
    body = (
        b'{"choices":[{"message":{"content":"a\\ud83d","reasoning_details":[{"type":"reasoning.text","text":"b"}]}}]}'
    )

    result = parse(body)

    assert result.text == "a\ufffd"
    assert result.reasoning == "b"


@pytest.mark.parametrize(("said", "tier"), [("flex", "flex"), (None, None), ({}, None)])
def test_the_tier_is_the_one_that_served(said: Any, tier: str | None) -> None:
    """It stands beside the usage; an odd one is unknown."""
    counts = {"prompt_tokens": 1, "completion_tokens": 1}

    assert answer({"content": "x"}, usage=counts, service_tier=said).usage.service_tier == tier
