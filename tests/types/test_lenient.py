"""JSON in an answer that holds more than JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.types.lenient import cleaned, readings, values_in
from tests.strategies import json_values

prose = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[{"), max_size=20)
"""Words without an opening bracket."""

containers = json_values().filter(lambda value: isinstance(value, list | dict))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\ufeff[1]", "[1]"),
        (" \n[1]\r\n", "[1]"),
        ("```json\n[1]\n```", "[1]"),
        ("\ufeff\n```\n42\n```\n", "42"),
        ("```[1]```", "```[1]```"),
        ("``` [1]", "``` [1]"),
        ("```\n```", ""),
    ],
)
def test_wrapping_is_taken_off(text: str, expected: str) -> None:
    """A byte-order mark, white space and a fence with lines of its own do not belong to the JSON."""
    assert cleaned(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing", []),
        ('Here: {"a": 1}.', ['{"a": 1}']),
        ('{"a": 1} and [2]', ['{"a": 1}', "[2]"]),
        ('{"a": "}{[\\""} x', ['{"a": "}{[\\""}']),
        ("Use [brackets] and {braces}: [1]", ["[1]"]),
        ("[[1]] {[2]}", ["[[1]]", "[2]"]),
        ('[{"a": 1} oops] [3]', ["[3]"]),
        ('[{"a": 1}, {"b": ', []),
        ('["a', []),
        ("[1", []),
        ("[1,]", ["[1]"]),
        ('{"a": [1, 2 , ], }', ['{"a": [1, 2  ] }']),
        ('[",]", ]', ['[",]" ]']),
        ("[,] [1,,] [ ]", ["[ ]"]),
        ('{,} {"a",}', []),
    ],
)
def test_objects_and_arrays_are_found(text: str, expected: list[str]) -> None:
    """The outermost ones, in order, without trailing commas; nothing is taken out of what is broken or cut."""
    assert list(values_in(text)) == expected


@given(prose, containers, prose, st.booleans())
def test_json_is_found_in_prose(before: str, value: Any, after: str, indented: bool) -> None:
    """Whatever stands around it, a value comes out as it went in."""
    text = json.dumps(value, indent=1 if indented else None)

    assert next(values_in(before + text + after)) == text


@given(containers)
def test_trailing_commas_do_not_matter(value: Any) -> None:
    """With a comma before every closing bracket, the value is the same."""
    if isinstance(value, dict):
        value = {"a": value}
    text = json.dumps([value], indent=1)
    lines = text.split("\n")
    commas = [
        line + "," if line[-1] not in "[{," and following.strip(" ,") in ("]", "}") else line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
    ]

    assert json.loads(next(values_in("\n".join(commas)))) == [value]


@given(st.text(' []{},:"\\a1', max_size=30))
def test_every_reading_of_anything_is_text(text: str) -> None:
    """Searching always ends, and what is found stands in the text but for commas."""
    for reading in readings(text):
        assert set(reading) <= set(text)
        assert len(reading) <= len(text)
