"""
Faults of the JSON: in a whole answer, and in the events of a stream.

Most are a change of bytes that is made to the body of a whole answer, and to one event or all events of a stream.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import msgspec

from fiber.framing.event_stream import EventStreamDecoder
from fiber.testing.formats.common import sse
from fiber.testing.formats.event_stream import message
from fiber.testing.hostile.actions import Action
from fiber.testing.hostile.scene import (
    EVENT_FORMATS,
    JSON_FORMATS,
    MARK,
    Fault,
    Mode,
    Recipe,
    Scene,
    half,
    middle,
    streamed,
    whole,
)
from fiber.testing.script import Reply

Change: TypeAlias = Callable[[bytes], bytes]

_WHOLE: frozenset[Mode] = frozenset({"whole"})
_STREAM: frozenset[Mode] = frozenset({"stream"})
_DEEP = 100_000
_COUNT = re.compile(rb'"(\w*(?:_tokens|Tokens|TokenCount|_token_count|eval_count))":(\d+)')
_REASON = re.compile(rb'"(finish_reason|stop_reason|finishReason|stopReason|done_reason|reason)":"\w+"')
_ANSWERS = ("choices", "output", "content", "candidates", "message")
_USAGES = ("usage", "usageMetadata", "prompt_eval_count", "eval_count", "metrics")


def edited(event: bytes, change: Change) -> bytes:
    """Change the data of one event; a whole body, which is no event, is all data."""
    if messages := EventStreamDecoder().feed(event):
        return b"".join(
            message({name: str(value) for name, value in headers.items()}, change(payload))
            for headers, payload in messages
        )
    start = event.find(b"data: ") + len(b"data: ") if event.startswith((b"data: ", b"event: ")) else 0
    end = len(event.rstrip(b"\r\n"))
    return event[:start] + change(event[start:end]) + event[end:]


def decoded(event: bytes, change: Callable[[Any], Any]) -> bytes:
    """Change the JSON of one event or body; what is no JSON stays as it is."""

    def through(data: bytes) -> bytes:
        return data if data == b"[DONE]" else msgspec.json.encode(change(msgspec.json.decode(data)))

    return edited(event, through)


def one(change: Change) -> Recipe:
    """Change a whole body, or the event in the middle of a stream."""

    def play(scene: Scene) -> list[Action]:
        if not scene.streams:
            return whole(scene, change(scene.body()))
        events = scene.events()
        place = middle(events)
        return streamed(scene, [*events[:place], edited(events[place], change), *events[place + 1 :]])

    return play


def every(change: Change, more: str = "", make: Callable[[Scene], Reply] | None = None) -> Recipe:
    """
    Change a whole body, or every event of a stream.

    Args:
        more: Goes behind the text of the reply.
        make: Makes the reply, when it is another than the good one.
    """

    def play(scene: Scene) -> list[Action]:
        reply = make(scene) if make else scene.reply(more)
        if not scene.streams:
            return whole(scene, change(scene.body(reply)))
        return streamed(scene, [edited(event, change) for event in scene.events(reply)])

    return play


def text(raw: bytes) -> Recipe:
    """Put *raw* behind the text, inside its JSON string."""
    return every(lambda data: data.replace(MARK.encode(), raw), MARK)


def _inject(member: bytes) -> Recipe:
    """Put a member at the beginning of the JSON object."""
    return one(lambda data: data.replace(b"{", b"{" + member + b",", 1))


def _without(*names: str) -> Callable[[Any], Any]:
    """Return a change that takes members out at any depth."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: change(item) for key, item in value.items() if key not in names}
        return [change(item) for item in value] if isinstance(value, list) else value

    return change


def _emptied(value: Any) -> Any:
    return {key: [] if key in _ANSWERS else item for key, item in value.items()}


def _json(change: Callable[[Any], Any]) -> Recipe:
    return every(lambda data: decoded(data, change))


def _texted(change: Callable[[bytes], bytes]) -> Recipe:
    """Change the JSON string of the text: all of it in a whole answer, one piece in a stream."""

    def play(scene: Scene) -> list[Action]:
        if not scene.streams:
            said = msgspec.json.encode(scene.reply().text)
            return whole(scene, re.sub(rb'"(\w+)":' + re.escape(said), lambda m: change(m[0]), scene.body()))
        events = scene.events()
        place = middle(events)
        piece = re.compile(rb'"(content|delta|text)":"(?:[^"\\]|\\.)+"')
        events[place] = edited(events[place], lambda data: piece.sub(lambda match: change(match[0]), data))
        return streamed(scene, events)

    return play


def _null(member: bytes) -> bytes:
    return member.partition(b":")[0] + b":null"


def _twice(member: bytes) -> bytes:
    return member.partition(b":")[0] + b':"WRONG",' + member


def _other_reason(scene: Scene) -> Reply:
    return Reply(scene.reply().text, words_per_event=1, finish_reason="length")


def _unknown_events(scene: Scene) -> list[Action]:
    events = scene.events()
    half_way = len(half(events))
    new = sse({"type": "brand_new", "sequence_number": 99, "news": {"a": [1, None]}}, "brand_new")
    return streamed(scene, [*events[:half_way], new, *events[half_way:]])


def _bom(scene: Scene) -> list[Action]:
    mark = b"\xef\xbb\xbf"
    if scene.streams:
        first, *others = scene.events()
        return streamed(scene, [mark + first, *others])
    return whole(scene, mark + scene.body())


def _to_stream(scene: Scene) -> list[Action]:
    return whole(scene, scene.body(), headers={"content-type": scene.format.content_type})


def _to_plain(scene: Scene) -> list[Action]:
    return streamed(scene, scene.events(), {"content-type": "text/event-stream"})


def _as(kind: str) -> Recipe:
    def play(scene: Scene) -> list[Action]:
        headers = {"content-type": kind}
        return (
            streamed(scene, scene.events(), headers) if scene.streams else whole(scene, scene.body(), headers=headers)
        )

    return play


_OF_JSON = (
    Fault("json-cut", "B1", "JSON cut in half, in an HTTP message that is complete.", one(half)),
    Fault("json-trailing", "B1", "JSON with something behind it.", one(lambda data: data + b" xx")),
    Fault("json-control", "B1", "A raw tab inside a JSON string.", text(b"\t")),
    Fault("json-quotes", "B1", "JSON with single quotes.", one(lambda data: data.replace(b'"', b"'"))),
    Fault(
        "json-nan", "B2", "NaN and Infinity in members that nobody needs.", _inject(b'"score":NaN,"least":-Infinity')
    ),
    Fault("json-1e999", "B2", "A number out of range in a member that nobody needs.", _inject(b'"score":1e999')),
    Fault(
        "json-duplicate-keys",
        "B3",
        "The text twice under one key: the second is right.",
        _texted(_twice),
        formats=JSON_FORMATS,
    ),
    Fault("json-30-digits", "B4", "A whole number of 30 digits.", _inject(b'"big":%b' % (b"1" * 30))),
    Fault("json-5000-digits", "B4", "A whole number of 5,000 digits.", _inject(b'"big":%b' % (b"1" * 5000))),
    Fault("json-deep", "B5", "An array of 100,000 levels.", _inject(b'"deep":%b%b' % (b"[" * _DEEP, b"]" * _DEEP))),
    Fault("json-lone-surrogate", "B6", "Half of an emoji, escaped, behind the text.", text(rb"\ud83d")),
    Fault("json-surrogates", "B6", "An emoji as two escapes, in one string.", text(rb"\ud83d\udc4b")),
    Fault("json-nul", "B7", "An escaped NUL behind the text.", text(rb"\u0000")),
    Fault(
        "json-lines",
        "B7",
        "Characters behind the text that some take for line ends.",
        text("\u2028\u2029\x85".encode()),
    ),
    Fault(
        "json-odd-text",
        "B19",
        "U+FFFD, a combining accent and right-to-left text.",
        text("\ufffde\u0301 \u05e9\u05dc\u05d5\u05dd".encode()),
    ),
    Fault("json-bom", "B8", "A byte order mark before everything.", _bom),
    Fault("json-invalid-utf8", "B9", "A byte behind the text that is not UTF-8.", text(b"\xff")),
    Fault("json-utf16", "B9", "JSON in UTF-16.", one(lambda data: data.decode().encode("utf-16"))),
    Fault(
        "missing-choices",
        "B10",
        "No choices, output, content, candidates or message.",
        _json(_without(*_ANSWERS)),
        _WHOLE,
    ),
    Fault(
        "empty-choices",
        "B10",
        "An empty list of choices, output, content, candidates or message.",
        _json(_emptied),
        _WHOLE,
    ),
    Fault(
        "null-content", "B11", "null for the text; in a stream for a piece of it.", _texted(_null), formats=JSON_FORMATS
    ),
    Fault("usage-never", "E17", "No usage at all.", _json(_without(*_USAGES))),
    Fault("usage-strings", "B11", "Counts of tokens as strings.", every(lambda data: _COUNT.sub(rb'"\1":"\2"', data))),
    Fault("usage-null", "B11", "null for counts of tokens.", every(lambda data: _COUNT.sub(rb'"\1":null', data))),
    Fault("usage-fractions", "B11", "Fractions of tokens.", every(lambda data: _COUNT.sub(rb'"\1":\2.5', data))),
    Fault("usage-negative", "B11", "Less than no tokens.", every(lambda data: _COUNT.sub(rb'"\1":-1\2', data))),
    Fault(
        "usage-huge",
        "B11",
        "More tokens than 64 bits count.",
        every(lambda data: _COUNT.sub(rb'"\1":\g<2>%b' % (b"9" * 20), data)),
    ),
    Fault(
        "unknown-fields",
        "B12",
        "A new member in every object.",
        every(lambda data: data.replace(b'{"', b'{"brand_new":[1,{}],"')),
    ),
    Fault(
        "unknown-finish",
        "B12",
        "A finish reason that nobody knows.",
        every(lambda data: _REASON.sub(rb'"\1":"teleported"', data), make=_other_reason),
        formats=JSON_FORMATS,
    ),
)

FAULTS = (
    *(replace(fault, json=True) for fault in _OF_JSON),
    Fault("unknown-events", "B12", "An event of a type that nobody knows.", _unknown_events, _STREAM, EVENT_FORMATS),
    Fault("text-plain", "B14", "A good answer as text/plain.", _as("text/plain")),
    Fault("octets", "B14", "A good answer as application/octet-stream.", _as("application/octet-stream")),
    Fault("no-type", "B14", "A good answer with an empty content type.", _as("")),
    Fault(
        "odd-charset",
        "B14",
        "A good answer in an unheard-of character set.",
        _as("application/json; charset=klingon"),
        _WHOLE,
    ),
    Fault("json-to-stream", "B15", "A stream was asked; a whole answer comes.", _to_stream, _STREAM),
    Fault("stream-to-plain", "B15", "A whole answer was asked; a stream comes.", _to_plain, _WHOLE),
)
