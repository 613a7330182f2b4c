"""What a call uses at most."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import Audio, ChatMessage, ChatResult, Choice, Document, Image, Opaque, Text, Usage
from fiber.layers.budgeting.worst import used, worst_case
from fiber.types.options import chat_request

WORST = Usage(input_tokens=100, output_tokens=50, total_tokens=150)


def said(text: str, **usage: Any) -> ChatResult:
    """Make a result."""
    return ChatResult(choices=(Choice(message=ChatMessage.assistant(text)),), usage=Usage(**usage))


@given(st.text(min_size=1), st.integers(1, 10**6), st.integers(1, 5))
def test_bytes_bound_the_input_and_max_tokens_the_output(text: str, most: int, choices: int) -> None:
    """Of each choice."""
    worst = worst_case(chat_request(text, max_tokens=most, n=choices))

    assert worst is not None
    assert worst.input_tokens is not None
    assert len(text.encode("utf-8", "surrogatepass")) <= worst.input_tokens < 4 * len(text) + 100
    assert worst.output_tokens == most * choices
    assert worst.total_tokens == worst.input_tokens + worst.output_tokens


def test_without_max_tokens_there_is_no_bound() -> None:
    """Nobody knows how long the answer gets."""
    assert worst_case(chat_request("Hi")) is None


def test_a_repair_may_use_all_of_it_again() -> None:
    """With the first answer in the history."""
    one = worst_case(chat_request("Hi", max_tokens=50, response_format="json"))
    two = worst_case(chat_request("Hi", max_tokens=50, response_format="json"), repair=True)

    assert one is not None
    assert two is not None
    assert (two.input_tokens or 0) >= 2 * (one.input_tokens or 0) + 50
    assert two.output_tokens == 100


PARTS = {
    "image": (Image(data=b"x" * 10**6), 6_000, 7_000),
    "image by URL": (Image(url="https://x.example/a.png"), 6_000, 7_000),
    "audio": (Audio(data=b"x" * 4000, media_type="audio/wav"), 7_000, 8_000),
    "document": (Document(data=b"x" * 4000, title="a title", media_type="application/pdf"), 7_000, 8_000),
    "opaque": (Opaque('{"a": 1}'), 8, 100),
    "text": (Text("Hello"), 5, 100),
}


@pytest.mark.parametrize("part", PARTS)
def test_parts_have_bounds(part: str) -> None:
    """Pictures by number, sound and documents by size."""
    value, least, most = PARTS[part]
    worst = worst_case(chat_request([ChatMessage.user([value])], max_tokens=1))

    assert worst is not None
    assert least <= (worst.input_tokens or 0) < most


def test_all_that_is_sent_counts() -> None:
    """Tools, schemas and extras; not what is never sent."""
    tool = {"name": "f", "description": "d" * 500, "parameters": {"type": "object", "properties": {}}}
    bare = worst_case(chat_request("Hi", max_tokens=1))
    full = worst_case(chat_request("Hi", max_tokens=1, tools=[tool], extra_body={"x": "y" * 500, "b": True, "n": 1.5}))
    quiet = worst_case(chat_request([ChatMessage("user", "Hi", metadata={"x": "y" * 5000})], max_tokens=1))

    assert bare is not None
    assert full is not None
    assert quiet is not None
    assert (full.input_tokens or 0) > (bare.input_tokens or 0) + 1000
    assert quiet.input_tokens == bare.input_tokens


CASES: dict[str, tuple[ChatResult | None, bool, tuple[int, int]]] = {
    "all told": (said("Hello", input_tokens=7, output_tokens=5), True, (7, 5)),
    "nothing told": (said("Hello"), True, (100, 50)),
    "nothing came": (None, False, (100, 50)),
    "left, told the input": (said("Hello", input_tokens=7, output_tokens=1), False, (7, 5)),
    "left, nothing told": (said("Hello"), False, (100, 5)),
    "left, told more": (said("Hi", input_tokens=7, output_tokens=20), False, (7, 20)),
    "left, long": (said("x" * 500), False, (100, 50)),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_not_told_is_what_it_can_be_at_most(case: str) -> None:
    """Of a whole answer, the worst; of one that was left, the bytes that came."""
    result, whole, (given, taken) = CASES[case]
    usage = used(WORST, result, whole=whole)

    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (given, taken, given + taken)
