"""JSON text and values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given

from fiber._errors import FiberParsingError, FiberValidationError
from fiber.types import validating
from fiber.types.jsons import finite, json_of, parse_json
from tests.strategies import json_values


class City(msgspec.Struct):
    """A place, as a Struct."""

    name: str
    size: int = 0


@dataclass
class Town:
    """A place, as a dataclass."""

    name: str
    size: int = 0


class Village(TypedDict):
    """A place, as a TypedDict."""

    name: str


class Hamlet(pydantic.BaseModel):
    """A place, as a pydantic model."""

    name: str
    size: int = 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{"name":"Oslo"}', {"name": "Oslo"}), (" [1] ", [1]), ("null", None), ('"a"', "a"), ("1.5", 1.5)],
)
def test_json_as_plain_values(text: str, expected: Any) -> None:
    """Without a type, JSON is read as plain values."""
    assert parse_json(text) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(City, City("Oslo", 7), id="struct"),
        pytest.param(Town, Town("Oslo", 7), id="dataclass"),
        pytest.param(Village, {"name": "Oslo"}, id="typed dict"),
        pytest.param(Hamlet, Hamlet(name="Oslo", size=7), id="pydantic"),
        pytest.param(dict[str, str | int], {"name": "Oslo", "size": 7}, id="generic"),
        pytest.param(dict, {"name": "Oslo", "size": 7}, id="builtin"),
    ],
)
def test_json_as_a_type(kind: Any, expected: Any) -> None:
    """With a type, the value is a checked instance of it."""
    found = parse_json('{"name":"Oslo","size":7}', kind)

    assert found == expected
    assert type(found) is type(expected)


def test_json_of_a_union_of_words() -> None:
    """Any type that msgspec knows will do."""
    assert parse_json('"b"', Literal["a", "b"]) == "b"


@pytest.mark.parametrize("text", ["", "Oslo", '{"name":', "{'name':'Oslo'}", '"\ud800"', "[" * 100_000])
def test_text_that_is_not_json(text: str) -> None:
    """A text that is not JSON is a parsing error with the start of the text."""
    with pytest.raises(FiberParsingError, match=r"The answer is not JSON: .* Its text is in result\.text\.") as caught:
        parse_json(text)

    assert caught.value.raw_response == text[:200]
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("kind", [City, Town, Village, Hamlet, list[City]], ids=str)
@pytest.mark.parametrize("text", ['{"size":7}', '{"name":5}', "null", "nothing"])
def test_json_that_does_not_fit(kind: Any, text: str) -> None:
    """JSON that does not fit the type is a parsing error that names the type."""
    with pytest.raises(FiberParsingError, match="The answer is not a JSON ") as caught:
        parse_json(text, kind)

    assert caught.value.raw_response == text


@pytest.mark.parametrize("text", ['[{"name":"Oslo"}]', '[{"name":null}]'])
def test_type_that_cannot_be_parsed_into(text: str) -> None:
    """A type that msgspec cannot fill is an error of this library too."""
    with pytest.raises(FiberParsingError, match="The answer is not a JSON "):
        parse_json(text, list[City] | list[Town])


class Ford(msgspec.Struct):
    """Has defaults."""

    name: str
    depth: Decimal = Decimal(1)
    note: str | None = "none"


def test_null_for_what_has_a_default_counts_as_left_out() -> None:
    """Null gives the default where the type takes no None, and is None where it does; a whole value stays exact."""
    assert parse_json('{"name":"x","depth":null,"note":null}', Ford) == Ford("x", Decimal(1), None)
    assert parse_json('{"name":"x","depth":0.1000000000000000000001,"note":null}', Ford).depth == Decimal(
        "0.1000000000000000000001"
    )
    with pytest.raises(FiberParsingError, match="Expected `str`, got `null`"):
        parse_json('{"name":null}', Ford)


ANSWER = '{"name":"Oslo","size":7}'


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        pytest.param(ANSWER, None, {"name": "Oslo", "size": 7}, id="direct"),
        pytest.param(ANSWER, City, City("Oslo", 7), id="direct, typed"),
        pytest.param(f"\ufeff```json\n{ANSWER}\n```\n", Hamlet, Hamlet(name="Oslo", size=7), id="cleaned"),
        pytest.param("```\n42\n```", int, 42, id="cleaned number"),
        pytest.param(f"Sure! {ANSWER} Anything else?", City, City("Oslo", 7), id="extracted"),
        pytest.param('{"name":"Oslo",}', City, City("Oslo"), id="trailing comma"),
        pytest.param(f"See [1]: {ANSWER}", City, City("Oslo", 7), id="first that fits"),
        pytest.param(f"See [1]: {ANSWER}", None, [1], id="first of all"),
        pytest.param('"[1]"', None, "[1]", id="JSON is not searched"),
    ],
)
def test_lenient_reading(text: str, kind: Any, expected: Any) -> None:
    """The text itself comes first, then the cleaned one, then the first object or array in it that fits."""
    assert parse_json(text, kind, lenient=True) == expected


@given(json_values())
def test_lenient_reading_of_json_is_the_strict_one(value: Any) -> None:
    """What is JSON already is never searched."""
    text = msgspec.json.encode(value).decode()

    assert parse_json(text, lenient=True) == parse_json(text)


@pytest.mark.parametrize(
    "text", ["", "Oslo", f"[{ANSWER}", f"[{ANSWER}]", f'{{"a": {ANSWER}}}', "[" * 100_000, "[1] {}"]
)
def test_lenient_reading_invents_nothing(text: str) -> None:
    """Without an object that fits, or with only a part of something else, it is the same error as ever."""
    with pytest.raises(FiberParsingError, match="The answer is not a JSON City: ") as caught:
        parse_json(text, City, lenient=True)

    assert caught.value.raw_response == text[:200]


# -- writing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(City("Oslo", 7), '{"name":"Oslo","size":7}', id="struct"),
        pytest.param([Town("Oslo", 7)], '[{"name":"Oslo","size":7}]', id="dataclass"),
        pytest.param({"b": Hamlet(name="Oslo", size=7), "a": 1}, '{"a":1,"b":{"name":"Oslo","size":7}}', id="pydantic"),
        pytest.param({"b": {3, 1, 2}, "a": {2: "x", 1: "y"}}, '{"a":{"1":"y","2":"x"},"b":[1,2,3]}', id="order"),
        pytest.param(date(2026, 11, 21), '"2026-11-21"', id="date"),
        pytest.param("😀", '"😀"', id="text"),
    ],
)
def test_value_as_json(value: Any, expected: str) -> None:
    """Whatever has a JSON is written, names in order."""
    assert json_of(value) == expected


@given(json_values())
def test_written_json_reads_back_and_has_one_form(value: Any) -> None:
    """The value survives, and the order in which its names were set does not matter."""
    text = json_of(value)

    assert parse_json(text) == value
    assert json_of(backwards(value)) == text


def backwards(value: Any) -> Any:
    """Return an equal value whose names were set in the other order."""
    if isinstance(value, dict):
        return {name: backwards(member) for name, member in reversed(value.items())}
    return [backwards(member) for member in value] if isinstance(value, list) else value


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "value",
    [object(), {"a": {1: math.nan}}, City("Oslo", math.inf), "\ud800", {(1, 2): 3}, 1j, City, Hamlet, ENDLESS],  # type: ignore[arg-type]
    ids=lambda value: repr(value)[:12],
)
def test_value_that_json_cannot_say(value: Any) -> None:
    """It is refused; NaN and infinity never become null."""
    with pytest.raises(FiberValidationError, match="JSON") as caught:
        json_of(value)

    assert (caught.value.parameter, caught.value.outcome) == ("messages", "not_sent")


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [1, (-math.inf,)]}], ids=str)
def test_number_that_json_cannot_say(value: Any) -> None:
    """NaN and the infinities are refused wherever they are."""
    with pytest.raises(FiberValidationError, match="which JSON cannot say") as caught:
        finite("extra_body", value)

    assert caught.value.parameter == "extra_body"


@pytest.mark.parametrize("value", [None, 1.5, {"a": [1, ("x", {"b": -0.0})]}], ids=str)
def test_number_that_json_can_say(value: Any) -> None:
    """All other values pass."""
    finite("extra_body", value)


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ('{"v": [1, 2]}', list[int], [1, 2]),
        ('{"v": {"v": 1}, "w": 0}', None, {"v": 1}),
        ('{"v": 1, "v": 2}', int, 2),
        ('{"v": null}', None, None),
        ('So: {"v": [1,]}', list[int], [1]),
    ],
)
def test_value_inside_an_object(text: str, kind: Any, expected: Any) -> None:
    """Only the named member counts, in all ways to read."""
    assert parse_json(text, kind, member="v", lenient=True) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[1]", "not JSON, in its member 'v': Expected `object`, got `array`"),
        ("{}", "the object has no member 'v'"),
        ("nothing", "not JSON, in its member 'v'"),
    ],
)
def test_object_without_the_value(text: str, why: str) -> None:
    """Another value than such an object is an error that names the member."""
    with pytest.raises(FiberParsingError, match=re.escape(why)):
        parse_json(text, member="v")


@pytest.mark.skipif(not validating.is_able(), reason="needs the package jsonschema")
def test_json_of_a_schema() -> None:
    """A schema in place of a type: plain data that conforms, without the nulls of what was left out."""
    schema = {"properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}

    assert parse_json('{"a": 1, "b": null}', schema) == {"a": 1}
    assert parse_json('[] {"a": 2}', {"type": "object", **schema}, lenient=True) == {"a": 2}
    with pytest.raises(FiberParsingError, match=r"not a JSON value of the schema: at \$\.a: 'x' is not of type"):
        parse_json('{"a": "x", "b": null}', schema)
