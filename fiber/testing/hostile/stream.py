"""Faults in what a stream says: how it ends, errors inside it, usage, interleaved tool calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest
from typing import Any

import msgspec

from fiber.testing.hostile.actions import Action
from fiber.testing.hostile.body import decoded, edited
from fiber.testing.hostile.scene import PLAIN_FORMATS, Fault, Mode, Recipe, Scene, half, middle, streamed
from fiber.testing.script import Failure, MockCall, Reply

_STREAM: frozenset[Mode] = frozenset({"stream"})
_CHAT = frozenset({"openai_chat"})
_MARKED = frozenset({"openai_chat", "anthropic"})
"""Formats whose end mark is an event of its own."""
_INDEXED = frozenset({"openai_chat", "openai_responses", "anthropic"})
"""Formats that tell the pieces of tool calls apart by an index."""
_LANE = re.compile(rb'"tool_calls":\[\{"index":(\d)|"output_index":(\d)|"type":"content_block_\w+","index":(\d)')
_SECOND = re.compile(rb'("output_index"|"tool_calls":\[\{"index"|"type":"content_block_\w+","index"):1\b')
_CALLS = (MockCall("get_weather", {"city": "Paris"}), MockCall("get_weather", {"city": "Rome"}))


def events(change: Callable[[list[bytes]], Iterable[bytes]]) -> Recipe:
    """Change the list of events."""
    return lambda scene: streamed(scene, change(scene.events()))


def _failed(
    scene: Scene, before: Sequence[bytes], code: str = "overloaded", after: Sequence[bytes] = ()
) -> list[Action]:
    frame = scene.format.error_frame(Failure(code=code), scene.view, scene.number, len(before))
    return streamed(scene, [*before, frame, *after])


def _cut_inside(found: list[bytes]) -> list[bytes]:
    *begun, last = half(found) or found[:1]
    return [*begun, half(last)]


def _not_json(found: list[bytes]) -> list[bytes]:
    place = middle(found)
    return [*found[:place], edited(found[place], lambda data: b"upstream timed out"), *found[place + 1 :]]


def _calling(change: Callable[[list[bytes]], Iterable[bytes]]) -> Recipe:
    """Call two tools, and change the list of events."""
    return lambda scene: streamed(scene, change(scene.events(Reply(tool_calls=_CALLS))))


def _interleaved(found: list[bytes]) -> list[bytes]:
    lanes: dict[bytes, list[bytes]] = {}
    before: list[bytes] = []
    after: list[bytes] = []
    for event in found:
        if match := _LANE.search(event):
            lanes.setdefault(next(filter(None, match.groups())), []).append(event)
        else:
            (after if lanes else before).append(event)
    mixed = chain.from_iterable(zip_longest(*lanes.values()))
    return [*before, *filter(None, mixed), *after]


def _gaps(found: list[bytes]) -> list[bytes]:
    return [_SECOND.sub(rb"\1:7", event) for event in found]


def _usage_of(found: list[bytes]) -> Any:
    """Return the usage that a chat stream tells; made up when the client did not ask for it."""
    for event in found:
        data = event.removeprefix(b"data: ").strip()
        if data != b"[DONE]" and (usage := msgspec.json.decode(data).get("usage")):
            return usage
    return {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def _with_usage(found: list[bytes], wanted: Callable[[Any], bool]) -> list[bytes]:
    """Put the usage into the chunks that are *wanted*, and leave out the chunk of its own."""
    usage = _usage_of(found)

    def change(value: Any) -> Any:
        return {**value, "usage": usage if wanted(value) else None}

    return [decoded(event, change) for event in found if b'"choices":[]' not in event]


def _finishes(value: Any) -> bool:
    return any(choice.get("finish_reason") for choice in value["choices"])


FAULTS = (
    Fault("stream-cut", "E7", "The stream ends half-way, in an HTTP message that is complete.", events(half), _STREAM),
    Fault("stream-cut-inside", "E7", "It ends inside an event.", events(_cut_inside), _STREAM),
    Fault("stream-nothing", "E8", "No event at all.", events(lambda found: []), _STREAM),
    Fault("stream-only-mark", "E8", "Nothing but the end mark.", events(lambda found: found[-1:]), _STREAM, _MARKED),
    Fault(
        "stream-no-mark", "E6", "A finish reason, and no end mark.", events(lambda found: found[:-1]), _STREAM, _MARKED
    ),
    Fault(
        "stream-mark-twice",
        "E9",
        "The end mark twice.",
        events(lambda found: [*found, found[-1]]),
        _STREAM,
        _MARKED | PLAIN_FORMATS,
    ),
    Fault(
        "stream-after-mark",
        "E9",
        "A piece of text behind the end mark.",
        events(lambda found: [*found, found[middle(found)]]),
        _STREAM,
        _INDEXED,
    ),
    Fault("stream-error", "E11", "The provider's error half-way.", lambda s: _failed(s, half(s.events())), _STREAM),
    Fault("stream-error-first", "E11", "The provider's error as the first event.", lambda s: _failed(s, ()), _STREAM),
    Fault(
        "stream-error-then-mark",
        "E11",
        "The provider's error half-way, then the end of the answer.",
        lambda scene: _failed(scene, half(scene.events()), after=scene.events()[-1:]),
        _STREAM,
    ),
    Fault(
        "stream-rate-limit",
        "E11",
        "The provider's rate limit half-way.",
        lambda scene: _failed(scene, half(scene.events()), "rate_limit"),
        _STREAM,
    ),
    Fault(
        "stream-not-json",
        "E12",
        "Text where the JSON of an event should be.",
        events(_not_json),
        _STREAM,
        json=True,
    ),
    Fault(
        "usage-everywhere",
        "E17",
        "The usage in every chunk.",
        events(lambda found: _with_usage(found, lambda value: True)),
        _STREAM,
        _CHAT,
    ),
    Fault(
        "usage-in-finish",
        "E17",
        "The usage in the chunk of the finish reason.",
        events(lambda found: _with_usage(found, _finishes)),
        _STREAM,
        _CHAT,
    ),
    Fault(
        "calls-interleaved", "E18", "The pieces of two tool calls by turns.", _calling(_interleaved), _STREAM, _INDEXED
    ),
    Fault(
        "calls-with-gaps", "E18", "Two tool calls whose indexes are not neighbours.", _calling(_gaps), _STREAM, _INDEXED
    ),
)
