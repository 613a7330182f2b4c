"""Whole replies of Cohere."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberBadRequestError, FiberError, FiberParsingError, FiberProviderError
from fiber.types.content import Opaque, Text
from tests.adapters.cohere.conftest import Tools

TEXT = [{"type": "text", "text": "Hi"}]


def test_ids_come_from_header_and_body(tools: Tools) -> None:
    """The trace is the request's id, the answer has its own; the model is the one that was asked."""
    result = tools.parse(tools.answer(content=TEXT))

    assert (result.text, result.request_id, result.response_id, result.model) == ("Hi", "trace", "r1", "command-x")
    assert result.usage.cost_status == "no_usage"


@pytest.mark.parametrize(
    ("reason", "unified"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("NEW", "other"),
        ("", None),
    ],
)
def test_finish_reasons(tools: Tools, reason: str, unified: Any) -> None:
    """Each has its word here, and keeps its own."""
    result = tools.parse(tools.answer(reason, content=TEXT))

    assert (result.finish_reason, result.raw_finish_reason) == (unified, reason or None)


def test_content_may_be_a_text(tools: Tools) -> None:
    """As gateways have it."""
    assert tools.parse(tools.answer(content="Hi")).text == "Hi"


def test_unknown_block_is_carried(tools: Tools) -> None:
    """It goes back as it came."""
    block = {"type": "new", "x": [1], "words": "a"}
    parts = tools.parse(tools.answer(content=[block, *TEXT])).message.parts

    assert parts[1] == Text("Hi")
    assert isinstance(parts[0], Opaque)
    assert (parts[0].kind, parts[0].value()) == ("new", block)


def test_citation_without_sources_is_told(tools: Tools) -> None:
    """Odd members are unknown, and the record is there."""
    records = [{"start": None, "end": "x", "sources": None}, "odd"]
    (citation,) = tools.parse(tools.answer(content=TEXT, citations=records)).citations

    assert (citation.start, citation.end, citation.url, citation.file_id) == (None, None, None, None)
    assert citation.native is not None
    assert citation.native.kind == "citation"


def test_pictures_are_counted_as_input(tools: Tools) -> None:
    """Cohere counts them beside the text; searches are told as uses of a tool."""
    usage = {
        "billed_units": {"input_tokens": 522, "output_tokens": 65, "search_units": 1},
        "tokens": {"input_tokens": 501, "output_tokens": 65, "image_tokens": 518},
    }
    found = tools.parse({**tools.answer(content=TEXT), "usage": usage}).usage

    assert (found.input_tokens, found.image_tokens, found.billed_input_tokens) == (1019, 518, 522)
    assert found.server_tool_uses == {"search_units": 1}


def test_bills_count_where_nothing_else_does(tools: Tools) -> None:
    """Without `tokens` what is billed is all that is known; half of the counts have no sum."""
    billed = {"billed_units": {"input_tokens": 5, "output_tokens": 2}}
    full = tools.parse({**tools.answer(content=TEXT), "usage": billed}).usage
    half = tools.parse({**tools.answer(content=TEXT), "usage": {"tokens": {"input_tokens": 5}}}).usage

    assert (full.input_tokens, full.output_tokens, full.total_tokens) == (5, 2, 7)
    assert (half.input_tokens, half.output_tokens, half.total_tokens) == (5, None, None)


def test_odd_probabilities_are_left_out(tools: Tools) -> None:
    """A record without numbers says nothing."""
    odd = [{"text": "a", "logprobs": None}, {"text": "b", "logprobs": ["x"]}, {"text": "c", "logprobs": [0]}]
    result = tools.parse({**tools.answer(content=TEXT), "logprobs": odd})

    assert [(token.token, token.logprob) for token in result.logprobs or ()] == [("c", 0.0)]


@pytest.mark.parametrize(
    ("members", "kind", "status", "code"),
    [
        ({"error": "No valid response generated. Try updating messages"}, FiberBadRequestError, 422, "ERROR"),
        (
            {"error": "bad", "error_type": "INVALID_TOOL_GENERATION"},
            FiberBadRequestError,
            422,
            "INVALID_TOOL_GENERATION",
        ),
        ({}, FiberProviderError, 500, "ERROR"),
    ],
)
def test_answer_that_failed_is_an_error(
    tools: Tools, members: dict[str, Any], kind: type[FiberError], status: int, code: str
) -> None:
    """With what was made of it, and of the class that the same failure has without a stream."""
    with pytest.raises(kind) as caught:
        tools.parse({**tools.answer("ERROR", content=TEXT), **members})

    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.provider_code) == (status, code)
    assert caught.value.partial.text == "Hi"


def test_answer_that_took_too_long_is_a_failure_of_the_provider(tools: Tools) -> None:
    """TIMEOUT stands for 504."""
    with pytest.raises(FiberProviderError, match="TIMEOUT") as caught:
        tools.parse(tools.answer("TIMEOUT"))

    assert caught.value.status_code == 504


@pytest.mark.parametrize("body", [b"<html>", b"null", b"{}", b'{"message":{}}', b'{"message":[]}', b""])
def test_what_is_no_answer_is_said_to_be_none(tools: Tools, body: bytes) -> None:
    """Another format, or nothing."""
    with pytest.raises(FiberParsingError):
        tools.parse(body)


@pytest.mark.parametrize("body", [{"id": "e1", "message": "no"}, {"error": {"message": "no"}}])
def test_error_under_a_200_is_an_error(tools: Tools, body: Any) -> None:
    """Nobody knows whose fault it is, so it is the provider's."""
    with pytest.raises(FiberProviderError, match="no") as caught:
        tools.parse(body)

    assert caught.value.status_code == 500
