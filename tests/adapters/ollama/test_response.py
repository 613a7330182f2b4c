"""Whole replies, streams and refusals of Ollama: what the fixtures do not show."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberRateLimitError,
    FiberStreamInterruptedError,
)
from fiber.adapters.ollama import ADAPTER
from fiber.types.content import Reasoning
from fiber.types.events import MessageEnd
from fiber.types.http import HTTPHead
from tests.adapters.ollama.conftest import TARGET, Tools


@pytest.mark.parametrize(
    ("reason", "unified"), [("stop", "stop"), ("length", "length"), ("load", "other"), (None, None), ("", None)]
)
def test_finish_reasons(tools: Tools, reason: Any, unified: Any) -> None:
    """Each has its word here, and keeps its own; old servers say none."""
    result = tools.parse({**tools.line(True, content="Hi"), "done_reason": reason})

    assert (result.finish_reason, result.raw_finish_reason) == (unified, reason or None)


def test_durations_become_seconds(tools: Tools) -> None:
    """Under the server's own names; what is odd is unknown."""
    counts = {"total_duration": 2_500_000_000, "load_duration": "x", "prompt_eval_count": 3}
    usage = tools.parse({**tools.line(True, content="Hi"), **counts}).usage

    assert usage.timings == {"total": 2.5}
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (3, None, None)
    assert tools.parse(tools.line(True, content="Hi")).usage.timings is None


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ({"name": "f", "arguments": {"a": 1}}, '{"a":1}'),
        ({"name": "f", "arguments": ""}, "{}"),
        ({"name": "f", "arguments": None}, "{}"),
        ({"name": "f"}, "{}"),
        ({"name": "f", "arguments": '{"a":'}, '{"a":'),
        ({"name": "f", "arguments": [1]}, "[1]"),
    ],
)
def test_arguments_are_json_text(tools: Tools, function: Any, arguments: str) -> None:
    """Whether they come as an object or as a text; none are an empty object, and nothing is repaired."""
    reply = tools.line(True, content="", tool_calls=[{"function": function}])
    (call,) = tools.parse(tools.lines(reply)).tool_calls

    assert (call.id, call.name, call.arguments_json) == ("call_0_0", "f", arguments)


def test_call_without_a_function_has_no_name(tools: Tools) -> None:
    """It is told as it is."""
    (call,) = tools.parse(tools.line(True, tool_calls=[{"id": "c1"}])).tool_calls

    assert (call.id, call.name, call.arguments_json) == ("c1", "", "{}")


def test_odd_probabilities_are_left_out(tools: Tools) -> None:
    """A token without a number says nothing."""
    odd = [{"token": "a"}, "b", {"token": "c", "logprob": 0, "top_logprobs": [{"token": "d"}]}]
    result = tools.parse({**tools.line(True, content="c"), "logprobs": odd})

    assert [(token.token, token.logprob, token.top) for token in result.logprobs or ()] == [("c", 0.0, ())]


@pytest.mark.parametrize(
    "body", [b"<html>", b"null", b"{}", b"", b'{"message":{"content":"Hi"},"done":false}', b'{"done":true}']
)
def test_what_is_no_answer_is_said_to_be_none(tools: Tools, body: bytes) -> None:
    """Another format, nothing, or an answer that is not done."""
    with pytest.raises(FiberParsingError):
        tools.parse(body)


def test_error_under_a_200_is_an_error(tools: Tools) -> None:
    """Whole and in a stream, with what came before."""
    with pytest.raises(FiberProviderError, match="out of memory"):
        tools.parse({"error": "out of memory"})

    decoder, _ = tools.stream(tools.lines(tools.line(content="Hi"), {"error": "out of memory"}))
    assert type(decoder.error) is FiberProviderError
    assert (decoder.error.status_code, decoder.error.partial.text) == (500, "Hi")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error":"invalid options"}', FiberBadRequestError),
        (400, b'{"error":"the input length exceeds the context length"}', FiberContextLengthError),
        (401, b'{"error":"unauthorized"}', FiberAuthError),
        (404, b'{"error":"model \'x\' not found"}', FiberModelNotFoundError),
        (404, b"404 page not found", FiberBadRequestError),
        (429, b'{"message":"slow down"}', FiberRateLimitError),
        (500, b'{"error":{"message":"oops"}}', FiberProviderError),
        (502, b"<html>", FiberProviderError),
        (503, b'{"error":"server busy, please try again"}', FiberOverloadedError),
        (200, b'{"error":"server busy, please try again"}', FiberOverloadedError),
        (500, b"[]", FiberProviderError),
    ],
)
def test_refusals_are_typed(status: int, body: bytes, kind: type[FiberError]) -> None:
    """By status, and by words where a status says too little or is missing."""
    error = ADAPTER.parse_error(HTTPHead(status, {}), body, TARGET)

    assert type(error) is kind
    assert error.status_code == (503 if status == 200 else status)


def test_last_line_may_lack_its_end(tools: Tools) -> None:
    """It is whole when its JSON is; what follows the last line says nothing."""
    whole = tools.lines(tools.line(content="Hi"), tools.line(True, content="!"))
    decoder, events = tools.stream(whole.rstrip())
    again, _ = tools.stream(whole, tools.lines(tools.line(content="more")))

    assert (decoder.done, decoder.result().text) == (True, "Hi!")
    assert isinstance(events[-1], MessageEnd)
    assert again.result().text == "Hi!"


@pytest.mark.parametrize("cut", [0, 1, 30])
def test_stream_that_is_cut_is_interrupted(tools: Tools, cut: int) -> None:
    """Between lines and inside one; nothing of its part can be sent back."""
    last = tools.lines(tools.line(True, content="!"))
    decoder, _ = tools.stream(tools.lines(tools.line(content="", thinking="Hm.")), last[:cut])

    assert isinstance(decoder.error, FiberStreamInterruptedError)
    assert decoder.error.partial.message.parts == (Reasoning("Hm."),)


@pytest.mark.parametrize("body", [b"<html></html>", b"<html>\n</html>\n", b"upstream timed out\n"])
def test_body_that_is_no_lines_of_json_cannot_be_read(tools: Tools, body: bytes) -> None:
    """Of another format, with or without line ends."""
    decoder, _ = tools.stream(body)

    assert type(decoder.error) is FiberParsingError
    assert "no lines of JSON" in str(decoder.error)


def test_text_amid_the_lines_is_an_error(tools: Tools) -> None:
    """It is no line of JSON."""
    decoder, _ = tools.stream(tools.lines(tools.line(content="Hi")) + b"upstream timed out\n")

    assert type(decoder.error) is FiberParsingError
    assert decoder.error.partial.text == "Hi"


def test_line_without_a_message_says_nothing(tools: Tools) -> None:
    """New kinds of lines are passed over."""
    decoder, _ = tools.stream(tools.lines({"status": "loading"}, tools.line(True, content="Hi")))

    assert (decoder.done, decoder.result().text) == (True, "Hi")


def test_empty_stream_is_interrupted(tools: Tools) -> None:
    """Blank lines are none."""
    decoder, _ = tools.stream(b"\n\n")

    assert isinstance(decoder.error, FiberStreamInterruptedError)
