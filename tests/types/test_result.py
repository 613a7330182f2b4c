"""Results, usage and JSON answers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given

from fiber._errors import FiberParsingError
from fiber.types.content import Reasoning, Text, ToolCall
from fiber.types.messages import ChatMessage
from fiber.types.receipt import Receipt, Usage
from fiber.types.result import ChatResult, Choice, Citation, TokenLogprob
from tests.strategies import chat_results


def answer(text: str) -> ChatResult:
    """A result with *text* as its answer."""
    return ChatResult(choices=(Choice(message=ChatMessage("assistant", text)),))


@given(chat_results())
def test_result_survives_json(result: ChatResult) -> None:
    """Every result, written as JSON and read again, is equal to itself."""
    assert msgspec.json.decode(msgspec.json.encode(result), type=ChatResult) == result


def test_cost_is_exact() -> None:
    """A cost is a decimal number, in JSON too."""
    usage = Usage(cost_usd=Decimal("0.000000000000000001"))

    assert msgspec.json.decode(msgspec.json.encode(usage), type=Usage) == usage


def test_unknown_counts_are_none() -> None:
    """A count of which the provider said nothing is None, never 0."""
    usage = Usage()

    assert {getattr(usage, name) for name in Usage.__struct_fields__ if name != "cost_status"} == {None}


def test_result_speaks_for_its_first_answer() -> None:
    """The properties of a result are those of its first answer."""
    call, tokens = ToolCall("1", "f"), (TokenLogprob("a", -0.5),)
    message = ChatMessage("assistant", (Reasoning("r"), Text("a"), call))
    first = Choice(message=message, finish_reason="stop", raw_finish_reason="end_turn", logprobs=tokens)
    result = ChatResult(choices=(first, Choice(index=1, message=ChatMessage("assistant", "b"))))

    assert (result.message, result.text, result.reasoning, result.tool_calls) == (message, "a", "r", (call,))
    assert (result.finish_reason, result.raw_finish_reason, result.logprobs) == ("stop", "end_turn", tokens)
    assert [choice.text for choice in result.choices] == ["a", "b"]
    assert result.choices[0].tool_calls == (call,)


def test_empty_result_is_empty() -> None:
    """A result of which nothing is known has one empty answer."""
    result = ChatResult()

    assert (result.text, result.tool_calls, result.finish_reason, result.raw) == ("", (), None, None)


@pytest.mark.parametrize(("seconds", "expected"), [(None, None), (0.25, 250.0)])
def test_latency_is_in_milliseconds(seconds: float | None, expected: float | None) -> None:
    """The latency is the time of the whole call, when it is known."""
    assert ChatResult(receipt=Receipt(seconds=seconds)).latency_ms == expected


def test_citation_is_an_event() -> None:
    """A citation says its type, like every event."""
    assert Citation().type == "citation"


# -- raw ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", None, id="none"),
        pytest.param(b" \n", None, id="blank"),
        pytest.param(b'{"a": [1, null]}', {"a": [1, None]}, id="json"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', {"a": 1}, id="bom"),
        pytest.param(b'"\\ud800"', "\ud800", id="lone surrogate"),
        pytest.param(b'"\xff"', "\ufffd", id="invalid utf-8"),
        pytest.param(b"[Infinity]", [float("inf")], id="infinity"),
    ],
)
def test_raw_is_the_provider_json(body: bytes, expected: Any) -> None:
    """Whatever a provider sent that can be read as JSON at all is in `raw`."""
    assert ChatResult(body=body).raw == expected


@pytest.mark.parametrize("body", [b"data: {}\n\n", b"<html>", b"[" * 100_000], ids=["stream", "page", "deep"])
def test_raw_of_something_else_is_a_parsing_error(body: bytes) -> None:
    """A body that is not JSON says so in this library's words."""
    with pytest.raises(FiberParsingError, match="not JSON"):
        _ = ChatResult(body=body).raw


# -- json ---------------------------------------------------------------------------------------------------------


def test_json_of_an_answer() -> None:
    """The text of an answer is read as JSON, into a type when one is given."""
    result = answer('{"name":"Oslo"}')

    assert result.json() == result.json(parse=dict[str, str]) == {"name": "Oslo"}


def test_answer_that_is_not_json() -> None:
    """An answer that is no JSON is a parsing error."""
    with pytest.raises(FiberParsingError, match=r"The answer is not JSON: .* Its text is in result\.text\."):
        answer("Oslo").json()


def test_json_in_an_answer_of_prose() -> None:
    """It is read when that is asked for, and only then."""
    result = answer("Here it is: [1]")

    assert result.json(lenient=True) == result.json(list[int], lenient=True) == [1]
    with pytest.raises(FiberParsingError):
        result.json()


def test_json_inside_an_object() -> None:
    """Where the provider gives objects only, the value asked for is read out of its member; the text stays."""
    result = msgspec.structs.replace(answer('{"value":[1,2]}'), json_member="value")

    assert result.json() == result.json(list[int]) == [1, 2]
    assert result.text == '{"value":[1,2]}'
