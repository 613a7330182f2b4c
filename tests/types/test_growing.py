"""Values that grow."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberParsingError
from fiber.types import growing
from fiber.types.events import MessageEnd, MessageStart, ReasoningDelta, Restart, TextDelta
from fiber.types.growing import GrowingValue
from fiber.types.jsons import parse_json
from fiber.types.partial import partial_json


class Town(msgspec.Struct):
    """One field is required."""

    name: str
    kind: Literal["big", "bigger"] | None = None


class River(msgspec.Struct):
    """Everything has a default."""

    name: str = ""
    towns: list[Town] = []
    length_km: float = 0.0


@dataclass
class Lake:
    """As a dataclass."""

    name: str = ""
    towns: list[Town] = field(default_factory=list)


class Sea(TypedDict):
    """As a TypedDict."""

    name: NotRequired[str]


class Hill(pydantic.BaseModel):
    """As a pydantic model."""

    name: str = ""
    heights: list[int] = []


TEXT = '{"name": "Po", "towns": [{"name": "Turin", "kind": "bigger"}, {"name": "P"}], "length_km": 652}'


def grown(text: str, kind: Any) -> list[Any]:
    """The values given when the text comes character by character."""
    value = GrowingValue(kind)
    return [given for character in text if (given := value.feed(character)) is not None]


def test_value_grows_by_what_fits() -> None:
    """Strings grow, an element appears when it holds, a word of a choice when it is one, a number when it has ended."""
    assert grown(TEXT, River) == [
        River(),
        River("P"),
        River("Po"),
        *[River("Po", [Town("Turin"[:size])]) for size in range(6)],
        River("Po", [Town("Turin", "big")]),
        River("Po", [Town("Turin")]),
        River("Po", [Town("Turin", "bigger")]),
        River("Po", [Town("Turin", "bigger"), Town("")]),
        River("Po", [Town("Turin", "bigger"), Town("P")]),
        River("Po", [Town("Turin", "bigger"), Town("P")], 652.0),
    ]


def test_what_has_no_default_holds_its_object_back() -> None:
    """Nothing is given before the first field that must be there."""
    assert grown('{"kind": "big", "name": "a"}', Town) == [Town("", "big"), Town("a", "big")]


@pytest.mark.parametrize(
    ("kind", "text", "last", "count"),
    [
        (Lake, '{"name": "a", "towns": [{"name": ""}]}', Lake("a", [Town("")]), 3),
        (Sea, '{"name": "ab"}', {"name": "ab"}, 4),
        (Hill, '{"name": "a", "heights": [1, 22]}', Hill(name="a", heights=[1, 22]), 4),
        (list[Town], '[{"name": "a"}, {"name": "b"}]', [Town("a"), Town("b")], 5),
        (None, '{"a": [1, "x"]}', {"a": [1, "x"]}, 5),
        (int, "12 ", 12, 2),
        (River, '{"name": null, "length_km": 1}', River("", [], 1.0), 2),
    ],
    ids=str,
)
def test_every_kind_of_type_grows(kind: Any, text: str, last: Any, count: int) -> None:
    """Structs, dataclasses, TypedDicts, models, generics and plain data: the last value is the whole one."""
    values = grown(text, kind)

    assert values[-1] == last
    assert len(values) == count


EVERY = grown(TEXT, River)


@given(st.lists(st.integers(0, len(TEXT)), max_size=12))
def test_chunking_does_not_matter(cuts: list[int]) -> None:
    """However the text is cut, every value is one of those that come character by character, and the last the same."""
    edges = [0, *sorted(cuts), len(TEXT)]
    value = GrowingValue(River)

    given = [value.feed(TEXT[start:end]) for start, end in itertools.pairwise(edges)]

    assert all(one in EVERY for one in given if one is not None)
    assert value.value == value.finish() == parse_json(TEXT, River)


def test_what_never_fits_is_told_at_the_end() -> None:
    """A value that is wrong is left out while it grows, and an error when it is whole."""
    value = GrowingValue(Town)

    assert value.feed('{"name": 5, "kind": "big"}') is None
    with pytest.raises(FiberParsingError, match="Expected `str`, got `int`"):
        value.finish()


def test_what_is_no_json_is_told_at_once() -> None:
    """A text that cannot become JSON is an error as soon as that is sure."""
    with pytest.raises(FiberParsingError, match="not the beginning of JSON"):
        GrowingValue(Town).feed("Sure! {")


def test_reading_is_not_quadratic(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is read, character by character, is a bounded multiple of the text, and the end is seen all the same."""
    read = 0

    def counted(text: str) -> Any:
        nonlocal read
        read += len(text)
        return partial_json(text)

    monkeypatch.setattr(growing, "partial_json", counted)
    text = '{"name": "' + "a" * 30_000 + '"}'
    value = GrowingValue(River)
    for character in text:
        value.feed(character)

    assert read < 60 * len(text) + 2048 * 2048
    assert value.finish() == River("a" * 30_000)


def test_events_of_a_stream_are_read() -> None:
    """The text of the first choice counts; what else comes in between does not, and a restart forgets all."""
    value = GrowingValue(list[int])

    given = [
        value.feed(event)
        for event in (
            MessageStart("m", "p", json_member="v"),
            TextDelta('{"v": [7, '),
            Restart(2, "FiberConnectionError"),
            MessageStart("m", "p", json_member="v"),
            TextDelta('{"v"'),
            ReasoningDelta("["),
            TextDelta(": [1, "),
            TextDelta("9", 1),
            TextDelta("2]}"),
            MessageEnd("stop"),
        )
    ]

    assert given == [None, [7], None, None, None, None, [1], None, [1, 2], None]
    assert value.finish() == [1, 2]


def test_what_is_no_object_has_no_member() -> None:
    """While it grows nothing is there, and at the end it is an error."""
    value = GrowingValue[Any](None)
    value.feed(MessageStart("m", "p", json_member="v"))

    assert value.feed("[1]") is None
    with pytest.raises(FiberParsingError, match="in its member 'v'"):
        value.finish()
