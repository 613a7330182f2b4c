"""How answers of Gemini end."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("said", "unified", "word"),
    [
        ("STOP", "stop", "STOP"),
        ("MAX_TOKENS", "length", "MAX_TOKENS"),
        ("SAFETY", "content_filter", "SAFETY"),
        ("RECITATION", "content_filter", "RECITATION"),
        ("MALFORMED_FUNCTION_CALL", "error", "MALFORMED_FUNCTION_CALL"),
        ("NO_IMAGE", "other", "NO_IMAGE"),
        ("BRAND_NEW", "other", "BRAND_NEW"),
        (1, "stop", "STOP"),
        (2, "length", "MAX_TOKENS"),
        (11, "other", "11"),
    ],
)
def test_finish_reason_is_mapped(tools: Any, said: Any, unified: str, word: str) -> None:
    """A known reason has a unified word, an unknown one is other, a number what it stands for."""
    result = tools.parse(tools.answer({"text": "a"}, finishReason=said))

    assert (result.finish_reason, result.raw_finish_reason) == (unified, word)


def test_calls_decide_over_stop(tools: Any) -> None:
    """There is no reason for tool calls, so a STOP with calls is tool_calls."""
    result = tools.parse(tools.answer({"functionCall": {"name": "f", "args": {}}}))

    assert (result.finish_reason, result.raw_finish_reason) == ("tool_calls", "STOP")


def test_reason_without_content_is_a_result(tools: Any) -> None:
    """A candidate that only says why it has nothing is an answer, and its words are warnings."""
    result = tools.parse(
        {
            "candidates": [
                {
                    "finishReason": "SAFETY",
                    "finishMessage": "Too hot.",
                    "safetyRatings": [{"category": "C", "probability": "LOW", "blocked": True}],
                }
            ]
        }
    )

    assert (result.text, result.finish_reason) == ("", "content_filter")
    assert result.warnings == ("The answer ended with SAFETY: Too hot.; C LOW.",)


def test_continuation_tells_how_to_go_on(tools: Any) -> None:
    """An answer that goes on brings its token in a warning, for streams keep no raw reply."""
    [warning] = tools.parse(tools.answer({"text": "a"}, finishReason="CONTINUATION", continuationToken="dG9r")).warnings

    assert '"continuationToken": "dG9r"' in warning


def test_end_without_words_is_no_warning(tools: Any) -> None:
    """A reason alone speaks for itself, and the message of a plain stop is chatter."""
    assert tools.parse(tools.answer({"text": "a"}, finishReason="MAX_TOKENS")).warnings == ()
    assert tools.parse(tools.answer({"text": "a"}, finishMessage="Fine.")).warnings == ()
