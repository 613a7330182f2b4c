"""Content parts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from fiber._errors import FiberParsingError, FiberValidationError
from fiber.types.content import (
    Audio,
    Document,
    Image,
    Media,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    media_type_of,
)
from tests.strategies import parts


@given(parts())
def test_part_survives_json(part: Part) -> None:
    """Every part, written as JSON and read again, is equal to itself."""
    assert msgspec.json.decode(msgspec.json.encode(part), type=Part) == part


@pytest.mark.parametrize(
    ("part", "tag"),
    [
        (Text("a"), "text"),
        (Image(url="u"), "image"),
        (Audio(url="u"), "audio"),
        (Document(url="u"), "document"),
        (ToolCall("1", "f"), "tool-call"),
        (ToolResult("1"), "tool-result"),
        (Reasoning("a"), "reasoning"),
        (Opaque("{}"), "opaque"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_part_is_tagged_in_json(part: Part, tag: str) -> None:
    """The JSON of a part says what it is."""
    assert msgspec.json.decode(msgspec.json.encode(part))["type"] == tag


def test_part_is_frozen() -> None:
    """A part cannot be changed."""
    with pytest.raises(AttributeError):
        Text("a").text = "b"  # type: ignore[misc]


def test_text_of_a_value_is_its_json() -> None:
    """Equal values give equal text, which a prompt cache needs."""
    assert Text.of({"b": [1, None], "a": "é"}) == Text.of({"a": "é", "b": (1, None)}) == Text('{"a":"é","b":[1,null]}')
    assert Text.of([], cache_hint="ephemeral") == Text("[]", "ephemeral")


def test_text_of_a_value_that_json_cannot_say() -> None:
    """It is the caller's mistake."""
    with pytest.raises(FiberValidationError, match="cannot be written as JSON") as caught:
        Text.of(object())

    assert (caught.value.parameter, caught.value.outcome) == ("messages", "not_sent")


# -- opaque -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"type": "x", "a": 1}, Opaque('{"type":"x","a":1}', kind="x"), id="object"),
        pytest.param({"a": 1}, Opaque('{"a":1}'), id="untyped"),
        pytest.param({"type": 5}, Opaque('{"type":5}'), id="odd type"),
        pytest.param(Text("a"), Opaque('{"type":"text","text":"a"}'), id="struct"),
    ],
)
def test_opaque_of_value(value: Any, expected: Opaque) -> None:
    """An opaque part is made of anything that JSON can say, and takes its kind from `type`."""
    assert Opaque.of(value) == expected


def test_opaque_keeps_its_home() -> None:
    """An opaque part remembers the provider and host it is for, and gives its value back."""
    opaque = Opaque.of({"type": "x"}, provider="openai", host="h")

    assert (opaque.provider, opaque.host, opaque.value()) == ("openai", "h", {"type": "x"})


def test_opaque_refuses_what_json_cannot_say() -> None:
    """A value without JSON is the caller's mistake."""
    with pytest.raises(FiberValidationError, match="must be JSON") as caught:
        Opaque.of({"x": object()})

    assert (caught.value.parameter, caught.value.outcome) == ("messages", "not_sent")


@pytest.mark.parametrize(
    ("provider", "host", "expected"),
    [
        ("openai", "a", True),
        ("openai", "", True),
        ("", "a", True),
        ("", "", True),
        ("gemini", "a", False),
        ("openai", "b", False),
    ],
)
def test_opaque_fits_only_its_home(provider: str, host: str, expected: bool) -> None:
    """An opaque part fits its own provider and host, or any where it names none."""
    assert Opaque("{}", provider, host).fits("openai", "a") is expected


# -- media --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Image, Audio, Document])
@pytest.mark.parametrize(
    ("sources", "complaint"),
    [
        pytest.param({}, "exactly one of url, data and file_id, got 0", id="none"),
        pytest.param({"url": "u", "data": b"d"}, "got 2", id="two"),
        pytest.param({"url": "u", "data": b"d", "file_id": "f"}, "got 3", id="three"),
        pytest.param({"url": ""}, "is empty", id="empty url"),
        pytest.param({"data": b""}, "is empty", id="empty data"),
        pytest.param({"file_id": ""}, "is empty", id="empty id"),
        pytest.param({"url": b"u"}, "url must be str, not bytes", id="bytes url"),
        pytest.param({"data": "aGk="}, "data must be bytes, not str", id="base64 data"),
        pytest.param({"file_id": 5}, "file_id must be str, not int", id="number id"),
    ],
)
def test_media_needs_one_source(kind: type[Media], sources: dict[str, Any], complaint: str) -> None:
    """Media without exactly one source of the right type are refused when they are made."""
    with pytest.raises(FiberValidationError, match=f"{kind.__name__}.*{complaint}") as caught:
        kind(**sources)

    assert caught.value.parameter == "messages"


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param(Image(url="https://x/a", media_type="image/webp"), "image/webp", id="given"),
        pytest.param(Image(url="data:image/png;base64,AA=="), "image/png", id="data url"),
        pytest.param(Image(url="data:image/svg+xml,<svg/>"), "image/svg+xml", id="plain data url"),
        pytest.param(Document(url="data:,hello"), "text/plain", id="bare data url"),
        pytest.param(Image(data=b"\x89PNG\r\n\x1a\n..."), "image/png", id="png"),
        pytest.param(Image(data=b"\xff\xd8\xff\xe0"), "image/jpeg", id="jpeg"),
        pytest.param(Image(data=b"GIF89a"), "image/gif", id="gif"),
        pytest.param(Image(data=b"RIFF\0\0\0\0WEBPVP8 "), "image/webp", id="webp"),
        pytest.param(Audio(data=b"RIFF\0\0\0\0WAVEfmt "), "audio/wav", id="wav"),
        pytest.param(Audio(data=b"ID3\x04"), "audio/mpeg", id="id3"),
        pytest.param(Audio(data=b"\xff\xfb\x90"), "audio/mpeg", id="mpeg 1"),
        pytest.param(Audio(data=b"\xff\xf3\x90"), "audio/mpeg", id="mpeg 2"),
        pytest.param(Audio(data=b"OggS"), "audio/ogg", id="ogg"),
        pytest.param(Audio(data=b"fLaC"), "audio/flac", id="flac"),
        pytest.param(Audio(data=b"????"), "audio/wav", id="unknown sound"),
        pytest.param(Audio(url="https://x/a"), "audio/wav", id="sound elsewhere"),
        pytest.param(Document(data=b"%PDF-1.7"), "application/pdf", id="pdf"),
        pytest.param(Document(data="Grüße".encode()), "text/plain", id="text"),
    ],
)
def test_media_type_is_given_or_seen(part: Media, expected: str) -> None:
    """The media type is the one given, else that of the data URL or of the first bytes."""
    assert media_type_of(part) == expected


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(Image(data=b"????"), id="image"),
        pytest.param(Image(url="https://x/a"), id="image elsewhere"),
        pytest.param(Document(data=b"\xff\xfe\x00"), id="binary"),
        pytest.param(Document(file_id="f"), id="file"),
    ],
)
def test_media_type_is_never_guessed(part: Media) -> None:
    """A media type that cannot be told is asked for."""
    with pytest.raises(FiberValidationError, match="set media_type") as caught:
        media_type_of(part)

    assert caught.value.parameter == "messages"


# -- tools --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [('{"city":"Oslo"}', {"city": "Oslo"}), ("[1]", [1]), ("null", None)],
)
def test_arguments_are_parsed(text: str, expected: Any) -> None:
    """The arguments of a call are a Python value."""
    assert ToolCall("1", "f", text).arguments == expected


@pytest.mark.parametrize("text", ["", '{"city"', "{'a':1}", "[" * 100_000], ids=["empty", "cut", "python", "deep"])
def test_invalid_arguments_are_reported(text: str) -> None:
    """Arguments that are no JSON are an error with the text, never an empty object."""
    with pytest.raises(FiberParsingError, match=r"tool 'f' \(call '1'\) are not JSON: ") as caught:
        _ = ToolCall("1", "f", text).arguments

    assert caught.value.raw_response == text[:200]


class Trip(msgspec.Struct):
    """Arguments of a tool."""

    city: str
    days: int = 1


def test_arguments_become_a_value_of_a_type() -> None:
    """They are checked on the way."""
    assert ToolCall("1", "f", '{"city":"Oslo"}').parse(Trip) == Trip("Oslo")


@pytest.mark.parametrize("text", ["", '{"city":5}', '{"city"'])
def test_arguments_that_do_not_fit_are_reported(text: str) -> None:
    """The error names tool, call and type, and has the text."""
    words = r"for tool 'f' \(call '1'\) are not a JSON Trip: .* Read arguments_json"
    with pytest.raises(FiberParsingError, match=words) as caught:
        ToolCall("1", "f", text).parse(Trip)

    assert caught.value.raw_response == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", None), ('{"city":"Os', {"city": "Os"}), ('{"city":"Oslo"}', {"city": "Oslo"})],
)
def test_partial_arguments_are_what_came_so_far(text: str, expected: Any) -> None:
    """The arguments of a call that is still written are completed; before the first of them there are none."""
    assert ToolCall("1", "f", text).partial_arguments == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [("hi", "hi"), ((Text("a"), Image(url="u"), Text("b")), "ab"), ((), "")],
    ids=["text", "parts", "nothing"],
)
def test_result_text_joins_the_text(content: Any, expected: str) -> None:
    """The text of a tool's result is all its text."""
    assert ToolResult("1", content).text == expected


def test_what_a_call_left_out_is_not_among_its_arguments() -> None:
    """A null that stands for absence is gone from the value, read in any way; the text stays."""
    text = '{"city": "Rome", "unit": null, "note": null}'
    call = ToolCall("c", "f", text, left_out=("/unit",))

    assert call.arguments == call.parse(dict[str, str | None]) == {"city": "Rome", "note": None}
    assert call.arguments_json == text
