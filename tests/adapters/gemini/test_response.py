"""Whole replies of Gemini."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberAuthError, FiberParsingError
from fiber.types.content import Document, Image, Opaque, Reasoning, Text
from fiber.types.result import TokenLogprob


def test_fixture_is_decoded_as_expected(tools: Any, whole_case: str) -> None:
    """Every whole reply gives the expected result."""
    body = tools.fixture(whole_case, "response.json")

    result = tools.parse(body)

    tools.check(whole_case, result)
    assert result.body == body


def test_model_and_response_id_come_from_the_reply(tools: Any) -> None:
    """The model and the id of the answer are the provider's."""
    result = tools.parse({**tools.answer({"text": "a"}), "modelVersion": "m-1", "responseId": "r"})

    assert (result.model, result.response_id, result.provider) == ("m-1", "r", "gemini")


def test_candidates_become_choices(tools: Any) -> None:
    """Several candidates are several choices, placed by their index or else by their order."""
    parts = [{"content": {"parts": [{"text": word}]}, "finishReason": "STOP"} for word in "ab"]
    indexed = [{**parts[0], "index": 1}, {**parts[1], "index": 0}]

    plain, swapped = tools.parse({"candidates": parts}), tools.parse({"candidates": indexed})

    assert [choice.text for choice in plain.choices] == ["a", "b"]
    assert [choice.text for choice in swapped.choices] == ["b", "a"]


def test_consecutive_unsigned_texts_are_one_part(tools: Any) -> None:
    """Unsigned texts of a kind merge; a thought or a signature between them keeps them apart."""
    result = tools.parse(
        tools.answer(
            {"text": "a"},
            {"text": "b"},
            {"text": "c", "thoughtSignature": "cw=="},
            {"text": "d"},
            {"text": "e", "thought": True},
            {"text": "f"},
        )
    )

    texts = [(type(part), part.text) for part in result.message.parts]
    assert texts == [(Text, "ab"), (Text, "c"), (Text, "d"), (Reasoning, "e"), (Text, "f")]
    assert result.text == "abcdf"


def test_signed_parts_are_kept_as_they_came(tools: Any) -> None:
    """A part with a signature carries its own JSON, byte for byte."""
    raw = '{"thoughtSignature": "cw==",  "text": "\\u00e9", "thought": true}'
    body = f'{{"candidates": [{{"content": {{"parts": [{raw}]}}, "finishReason": "STOP"}}]}}'

    [part] = tools.parse(body.encode()).message.parts

    assert part == Reasoning("é", Opaque(raw, "gemini", "generativelanguage.googleapis.com", "thought"))


def test_call_without_id_and_signature_needs_no_native(tools: Any) -> None:
    """An id of ours is not remembered as the provider's."""
    result = tools.parse(tools.answer({"functionCall": {"name": "f", "args": None}}))

    [call] = result.tool_calls
    assert (call.id, call.arguments_json, call.native) == ("call_0_0", "{}", None)


def test_arguments_are_compact_and_unchanged(tools: Any) -> None:
    """The spelling of numbers and of letters survives; the white space of pretty JSON does not."""
    part = '{"functionCall": {"name": "f", "args": {\n "a" : 1.00, "b":\t"\\u00e9 x" }}}'
    body = f'{{"candidates": [{{"content": {{"parts": [{part}]}}}}]}}'

    result = tools.parse(body.encode())

    assert result.tool_calls[0].arguments_json == '{"a":1.00,"b":"\\u00e9 x"}'
    assert result.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": "not base64!"}}, "inlineData"),
        ({"inlineData": {"mimeType": "image/png"}}, "inlineData"),
        ({"inlineData": {"mimeType": "video/mp4", "data": "AAEC"}}, "inlineData"),
        ({"inlineData": {"mimeType": "image/png", "data": "AAEC"}, "thought": True}, "inlineData"),
        ({"fileData": {"fileUri": "gs://x"}}, "fileData"),
        ({"thoughtSignature": "cw=="}, "thoughtSignature"),
    ],
)
def test_what_is_not_understood_is_carried(tools: Any, part: Any, kind: str) -> None:
    """A part of any other kind, or media that cannot be read, becomes an opaque part."""
    [made] = tools.parse(tools.answer(part)).message.parts

    assert isinstance(made, Opaque)
    assert (made.kind, made.value()) == (kind, part)


def test_part_without_content_is_nothing(tools: Any) -> None:
    """An empty part adds nothing."""
    result = tools.parse(tools.answer({}, {"text": "a"}, {"text": ""}))

    assert result.message.parts == (Text("a"),)


def test_inline_media_becomes_typed_parts(tools: Any) -> None:
    """Pictures and documents are given as bytes."""
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAEC"}}
    document = {"inlineData": {"mimeType": "application/pdf", "data": "AAEC"}}

    parts = tools.parse(tools.answer(picture, document)).message.parts

    assert parts == (
        Image(data=b"\0\1\2", media_type="image/png"),
        Document(data=b"\0\1\2", media_type="application/pdf"),
    )


def test_blocked_prompt_names_its_reason(tools: Any) -> None:
    """The details of a blocked prompt are in the warnings."""
    feedback = {"blockReason": "OTHER", "blockReasonMessage": "Because.", "safetyRatings": []}

    result = tools.parse({"promptFeedback": feedback})

    assert (result.finish_reason, result.raw_finish_reason) == ("content_filter", "OTHER")
    assert result.warnings == ("The prompt was blocked (OTHER): Because..",)


def test_block_without_reason_or_details(tools: Any) -> None:
    """A message alone is a block too, and a reason alone is one without details."""
    told = tools.parse({"candidates": [], "promptFeedback": {"blockReasonMessage": "M"}})
    bare = tools.parse({"promptFeedback": {"blockReason": "NEW"}})

    assert (told.finish_reason, told.raw_finish_reason) == ("content_filter", None)
    assert bare.warnings == ("The prompt was blocked (NEW): no details.",)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"<html>login</html>",
        b"null",
        b'"text"',
        b"[]",
        b"{}",
        b'{"object": "chat.completion"}',
        b'{"candidates": [{"content": {}, "index": 0}]}',
        b'{"promptFeedback": {"safetyRatings": []}}',
        b'{"usageMetadata": {"totalTokenCount": 4}}',
        b'{"candidates": [{"content": {"parts": ["text"]}}]}',
    ],
)
def test_what_is_no_answer_is_a_parsing_error(tools: Any, reply: bytes) -> None:
    """A 2xx without candidates and without a block is not taken for an answer."""
    with pytest.raises(FiberParsingError) as caught:
        tools.parse(reply)

    assert (caught.value.provider, caught.value.status_code) == ("gemini", 200)


def test_error_under_200_is_raised_as_what_it_is(tools: Any) -> None:
    """An error object under a 200 has the class and status it stands for."""
    with pytest.raises(FiberAuthError) as caught:
        tools.parse([{"error": {"code": 401, "message": "No.", "status": "UNAUTHENTICATED"}}])

    assert caught.value.status_code == 401


def test_list_of_replies_is_one_answer(tools: Any) -> None:
    """A stream without alt=sse, read whole, is the answer of its pieces."""
    first = {"candidates": [{"content": {"parts": [{"text": "a"}]}}]}

    result = tools.parse([first, tools.answer({"text": "b"})])

    assert (result.text, result.finish_reason) == ("ab", "stop")


def test_odd_bytes_in_texts_are_survived(tools: Any) -> None:
    """A lone surrogate or invalid UTF-8 becomes the replacement character."""
    body = (
        rb'{"candidates": [{"content": {"parts": [{"text": "a\ud83d"}, {"text": "b'
        b"\xff"
        rb'"}, {"functionCall": {"name": "f", "args": {"x": "\ud83d"}}}]}}]}'
    )

    result = tools.parse(body)

    assert result.text == "a\ufffdb\ufffd"
    assert result.tool_calls[0].arguments == {"x": "\ufffd"}


def test_logprobs_have_the_one_shape(tools: Any) -> None:
    """Chosen tokens come with their alternatives; a probability that is left out is certainty."""
    said = {
        "chosenCandidates": [{"token": "A", "logProbability": -0.5}, {"token": "B"}],
        "topCandidates": [{"candidates": [{"token": "C", "logProbability": "odd"}]}],
    }

    result = tools.parse(tools.answer({"text": "AB"}, logprobsResult=said))

    assert result.logprobs == (
        TokenLogprob("A", -0.5, top=(TokenLogprob("C", float("-inf")),)),
        TokenLogprob("B", 0.0),
    )


def test_citations_of_vertex_and_odd_records(tools: Any) -> None:
    """Vertex calls the list citations; a record without an end has no start."""
    said = {"citations": [{"title": "T", "startIndex": 3}, "odd"]}
    grounding = {"groundingChunks": [{"new": 1}], "groundingSupports": [{"segment": 1}]}

    result = tools.parse(tools.answer({"text": "a"}, citationMetadata=said, groundingMetadata=grounding))

    facts = [(c.url, c.title, c.start, c.end) for c in result.citations]
    assert facts == [(None, None, None, None), (None, "T", None, None)]
    assert result.citations[1].native is not None
    assert result.citations[1].native.value() == said["citations"][0]
