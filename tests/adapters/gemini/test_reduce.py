"""JSON Schema as Gemini takes it."""

from __future__ import annotations

from typing import Any

from fiber.types.tools import ResponseFormat


def test_schema_is_reduced_and_every_loss_is_told(tools: Any) -> None:
    """What Gemini does not take is taken out or said otherwise, and listed in one note."""
    schema = {
        "$schema": "s",
        "title": "T",
        "type": "object",
        "properties": {
            "title": {"const": "a"},
            "age": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9},
            "size": {"type": "number", "exclusiveMinimum": 0},
            "low": {"type": "integer", "exclusiveMinimum": 0, "minimum": 5},
            "when": {"type": "string", "format": "date", "description": "Day."},
            "at": {"type": "string", "format": "time"},
            "ref": {"$ref": "#/$defs/x"},
        },
        "$defs": {"x": {"type": "number", "format": "float", "examples": [1]}},
        "additionalProperties": False,
    }
    made = tools.build(response_format=ResponseFormat("json_schema", schema))

    assert tools.body(response_format=ResponseFormat("json_schema", schema))["generationConfig"][
        "responseJsonSchema"
    ] == {
        "type": "object",
        "properties": {
            "title": {"enum": ["a"]},
            "age": {"type": "integer", "minimum": 1, "maximum": 8},
            "size": {"type": "number"},
            "low": {"type": "integer", "minimum": 5},
            "when": {"type": "string", "description": "Day. Format: date."},
            "at": {"type": "string", "description": "Format: time."},
            "ref": {"$ref": "#/$defs/x"},
        },
        "$defs": {"x": {"type": "number", "format": "float"}},
        "additionalProperties": False,
    }
    [note] = made.notes
    assert (note.kind, note.subject) == ("mapped", "response_format")
    assert note.detail == (
        "schema reduced: $.properties.size: exclusiveMinimum 0 removed;"
        " $.properties.low: exclusiveMinimum 0 removed;"
        " $.properties.when: format moved to the description;"
        " $.properties.at: format moved to the description; $schema, examples, title removed"
    )
    assert schema["title"] == "T"


def test_what_is_not_held_to_is_told(tools: Any) -> None:
    """Keywords that Gemini does not read are sent all the same, each with a line; annotations need none."""
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "pattern": "^x", "default": "x", "minItems": 1},
            "b": {"oneOf": [{"type": "string"}, {"not": {}}]},
        },
    }
    wanted = ResponseFormat("json_schema", schema, strict=False)

    notes = tools.build(response_format=wanted).notes

    assert tools.body(response_format=wanted)["generationConfig"]["responseJsonSchema"] == schema
    assert [note.detail for note in notes] == [
        "strict=False sent as a schema that is held to",
        "$.properties.a: pattern is not held to; $.properties.b.oneOf[1]: not is not held to;"
        " $.properties.b: oneOf is read as anyOf",
    ]
