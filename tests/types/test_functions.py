"""Schemas of Python types and functions."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pydantic
import pytest

from fiber._errors import FiberValidationError
from fiber.types.functions import check_schema, name_of, schema_of, tool_of
from fiber.types.tools import Tool


class Unit(Enum):
    """Units of temperature."""

    C = "c"
    F = "f"


class Place(msgspec.Struct):
    """A place."""

    city: str
    country: str = "NO"


@dataclass
class Box:
    """Corners of a map."""

    corners: list[Place] = field(default_factory=list)


class Node(msgspec.Struct):
    """A tree."""

    children: list[Node] = []


class Trip(TypedDict):
    """A way."""

    start: Place
    end: NotRequired[Place]


class Model(pydantic.BaseModel):
    """A pydantic model."""

    city: str


PLACE = {
    "title": "Place",
    "description": "A place.",
    "type": "object",
    "properties": {"city": {"type": "string"}, "country": {"type": "string", "default": "NO"}},
    "required": ["city"],
}


# -- functions ----------------------------------------------------------------------------------------------------


def forecast(
    place: Place,
    days: Annotated[int, msgspec.Meta(ge=1, le=14)] = 3,
    unit: Literal["c", "f"] = "c",
    *,
    note: str | None = None,
) -> str:
    """
    Tell the weather
    of the next days.

    It is a guess.

    Args:
        place: Where.
        days (int): How many,
            today included.
        unit: Unit of temperature.
        other: Not a parameter.

    Returns:
        note: Words.
    """
    return f"{place}{days}{unit}{note}"


def test_tool_of_a_typed_function() -> None:
    """A typed function with a docstring gives a tool with name, description and schema."""
    tool = tool_of(forecast)

    assert tool == Tool(
        "forecast",
        "Tell the weather of the next days.",
        {
            "type": "object",
            "properties": {
                "place": {"$ref": "#/$defs/Place", "description": "Where."},
                "days": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 14,
                    "description": "How many, today included.",
                    **DEFAULTED,
                },
                "unit": {"enum": ["c", "f"], "description": "Unit of temperature.", **DEFAULTED},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], **DEFAULTED},
            },
            "required": ["place"],
            "$defs": {"Place": PLACE},
        },
    )


DEFAULTED: dict[str, Any] = {}
"""What a default leaves in the schema: nothing but that the parameter is not required."""


def test_tool_takes_another_name_and_strictness() -> None:
    """Name and strictness can be said."""
    tool = tool_of(forecast, name="weather", strict=True)

    assert (tool.name, tool.strict) == ("weather", True)


def test_tool_of_a_function_without_a_docstring() -> None:
    """A function that is not described gives a tool that is not described."""

    def bare(a: int) -> None: ...

    assert tool_of(bare) == Tool(
        "bare", "", {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    )


def test_tool_of_a_function_without_parameters() -> None:
    """A function without parameters gives a schema without members."""

    def now() -> str:
        """Say the time."""
        return ""

    assert tool_of(now) == Tool("now", "Say the time.", {"type": "object", "properties": {}, "required": []})


def test_tool_of_a_method() -> None:
    """A bound method is called without its object, so its object is no parameter."""

    class Weather:
        def look(self, city: str) -> str:
            return city

    assert list(tool_of(Weather().look).parameters["properties"]) == ["city"]


def test_parameter_of_every_kind_of_type() -> None:
    """Dataclasses, typed dicts, enums, lists and mutable defaults all have a schema."""

    def plan(box: Box, trip: Trip, unit: Unit, tags: list[str] = [], free: Any = None) -> None:  # noqa: B006
        """Plan."""

    tool = tool_of(plan)

    assert tool.parameters["required"] == ["box", "trip", "unit"]
    assert set(tool.parameters["$defs"]) == {"Box", "Trip", "Unit", "Place"}
    assert tool.parameters["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
    check_schema(tool.parameters, "plan", "tools")


def test_description_of_a_type_is_kept() -> None:
    """A description in the annotation wins over the docstring's."""

    def look(city: Annotated[str, msgspec.Meta(description="Here.")]) -> None:
        """
        Look.

        Arguments:
            city: There.
        """

    assert tool_of(look).parameters["properties"]["city"]["description"] == "Here."


def test_arguments_of_a_docstring_may_be_written_loosely() -> None:
    """Blank lines, stars and text before the first argument do not confuse the reader."""

    def look(city: str, day: str) -> None:
        """
        Look.

        Args:

            Both are words.
            *city: There.

            day: Then.
        Raises:
            day: Never.
        """

    properties = tool_of(look).parameters["properties"]

    assert [member["description"] for member in properties.values()] == ["There.", "Then."]


def untyped(a, b: int):  # type: ignore[no-untyped-def]
    """No type."""


def starred(*a: int) -> None:
    """Any number."""


def named(**a: int) -> None:
    """Any name."""


def positional(a: int, /) -> None:
    """By place."""


def unknown(a: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821 - that is the case
    """No such type."""


def broken(a: "1 +") -> None:  # type: ignore[valid-type]  # noqa: F722 - that is the case
    """No type at all."""


def impossible(a: complex) -> None:
    """A type without JSON."""


class Callable_:
    """A callable that is no function."""

    def __call__(self, a: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "title", "complaint"),
    [
        pytest.param(untyped, "untyped", "parameter 'a' has no type annotation", id="untyped"),
        pytest.param(starred, "starred", "parameter 'a' cannot be passed by name", id="star"),
        pytest.param(named, "named", "parameter 'a' cannot be passed by name", id="stars"),
        pytest.param(positional, "positional", "parameter 'a' cannot be passed by name", id="positional"),
        pytest.param(unknown, "unknown", "its annotations cannot be read .*Nowhere", id="unknown type"),
        pytest.param(broken, "broken", "its annotations cannot be read", id="broken type"),
        pytest.param(impossible, "impossible", "cannot be said in JSON Schema", id="no schema"),
        pytest.param(functools.partial(forecast), "", "its annotations cannot be read", id="partial"),
        pytest.param(Callable_(), "", "its annotations cannot be read", id="object"),
        pytest.param(max, "max", "its annotations cannot be read", id="builtin"),
    ],
)
def test_function_that_is_no_tool(function: Any, title: str, complaint: str) -> None:
    """A function whose parameters cannot be described is refused with its name and what to do."""
    with pytest.raises(FiberValidationError, match=f"function '{title}': .*{complaint}.* or pass a Tool") as caught:
        tool_of(function)

    assert (caught.value.parameter, caught.value.outcome) == ("tools", "not_sent")


def test_function_needs_a_usable_name() -> None:
    """A nameless function needs a name."""
    with pytest.raises(FiberValidationError, match="Tool name '<lambda>' is not valid"):
        tool_of(lambda: None)

    assert tool_of(lambda: None, name="f").name == "f"


# -- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(Place, PLACE, id="struct"),
        pytest.param(
            Box,
            {
                "title": "Box",
                "description": "Corners of a map.",
                "type": "object",
                "properties": {"corners": {"type": "array", "items": {"$ref": "#/$defs/Place"}}},
                "required": [],
                "$defs": {"Place": PLACE},
            },
            id="dataclass",
        ),
        pytest.param(
            Trip,
            {
                "title": "Trip",
                "description": "A way.",
                "type": "object",
                "properties": {"start": {"$ref": "#/$defs/Place"}, "end": {"$ref": "#/$defs/Place"}},
                "required": ["start"],
                "$defs": {"Place": PLACE},
            },
            id="typed dict",
        ),
        pytest.param(list[int], {"type": "array", "items": {"type": "integer"}}, id="generic"),
        pytest.param(
            Model,
            {
                "title": "Model",
                "description": "A pydantic model.",
                "type": "object",
                "properties": {"city": {"title": "City", "type": "string"}},
                "required": ["city"],
            },
            id="pydantic",
        ),
    ],
)
def test_schema_of_a_type(kind: Any, expected: dict[str, Any]) -> None:
    """Every kind of type has its schema, an object at the root."""
    assert schema_of(kind) == expected
    check_schema(schema_of(kind), "schema", "response_format")


def test_schema_of_a_type_that_holds_itself() -> None:
    """A type that refers to itself keeps its definition beside the root."""
    schema = schema_of(Node)

    assert schema["type"] == "object"
    assert schema["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert schema["$defs"]["Node"]["type"] == "object"


def test_schema_of_several_types_keeps_its_definitions() -> None:
    """A root that is no reference stays as it is."""
    assert set(schema_of(list[Place])["$defs"]) == {"Place"}


class Silent:
    """A class whose schema cannot be made."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """Fail like a model that is not fully defined."""
        raise RuntimeError("not fully defined")


class Mixed(msgspec.Struct):
    """A Struct around a pydantic model, which neither library reads."""

    model: Model


@pytest.mark.parametrize("kind", [complex, object(), Silent, Mixed], ids=["type", "value", "pydantic", "mixed"])
def test_type_without_a_schema(kind: Any) -> None:
    """A type that JSON Schema cannot say is refused."""
    with pytest.raises(FiberValidationError, match="cannot be said in JSON Schema") as caught:
        schema_of(kind)

    assert (caught.value.parameter, caught.value.outcome) == ("response_format", "not_sent")


# -- checks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "string", "enum": ["a"]},
        {"type": ["string", "null"]},
        {"properties": {"type": {"type": "string"}, "required": {}}, "required": ["type"]},
        {"items": {"type": "integer"}},
        {"items": [{"type": "anything"}]},
        {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}], "$defs": {"x": {"oneOf": [], "allOf": [{}]}}},
        {"definitions": {"x": False}},
    ],
    ids=str,
)
def test_schema_is_accepted(schema: Any) -> None:
    """What JSON Schema allows is let through."""
    check_schema(schema, "f", "tools")


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        pytest.param(None, "f is not a JSON Schema: it must be an object, not None", id="none"),
        pytest.param([], "f is not a JSON Schema: it must be an object", id="list"),
        pytest.param(
            {"type": "text"}, "f is not a valid JSON Schema: type 'text' is not one of array, boolean", id="type"
        ),
        pytest.param({"type": ["string", "text"]}, "type .* is not one of", id="types"),
        pytest.param({"type": None}, "type None is not one of", id="null type"),
        pytest.param({"type": 5}, "type 5 is not one of", id="number type"),
        pytest.param({"type": [["string"]]}, "is not one of", id="nested type"),
        pytest.param({"required": "a"}, "required must be a list of names", id="required"),
        pytest.param({"required": [5]}, "required must be a list of names", id="required number"),
        pytest.param({"enum": "a"}, "enum must be a list", id="enum"),
        pytest.param({"properties": []}, "f is not a valid JSON Schema: properties must be an object", id="properties"),
        pytest.param({"$defs": []}, r"\$defs must be an object", id="defs"),
        pytest.param({"definitions": 5}, "definitions must be an object", id="definitions"),
        pytest.param({"properties": {"a": {"type": "x"}}}, "f.properties.a is not a valid", id="property"),
        pytest.param({"properties": {"a": None}}, "f.properties.a is not a JSON Schema", id="null property"),
        pytest.param({"items": {"items": {"type": "x"}}}, "f.items.items is not a valid", id="items"),
        pytest.param({"anyOf": [{}, {"type": "x"}]}, r"f.anyOf\[1\] is not a valid", id="any"),
        pytest.param({"oneOf": {"type": "x"}}, "f is not a valid JSON Schema: oneOf must be a list", id="one"),
        pytest.param({"allOf": 5}, "allOf must be a list", id="all"),
        pytest.param({"$defs": {"x": {"type": "x"}}}, r"f.\$defs.x is not a valid", id="definition"),
    ],
)
def test_schema_is_refused(schema: Any, complaint: str) -> None:
    """What is no JSON Schema is refused, with the path of the fault."""
    with pytest.raises(FiberValidationError, match=complaint) as caught:
        check_schema(schema, "f", "tools")

    assert (caught.value.parameter, caught.value.outcome) == ("tools", "not_sent")


class Page(pydantic.BaseModel):
    """A pydantic model that holds itself."""

    below: list[Page] = []


def test_root_of_a_model_that_holds_itself_is_an_object() -> None:
    """Pydantic's reference at the root gives way to what it refers to; providers want an object there."""
    schema = schema_of(Page)

    assert schema["type"] == "object"
    assert set(schema["$defs"]) == {"Page"}


@pytest.mark.parametrize(
    ("name", "expected"), [("Page", "Page"), ("Page[int]", "Page_int"), ("[]", "response"), ("x" * 99, "x" * 64)]
)
def test_name_of_a_type_is_one_that_providers_take(name: str, expected: str) -> None:
    """What is no letter, digit, underscore or dash is replaced, and the length is bounded."""
    assert name_of(type(name, (), {})) == expected
