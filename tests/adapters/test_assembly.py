"""Putting an answer together from its pieces."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberProviderError, FiberStreamInterruptedError
from fiber.adapters.assembly import Assembly, usage_of, with_partial
from fiber.adapters.keeping import SLOT_BYTES, text_bytes
from fiber.types.content import Image, Opaque, Reasoning, Text, ToolCall
from fiber.types.events import (
    ContentPart,
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageUpdate,
    events_of,
)
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult, Choice, Citation, TokenLogprob
from fiber.types.target import Target

TARGET = Target(provider="acme", model="m", base_url="https://acme.test/v1")
START = MessageStart("m", "acme")
QUIET = Usage(cost_status="no_usage")


def assembly(headers: dict[str, str] | None = None) -> Assembly:
    """A new machine."""
    return Assembly(HTTPHead(200, headers or {}), TARGET)


def parts_of(made: Assembly, *, whole: bool = True) -> Any:
    """The parts of the first answer."""
    return made.result(whole=whole).message.content


# -- beginning ----------------------------------------------------------------------------------------------------


def test_answer_starts_once_and_knows_more_later() -> None:
    """The first event comes once; what was missing is filled in and what is known is kept."""
    made = assembly({"x-request-id": "r1"})

    made.start()
    made.start("big", "id1", "r2")
    made.start("other", "id2")

    assert made.take() == [MessageStart("m", "acme", "r1")]
    result = made.result()
    assert (result.model, result.response_id, result.request_id) == ("big", "id1", "r1")


def test_start_tells_what_the_provider_said() -> None:
    """The model and request id of the answer win over those of the request."""
    made = assembly()

    made.start("big", None, "r2")

    assert made.take() == [MessageStart("big", "acme", "r2")]


@pytest.mark.parametrize(
    "speak",
    [
        lambda made: made.text("a"),
        lambda made: made.reasoning("a"),
        lambda made: made.tool_start("k", "1", "f"),
        lambda made: made.part(Image(url="u")),
        lambda made: made.cite(Citation(url="u")),
        lambda made: made.end(),
    ],
    ids=["text", "reasoning", "call", "part", "source", "end"],
)
def test_anything_starts_the_answer(speak: Callable[[Assembly], None]) -> None:
    """An answer whose format has no beginning begins with its first piece."""
    made = assembly()
    before = made.started

    speak(made)

    assert (before, made.started) == (False, True)
    assert made.take()[0] == START


def test_result_has_what_the_response_said() -> None:
    """The result carries the headers without cookies, the limits, the body, warnings and sources."""
    made = assembly({"set-cookie": "a=b", "x-a": "1", "x-ratelimit-limit-requests": "5"})
    made.text("hi")
    made.warnings.append("careful")
    made.cite(Citation(url="u"))
    made.logprobs([TokenLogprob("h", -0.5)])
    made.logprobs([TokenLogprob("i", -0.25)])
    made.finish("stop", "end")

    assert made.result(body=b"{}") == ChatResult(
        choices=(
            Choice(
                message=ChatMessage("assistant", (Text("hi"),)),
                finish_reason="stop",
                raw_finish_reason="end",
                logprobs=(TokenLogprob("h", -0.5), TokenLogprob("i", -0.25)),
            ),
        ),
        usage=QUIET,
        model="m",
        provider="acme",
        citations=(Citation(url="u"),),
        warnings=("careful",),
        body=b"{}",
        headers={"x-a": "1", "x-ratelimit-limit-requests": "5"},
    )
    assert made.take() == [START, TextDelta("hi"), Citation(url="u")]


def test_nothing_said_is_an_empty_answer() -> None:
    """A result of which nothing was said has one empty answer."""
    made = assembly()

    assert made.empty
    assert not made.finished
    assert made.result().choices == (Choice(message=ChatMessage("assistant", ())),)


# -- text and reasoning -------------------------------------------------------------------------------------------


def test_pieces_with_one_key_belong_together() -> None:
    """Pieces are joined by their keys, in the order in which the keys were first named."""
    made = assembly()
    for key, piece in [(1, "a"), (0, "b"), (1, "c"), (0, "d")]:
        made.text(piece, key)

    assert parts_of(made) == (Text("ac"), Text("bd"))


def test_empty_pieces_are_no_events() -> None:
    """An empty piece opens its slot and says nothing."""
    made = assembly()

    made.text("")
    made.reasoning("")
    made.tool_start("k", "1", "f")
    made.tool_delta("k", "")

    assert made.take() == [START, ToolCallStart(0, "1", "f")]
    assert parts_of(made) == (ToolCall("1", "f", ""),)
    assert not made.empty


def test_reasoning_comes_before_the_text_it_led_to() -> None:
    """Reasoning and text keep their own slots and their order."""
    made = assembly()
    made.reasoning("w")
    made.text("a")
    made.reasoning("hy")

    assert made.take() == [START, ReasoningDelta("w"), TextDelta("a"), ReasoningDelta("hy")]
    assert parts_of(made) == (Reasoning("why"), Text("a"))


def test_sealed_reasoning_is_given_out_as_a_part() -> None:
    """A seal closes reasoning, once, and is part of the whole answer only."""
    made = assembly()
    seal = made.opaque('{"sig":1}', "thinking")
    made.reasoning("why", 0)
    made.seal(seal, 0)
    made.seal(seal, 0)

    assert seal == Opaque('{"sig":1}', "acme", "acme.test", "thinking")
    assert made.take() == [START, ReasoningDelta("why"), ContentPart(Reasoning("why", seal))]
    assert parts_of(made) == (Reasoning("why", seal),)
    assert parts_of(made, whole=False) == (Reasoning("why"),)


def test_sealed_text_is_no_event() -> None:
    """A seal on text travels with the message alone."""
    made = assembly()
    seal = made.opaque("{}")
    made.text("a")
    made.seal(seal, "text")

    assert made.take() == [START, TextDelta("a")]
    assert parts_of(made) == (Text("a", native=seal),)


def test_whole_parts_are_kept_apart() -> None:
    """Whole parts without keys are parts of their own; one with a key is replaced."""
    made = assembly()
    seal = made.opaque("{}")
    made.part(Image(url="a"))
    made.part(Image(url="b"))
    made.part(seal, "k")
    made.part(Image(url="c"), "k")

    assert parts_of(made) == (Image(url="a"), Image(url="b"), Image(url="c"))
    assert made.take() == [
        START,
        ContentPart(Image(url="a")),
        ContentPart(Image(url="b")),
        ContentPart(seal),
        ContentPart(Image(url="c")),
    ]


def test_place_of_a_part_can_be_kept() -> None:
    """A part that comes late stands where its place was kept; a place that is never filled leaves nothing."""
    made = assembly()
    made.hold("image")
    made.hold("nothing")
    made.text("a")
    made.part(Image(url="u"), "image")

    assert made.take() == [START, TextDelta("a"), ContentPart(Image(url="u"))]
    assert parts_of(made) == (Image(url="u"), Text("a"))


def test_text_can_be_corrected() -> None:
    """The final text of a slot replaces its pieces, and no event tells it."""
    made = assembly()
    made.text("Hal")
    made.replace("Hallo", "text")

    assert made.take() == [START, TextDelta("Hal")]
    assert parts_of(made) == (Text("Hallo"),)


# -- tool calls ---------------------------------------------------------------------------------------------------


def test_call_is_started_filled_and_ended() -> None:
    """A call gives its start, its pieces and its end, once."""
    made = assembly()
    made.tool_start("k", "1", "f")
    made.tool_delta("k", '{"a"')
    made.tool_delta("k", ":1}")
    made.tool_end("k")
    made.tool_end("k")

    call = ToolCall("1", "f", '{"a":1}')
    assert made.take() == [
        START,
        ToolCallStart(0, "1", "f"),
        ToolCallDelta(0, '{"a"'),
        ToolCallDelta(0, ":1}"),
        ToolCallEnd(0, call),
    ]
    assert parts_of(made) == (call,)


def test_missing_ids_are_made_up() -> None:
    """A call without an id gets one that is unique in the answer and the same every time."""

    def ids() -> list[str]:
        made = assembly()
        for choice, key in itertools.product((0, 1), "ab"):
            made.tool_start(key, "", "f", choice)
        made.tool_start("c", "given", "f")
        return [call.id for choice in made.result().choices for call in choice.tool_calls]

    assert ids() == ["call_0_0", "call_0_1", "given", "call_1_0", "call_1_1"]
    assert ids() == ids()


def test_seal_of_a_call_is_kept_to_the_end() -> None:
    """A call is sealed with its end or before it, and a partial answer has no seal."""
    made = assembly()
    seal, other = made.opaque('{"a":1}'), made.opaque('{"b":1}')
    for key in "abc":
        made.tool_start(key, key, "f")
    made.seal(seal, "b")
    made.seal(seal, "c")
    made.tool_end("a", native=seal)
    made.tool_end("c", native=other)
    made.end()

    assert parts_of(made) == (ToolCall("a", "f", "", seal), ToolCall("b", "f", "", seal), ToolCall("c", "f", "", other))
    assert parts_of(made, whole=False) == tuple(ToolCall(key, "f", "") for key in "abc")
    assert ToolCallEnd(1, ToolCall("b", "f", "", seal)) in made.take()


@pytest.mark.parametrize(
    ("pieces", "whole", "deltas", "arguments"),
    [
        pytest.param([], '{"a":1}', ['{"a":1}'], '{"a":1}', id="all at once"),
        pytest.param(['{"a"'], '{"a":1}', ['{"a"', ":1}"], '{"a":1}', id="the rest"),
        pytest.param(['{"a":1}'], '{"a":1}', ['{"a":1}'], '{"a":1}', id="nothing new"),
        pytest.param(['{"a": 1}'], '{"a":1}', ['{"a": 1}'], '{"a":1}', id="another spelling"),
        pytest.param([], "", [], "", id="none"),
    ],
)
def test_whole_arguments_win(pieces: list[str], whole: str, deltas: list[str], arguments: str) -> None:
    """Arguments told whole complete or replace their pieces."""
    made = assembly()
    made.tool_start("k", "1", "f")
    for piece in pieces:
        made.tool_delta("k", piece)
    made.tool_arguments("k", whole)

    assert [event.arguments_delta for event in made.take() if isinstance(event, ToolCallDelta)] == deltas
    assert parts_of(made) == (ToolCall("1", "f", arguments),)


def test_slot_is_known_by_its_key() -> None:
    """A key is known in the answer where it was named."""
    made = assembly()
    made.tool_start("k", "1", "f", 1)

    assert made.has("k", 1)
    assert not made.has("k", 0)
    assert not made.has("other", 1)


CALLS = {"a": ("1", "f", ["{", '"x":1', "}"]), "b": ("2", "g", ["{", "}"]), "c": ("", "f", ["[1", "]"])}


@given(st.permutations([key for key, (_, _, pieces) in CALLS.items() for _ in pieces]))
def test_interleaved_calls_give_the_same_answer(order: list[str]) -> None:
    """However the pieces of several calls are mixed, the answer is the same."""
    made = assembly()
    for key, (call_id, name, _) in CALLS.items():
        made.tool_start(key, call_id, name)
    pieces = {key: iter(arguments) for key, (_, _, arguments) in CALLS.items()}
    for key in order:
        made.tool_delta(key, next(pieces[key]))
    made.end()

    calls = (ToolCall("1", "f", '{"x":1}'), ToolCall("2", "g", "{}"), ToolCall("call_0_2", "f", "[1]"))
    assert made.result().tool_calls == calls
    assert [event for event in made.take() if isinstance(event, ToolCallEnd)] == [
        ToolCallEnd(number, call) for number, call in enumerate(calls)
    ]


# -- the end ------------------------------------------------------------------------------------------------------


def test_end_closes_calls_and_tells_usage_and_reason() -> None:
    """The last events are the ends of open calls, the usage and the reason."""
    made = assembly()
    made.usage = Usage(input_tokens=1)
    made.tool_start("k", "1", "f", 1)
    made.tool_start("k", "1", "f")
    made.finish("stop", "end_turn")
    made.finish("stop", "tool_use", 1)
    made.take()

    made.end()

    call = ToolCall("1", "f", "")
    assert made.take() == [
        ToolCallEnd(0, call, 1),
        ToolCallEnd(0, call),
        UsageUpdate(made.usage),
        MessageEnd("tool_calls", "end_turn", made.usage),
    ]


def test_end_without_usage_is_quiet_about_it() -> None:
    """Where the provider told no counts there is no usage event."""
    made = assembly()
    made.text("a")
    made.take()
    made.end()

    assert made.take() == [MessageEnd(None, None, QUIET)]


def test_taken_events_are_gone() -> None:
    """An event is taken once."""
    made = assembly()
    made.text("a")

    assert made.take() == [START, TextDelta("a")]
    assert made.take() == []


def test_answer_is_finished_when_every_choice_is() -> None:
    """Several answers are finished when the last of them is; the last word about one wins."""
    made = assembly()
    made.text("a", choice=1)
    made.text("b", choice=0)
    made.finish("length", "max", 1)
    half = made.finished
    made.finish("stop", "x")
    made.finish("refusal", "y")

    result = made.result()
    assert (half, made.finished) == (False, True)
    assert [(choice.index, choice.text, choice.finish_reason) for choice in result.choices] == [
        (0, "b", "refusal"),
        (1, "a", "length"),
    ]


def test_partial_result_cannot_be_mistaken_for_a_whole_one() -> None:
    """A partial answer has no seals, no opaque parts and no reason that was not told."""
    made = assembly()
    made.reasoning("r", 0)
    made.seal(made.opaque("{}"), 0)
    made.part(made.opaque("{}"))
    made.tool_start("k", "1", "f")

    assert parts_of(made, whole=False) == (Reasoning("r"), ToolCall("1", "f", ""))
    assert made.result(whole=False).finish_reason is None
    assert made.result().finish_reason == "tool_calls"


def test_interruption_carries_what_arrived() -> None:
    """The error of a stream that broke off has the partial result and says what to do."""
    made = assembly({"x-request-id": "r1"})
    made.text("Hal")

    error = made.interrupted("it was cut")

    assert isinstance(error, FiberStreamInterruptedError)
    assert error.message == (
        "The stream of acme ended before it was complete: it was cut."
        " What arrived is in error.partial; ask again for the whole answer."
    )
    assert error.partial == made.result(whole=False)
    assert (error.provider, error.model, error.request_id, error.status_code) == ("acme", "m", "r1", 200)
    assert error.outcome == "unknown"


def test_partial_is_attached() -> None:
    """Any error can carry what was read before it."""
    partial = ChatResult(model="m")
    error = FiberProviderError("x")

    assert with_partial(error, partial) is error
    assert error.partial is partial


WORDS: list[Callable[[Assembly], None]] = [
    lambda made: made.text("a", 0),
    lambda made: made.text("b", 0),
    lambda made: made.reasoning("c", 1),
    lambda made: made.tool_start(object(), "", "f"),
    lambda made: made.part(Image(url="u")),
    lambda made: made.part(made.opaque("{}", "x")),
    lambda made: made.cite(Citation(url="u")),
]


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_stream_and_result_tell_the_same(words: list[Callable[[Assembly], None]]) -> None:
    """The events, put together by text, reasoning, calls and parts, are those of the result."""
    made = assembly()
    for word in words:
        word(made)
    made.end()
    events = made.take()

    assert sums(events) == sums(events_of(made.result()))


def sums(events: list[StreamEvent]) -> Any:
    """What events add up to."""
    return (
        events[0],
        "".join(event.text for event in events if isinstance(event, TextDelta)),
        "".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        [event for event in events if isinstance(event, ToolCallStart)],
        [event.tool_call for event in events if isinstance(event, ToolCallEnd)],
        sorted(repr(event) for event in events if isinstance(event, ContentPart | Citation)),
        events[-1],
    )


# -- usage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, QUIET),
        ({"input_tokens": None}, QUIET),
        ({"input_tokens": 0}, Usage(input_tokens=0, cost_status="no_price")),
        ({"cost_usd": Decimal(1)}, Usage(cost_usd=Decimal(1), cost_status="priced")),
        (
            {"input_tokens": 1, "cost_status": "model_not_in_catalogue"},
            Usage(input_tokens=1, cost_status="model_not_in_catalogue"),
        ),
    ],
    ids=["nothing", "unknown", "zero", "cost", "status"],
)
def test_usage_says_what_is_known(said: dict[str, Any], expected: Usage) -> None:
    """Counts make a usage; none at all says so, and a cost is a price."""
    assert usage_of(**said) == expected


def test_pack_counts_all_that_is_kept() -> None:
    """Texts, sealed parts, bytes of pictures, sources and warnings count; an address takes nothing more."""
    made = assembly()
    made.text("ab")
    made.text("cd", choice=1)
    texts = 2 * SLOT_BYTES + text_bytes("ab", 1) + text_bytes("cd", 1)

    assert made.pack() == texts
    made.part(made.opaque("{12345678}"))
    made.part(Image(data=b"1234567"))
    made.part(Image(url="u"))
    made.cite(Citation(url="u", native=made.opaque("{}")))
    made.warnings.append("careful")
    assert made.pack() == texts + 5 * SLOT_BYTES + 10 + 7 + 2


def test_text_that_is_forgotten_leaves_nothing() -> None:
    """Neither its pieces nor what a format says at the end in their place; its events are given out."""
    made = assembly()
    made.forgets_text = True
    slot = made.text("a")
    made.more_text("b", slot)
    made.replace("ab", "text")
    kept = made.pack()
    made.text("c" * 100_000)

    assert (made.result().text, made.pack()) == ("", kept)
    assert made.take()[1:] == [TextDelta("a"), TextDelta("b"), TextDelta("c" * 100_000)]
