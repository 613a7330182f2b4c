"""Faults in how a stream is cut into lines, events and chunks; most are allowed, and a client must cope."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from fiber.testing.hostile.actions import Action, End, Part
from fiber.testing.hostile.body import edited
from fiber.testing.hostile.scene import (
    EVENT_FORMATS,
    JSON_EVENT_FORMATS,
    JSON_FORMATS,
    MARK,
    TEXT_FORMATS,
    Fault,
    Mode,
    Recipe,
    Scene,
    half,
    middle,
    opened,
    streamed,
)

_STREAM: frozenset[Mode] = frozenset({"stream"})
_GEMINI = frozenset({"gemini"})
_WIDE = " h\u00e9llo \U0001f44b\U0001f3fd \u4f60\u597d"
_ENDS = ((b"\r", b"\r"), (b"\n", b"\r\n"), (b"\r\n", b"\n"))
"""Ends of an event's lines, and of the blank one behind them: CR and LF in a row would be one end."""
_BLOCK_EVENTS = 1000
_COMMENTS = 10
"""Comment lines for one event of a flood."""


def _lined(scene: Scene) -> list[bytes]:
    """Return the events with LF, which Google's have not."""
    return [event.replace(b"\r\n", b"\n") for event in scene.events()]


def joined(change: Callable[[bytes], Sequence[bytes]]) -> Recipe:
    """Cut all bytes of the stream in another way."""
    return lambda scene: streamed(scene, change(b"".join(_lined(scene))))


def each(change: Callable[[bytes], bytes]) -> Recipe:
    """Change the bytes of each event."""
    return lambda scene: streamed(scene, map(change, _lined(scene)))


def _mixed(data: bytes) -> list[bytes]:
    lines = []
    for place, event in enumerate(data.split(b"\n\n")[:-1]):
        end, blank = _ENDS[place % len(_ENDS)]
        lines.append(event.replace(b"\n", end) + end + blank)
    return lines


def _wide(scene: Scene) -> list[Action]:
    data = b"".join(scene.events(scene.reply(_WIDE)))
    return streamed(scene, (bytes([byte]) for byte in data))


def _split_surrogates(scene: Scene) -> list[Action]:
    mark = MARK.encode()
    events = scene.events(scene.reply(f"{MARK} {MARK}"))
    first, second = rb"\ud83d", rb"\udc4b"
    return streamed(
        scene, [edited(event, lambda data: data.replace(mark + b" ", first).replace(mark, second)) for event in events]
    )


def _multiline(event: bytes) -> bytes:
    return edited(event, lambda data: data.replace(b"{", b"{\ndata: ", 1).replace(b",", b",\ndata:", 1))


def _odd_fields(event: bytes) -> bytes:
    return b": comment\nid: 7\nretry: 100\nfoo: bar\nfoo\n" + event


def _unended(scene: Scene) -> list[Action]:
    *others, last = scene.events()
    return streamed(scene, [*others, last.rstrip(b"\r\n")])


def _many_events(scene: Scene) -> Iterator[Action]:
    # The counts are given, for counting the words in every event would take hours.
    reply = replace(scene.reply(" a" * scene.flood_events), usage=(3, scene.flood_events))
    events = scene.events(reply)
    yield opened(scene)
    for at in range(0, len(events), _BLOCK_EVENTS):
        yield Part(b"".join(events[at : at + _BLOCK_EVENTS]))
    yield End()


def _flood(line: bytes) -> Recipe:
    def play(scene: Scene) -> Iterator[Action]:
        events = scene.events()
        half_way = len(half(events))
        yield opened(scene)
        yield from map(Part, events[:half_way])
        for _ in range(scene.flood_events * _COMMENTS // _BLOCK_EVENTS):
            yield Part(line * _BLOCK_EVENTS)
        yield from map(Part, events[half_way:])
        yield End()

    return play


def _giant(size: Callable[[Scene], int]) -> Recipe:
    def play(scene: Scene) -> list[Action]:
        events = scene.events()
        place = middle(events)
        member = b'"padding":"%b",' % (b"A" * size(scene))
        events[place] = edited(events[place], lambda data: data.replace(b"{", b"{" + member, 1))
        return streamed(scene, events)

    return play


def _giant_name(scene: Scene) -> list[Action]:
    first, *others = scene.events()
    return streamed(scene, [first, b"x" * (scene.bulk_bytes // 8), b": y\n\n", *others])


def _array(scene: Scene) -> list[bytes]:
    return scene.format.frames(replace(scene.view, sse=False), scene.reply(), scene.number)


def _as_array(change: Callable[[list[bytes]], Sequence[bytes]]) -> Recipe:
    headers = {"content-type": "application/json; charset=UTF-8"}
    return lambda scene: streamed(scene, change(_array(scene)), headers)


def _fault(name: str, matrix: str, meaning: str, play: Recipe) -> Fault:
    return Fault(name, matrix, meaning, play, _STREAM)


def _of_json(name: str, matrix: str, meaning: str, play: Recipe) -> Fault:
    return Fault(name, matrix, meaning, play, _STREAM, JSON_FORMATS)


def _of_lines(name: str, matrix: str, meaning: str, play: Recipe) -> Fault:
    return Fault(name, matrix, meaning, play, _STREAM, TEXT_FORMATS)


def _of_events(name: str, matrix: str, meaning: str, play: Recipe) -> Fault:
    return Fault(name, matrix, meaning, play, _STREAM, EVENT_FORMATS)


FAULTS = (
    _of_events("stream-cr", "E1", "Lines end with CR.", joined(lambda data: [data.replace(b"\n", b"\r")])),
    _of_lines("stream-crlf", "E1", "Lines end with CRLF.", joined(lambda data: [data.replace(b"\n", b"\r\n")])),
    _of_lines(
        "stream-crlf-split",
        "E1",
        "Lines end with CRLF, and chunks between the two.",
        joined(lambda data: re.split(rb"(?<=\r)", data.replace(b"\n", b"\r\n"))),
    ),
    _of_events("stream-mixed-ends", "E1", "Lines end with CR, LF and CRLF by turns.", joined(_mixed)),
    _fault("stream-one-chunk", "E1", "All events in one chunk.", joined(lambda data: [data])),
    _fault("stream-split-characters", "E2", "Chunks of one byte, through characters of four.", _wide),
    _of_json("stream-split-surrogates", "B6", "An emoji as two escapes, one in each of two events.", _split_surrogates),
    _of_events(
        "stream-no-space", "E3", "No space behind the colon.", each(lambda e: re.sub(rb"(?m)^(\w+): ", rb"\1:", e))
    ),
    Fault(
        "stream-multiline",
        "E3",
        "The JSON of an event in several data lines.",
        each(_multiline),
        _STREAM,
        JSON_EVENT_FORMATS,
    ),
    _of_events("stream-odd-fields", "E3", "Comments, id, retry and unknown fields in every event.", each(_odd_fields)),
    _of_events(
        "stream-empty-data",
        "E4",
        "Events with empty data between the others.",
        each(lambda e: b"data:\n\ndata: \n\n" + e),
    ),
    _of_events(
        "stream-id-only", "E4", "Events with nothing but an id between the others.", each(lambda e: b"id: 9\n\n" + e)
    ),
    _of_lines("stream-no-final-blank", "E10", "The last event lacks its blank line.", _unended),
    _of_json("stream-giant-event", "E13", "An event of 30 MB.", _giant(lambda scene: 30_000_000)),
    _of_json("stream-endless-event", "E13", "An event of *bulk_bytes*.", _giant(lambda scene: scene.bulk_bytes)),
    _of_events("stream-endless-line", "E13", "A field name that fills memory.", _giant_name),
    _fault("stream-many-events", "E14", "*flood_events* pieces of text.", _many_events),
    _of_events("stream-many-comments", "E14", "Ten times *flood_events* comments.", _flood(b": x\n")),
    _of_lines("stream-many-blanks", "E14", "Ten times *flood_events* blank lines.", _flood(b"\n")),
    _of_events("stream-many-empty", "E14", "Ten times *flood_events* empty events.", _flood(b"data:\n\n")),
    Fault(
        "stream-json-array",
        "E16",
        "One JSON array instead of events.",
        _as_array(lambda parts: parts),
        _STREAM,
        _GEMINI,
    ),
    Fault(
        "stream-json-array-cut",
        "E16",
        "Half of a JSON array instead of events.",
        _as_array(half),
        _STREAM,
        _GEMINI,
    ),
)
