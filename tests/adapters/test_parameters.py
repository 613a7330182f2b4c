"""The parameter table."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters import load
from fiber.adapters.instructions import JSON_OBJECT
from fiber.adapters.parameters import (
    Parameter,
    mapped,
    merge,
    native,
    of_row,
    place,
    put,
    refuse,
    renamed,
    settle,
    unsupported,
)
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import PARAMETERS, ChatRequest
from fiber.types.target import Quirks, Target
from fiber.types.tools import ResponseFormat, ToolChoice

HI = (ChatMessage("user", "hi"),)
TABLE = {
    **{name: native(name) for name in PARAMETERS},
    "top_k": renamed("config.topK"),
    "max_tokens": renamed("config.maxTokens"),
    "tools": mapped("tools"),
    "seed": unsupported("there is no seed"),
    "user": unsupported("there are no users"),
}
TARGET = Target(provider="acme", model="m", base_url="https://h", quirks=Quirks(unsupported={"n": "one at a time"}))


def ask(**members: Any) -> ChatRequest:
    """A request with *members*."""
    return ChatRequest(**{"messages": HI, **members})


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (native("a"), Parameter("native", "a", True)),
        (renamed("a"), Parameter("mapped", "a", True)),
        (mapped("a"), Parameter("mapped", "a", False)),
        (unsupported("no"), Parameter("unsupported", "", False, "no")),
    ],
    ids=["native", "renamed", "mapped", "unsupported"],
)
def test_row_of_the_table(made: Parameter, expected: Parameter) -> None:
    """Each helper makes one kind of row."""
    assert made == expected


def test_request_that_fits_is_kept() -> None:
    """A request that says only what the target has is passed on as it is."""
    request = ask(temperature=0, top_k=1)

    settled, notes = settle(request, TABLE, TARGET, {"top_p": "no"})

    assert settled is request
    assert notes == []


@pytest.mark.parametrize(
    ("members", "parameter", "why"),
    [
        ({"seed": 0}, "seed", "there is no seed"),
        ({"n": 2}, "n", "one at a time"),
        ({"logprobs": True}, "logprobs", "this model does not tell"),
    ],
    ids=["format", "row", "model"],
)
def test_parameter_is_refused_by_format_row_or_model(members: Any, parameter: str, why: str) -> None:
    """What the format, the row or the model lacks raises before anything is sent, with reason and remedy."""
    with pytest.raises(FiberCapabilityError) as caught:
        settle(ask(**members), TABLE, TARGET, {"logprobs": "this model does not tell"})

    error = caught.value
    assert error.message == (
        f"acme cannot take {parameter} for 'm' ({parameter}: {why})."
        ' Leave it out, choose another model, or set on_unsupported="warn" or "drop".'
    )
    assert (error.provider, error.model, error.parameter, error.outcome) == ("acme", "m", parameter, "not_sent")


@pytest.mark.parametrize(
    ("name", "neutral", "other"),
    [("n", 1, 2), ("logprobs", False, True), ("store", False, True), ("parallel_tool_calls", True, False)],
)
def test_value_that_asks_for_nothing_is_left_out(name: str, neutral: Any, other: Any) -> None:
    """A value that asks for what happens anyway is left out without a word where there is no such parameter."""
    table = {**TABLE, name: unsupported("there is none")}

    assert settle(ask(**{name: neutral}, seed=None), table, TARGET) == (ask(), [])
    with pytest.raises(FiberCapabilityError):
        settle(ask(**{name: other}), table, TARGET)
    assert settle(ask(**{name: other}, on_unsupported="drop"), table, TARGET)[0] == ask(on_unsupported="drop")


def test_value_that_asks_for_nothing_is_sent_where_it_can_be() -> None:
    """Where the parameter exists, its neutral value is sent like any other."""
    target = Target(provider="acme", model="m", base_url="https://h")

    assert settle(ask(n=1, store=False), TABLE, target) == (ask(n=1, store=False), [])


def test_all_refused_parameters_are_named_at_once() -> None:
    """One error names everything that cannot be sent."""
    with pytest.raises(FiberCapabilityError, match=r"cannot take seed, user for 'm' \(seed: .*; user: .*\)"):
        settle(ask(seed=1, user="u"), TABLE, TARGET)


@pytest.mark.parametrize("policy", ["warn", "drop"])
def test_parameter_is_dropped_on_request(policy: Any) -> None:
    """Under the other policies the request goes on without it, and a note says so."""
    settled, notes = settle(ask(seed=1, n=2, temperature=1, on_unsupported=policy), TABLE, TARGET)

    assert settled == ask(temperature=1, on_unsupported=policy)
    assert notes == [Note("dropped", "seed", "there is no seed"), Note("dropped", "n", "one at a time")]


def test_json_mode_is_never_refused() -> None:
    """Where the format, the row or the model has no switch it is asked for in words; a schema is refused."""
    mode = ask(response_format=ResponseFormat("json_object"), seed=1, on_unsupported="drop")
    place = Target(
        provider="acme", model="m", base_url="https://h", quirks=Quirks(unsupported={"response_format": "x"})
    )

    settled, notes = settle(mode, TABLE, place)

    assert settled.response_format is None
    assert settled.messages == (ChatMessage.system(JSON_OBJECT), *HI)
    assert [(note.kind, note.subject) for note in notes] == [("warned", "response_format"), ("dropped", "seed")]
    assert settle(ask(response_format=ResponseFormat("json_object")), TABLE, place)[0] == ask(messages=settled.messages)
    with pytest.raises(FiberCapabilityError, match="response_format: x"):
        settle(ask(response_format=ResponseFormat("json_schema", {})), TABLE, place)


def test_subject_is_refused() -> None:
    """A part, tool or option that the target lacks raises with reason and remedy."""
    notes: list[Note] = []
    with pytest.raises(FiberCapabilityError) as caught:
        refuse(ask(), TARGET, notes, "Audio content", "it is deaf")

    error = caught.value
    assert error.message.startswith("acme cannot take Audio content for 'm': it is deaf. Leave it out")
    assert (error.provider, error.model, error.parameter, error.outcome) == ("acme", "m", "Audio content", "not_sent")
    assert notes == []


@pytest.mark.parametrize("policy", ["warn", "drop"])
def test_subject_is_dropped_on_request(policy: Any) -> None:
    """Under the other policies a note says that the subject is not sent."""
    notes: list[Note] = []

    refuse(ask(on_unsupported=policy), TARGET, notes, "Audio content", "it is deaf")

    assert notes == [Note("dropped", "Audio content", "it is deaf")]


def test_plain_parameters_are_placed() -> None:
    """Every plain value that was said stands at its path; 0 and False are said, None is not."""
    body: dict[str, Any] = {"model": "m"}

    place(body, ask(temperature=0, store=False, top_k=0, max_tokens=5, tools=(), seed=1), TABLE)

    assert body == {"model": "m", "temperature": 0, "store": False, "config": {"topK": 0, "maxTokens": 5}}


def test_value_is_put_at_a_path() -> None:
    """The objects on the way are made where they are missing and kept where they are not."""
    body: dict[str, Any] = {"a": {"x": 1}}

    put(body, "a.b.c", 2)
    put(body, "d", 3)

    assert body == {"a": {"x": 1, "b": {"c": 2}}, "d": 3}


@pytest.mark.parametrize(
    ("body", "extra", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": None}, {"a": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3, "d": {"e": 4}}}, {"a": {"b": 1, "c": 3, "d": {"e": 4}}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
    ids=["added", "replaced", "deep", "lists", "object by value", "value by object"],
)
def test_extra_members_are_merged(body: Any, extra: Any, expected: Any) -> None:
    """Objects are merged member by member, everything else is replaced, and the body itself does not change."""
    before = repr(body)

    assert merge(body, extra) == expected
    assert repr(body) == before


def test_row_has_members_of_its_own() -> None:
    """A parameter goes where the row says, one that its format lacks included, and the format's table stays."""
    target = Target(
        provider="acme", model="m", base_url="https://h", quirks=Quirks(members={"seed": "random_seed", "top_k": "k"})
    )

    table = of_row(TABLE, target)

    assert (table["seed"], table["top_k"]) == (renamed("random_seed"), renamed("k"))
    assert TABLE["seed"].support == "unsupported"
    assert of_row(TABLE, TARGET) is TABLE


LACKING = {"tool_choice.required": "no forcing", "response_format.json_schema": "no schemas", "tools.strict": "no"}


@pytest.mark.parametrize(
    ("name", "refused", "taken"),
    [
        ("tool_choice", ToolChoice("required"), ToolChoice("auto")),
        ("response_format", ResponseFormat("json_schema", schema={}), ResponseFormat("text")),
    ],
)
def test_one_kind_of_a_parameter_may_be_unsupported(name: str, refused: Any, taken: Any) -> None:
    """The others are sent."""
    target = Target(provider="acme", model="m", base_url="https://h", quirks=Quirks(unsupported=LACKING))

    kept, notes = settle(ask(**{name: taken}), TABLE, target)

    assert (getattr(kept, name), notes) == (taken, [])
    with pytest.raises(FiberCapabilityError, match=r"no schemas|no forcing") as caught:
        settle(ask(**{name: refused}), TABLE, target)
    assert caught.value.parameter == name


def test_json_mode_that_a_row_lacks_is_asked_for_in_words() -> None:
    """Though its schemas are taken."""
    quirks = Quirks(unsupported={"response_format.json_object": "schemas only"})
    target = Target(provider="acme", model="m", base_url="https://h", quirks=quirks)

    kept, notes = settle(ask(response_format=ResponseFormat("json_object")), TABLE, target)

    assert kept.response_format is None
    assert [note.kind for note in notes] == ["warned"]


@pytest.mark.parametrize("name", ["anthropic", "gemini", "openai_chat", "openai_responses"])
def test_every_format_heeds_the_members_of_a_row(name: str) -> None:
    """A parameter that the format has elsewhere or not at all is sent where the row has it, and only there."""
    quirks = Quirks(members={"seed": "sampling.seed", "user": "who"})
    target = Target(provider="acme", model="m", base_url="https://h", quirks=quirks)

    built = load(name).build_request(ask(seed=3, user="u"), target, stream=False)

    body = msgspec.json.decode(built.body)
    assert (body["sampling"], body["who"]) == ({"seed": 3}, "u")
    assert not body.keys() & {"seed", "user", "metadata"}
