"""JSON that is cut."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fiber._errors import FiberParsingError
from fiber.types.partial import partial_json
from tests.strategies import json_values

PAIR = r"\ud83d\ude00"


def written(value: Any) -> st.SearchStrategy[str]:
    """Ways to write *value*: compact or indented, with or without escapes."""
    indents = st.sampled_from([None, 1])
    return st.builds(json.dumps, st.just(value), indent=indents, ensure_ascii=st.booleans())


texts = json_values().flatmap(written)


def grows(before: Any, after: Any) -> bool:
    """Say whether *before* is a beginning of *after*."""
    match before, after:
        case None, _:
            return True
        case str(), str():
            return after.startswith(before)
        case list(), list():
            return len(before) <= len(after) and items_grow(before, after)
        case dict(), dict():
            begun = [*before] == [*after][: len(before)]
            return begun and items_grow([*before.values()], [*after.values()])
        case _:
            return type(before) is type(after) and bool(before == after)


def items_grow(before: list[Any], after: list[Any]) -> bool:
    """Say whether all items but the last stayed, and the last is a beginning."""
    return before[:-1] == after[: len(before[:-1])] and all(map(grows, before[-1:], after[len(before) - 1 :]))


@given(texts)
def test_whole_text_gives_what_the_decoder_gives(text: str) -> None:
    """Nothing is lost or changed once the text is whole."""
    expected = msgspec.json.decode(text)

    found = partial_json(text)

    assert found == expected
    assert repr(found) == repr(expected)


@given(texts)
@example(f'{{"a": "{PAIR}"}}')
def test_value_only_grows(text: str) -> None:
    """The value of each beginning of a text is a beginning of the value of the next, and of the whole."""
    is_number = not text.startswith(("[", "{", '"'))

    values = [partial_json(text[:length]) for length in range(len(text) + 1)]

    assert all(grows(value, values[-1]) for value in values if not is_number)
    assert all(grows(before, after) for before, after in pairwise(values) if not is_number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        (" \n", None),
        ("tru", None),
        ("true", True),
        ("-", None),
        ("1", 1),
        ("1.", None),
        ("1.5", 1.5),
        ("1.5e", None),
        ("1.5e+", None),
        ('"', ""),
        ('"ab', "ab"),
        ('"ab\\', "ab"),
        ('"ab\\n', "ab\n"),
        ('"ab\\u', "ab"),
        ('"ab\\u00e', "ab"),
        ('"ab\\u00e9', "abé"),
        *((f'"a{PAIR[:length]}', "a") for length in range(1, 12)),
        (f'"a{PAIR}', "a😀"),
        ("[", []),
        ("[1", []),
        ("[1 ", [1]),
        ("[1,", [1]),
        ("[null", [None]),
        ("[[[", [[[]]]),
        ('[["a', [["a"]]),
        ("{", {}),
        ('{"a', {}),
        ('{"a\\', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a":1', {}),
        ('{"a":"', {"a": ""}),
        ('{"a":[', {"a": []}),
        ('{"a":[{"b":"x"}', {"a": [{"b": "x"}]}),
        ('{"a":1,', {"a": 1}),
        ('{"a":1,"a":2}', {"a": 2}),
        ('{"a":1} \n', {"a": 1}),
    ],
)
def test_value_so_far(text: str, expected: Any) -> None:
    """What is open counts as far as it goes; what the next character could change does not."""
    assert partial_json(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("x", "tx", "}", "[}", "{]", "[,", "[1,]", "{,", '{"a":1,}', '{"a" 1', "{1", "1 2", "01", "1.a", "--", "[1 2"),
        *('"\n', '"\\x', '"\\u0g', '"\\ud83dx', '"\\ud83d\\u0', '"\\udc', '{"\\x', '"\ud800"'),
        *("[tru]", "'", "//", "NaN", "\ufeff{", "[" * 100_000),
    ],
    ids=lambda text: repr(text[:9]),
)
def test_text_that_cannot_become_json(text: str) -> None:
    """What no end could repair is a parsing error with the start of the text."""
    with pytest.raises(FiberParsingError, match="not the beginning of JSON: ") as caught:
        partial_json(text)

    assert caught.value.raw_response == text[:200]


# Anything that can be the rest of one token, and what may be missing after it before brackets close.
RESTS = {
    word[start:]
    for word in ('"', r"\u0000" + '"', PAIR + '"', "true", "false", "null", "0")
    for start in range(len(word) + 1)
}
FOLLOWERS = ("", "0", ":0", '"":0')


LARGE = re.compile(r"e\+?[1-9][0-9]{2}", re.IGNORECASE)


def can_become_json(text: str) -> bool:
    """Say whether one of many ends makes JSON of *text*."""
    return any(is_json(closed(text + rest + follower)) for rest in RESTS for follower in FOLLOWERS)


def closed(text: str) -> str:
    """Close the brackets that are open outside of strings."""
    closers, inside, escaped = "", False, False
    for character in text:
        if escaped:
            escaped = False
        elif inside:
            inside, escaped = character != '"', character == "\\"
        elif character == '"':
            inside = True
        elif character in "[{":
            closers = {"[": "]", "{": "}"}[character] + closers
        elif character in "]}":
            closers = closers[1:]
    return text + closers


def is_json(text: str) -> bool:
    """Say whether *text* is whole JSON."""
    try:
        msgspec.json.decode(text)
    except ValueError:
        return False
    return True


def test_a_number_out_of_range_is_refused_when_it_is_whole() -> None:
    """Until then it may go on, and is left out like any number at the end."""
    assert partial_json("[1,2e400") == [1]
    with pytest.raises(FiberParsingError, match="out of range"):
        partial_json("[1,2e400,")


@given(texts, st.integers(0, 40), st.text(r' []{},:"\ud8c0tfn1-.eE', max_size=3))
@example(r'"\ud83d"', 6, r"\u")
def test_error_means_that_no_end_makes_json_of_it(text: str, length: int, more: str) -> None:
    """A text is refused exactly when it cannot become JSON; whether a number is too large shows when it is whole."""
    text = text[:length] + more
    assume(not LARGE.search(text))

    try:
        partial_json(text)
    except FiberParsingError:
        assert not can_become_json(text)
    else:
        assert can_become_json(text)
