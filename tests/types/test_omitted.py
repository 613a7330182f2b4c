"""Null as absence."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters.schemas import closed
from fiber.types.omitted import left_out, without, without_nulls

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        pytest.param({"properties": {"a": TEXT}}, {"a": None}, {}, id="optional"),
        pytest.param({"properties": {"a": TEXT}, "required": ["a"]}, {"a": None}, {"a": None}, id="required"),
        pytest.param({"properties": {"a": {"type": ["string", "null"]}}}, {"a": None}, {"a": None}, id="nullable"),
        pytest.param(
            {"properties": {"a": {"anyOf": [TEXT, {"type": "null"}]}}}, {"a": None}, {"a": None}, id="nullable union"
        ),
        pytest.param({"properties": {"a": {}}}, {"a": None}, {"a": None}, id="anything"),
        pytest.param({"properties": {"a": True}}, {"a": None}, {}, id="boolean schema"),
        pytest.param({"properties": {"a": {"enum": ["x", None]}}}, {"a": None}, {"a": None}, id="null in enum"),
        pytest.param({"properties": {"a": {"enum": ["x"]}}}, {"a": None}, {}, id="enum"),
        pytest.param({"properties": {"a": {"const": 1}}}, {"a": None}, {}, id="const"),
        pytest.param({}, {"a": None}, {"a": None}, id="unknown member"),
        pytest.param({"items": {"properties": {"a": TEXT}}}, [{"a": None}, None], [{}, None], id="list"),
        pytest.param(
            {"additionalProperties": {"properties": {"a": TEXT}}}, {"k": {"a": None}}, {"k": {}}, id="values of a map"
        ),
        pytest.param(
            {"anyOf": [{"properties": {"a": TEXT}}, {"properties": {"b": TEXT}}]},
            {"a": None, "b": "x"},
            {"b": "x"},
            id="union",
        ),
        pytest.param(
            {"anyOf": [{"properties": {"a": TEXT}}, {"properties": {"a": TEXT}, "required": ["a"]}]},
            {"a": None},
            {"a": None},
            id="required in one of a union",
        ),
        pytest.param(
            {
                "$ref": "#/$defs/N~1x",
                "$defs": {"N/x": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N~1x"}, "a": TEXT}}},
            },
            {"next": {"next": None, "a": None}},
            {"next": {}},
            id="recursive",
        ),
        pytest.param({"properties": {"a": {"$ref": "#/$defs/gone/x"}}}, {"a": None}, {}, id="dangling reference"),
        pytest.param(
            {"properties": {"a": TEXT}, "allOf": [{"required": ["b"]}]}, {"a": None}, {}, id="beside a composition"
        ),
        pytest.param(TEXT, None, None, id="null itself"),
    ],
)
def test_null_stands_for_what_is_left_out(schema: Any, value: Any, expected: Any) -> None:
    """A member that is null is left out where it is optional and never null, and only there."""
    before = repr(value)

    assert without_nulls(value, schema) == expected
    assert repr(value) == before


class Leaf(msgspec.Struct, omit_defaults=True):
    """All kinds of optional members."""

    size: int
    name: str = "x"
    note: str | None = None
    leaves: list[Leaf] = []


@given(st.builds(Leaf, name=st.text(max_size=3), leaves=st.lists(st.builds(Leaf), max_size=2)))
def test_answers_to_the_strict_schema_fit_the_type(leaf: Leaf) -> None:
    """A value with null for every member that strict mode made required is the value that leaves them out."""
    schema = msgspec.json.schema(Leaf)
    strict, _ = closed(schema, require_all=True)
    names = strict["$defs"]["Leaf"]["required"]

    def filled(value: Any) -> Any:
        return {name: value.get(name) for name in names} | {"leaves": [filled(one) for one in value.get("leaves", ())]}

    plain = msgspec.to_builtins(leaf)

    assert msgspec.convert(without_nulls(filled(plain), schema), Leaf) == leaf


def test_places_are_json_pointers() -> None:
    """A slash and a tilde in a name are escaped, and numbers count elements."""
    schema = {"items": {"properties": {"a/b~c": TEXT}}}
    value = [{}, {"a/b~c": None, "d": None}]

    pointers = list(left_out(value, schema))

    assert pointers == ["/1/a~1b~0c"]
    assert without(value, pointers) == [{}, {"d": None}]
    assert without(value, []) is value
