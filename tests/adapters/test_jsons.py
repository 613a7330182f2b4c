"""Reading a provider's JSON."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from fiber._errors import FiberParsingError
from fiber.adapters import jsons
from tests.strategies import json_values


class View(msgspec.Struct):
    """A view of a reply."""

    id: str = ""
    count: int | None = None
    rest: msgspec.Raw = msgspec.Raw(b"null")


DECODER = msgspec.json.Decoder(View)


@given(json_values())
def test_json_is_read_as_it_is(value: Any) -> None:
    """What is valid JSON gives its values."""
    assert jsons.decode_any(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(rb'"\ud83d\ude00"', "😀", id="pair"),
        pytest.param(rb'"\ud800"', "\ufffd", id="lone high"),
        pytest.param(rb'"\uDFFF"', "\ufffd", id="lone low"),
        pytest.param(rb'"a\ud83db"', "a\ufffdb", id="lone high inside"),
        pytest.param(rb'"\ud83d\ud83d\ude00"', "\ufffd😀", id="high before a pair"),
        pytest.param(rb'"\ud83d\ude00\ude00"', "😀\ufffd", id="low behind a pair"),
        pytest.param(rb'"\ude00\ud83d"', "\ufffd\ufffd", id="pair the wrong way round"),
        pytest.param(rb'"\ud83d\n\ude00"', "\ufffd\n\ufffd", id="pair with something between"),
        pytest.param(rb'["\\ud83d", "\ud800"]', ["\\ud83d", "\ufffd"], id="escaped backslash"),
        pytest.param(rb'"\\ud83d\ude00"', "\\ud83d\ufffd", id="low behind an escaped backslash"),
        pytest.param(rb'"\\\ud83d\ude00\ud800"', "\\😀\ufffd", id="pair behind an escaped backslash"),
        pytest.param(rb'"\"\ud800\""', '"\ufffd"', id="among quotes"),
        pytest.param(rb'{"\ud800": 1}', {"\ufffd": 1}, id="in a name"),
        pytest.param(rb'"\ud7ff\ue000\ud800"', "\ud7ff\ue000\ufffd", id="neighbours"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', {"a": 1}, id="bom"),
        pytest.param(b'"a\xffb"', "a\ufffdb", id="invalid utf-8"),
        pytest.param(b'"\xf0\x9f\x98"', "\ufffd", id="cut utf-8"),
        pytest.param(b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd", id="surrogate in utf-8"),
        pytest.param(b'{"a": NaN, "b": [Infinity, -Infinity]}', {"a": None, "b": [None, None]}, id="nan"),
        pytest.param(b"[1e999]", [None], id="number beyond all"),
        pytest.param(b'{"a": 1, "a": 2}', {"a": 2}, id="name twice"),
        pytest.param(b" \n[1]\t", [1], id="white space"),
        pytest.param(b"123456789012345678901234567890", 123456789012345678901234567890, id="long number"),
    ],
)
def test_json_that_providers_really_send_is_read(data: bytes, expected: Any) -> None:
    """What is not quite JSON, but is sent all the same, is read, with U+FFFD for what is no text."""
    assert jsons.decode_any(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>", id="html"),
        pytest.param(b'{"a": 1', id="cut"),
        pytest.param(b"{'a': 1}", id="python"),
        pytest.param(b"[1] [2]", id="two values"),
        pytest.param(b"[" * 200_000, id="deep and cut"),
        pytest.param(b"[" * 200_000 + b"]" * 200_000, id="deep"),
        pytest.param(b"1" * 5000, id="5000 digits"),
    ],
)
def test_what_is_no_json_is_a_parsing_error(data: bytes) -> None:
    """Anything else is an error with the start of the text, whose call may have been billed."""
    with pytest.raises(FiberParsingError, match="The provider's JSON cannot be read: ") as caught:
        jsons.decode_any(data)

    assert caught.value.raw_response == data[:2000].decode()
    assert caught.value.outcome == "unknown"


def test_view_reads_only_its_members() -> None:
    """A typed decoder ignores what it does not know and keeps raw members as they came."""
    view = jsons.decode(b'{"id": "a", "new": 1, "rest": {"b":  2}}', DECODER)

    assert (view.id, view.count, bytes(view.rest)) == ("a", None, b'{"b":  2}')


def test_view_is_read_from_odd_json_too() -> None:
    """The slow path fills typed and raw members alike."""
    view = jsons.decode(rb'{"id": "\ud800", "count": "5", "rest": [NaN]}', DECODER)

    assert (view.id, view.count, bytes(view.rest)) == ("\ufffd", 5, b"[null]")


def test_half_a_character_leaves_the_rest_as_it_came() -> None:
    """Only the half is mended: what is kept as JSON text keeps its bytes."""
    value = jsons.decode(rb'{"id": "a\ud800", "count": 3, "rest": {"a": 1.0,  "a": 2}}', DECODER)

    assert (value.id, value.count) == ("a\ufffd", 3)
    assert bytes(value.rest) == b'{"a": 1.0,  "a": 2}'


@pytest.mark.parametrize("data", [b"[]", b'{"id": 5}', b'{"count": "many"}'], ids=bytes.decode)
def test_json_of_another_shape_is_a_parsing_error(data: bytes) -> None:
    """JSON that does not fit the view is an error that names the place."""
    with pytest.raises(FiberParsingError, match="Expected "):
        jsons.decode(data, DECODER)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (5, 5),
        (5.0, 5),
        ("5", 5),
        ("5.0", 5),
        ("1e3", 1000),
        (True, None),
        (None, None),
        ("", None),
        ("many", None),
        ([5], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), None),
        ("inf", None),
        ("9" * 5000, None),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_count_is_a_number_or_unknown(value: Any, expected: int | None) -> None:
    """A count is read from a number or its text; anything else is unknown and never 0."""
    assert jsons.count(value) == expected


@pytest.mark.parametrize(
    ("counts", "expected"), [((), None), ((None, None), None), ((0, None), 0), ((1, 2, None), 3)], ids=str
)
def test_total_adds_what_is_known(counts: tuple[int | None, ...], expected: int | None) -> None:
    """The total of counts is that of the known ones, unknown when none is."""
    assert jsons.total(*counts) == expected


def test_raw_json_is_text() -> None:
    """Raw JSON becomes text whatever its bytes are."""
    assert jsons.text_of(msgspec.Raw(b'{"a":1}')) == '{"a":1}'
    assert jsons.text_of(b"\xff") == "\ufffd"


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijkl",
        "sk-ant-api03-abcdefghijkl",
        "gsk_abcdefghijklmnop",
        "xai-abcdefghijklmnop",
        "r8_abcdefghijklmnop",
        "hf_abcdefghijklmnop",
        "AIzaSyabcdefghijklmnop",
        "Bearer abcdefghijklmnop",
        "rk_live_abcdefghijkl",
        "pk_live_abcdefghijkl",
    ],
)
def test_keys_are_masked(key: str) -> None:
    """Anything that looks like a key is masked, wherever it stands."""
    masked = jsons.redact(f'Incorrect API key provided: {key}, see "{key}".')

    assert masked == 'Incorrect API key provided: ***, see "***".'


@pytest.mark.parametrize("text", ["skip_special_tokens", "risk-free-and-long-word", "sk-short", "Bearer of bad news"])
def test_words_are_not_masked(text: str) -> None:
    """Words that only begin like a key stay readable."""
    assert jsons.redact(text) == text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a" * 5000, "a" * 2000),
        ("ü" * 5000, "ü" * 2000),
        ("ü".encode() * 5000, "ü" * 2000),
        (b"\xff", "\ufffd"),
        ("key sk-abcdefghijklmnop", "key ***"),
    ],
    ids=["bytes", "text", "utf-8", "invalid", "key"],
)
def test_excerpt_is_short_and_masked(data: bytes | str, expected: str) -> None:
    """An excerpt is at most 2,000 characters without keys."""
    assert jsons.excerpt(data) == expected


@pytest.mark.parametrize(
    ("value", "text", "text_or_none", "members", "objects"),
    [
        ("a", "a", "a", {}, []),
        ("", "", None, {}, []),
        (5, "", None, {}, []),
        (None, "", None, {}, []),
        ({"a": 1}, "", None, {"a": 1}, []),
        ([{"a": 1}, 5, {}], "", None, {}, [{"a": 1}, {}]),
    ],
    ids=["text", "empty", "number", "null", "object", "list"],
)
def test_what_has_another_type_is_left_out(
    value: Any, *, text: str, text_or_none: str | None, members: dict[str, Any], objects: list[Any]
) -> None:
    """A member that is not what the format says is read as if it were not there."""
    assert jsons.text(value) == text
    assert jsons.text_or_none(value) == text_or_none
    assert jsons.members(value) == members
    assert jsons.objects(value) == objects


@pytest.mark.parametrize(("name", "fits"), [("", True), ("said", False), ("aside", True), ("more", False)])
def test_a_narrowed_type_fits_nothing_that_says_more(name: str, fits: bool) -> None:
    """Every member that the whole view reads must be null or missing, but for those that are named."""
    view = msgspec.defstruct(
        "View", [("text", Any, None), ("said", Any, None), ("aside", Any, None), ("more", Any, None)]
    )
    decoder = msgspec.json.Decoder(jsons.narrowed(view, text=str, ignored=("aside",)))
    whole = {"text": "Hi", "unread": 1, "more": None, **({name: 5} if name else {})}

    try:
        read = decoder.decode(msgspec.json.encode(whole)).text
    except msgspec.ValidationError:
        read = None

    assert read == ("Hi" if fits else None)
