"""What of a conversation may be sent where."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber._errors import FiberCapabilityError, FiberValidationError
from fiber.adapters.history import (
    arguments_object,
    as_object,
    base64_of,
    call_names,
    data_url,
    leave_out,
    refuse_part,
    sealed,
    wrapped,
)
from fiber.types.content import Audio, Document, Image, Opaque, Reasoning, Text, ToolCall
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

TARGET = Target(provider="acme", model="m", base_url="https://acme.test/v1")
HERE = Opaque('{"a":1}', "acme", "acme.test", "thinking")
THERE = Opaque('{"a":1}', "other", "other.test", "thinking")


@pytest.mark.parametrize("part", [HERE, Text("a", native=HERE), Reasoning("a", HERE), Opaque('{"a":1}')], ids=repr)
def test_sealed_part_goes_home(part: Any) -> None:
    """The provider's own JSON is sent back, byte for byte, to where it came from."""
    raw = sealed(part, TARGET)

    assert raw is not None
    assert bytes(raw) == b'{"a":1}'


@pytest.mark.parametrize(
    "part",
    [
        THERE,
        Text("a", native=THERE),
        Text("a"),
        Reasoning("a"),
        Opaque(""),
        Reasoning("a", Opaque("", "acme", "acme.test")),
        Opaque('{"a":1}', "acme", "mirror.test"),
    ],
    ids=repr,
)
def test_sealed_part_goes_nowhere_else(part: Any) -> None:
    """A part of another provider or host, or without anything sealed, has nothing to send."""
    assert sealed(part, TARGET) is None


@pytest.mark.parametrize(
    ("part", "note"),
    [
        (
            Reasoning("a", THERE),
            Note("dropped", "reasoning", "it came from other (other.test) and is replayed only there"),
        ),
        (Reasoning("a"), Note("dropped", "reasoning", "it carries nothing that can be replayed")),
        (
            THERE,
            Note("dropped", "opaque part 'thinking'", "it came from other (other.test) and is replayed only there"),
        ),
        (Opaque("", kind="x"), Note("dropped", "opaque part 'x'", "it carries nothing that can be replayed")),
        (Text("a"), Note("dropped", "opaque part ''", "it carries nothing that can be replayed")),
    ],
    ids=["foreign reasoning", "bare reasoning", "foreign part", "empty part", "text"],
)
def test_part_left_behind_is_told(part: Any, note: Note) -> None:
    """A part that stays behind leaves a note with the reason."""
    notes: list[Note] = []

    leave_out(part, TARGET, notes)

    assert notes == [note]


def test_calls_are_found_by_id() -> None:
    """The names of all calls in the history are known by their ids."""
    history = [
        ChatMessage.user("hi"),
        ChatMessage.assistant("a", tool_calls=[ToolCall("1", "f"), ToolCall("2", "g")]),
        ChatMessage.assistant(tool_calls=[ToolCall("3", "f")]),
    ]

    assert call_names(history) == {"1": "f", "2": "g", "3": "f"}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Image(data=b"abc"), "YWJj"),
        (Image(url="data:image/png;base64,YWJj"), "YWJj"),
        (Document(url="data:text/plain,abc"), None),
        (Image(url="https://x/a.png"), None),
        (Image(file_id="f"), None),
    ],
    ids=["bytes", "base64 url", "plain url", "url", "file"],
)
def test_content_as_base64(part: Any, expected: str | None) -> None:
    """Media that are at hand are given as base64."""
    assert base64_of(part) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Image(data=b"abc", media_type="image/png"), "data:image/png;base64,YWJj"),
        (Audio(data=b"abc"), "data:audio/wav;base64,YWJj"),
        (Image(url="https://x/a.png"), "https://x/a.png"),
        (Image(file_id="f"), None),
    ],
    ids=["bytes", "sniffed", "url", "file"],
)
def test_content_as_url(part: Any, expected: str | None) -> None:
    """Media are given by their URL, or as a URL that holds them."""
    assert data_url(part) == expected


def test_content_of_unknown_type_has_no_url() -> None:
    """Bytes of which the type cannot be told are the caller's to name."""
    with pytest.raises(FiberValidationError, match="set media_type"):
        data_url(Image(data=b"abc"))


def test_part_is_refused() -> None:
    """A part that the target cannot take raises, or is noted as dropped."""
    notes: list[Note] = []
    request = ChatRequest(messages=())

    with pytest.raises(FiberCapabilityError, match="acme cannot take Audio content for 'm': it is deaf") as caught:
        refuse_part(request, TARGET, notes, Audio(data=b"a"), "it is deaf")
    refuse_part(msgspec.structs.replace(request, on_unsupported="drop"), TARGET, notes, Image(url="u"), "it is blind")

    assert caught.value.parameter == "Audio content"
    assert notes == [Note("dropped", "Image content", "it is blind")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"a":  1}', b'{"a":  1}'),
        (' {"a":1}\n', b'{"a":1}'),
        ("{}", b"{}"),
        ("", b"{}"),
        (" ", b"{}"),
        ('{"a":1', None),
        ("[1]", None),
        ('"a"', None),
        ("null", None),
        ("nonsense", None),
        ('{"a":' + "[" * 100_000, None),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_arguments_that_are_an_object(arguments: str, expected: bytes | None) -> None:
    """Arguments that are an object are sent as they are, none as an empty one, and anything else is none."""
    found = as_object(arguments)

    assert (None if found is None else bytes(found)) == expected


def test_other_arguments_are_wrapped() -> None:
    """Arguments that are no object are sent inside one, with a note, so that nothing is lost."""
    notes: list[Note] = []

    assert bytes(arguments_object(ToolCall("1", "f", '{"a":1}'), notes)) == b'{"a":1}'
    assert notes == []
    assert bytes(arguments_object(ToolCall("1", "f", '{"a":'), notes)) == b'{"_invalid_json":"{\\"a\\":"}'
    assert [(note.kind, note.subject) for note in notes] == [("mapped", "tool_calls")]
    assert "call '1'" in notes[0].detail


def test_wrapped_arguments_are_always_text() -> None:
    """Even arguments with half a character can be wrapped."""
    assert bytes(wrapped("\ud800")) == b'{"_invalid_json":"?"}'
