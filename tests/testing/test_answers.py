"""Tests of the answers that the mock model gives on its own, and of the sample values in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber.testing import Failure, Reply, sample
from fiber.testing.answers import CHANGED, ONCE, REFUSED, answer
from fiber.testing.view import ChatView, OfferedTool

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = (OfferedTool("weather", CITY), OfferedTool("clock", {}))


def reply(earlier: int = 1, **asked: Any) -> Reply:
    """Return the reply to a request that does not fail."""
    found = answer(ChatView(**{"model": "m", **asked}), earlier)
    assert isinstance(found, Reply)
    return found


def test_tools_are_called_with_arguments_that_fit() -> None:
    """The first tool is called, the named one when one is named."""
    first = reply(tools=TOOLS).tool_calls
    named = reply(tools=TOOLS, tool_choice="required", tool_name="clock").tool_calls

    assert [(call.name, call.arguments) for call in first] == [("weather", {"city": "Paris"})]
    assert [(call.name, call.arguments) for call in named] == [("clock", {})]


def test_parallel_model_calls_every_tool() -> None:
    """A model named `parallel` calls all tools at once, unless that is forbidden."""
    assert len(reply(model="m-parallel", tools=TOOLS).tool_calls) == 2
    assert len(reply(model="m-parallel", tools=TOOLS, parallel=False).tool_calls) == 1


def test_tools_are_not_called_when_forbidden_or_answered() -> None:
    """No call with choice `none`, and after the results these are told."""
    assert reply(tools=TOOLS, tool_choice="none", last_text="Hi").text == "You said: Hi"
    assert reply(tools=TOOLS, tool_results=("rain", "sun")).text == "The tool says: rain; sun"


def test_schema_is_answered_with_fitting_json() -> None:
    """A schema gets a sample value; any JSON gets an object with the answer."""
    assert json.loads(reply(schema=CITY).text) == {"city": "Paris"}
    assert json.loads(reply(schema={}, last_text="Hi").text) == {"answer": "You said: Hi"}


def test_answer_is_cut_at_the_limit() -> None:
    """More words than allowed are cut, and the answer ends for length."""
    found = reply(last_text="one two three", max_tokens=3)

    assert (found.text, found.finish) == ("You said: one", "length")
    assert reply(last_text="one", max_tokens=3).finish == "stop"


def test_thinking_is_shown_when_asked() -> None:
    """A request for reasoning gets some."""
    assert reply(reasoning=True, last_text="Hi").reasoning == "The user said: Hi"
    assert reply(last_text="Hi").reasoning == ""


@pytest.mark.parametrize("word", [*REFUSED, *ONCE])
def test_word_in_the_model_makes_a_failure(word: str) -> None:
    """A word of the table fails always or once."""
    view = ChatView(model=f"gpt-{word}-1")

    assert isinstance(answer(view, 0), Failure)
    assert isinstance(answer(view, 1), Failure) is (word in REFUSED)


@pytest.mark.parametrize("word", CHANGED)
def test_word_in_the_model_changes_the_reply(word: str) -> None:
    """A word of the table changes the reply, alone or behind a slash, but not inside a word."""
    assert reply(model=word) != reply(model="m")
    assert reply(model=f"vendor/{word.upper()}") == reply(model=word)
    assert reply(model=f"x{word}") == reply(model="m")


DEEP: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "all": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "more": {"$ref": "#/$defs/node"},
            },
            "required": ["value", "next", "all"],
        }
    },
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": ["b", "a"]}, "b"),
        ({"const": None}, None),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": "string", "examples": ["e"]}, "e"),
        ({"type": "STRING", "default": None}, "sample"),
        ({"type": "string", "format": "date"}, "2026-01-15"),
        ({"type": "string", "minLength": 8}, "samplexx"),
        ({"type": "string", "maxLength": 3}, "sam"),
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "integer", "exclusiveMaximum": 1}, 0),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "number", "minimum": 0.2, "maximum": 0.5}, 0.2),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 1),
        ({"type": []}, "sample"),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"type": "array", "maxItems": 0}, []),
        ({"prefixItems": [{"type": "integer"}, {"type": "boolean"}]}, [1, True]),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"oneOf": [{"const": 2}]}, 2),
        ({"properties": {"cities": {"items": {"type": "string"}}}}, {"cities": ["sample"]}),
        (
            {"properties": {"homeCity": {}}, "required": ["homeCity", "x"]},
            {"homeCity": "Paris", "x": "sample"},
        ),
        ({"$ref": "#/$defs/a~1b/0", "$defs": {"a/b": [{"const": 3}]}}, 3),
        ({"$ref": "#/nowhere"}, "sample"),
        ({"$ref": "#/$defs/yes", "$defs": {"yes": True}}, "sample"),
        ({"$ref": "#"}, None),
        (
            {
                "allOf": [
                    {"$ref": "#/$defs/a"},
                    {"properties": {"y": {"const": 2}}, "required": ["y"]},
                    True,
                ],
                "$defs": {"a": {"type": "object", "properties": {"x": {"const": 1}}, "required": ["x"]}},
            },
            {"x": 1, "y": 2},
        ),
        ({"allOf": [{"allOf": [{"const": 1}]}, {"allOf": [{"title": "t"}]}]}, 1),
        (True, "sample"),
        (False, None),
    ],
)
def test_sample_fits_the_schema(schema: Any, value: Any) -> None:
    """The sample of a schema is always the same, and fits."""
    assert sample(schema) == value
    assert sample(schema) == value


def test_sample_of_a_recursive_schema_ends() -> None:
    """Recursion ends by null, by empty arrays and by leaving out what is optional."""
    value = sample(DEEP)
    depth = 0
    while value is not None:
        value, depth = value["next"], depth + 1

    assert 1 < depth < 10


def test_sample_of_a_reference_to_itself_ends() -> None:
    """References that only lead to each other give nothing, but they end."""
    loop = {"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#/$defs/a"}}}

    assert sample({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}) is None
    assert sample(loop) is None
