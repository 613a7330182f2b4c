"""What a recording shows."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import ChatMessage, ChatResult, Choice, Citation, Reasoning, TokenLogprob, ToolCall, Usage
from fiber.types.events import ToolCallDelta
from tests.conformance.shown import COLUMNS, shown
from tests.scoreboard import ASKED, LACKING, scores


def said(content: Any = "Hi", *, calls: int = 0, choice: dict[str, Any] | None = None, **result: Any) -> ChatResult:
    """Make a result."""
    tool_calls = [ToolCall(str(number), "f") for number in range(calls)]
    message = ChatMessage.assistant(content, tool_calls=tool_calls)
    return ChatResult(choices=(Choice(message=message, **(choice or {})),), **result)


CASES: dict[str, tuple[set[str], ChatResult, set[str]]] = {
    "words": (set(), said(), set()),
    "one call": (set(), said(calls=1), {"tools"}),
    "two calls": (set(), said(calls=2), {"tools", "parallel tools"}),
    "an object that was asked for": ({"structured-output"}, said('{"x": 1}'), {"structured output"}),
    "words where an object was asked for": ({"structured-output"}, said("{"), set()),
    "an object nobody asked for": (set(), said('{"x": 1}'), set()),
    "thoughts": (set(), said([Reasoning("hm")]), {"reasoning"}),
    "counted thoughts": (set(), said(usage=Usage(reasoning_tokens=3)), {"reasoning"}),
    "no thoughts": (set(), said(usage=Usage(reasoning_tokens=0, cache_read_tokens=0)), set()),
    "a cached prompt": (set(), said(usage=Usage(cache_read_tokens=3)), {"prompt caching"}),
    "a prompt to be cached": (set(), said(usage=Usage(cache_write_tokens=3)), {"prompt caching"}),
    "a source": (set(), said(citations=(Citation(url="https://x.example"),)), {"citations"}),
    "probabilities": (set(), said(choice={"logprobs": (TokenLogprob("a", -0.1),)}), {"logprobs"}),
    "media": ({"image-in", "document-in", "audio-in"}, said(), {"images", "documents", "audio"}),
}


@pytest.mark.parametrize("case", CASES)
def test_an_answer_speaks_for_what_is_in_it(case: str) -> None:
    """And for what was sent to get it."""
    tags, result, columns = CASES[case]

    assert shown(tags, [result], []) == columns
    assert columns <= set(COLUMNS)


def test_arguments_are_streamed_when_one_call_comes_in_pieces() -> None:
    """Two calls in one piece each are not."""
    whole = [ToolCallDelta(0, "{}"), ToolCallDelta(1, "{}")]

    assert shown((), (), whole) == set()
    assert shown((), (), [*whole, ToolCallDelta(1, "")]) == {"streamed arguments"}


def test_every_column_has_a_cell_in_every_row() -> None:
    """A number, `built` or `no`."""
    rows = list(scores())

    assert {len(cells) for cells in rows} == {len(COLUMNS)}
    assert all(cell.isdecimal() or cell in ("built", "no") for cells in rows for cell in cells)
    assert {*ASKED, *(column for column, _ in LACKING)} < set(COLUMNS)
