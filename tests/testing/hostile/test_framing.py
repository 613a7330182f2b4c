"""Tests of the faults in how a stream is cut."""

from __future__ import annotations

import json

import pytest

from fiber.framing.sse import SSEDecoder
from fiber.testing.hostile.actions import Part
from tests.testing.hostile.wire import EVENTS, NONCE, body, payloads, played

SAME = (
    "stream-cr",
    "stream-crlf",
    "stream-crlf-split",
    "stream-mixed-ends",
    "stream-one-chunk",
    "stream-no-space",
    "stream-odd-fields",
    "stream-empty-data",
    "stream-id-only",
    "stream-many-comments",
    "stream-many-blanks",
    "stream-many-empty",
)
"""Faults that change bytes and leave the events what they are."""


def frames(data: bytes) -> list[tuple[str, bytes]]:
    """Read events as the standard says, without the empty ones."""
    decoder = SSEDecoder()
    return [(event, found) for event, found in [*decoder.feed(data), *decoder.finish()] if found]


@pytest.mark.parametrize("format", EVENTS)
@pytest.mark.parametrize("fault", SAME)
def test_events_stay_the_same(fault: str, format: str) -> None:
    """Read by the standard, the events are those of the good answer."""
    found, good = (body(played(name, format, stream=True)) for name in (fault, "ok"))

    assert frames(found) == frames(good)
    assert found != good or fault in ("stream-one-chunk", "stream-crlf", "stream-crlf-split")  # Google sends CRLF


def test_characters_are_cut() -> None:
    """Every chunk is one byte, and characters have up to four."""
    parts = [action.data for action in played("stream-split-characters", stream=True) if isinstance(action, Part)]

    assert {len(part) for part in parts} == {1}
    assert "\U0001f44b\U0001f3fd".encode() in b"".join(parts)


@pytest.mark.parametrize("format", EVENTS)
def test_emoji_is_cut_between_two_events(format: str) -> None:
    """The halves of an emoji stand in two events, next to each other."""
    found = body(played("stream-split-surrogates", format, stream=True))

    assert rb'\ud83d"' in found
    assert rb'"\udc4b' in found


@pytest.mark.parametrize("format", EVENTS)
def test_data_has_several_lines(format: str) -> None:
    """Joined, the lines of an event are its JSON."""
    found = frames(body(played("stream-multiline", format, stream=True)))

    assert all(b"\n" in data and json.loads(data) for _, data in found if data != b"[DONE]")


def test_last_event_lacks_its_blank_line() -> None:
    """Nothing follows the last character of the last event."""
    assert body(played("stream-no-final-blank", stream=True)).endswith(b"data: [DONE]")


def test_events_are_many_or_large() -> None:
    """As many or as large as was said."""
    many = payloads(body(played("stream-many-events", stream=True)))
    endless = max(map(len, body(played("stream-endless-event", stream=True)).split(b"\n")))

    assert len(many) > 1000
    assert endless > 1 << 20
    assert max(map(len, body(played("stream-giant-event", stream=True)).split(b"\n"))) > 30_000_000
    assert max(map(len, body(played("stream-endless-line", stream=True)).split(b"\n"))) > 1 << 17


def test_array_takes_the_place_of_events() -> None:
    """Google's stream may be one JSON array; cut, it is none."""
    found = json.loads(body(played("stream-json-array", "gemini", stream=True)))

    assert NONCE in json.dumps(found)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(body(played("stream-json-array-cut", "gemini", stream=True)))
