"""Lines of a batch, in and out."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import ChatMessage, ChatResult, Choice, FiberRateLimitError, FiberValidationError, ToolCall, Usage
from fiber.cli.lines import START, Line, answer_of, call_of, id_of, lines_of


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    """Empty ones are counted and left out; a byte-order mark and the end of a line are no part of it."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'\xef\xbb\xbf"a"\r\n\n  \n"b"')

    assert list(lines_of(path)) == [Line(1, b'"a"'), Line(4, b'"b"')]


def test_an_input_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(FiberValidationError, match="No such file") as found:
        list(lines_of(tmp_path / "none"))

    assert found.value.parameter == "input"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"Hi"', ("Hi", {})),
        ('{"messages": "Hi"}', ("Hi", {})),
        ('{"id": 7, "messages": [["user", "Hi"]], "temperature": 0.5}', ([["user", "Hi"]], {"temperature": 0.5})),
    ],
)
def test_a_line_is_a_text_or_an_object_of_keywords(text: str, expected: Any) -> None:
    """Its id is not sent."""
    assert call_of(Line(1, text.encode())) == expected


@pytest.mark.parametrize(
    ("text", "parameter", "words"),
    [
        ("Hi", "messages", "Line 9 is not JSON"),
        ("[" * 100_000, "messages", "Line 9 is not JSON"),
        ("7", "messages", "Line 9 has no messages"),
        ('{"message": "Hi"}', "messages", "Line 9 has no messages"),
        ('{"messages": "Hi", "temprature": 1}', "temprature", "Line 9 has 'temprature'"),
    ],
)
def test_anything_else_is_refused_with_its_number(text: str, parameter: str, words: str) -> None:
    """So that it can be found."""
    with pytest.raises(FiberValidationError, match=words) as found:
        call_of(Line(9, text.encode()))

    assert (found.value.parameter, found.value.outcome) == (parameter, "not_sent")


@pytest.mark.parametrize(
    ("text", "expected"), [('{"id": "a", "messages": ""}', "a"), ('{"messages": ""}', 9), ('"Hi"', 9), ("{", 9)]
)
def test_a_line_without_an_id_is_known_by_its_number(text: str, expected: Any) -> None:
    """Also one that is no JSON."""
    assert id_of(Line(9, text.encode())) == expected


@given(st.binary(), st.binary())
def test_a_fingerprint_is_that_of_the_text(one: bytes, other: bytes) -> None:
    """Two texts have the same only if they are the same, but for an accident in 64 bits; none has 0."""
    assert (Line(1, one).fingerprint == Line(2, other).fingerprint) is (one == other)
    assert 0 < Line(1, one).fingerprint < 1 << 64


def test_an_answer_has_what_came() -> None:
    """On one line, which begins as every answer does."""
    message = ChatMessage.assistant("Hé\n", tool_calls=[ToolCall("c1", "f", "{}")])
    result = ChatResult(
        choices=(Choice(message=message, finish_reason="stop"),),
        usage=Usage(input_tokens=3, cost_usd=Decimal("0.10")),
        model="m",
        provider="p",
        request_id="r",
    )

    asked = Line(9, b'{"id":"a"}')

    line = answer_of(asked, result)

    assert (line.startswith(START), line.count(b"\n"), line[-1:]) == (True, 1, b"\n")
    assert json.loads(line) == {
        "line": 9,
        "id": "a",
        "input": f"{asked.fingerprint:016x}",
        "result": {
            "text": "Hé\n",
            "tool_calls": [{"id": "c1", "name": "f", "arguments_json": "{}"}],
            "finish_reason": "stop",
            "usage": {"input_tokens": 3, "cost_usd": "0.10"},
            "cost_usd": "0.10",
            "model": "m",
            "provider": "p",
            "request_id": "r",
        },
    }


def test_an_answer_may_be_an_error() -> None:
    """With its class, its words, and what is known about it."""
    error = FiberRateLimitError("busy", provider="p", status_code=429, retry_after=2.0)

    answer = json.loads(answer_of(Line(9, b'"Hi"'), error))

    assert answer["error"] == {
        "type": "FiberRateLimitError",
        "message": "busy",
        "provider": "p",
        "status_code": 429,
        "retry_after": 2.0,
        "outcome": "rejected",
    }
    assert "result" not in answer


@pytest.mark.parametrize("outcome", [FiberRateLimitError("a\ud800b"), ChatResult(model="a\ud800b")])
def test_half_a_character_does_not_stop_a_batch(outcome: Any) -> None:
    """It becomes a question mark, in a line like any other."""
    line = answer_of(Line(9, b'"Hi"'), outcome)

    answer = json.loads(line)
    assert (line.startswith(START), answer["line"]) == (True, 9)
    assert "a?b" in (answer.get("error", {}).get("message"), answer.get("result", {}).get("model"))
