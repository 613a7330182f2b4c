"""Function arguments that come as JSON paths."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberParsingError
from fiber.adapters.gemini.partial import PartialArguments

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text('aü"\\\n', max_size=4)
KEYS = st.text("ab c", min_size=1, max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def leaves(value: Any, path: str = "$") -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [leaf for key, v in value.items() for leaf in leaves(v, f"{path}['{key}']")]
    if isinstance(value, list):
        return [leaf for n, v in enumerate(value) for leaf in leaves(v, f"{path}[{n}]")]
    if value is None:
        return [{"jsonPath": path, "nullValue": "NULL_VALUE"}]
    if isinstance(value, bool):
        return [{"jsonPath": path, "boolValue": value}]
    if isinstance(value, int):
        return [{"jsonPath": path, "numberValue": value}]
    pieces = [{"jsonPath": path, "stringValue": c, "willContinue": True} for c in value]
    return [*pieces, {"jsonPath": path, "stringValue": ""}]


@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_leaves_in_order_write_the_value(value: dict[str, Any]) -> None:
    """The pieces of text join to JSON of the value, and nothing has to be set afterwards."""
    partial = PartialArguments()

    text = "".join(partial.add([leaf]) for leaf in leaves(value))
    rest, whole = partial.finish()

    assert json.loads(text + rest) == value
    assert whole is None
    assert "".join(partial.pieces) == text + rest


@given(
    st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, SCALARS, min_size=1), max_size=3),
    st.randoms(),
)
def test_leaves_in_any_order_make_the_value(value: dict[str, Any], random: Any) -> None:
    """Objects come out right however their leaves are ordered."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for leaf in leaves(value):
        groups.setdefault(leaf["jsonPath"], []).append(leaf)
    paths = list(groups)
    random.shuffle(paths)
    partial = PartialArguments()

    text = "".join(partial.add(groups[path]) for path in paths)
    rest, whole = partial.finish()

    assert json.loads(text + rest if whole is None else whole) == value


def test_closed_string_that_comes_again_is_replaced() -> None:
    """A string that was over and comes again is a new value."""
    partial = PartialArguments()

    partial.add([{"jsonPath": "$.a", "stringValue": "x"}, {"jsonPath": "$.a", "stringValue": "y"}])

    assert partial.finish() == ("", '{"a":"y"}')
    assert partial.pieces == ['{"a":"y"}']


def test_pieces_of_a_string_join_although_writing_has_stopped() -> None:
    """After leaves went back, further pieces still belong to their string."""
    partial = PartialArguments()

    partial.add([{"jsonPath": "$.a", "numberValue": 1}, {"jsonPath": "$.a", "numberValue": 2}])
    partial.add([{"jsonPath": "$.b", "stringValue": "x", "willContinue": True}])
    partial.add([{"jsonPath": "$.b", "stringValue": "y"}])

    assert partial.finish() == ("", '{"a":2,"b":"xy"}')


def test_leaf_without_value_ends_a_string() -> None:
    """A path alone says that the string is over."""
    partial = PartialArguments()

    partial.add([{"jsonPath": "$.a", "stringValue": "x", "willContinue": True}, {"jsonPath": "$.a"}])
    partial.add([{"jsonPath": "$.b", "stringValue": "y"}])
    partial.finish()

    assert "".join(partial.pieces) == '{"a":"x","b":"y"}'


def test_elements_of_an_array_may_be_gone_back_to() -> None:
    """A later leaf of an element that is there already becomes a member of it."""
    partial = PartialArguments()
    paths = ("$.a[0].x", "$.b", "$.a[0].y")

    partial.add([{"jsonPath": path, "numberValue": n} for n, path in enumerate(paths)])

    assert partial.finish() == ("", '{"a":[{"x":0,"y":2}],"b":1}')


def test_quoted_keys_are_read() -> None:
    """Keys may stand in single or double quotes, with escapes."""
    partial = PartialArguments()

    partial.add(
        [
            {"jsonPath": r"$['it\'s'].b", "boolValue": True},
            {"jsonPath": '$["c.d"]', "boolValue": False},
        ]
    )
    partial.finish()

    assert json.loads("".join(partial.pieces)) == {"it's": {"b": True}, "c.d": False}


@pytest.mark.parametrize("path", [None, "", "$", "a", "$..a", "$[0]", "$.a[x]", "$.a b["])
def test_unreadable_path_is_refused(path: Any) -> None:
    """What is no path from a root object is an error."""
    with pytest.raises(FiberParsingError):
        PartialArguments().add([{"jsonPath": path, "numberValue": 1}])


@pytest.mark.parametrize(
    "paths",
    [("$.a[5]",), ("$.a", "$.a.b"), ("$.a.b", "$.a"), ("$.a[0]", "$.a.b"), ("$.a.b", "$.a[0]")],
)
def test_leaves_that_contradict_each_other_are_refused(paths: tuple[str, ...]) -> None:
    """A hole in an array, or a value that is also an object, is an error and not a guess."""
    partial = PartialArguments()
    partial.add([{"jsonPath": path, "numberValue": n} for n, path in enumerate(paths)])

    with pytest.raises(FiberParsingError):
        partial.finish()
