"""What stands inside items: texts, seals, calls, pictures, sources."""

from __future__ import annotations

from typing import Any

import pytest

from fiber.adapters.openai_responses import ADAPTER
from fiber.types.content import Image, Opaque, Reasoning, Text, ToolCall
from fiber.types.http import HTTPHead
from fiber.types.result import TokenLogprob
from fiber.types.target import Target


def text(words: str, **members: Any) -> dict[str, Any]:
    """A message item of one text."""
    return {"type": "message", "content": [{"type": "output_text", "text": words, **members}]}


CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}


def test_plain_text_needs_no_seal(parse: Any) -> None:
    """A message without an id says nothing that its text does not."""
    result = parse(text("Hi"))

    assert result.message.parts == (Text("Hi"),)
    assert (result.model, result.response_id, result.request_id) == ("m", "resp_1", "req_1")
    assert (result.finish_reason, result.raw_finish_reason) == ("stop", "completed")
    assert result.raw["status"] == "completed"


@pytest.mark.parametrize("member", ["id", "phase"])
def test_message_with_id_or_phase_is_sealed(member: str, parse: Any) -> None:
    """What only the item says is carried with the text, for this provider and host."""
    (part,) = parse(text("Hi") | {member: "x"}).message.parts

    assert part.native.value() == text("Hi") | {member: "x"}
    assert part.native.kind == "message"
    assert part.native.fits("openai", "api.openai.com")
    assert not part.native.fits("openai", "elsewhere")


def test_seal_is_the_slice_of_the_body(head: HTTPHead, target: Target) -> None:
    """White space, escapes and the spelling of numbers in an item survive."""
    item = b'{ "type":"x_call", "id" : "x1", "score": 1.50, "t": "\\u00e9\\/" }'
    body = b'{"status":"completed","output":[' + item + b"]}"

    (part,) = ADAPTER.parse_response(head, body, target).message.parts

    assert isinstance(part, Opaque)
    assert part.data.encode() == item


def test_items_become_parts_in_order(parse: Any) -> None:
    """Reasoning, text, calls and what is not known stand as they came."""
    reasoning = {
        "type": "reasoning",
        "id": "rs",
        "summary": [{"type": "summary_text", "text": "S"}],
    }
    result = parse(reasoning, text("A"), CALL, {"type": "hologram", "x": 1}, text("B"))

    assert [type(part) for part in result.message.parts] == [
        Reasoning,
        Text,
        ToolCall,
        Opaque,
        Text,
    ]
    assert result.text == "AB"
    assert result.reasoning == "S"
    assert result.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"summary": [{"text": "A"}, {"text": ""}, {"text": "B"}]}, "A\n\nB"),
        ({"summary": [], "content": [{"text": "C"}]}, "C"),
        ({"summary": [{"text": "A"}], "content": [{"text": "C"}]}, "A"),
        ({"summary": None}, ""),
    ],
)
def test_reasoning_shows_its_summary_or_else_its_text(members: Any, words: str, parse: Any) -> None:
    """Sections are parted by an empty line; never both texts; hidden reasoning is kept."""
    item = {"type": "reasoning", "id": "rs", "encrypted_content": "x=="} | members
    (part,) = parse(item).message.parts

    assert part.text == words
    assert part.native.value() == item


def test_plain_call_needs_no_seal(parse: Any) -> None:
    """A call is its id, name and arguments."""
    assert parse(CALL | {"status": "completed"}).tool_calls == (ToolCall("c1", "f", "{}"),)


@pytest.mark.parametrize("member", ["id", "namespace", "caller"])
def test_call_that_says_more_is_sealed(member: str, parse: Any) -> None:
    """A namespace, a caller or the id that ties a call to its reasoning go back with it."""
    (call,) = parse(CALL | {member: "x"}).tool_calls

    assert call.native.value() == CALL | {member: "x"}


@pytest.mark.parametrize(
    ("members", "call"),
    [
        ({"call_id": None, "id": "fc_1"}, ("fc_1", "{}")),
        ({"call_id": None}, ("call_0_0", "{}")),
        ({"arguments": {"a": 1}}, ("c1", '{"a":1}')),
        ({"arguments": None}, ("c1", "")),
        ({"arguments": "not json"}, ("c1", "not json")),
    ],
)
def test_odd_call_is_still_a_call(members: Any, call: tuple[str, str], parse: Any) -> None:
    """Missing ids are replaced, objects become text, bad JSON is passed on as it is."""
    (made,) = parse(CALL | members).tool_calls

    assert (made.id, made.arguments_json) == call


def test_custom_call_has_its_input_as_a_json_string(parse: Any) -> None:
    """Free text is exact as a JSON string."""
    item = {"type": "custom_tool_call", "call_id": "c1", "name": "s", "input": 'a "b"\n'}
    (call,) = parse(item).tool_calls

    assert call.arguments == 'a "b"\n'
    assert call.native.value() == item
    assert call.native.kind == "custom_tool_call"


@pytest.mark.parametrize(
    ("tools", "asked"),
    [
        ([{"type": "x_search"}], False),
        ([{"type": "x_search"}, {"type": "custom", "name": "s"}], True),
        ([], True),
        (None, True),
    ],
)
def test_search_steps_of_xai_are_no_calls(tools: Any, asked: bool, parse: Any) -> None:
    """xAI reports its own search as custom calls; only a tool of the caller is a call."""
    item = {"type": "custom_tool_call", "call_id": "xs_1", "name": "s", "input": "{}"}
    result = parse(item, tools=tools)

    assert bool(result.tool_calls) is asked
    assert result.finish_reason == ("tool_calls" if asked else "stop")


def test_refusal_is_text_with_its_own_reason(parse: Any) -> None:
    """A refusal can be read, says so as the finish reason, and goes back as a refusal."""
    item = {"type": "message", "content": [{"type": "refusal", "refusal": "No."}]}
    result = parse(item)

    assert result.text == "No."
    assert result.finish_reason == "refusal"
    assert result.message.parts[0].native.value() == item
    assert parse(item, status=None).finish_reason == "refusal"


@pytest.mark.parametrize("content", ["Hi", [{"type": "output_text", "text": "Hi"}]])
def test_content_may_be_a_string(content: Any, parse: Any) -> None:
    """Some servers send the text itself."""
    assert parse({"type": "message", "content": content}).text == "Hi"


@pytest.mark.parametrize("content", [[], None, ""])
def test_message_without_content_is_carried(content: Any, parse: Any) -> None:
    """An empty message may be what reasoning led to, so it is kept."""
    (part,) = parse({"type": "message", "id": "m1", "content": content}).message.parts

    assert isinstance(part, Opaque)
    assert part.kind == "message"


def test_parts_that_are_not_known_are_carried(parse: Any) -> None:
    """Content of an unknown type, or none at all, is kept in its place."""
    item = {"type": "message", "content": [7, {"type": "output_text", "text": "A"}, {"type": None}]}
    parts = parse(item).message.parts

    assert [type(part) for part in parts] == [Opaque, Text, Opaque]
    assert parts[0].value() == {"type": "message", "content": [7]}


def test_picture_is_a_part_beside_its_call(parse: Any) -> None:
    """A generated picture can be used at once, and its call goes back."""
    item = {
        "type": "image_generation_call",
        "id": "ig_1",
        "result": "iVBORw0KGgo=",
        "output_format": "webp",
    }
    call, picture = parse(item).message.parts

    assert isinstance(call, Opaque)
    assert isinstance(picture, Image)
    assert picture.data == b"\x89PNG\r\n\x1a\n"
    assert picture.media_type == "image/webp"


@pytest.mark.parametrize("result", [None, "", "no base64!"])
def test_call_without_picture_is_only_a_call(result: Any, parse: Any) -> None:
    """A call that failed or was cut has no picture."""
    item = {"type": "image_generation_call", "id": "ig_1", "result": result}

    assert [type(part) for part in parse(item).message.parts] == [Opaque]


def test_annotations_are_citations(parse: Any) -> None:
    """Pages and files are cited, each with the provider's record."""
    page = {"type": "url_citation", "url": "u", "title": "t", "start_index": 1, "end_index": 2}
    filed = {"type": "container_file_citation", "file_id": "f", "filename": "n.csv"}
    odd = {"type": "new", "start_index": "x"}
    result = parse(text("A", annotations=[page, filed, odd, None]))

    first, second, third = result.citations
    assert (first.url, first.title, first.start, first.end) == ("u", "t", 1, 2)
    assert (second.file_id, second.title, second.url) == ("f", "n.csv", None)
    assert third.native is not None
    assert third.native.value() == odd
    assert (third.native.kind, third.start) == ("new", None)


def test_logprobs_have_one_shape(parse: Any) -> None:
    """Tokens carry their bytes and alternatives; one without a number says nothing."""
    tokens = [
        {
            "token": "Hi",
            "logprob": -0.5,
            "bytes": [72, 105],
            "top_logprobs": [{"token": "Ho", "logprob": -2}],
        },
        {"token": "?", "logprob": None},
    ]
    result = parse(text("Hi", logprobs=tokens))

    assert result.logprobs == (TokenLogprob("Hi", -0.5, (72, 105), (TokenLogprob("Ho", -2.0),)),)


def test_cut_answer_with_calls_stays_cut(parse: Any) -> None:
    """Calls do not hide that the token limit was reached."""
    result = parse(CALL, status="incomplete", incomplete_details={"reason": "max_output_tokens"})

    assert result.finish_reason == "length"
