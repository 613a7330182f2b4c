"""Where the pieces of an answer are kept."""

from __future__ import annotations

from typing import Any

import pytest

from fiber.adapters.keeping import SLOT_BYTES, text_bytes, token_bytes
from fiber.adapters.slots import Answer, Slot
from fiber.types.content import Image, Opaque, Part, Reasoning, Text, ToolCall
from fiber.types.result import TokenLogprob

SEAL = Opaque("{}", "p", "h")


def slot(kind: str, *pieces: str, **more: Any) -> Slot:
    """A slot with pieces in it."""
    made = Slot(kind)
    made.pieces += pieces
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("made", "whole", "partial"),
    [
        pytest.param(slot("text", "a", "b"), Text("ab"), Text("ab"), id="text"),
        pytest.param(slot("text", "a", native=SEAL), Text("a", native=SEAL), Text("a"), id="sealed text"),
        pytest.param(slot("text", native=SEAL), Text("", native=SEAL), None, id="sealed empty text"),
        pytest.param(slot("text"), None, None, id="empty text"),
        pytest.param(slot("reasoning", "a", native=SEAL), Reasoning("a", SEAL), Reasoning("a"), id="reasoning"),
        pytest.param(slot("reasoning", native=SEAL), Reasoning("", SEAL), None, id="hidden reasoning"),
        pytest.param(slot("reasoning"), None, None, id="empty reasoning"),
        pytest.param(
            slot("tool", "{", "}", id="1", name="f", native=SEAL),
            ToolCall("1", "f", "{}", SEAL),
            ToolCall("1", "f", "{}"),
            id="call",
        ),
        pytest.param(slot("tool", id="1", name="f"), ToolCall("1", "f", ""), ToolCall("1", "f", ""), id="bare call"),
        pytest.param(slot("whole", whole=Image(url="u")), Image(url="u"), Image(url="u"), id="whole part"),
        pytest.param(slot("whole"), None, None, id="nothing"),
    ],
)
def test_slot_makes_its_part(made: Slot, whole: Part | None, partial: Part | None) -> None:
    """A slot makes its part of its pieces; a partial one holds nothing that could be replayed."""
    assert made.part(sealed=True) == whole
    assert made.part(sealed=False) == partial


def test_answer_keeps_the_order_of_its_slots() -> None:
    """The parts stand in the order in which they were named; opaque parts are only in a whole answer."""
    answer = Answer()
    answer.slots = {2: slot("text", "a"), 1: slot("whole", whole=SEAL), 0: slot("text"), 3: slot("text", "b")}

    assert answer.parts(sealed=True) == [Text("a"), SEAL, Text("b")]
    assert answer.parts(sealed=False) == [Text("a"), Text("b")]


@pytest.mark.parametrize(
    ("calls", "said", "expected"),
    [
        (0, "stop", "stop"),
        (0, None, None),
        (1, "stop", "tool_calls"),
        (1, None, "tool_calls"),
        (1, "length", "length"),
        (0, "tool_calls", "tool_calls"),
        (2, "content_filter", "content_filter"),
    ],
)
def test_calls_decide_the_reason(calls: int, said: Any, expected: str | None) -> None:
    """An answer with calls that simply ended ended to have them run."""
    answer = Answer()
    answer.calls, answer.finish_reason = calls, said

    assert answer.reason() == expected


def test_slot_packs_the_pieces_that_came_since_the_last_time() -> None:
    """Packed pieces are one, count once, and make the same part."""
    made = slot("text", "a", "b")

    first = made.pack()
    again = made.pack()
    made.pieces += ["c", "d", "e"]
    second = made.pack()

    assert first == again == SLOT_BYTES + text_bytes("ab", 2)
    assert second == first + text_bytes("cde", 3)
    assert (made.pieces, made.part(sealed=True)) == (["ab", "cde"], Text("abcde"))


def test_reset_slot_counts_anew() -> None:
    """What takes the place of all pieces counts, and they do no more."""
    made = slot("text", "a", "b")
    made.pack()

    made.reset("xyz")

    assert made.pack() == SLOT_BYTES + text_bytes("xyz", 1)
    assert made.part(sealed=True) == Text("xyz")


def test_answer_counts_slots_and_tokens() -> None:
    """An answer takes what its slots take, and its tokens once."""
    answer, token = Answer(), TokenLogprob("a", -1.0)
    answer.slots = {0: slot("text", "a"), 1: slot("whole")}
    answer.logprobs = [token]

    first = answer.pack()
    answer.logprobs.append(token)

    assert first == 2 * SLOT_BYTES + text_bytes("a", 1) + token_bytes(token)
    assert answer.pack() == first + token_bytes(token)
