"""Estimates of tokens, and how far off they are."""

from __future__ import annotations

import os
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import ChatMessage, ChatRequest, FiberValidationError, Image, Reasoning, ToolCall, ToolResult, count_tokens
from fiber.registry.tokens import PER_MEDIUM, text_tokens
from tests.conformance.recordings import FOLDER
from tests.estimates import PAGE, errors, shown, written

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def test_estimates_are_as_far_off_as_documented() -> None:
    """The page has the table of all providers; at OpenAI the median is below 5 %, and 95 of 100 below 20 %."""
    if not FOLDER.is_dir():
        reason = "../shared/wire is missing: there are no recordings to count"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    found = errors()
    of_openai = found["openai"]

    page = PAGE.read_text(encoding="utf-8")

    assert written(page, shown(found)) == page, "run python -m tests.estimates"
    assert len(of_openai) > 100
    assert statistics.median(of_openai) <= 0.05
    assert of_openai[len(of_openai) * 95 // 100] <= 0.20


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("river", 1),
        ("a river", 2),
        ("internationalisation", 20 / 9),
        ("12345", 2),
        ("a\n\nb", 3),
        ('{"a"', 2.8),
        ("日本", 1.8),
    ],
)
def test_each_kind_of_piece_has_its_price(text: str, tokens: float) -> None:
    """Words by their letters, numbers by threes, signs and other scripts by their characters."""
    assert text_tokens(text) == pytest.approx(tokens)


@given(st.text(), st.text())
def test_more_text_is_never_less(text: str, more: str) -> None:
    """Two messages are at least as many tokens as one of them."""
    assert text_tokens(text + " " + more) >= text_tokens(text)


def test_everything_in_a_request_counts() -> None:
    """Tools, schemas, calls, results, reasoning and media."""
    call = ToolCall("1", "look", '{"city":"Bern"}')
    messages = [
        ChatMessage.user("Where?"),
        ChatMessage("assistant", (Reasoning("thinking about it"), call)),
        ChatMessage("tool", (ToolResult("1", "rain"),)),
    ]
    base = count_tokens(messages)
    tool: Any = {"type": "function", "function": {"name": "look", "description": "Look.", "parameters": SCHEMA}}

    assert base > count_tokens(messages[:1])
    assert count_tokens(messages, tools=[tool]) > base
    assert count_tokens(messages, tools=[tool, {"type": "web_search"}]) > count_tokens(messages, tools=[tool])
    shown = [*messages, ChatMessage("user", (Image(data=b"\x89PNG", media_type="image/png"),))]
    assert count_tokens(shown) >= base + PER_MEDIUM
    parts = ToolResult("1", (Image(data=b"\x89PNG", media_type="image/png"),))
    assert count_tokens([*messages[:2], ChatMessage("tool", (parts,))]) >= base + PER_MEDIUM - 10


def test_a_schema_of_the_answer_counts() -> None:
    """It is sent with every request."""
    asked: dict[str, Any] = {"messages": "Where?", "response_format": {"type": "json_schema", "json_schema": SCHEMA_OF}}

    assert count_tokens(asked) > count_tokens("Where?")


SCHEMA_OF = {"name": "place", "schema": SCHEMA}


def test_the_family_of_the_model_counts() -> None:
    """Claude's tokenizer makes more of the same text, also when the request names the model."""
    text = "Name ten rivers of Europe and the seas that they flow into. " * 9

    assert count_tokens(text, model="claude-sonnet-5-5") > count_tokens(text, model="gpt-6-sol")
    request = ChatRequest(messages=(ChatMessage.user(text),), model="claude-sonnet-5-5")
    assert count_tokens(request) == count_tokens(text, model="claude-sonnet-5-5")


def test_what_is_no_message_is_refused() -> None:
    """As by chat."""
    with pytest.raises(FiberValidationError):
        count_tokens(7)
