"""A history as a value."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import (
    ChatMessage,
    FiberContextLengthError,
    FiberParsingError,
    FiberValidationError,
    Image,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
)
from fiber.types.history import History, read, trimmed

CALL = ToolCall("c1", "f", '{"x": 1}', native=Opaque('{"signature":"s"}', "gemini", "h", "functionCall"))
EVERYTHING = (
    ChatMessage.system("Be brief."),
    ChatMessage.user([Text("Look"), Image(data=b"\x89PNG", media_type="image/png")], name="Ann"),
    ChatMessage.assistant(
        [Reasoning("hm", native=Opaque('{"type":"thinking","signature":"x"}', "anthropic")), Opaque("[1]", kind="new")],
        tool_calls=[CALL],
    ),
    ChatMessage.tool(CALL, "21 degrees", is_error=True),
    ChatMessage("assistant", "Fine.", metadata={"shown": True}),
)


def test_a_history_is_read_as_it_was_written() -> None:
    """Sealed parts, media and metadata included; the JSON names its version."""
    history = History(id="c1", messages=EVERYTHING, revision=3, response_id="r1", provider="openai")

    assert read(history.written()) == history
    assert json.loads(history.written())["version"] == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cannot be read"),
        (b"{}", "cannot be read"),
        (b'{"version":1,"history":{}}', "cannot be read"),
        (b"[" * 5000, "cannot be read"),
        (b'{"version":2,"history":{"new":1}}', "has version 2"),
    ],
)
def test_what_is_no_history_is_said_to_be_none(data: bytes, words: str) -> None:
    """One of a newer release is not read with a loss."""
    with pytest.raises(FiberParsingError, match=words):
        read(data)


def test_metadata_must_be_json_to_be_kept() -> None:
    """Nothing else can be written."""
    with pytest.raises(FiberValidationError, match="c1"):
        History(id="c1", messages=(ChatMessage("user", "Hi", metadata={"x": object()}),)).written()


def weigh(messages: Sequence[ChatMessage]) -> int:
    """Count a message as ten."""
    return 10 * len(messages)


TURNS = (
    ChatMessage.system("S"),
    ChatMessage.user("1"),
    ChatMessage.assistant("1"),
    ChatMessage.user("2"),
    ChatMessage.user("2b"),
    ChatMessage.assistant(tool_calls=[CALL]),
    ChatMessage.tool(CALL, "x"),
    ChatMessage.assistant("2"),
    ChatMessage.user("3"),
)


@pytest.mark.parametrize(
    ("most", "left"),
    [(90, TURNS), (89, (TURNS[0], *TURNS[3:])), (70, (TURNS[0], *TURNS[3:])), (69, (TURNS[0], TURNS[8]))],
)
def test_the_oldest_turns_are_left_out(most: int, left: tuple[ChatMessage, ...]) -> None:
    """Whole turns, so that no call is parted from its result; instructions and the last turn stay."""
    assert trimmed(TURNS, most, weigh) == left


def test_what_must_stay_may_be_too_long() -> None:
    """Said before anything is sent."""
    with pytest.raises(FiberContextLengthError) as caught:
        trimmed(TURNS, 19, weigh)

    assert caught.value.outcome == "not_sent"
    assert trimmed((TURNS[0],), 10, weigh) == (TURNS[0],)


@given(st.lists(st.sampled_from(["user", "assistant", "call"]), max_size=30), st.integers(20, 400))
def test_no_pair_is_ever_split(roles: list[str], most: int) -> None:
    """What is left is the instructions and an end of the history, with each result after its call."""
    messages: list[ChatMessage] = [ChatMessage.system("S")]
    for number, role in enumerate(roles):
        if role == "call":
            call = ToolCall(str(number), "f")
            messages += [ChatMessage.assistant(tool_calls=[call]), ChatMessage.tool(call, "x")]
        else:
            messages.append(ChatMessage(role, str(number)))  # type: ignore[arg-type]
    try:
        left = trimmed(tuple(messages), most, weigh)
    except FiberContextLengthError:
        return

    called = {call.id for message in left for call in message.tool_calls}
    results = {part.call_id for message in left if message.role == "tool" for part in message.parts}  # type: ignore[union-attr]
    assert weigh(left) <= most
    assert left[0] == messages[0]
    assert list(left[1:]) == messages[len(messages) - len(left) + 1 :]
    assert called == results
