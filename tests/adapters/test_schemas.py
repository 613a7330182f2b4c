"""Bending JSON Schemas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters.schemas import closed, has_optional, nullable, walk, wrapped

NULL = {"type": "null"}
TEXT = {"type": "string"}


def visited(schema: dict[str, Any]) -> list[str]:
    """The paths of all subschemas, in the order of their visit."""
    paths: list[str] = []

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        paths.append(path)
        return node

    assert walk(schema, visit) == schema
    return paths


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        pytest.param({}, ["$"], id="empty"),
        pytest.param({"items": TEXT}, ["$.items", "$"], id="items"),
        pytest.param(
            {"properties": {"a": {"items": {"not": {}}}, "b": {}}},
            ["$.properties.a.items.not", "$.properties.a.items", "$.properties.a", "$.properties.b", "$"],
            id="bottom up",
        ),
        pytest.param(
            {"anyOf": [{}, {"oneOf": [{}]}, {"allOf": [{}]}, {"prefixItems": [{}]}]},
            [
                "$.anyOf[0]",
                "$.anyOf[1].oneOf[0]",
                "$.anyOf[1]",
                "$.anyOf[2].allOf[0]",
                "$.anyOf[2]",
                "$.anyOf[3].prefixItems[0]",
                "$.anyOf[3]",
                "$",
            ],
            id="lists",
        ),
        pytest.param(
            {
                "$defs": {"x": {}},
                "definitions": {"x": {}},
                "patternProperties": {"^x": {}},
                "dependentSchemas": {"x": {}},
            },
            ["$.$defs.x", "$.definitions.x", "$.patternProperties.^x", "$.dependentSchemas.x", "$"],
            id="maps",
        ),
        pytest.param(
            {
                key: {}
                for key in ("additionalProperties", "contains", "if", "then", "else", "propertyNames", "not", "items")
            },
            [
                "$.additionalProperties",
                "$.contains",
                "$.if",
                "$.then",
                "$.else",
                "$.propertyNames",
                "$.not",
                "$.items",
                "$",
            ],
            id="single",
        ),
        pytest.param(
            {"properties": {"items": {}, "anyOf": {}}}, ["$.properties.items", "$.properties.anyOf", "$"], id="names"
        ),
        pytest.param(
            {
                "enum": [{"items": {}}],
                "const": {"items": {}},
                "default": {"properties": {"a": {}}},
                "examples": [{"anyOf": [{}]}],
            },
            ["$"],
            id="values",
        ),
        pytest.param(
            {"properties": {"a": True}, "anyOf": [False, {}], "additionalProperties": False, "items": [{}]},
            ["$.anyOf[1]", "$"],
            id="booleans",
        ),
        pytest.param({"properties": 5, "anyOf": 5, "items": 5}, ["$"], id="nonsense"),
    ],
)
def test_every_subschema_is_visited_once(schema: dict[str, Any], paths: list[str]) -> None:
    """Every subschema is visited after those inside it, with its path; names and values are never mistaken for one."""
    assert visited(schema) == paths


def test_walk_rebuilds_what_it_visits() -> None:
    """What the visitor returns replaces the subschema, and the original stays as it was."""
    schema = {"properties": {"a": {"items": {"x": 1}}}, "anyOf": ({"x": 1},)}

    def without(node: dict[str, Any], path: str) -> dict[str, Any]:
        node.pop("x", None)
        return node

    assert walk(schema, without) == {"properties": {"a": {"items": {}}}, "anyOf": [{}]}
    assert schema == {"properties": {"a": {"items": {"x": 1}}}, "anyOf": ({"x": 1},)}


@pytest.mark.parametrize(
    ("schema", "expected", "changes"),
    [
        pytest.param(TEXT, TEXT, [], id="no object"),
        pytest.param({"type": "object"}, {"type": "object", "additionalProperties": False}, [], id="bare object"),
        pytest.param(
            {"properties": {"a": {"type": "object", "additionalProperties": True}}, "additionalProperties": False},
            {"properties": {"a": {"type": "object", "additionalProperties": False}}, "additionalProperties": False},
            ["$.properties.a: additionalProperties set to false"],
            id="open object inside",
        ),
        pytest.param(
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"type": "object", "additionalProperties": False},
            ["$: additionalProperties set to false"],
            id="map",
        ),
        pytest.param(
            {"anyOf": [{"type": "string", "minLength": 1, "format": "x"}], "minLength": 2},
            {"anyOf": [{"type": "string", "format": "x"}]},
            ["$.anyOf[0]: minLength removed", "$: minLength removed"],
            id="dropped keyword",
        ),
        pytest.param(
            {"type": "object", "properties": {"minLength": TEXT}},
            {"type": "object", "properties": {"minLength": TEXT}, "additionalProperties": False},
            [],
            id="property named like a dropped keyword",
        ),
    ],
)
def test_objects_are_closed(schema: Any, expected: Any, changes: list[str]) -> None:
    """Every object is closed, unwanted keywords are removed, and each change of meaning is told."""
    before = repr(schema)

    assert closed(schema, require_all=False, drop=("minLength",)) == (expected, changes)
    assert repr(schema) == before


def test_every_property_is_required_on_demand() -> None:
    """In the strictest mode, what was optional becomes required and nullable, at every depth."""
    schema = {
        "type": "object",
        "properties": {"a": TEXT, "b": {"type": "integer"}, "c": {"properties": {"d": {"$ref": "#/$defs/x"}}}},
        "required": ["b"],
        "$defs": {"x": {"type": "object"}},
    }

    found, changes = closed(schema, require_all=True)

    assert found == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": "integer"},
            "c": {
                "anyOf": [
                    {
                        "properties": {"d": {"anyOf": [{"$ref": "#/$defs/x"}, NULL]}},
                        "additionalProperties": False,
                        "required": ["d"],
                    },
                    NULL,
                ]
            },
        },
        "required": ["a", "b", "c"],
        "additionalProperties": False,
        "$defs": {"x": {"type": "object", "additionalProperties": False, "properties": {}, "required": []}},
    }
    assert changes == [
        "$.properties.c.d: made required and nullable",
        "$.a: made required and nullable",
        "$.c: made required and nullable",
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (TEXT, {"type": ["string", "null"]}),
        ({"type": ["string", "integer"], "minLength": 1}, {"type": ["string", "integer", "null"], "minLength": 1}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"]}),
        (NULL, NULL),
        ({"type": "string", "enum": ["a"]}, {"anyOf": [{"type": "string", "enum": ["a"]}, NULL]}),
        ({"const": 1}, {"anyOf": [{"const": 1}, NULL]}),
        ({"$ref": "#"}, {"anyOf": [{"$ref": "#"}, NULL]}),
        ({}, {"anyOf": [{}, NULL]}),
        ({"anyOf": [TEXT]}, {"anyOf": [TEXT, NULL]}),
        ({"anyOf": [TEXT, NULL]}, {"anyOf": [TEXT, NULL]}),
        ({"anyOf": [TEXT], "title": "T"}, {"anyOf": [{"anyOf": [TEXT], "title": "T"}, NULL]}),
        (True, True),
    ],
    ids=str,
)
def test_schema_admits_null(schema: Any, expected: Any) -> None:
    """Null is admitted in the simplest way that the schema allows."""
    before = repr(schema)

    assert nullable(schema) == expected
    assert repr(schema) == before


@given(
    st.recursive(
        st.sampled_from([TEXT, {}, {"enum": [1]}, {"$ref": "#"}, True]),
        lambda inner: (
            st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3)})
            | st.lists(inner, max_size=2).map(lambda members: {"anyOf": members})
            | inner.map(lambda member: {"type": "array", "items": member})
        ),
        max_leaves=8,
    ).filter(lambda schema: isinstance(schema, dict))
)
def test_closed_schema_stays_closed(schema: dict[str, Any]) -> None:
    """To close a schema that is closed already changes nothing and has nothing to tell."""
    once, _ = closed(schema, require_all=True)

    assert closed(once, require_all=True) == (once, [])


def around(inner: dict[str, Any], **definitions: Any) -> dict[str, Any]:
    """The schema of an object with one member."""
    closing = {"required": ["v"], "additionalProperties": False}
    return {"type": "object", "properties": {"v": inner}, **closing, **definitions}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (TEXT, around(TEXT)),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": TEXT}, "definitions": {"b": TEXT}},
            around({"$ref": "#/$defs/a"}, **{"$defs": {"a": TEXT}, "definitions": {"b": TEXT}}),
        ),
        (
            {"type": "array", "items": {"$ref": "#"}},
            around({"$ref": "#/$defs/v"}, **{"$defs": {"v": {"type": "array", "items": {"$ref": "#/$defs/v"}}}}),
        ),
        (
            {"anyOf": [{"$ref": "#/anyOf/1"}, TEXT], "$defs": {"v": {"$ref": "#"}}},
            around(
                {"$ref": "#/$defs/v_"},
                **{"$defs": {"v": {"$ref": "#/$defs/v_"}, "v_": {"anyOf": [{"$ref": "#/$defs/v_/anyOf/1"}, TEXT]}}},
            ),
        ),
        ({"$ref": "https://else.test/#"}, around({"$ref": "https://else.test/#"})),
        ({"$schema": "s", **TEXT}, around(TEXT, **{"$schema": "s"})),
    ],
    ids=["plain", "definitions", "itself", "into itself", "elsewhere", "draft"],
)
def test_schema_is_put_into_an_object(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """Definitions stay at the root, and what refers to the root goes on to mean the same."""
    before = repr(schema)

    assert wrapped(schema, "v") == expected
    assert repr(schema) == before


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, False),
        ({"properties": {"a": TEXT}, "required": ["a"]}, False),
        ({"properties": {"a": TEXT}}, True),
        ({"properties": {"a": {"items": {"properties": {"b": TEXT}}}}, "required": ["a"]}, True),
        ({"$defs": {"a": {"properties": {"b": TEXT, "c": TEXT}, "required": ["c"]}}}, True),
    ],
)
def test_optional_members_are_found_anywhere(schema: dict[str, Any], expected: bool) -> None:
    """One object that may do without a member is enough."""
    assert has_optional(schema) is expected


def test_schema_that_stays_open_only_loses_keywords() -> None:
    """Where objects need not be closed, nothing but what is dropped is touched."""
    schema = {"type": "object", "properties": {"a": {"type": "string", "maxLength": 1}}}

    made, changes = closed(schema, require_all=False, drop=("maxLength",), close=False)

    assert made == {"type": "object", "properties": {"a": TEXT}}
    assert changes == ["$.properties.a: maxLength removed"]
