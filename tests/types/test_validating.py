"""Values held to a JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberParsingError, FiberValidationError
from fiber.types import validating
from fiber.types.validating import check

TREE = {"type": "object", "properties": {"next": {"$ref": "#"}, "size": {"type": "integer"}}, "required": ["size"]}
HERE = pytest.mark.skipif(not validating.is_able(), reason="needs the package jsonschema")


@HERE
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (TREE, {"size": 1, "next": {"size": 2}}),
        ({}, None),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": True, "minimum": 1}, 2),
        ({"format": "date"}, "never"),
    ],
    ids=["recursive", "anything", "another draft", "format"],
)
def test_what_conforms_is_let_through(schema: dict[str, Any], value: Any) -> None:
    """References within the schema are followed, its own draft holds, and formats are not looked at."""
    check(value, schema)


@HERE
@pytest.mark.parametrize(
    ("schema", "value", "why"),
    [
        (TREE, {"size": 1, "next": {"size": "x"}}, r"^at \$\.next\.size: 'x' is not of type 'integer'$"),
        (TREE, {}, r"^at \$: 'size' is a required property$"),
        ({"items": {"anyOf": [{"type": "null"}, {"type": "integer"}]}}, [1, "x"], r"^at \$\[1\]: 'x'"),
        ({"maxLength": 3}, "x" * 900, r"^at \$: 'x{200,}$"),
    ],
)
def test_what_does_not_conform_is_told_with_its_path(schema: dict[str, Any], value: Any, why: str) -> None:
    """One violation, in few words."""
    with pytest.raises(ValueError, match=why) as caught:
        check(value, schema)

    assert len(str(caught.value)) <= 300


@HERE
@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.com/other.json"},
        {"$ref": "#/$defs/gone"},
        {"$ref": "#"},
        {"pattern": "("},
        {"type": "never"},
        {"properties": 1},
    ],
    ids=str,
)
def test_schema_that_cannot_be_used_is_told(schema: dict[str, Any]) -> None:
    """Nothing is fetched, and no foreign error comes through."""
    with pytest.raises(FiberValidationError, match="cannot be held to this JSON Schema"):
        check("x" if "pattern" in schema else {}, schema)


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks to validate is told what to install."""
    monkeypatch.setattr(validating, "find_spec", lambda name: None)

    with pytest.raises(FiberParsingError, match=r"pip install 'fiber-llm\[jsonschema\]'"):
        check({}, {})
