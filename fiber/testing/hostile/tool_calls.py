"""Faults in the arguments of a tool call."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from fiber.testing.hostile.actions import Action
from fiber.testing.hostile.body import every
from fiber.testing.hostile.scene import JSON_FORMATS, Fault, Mode, Recipe, Scene, streamed, whole
from fiber.testing.script import MockCall, Reply

_WHOLE: frozenset[Mode] = frozenset({"whole"})
_BOTH: frozenset[Mode] = frozenset({"whole", "stream"})
_ARGUMENTS = {"city": "Paris"}


def _call(scene: Scene) -> Reply:
    return Reply(tool_calls=[MockCall("get_weather", _ARGUMENTS)])


def _arguments(written: str) -> Recipe:
    """Call a tool with arguments that are written like this."""
    proper = msgspec.json.encode(_ARGUMENTS)
    wrong = msgspec.json.encode(written)

    def play(scene: Scene) -> Iterable[Action]:
        try:
            reply = Reply(tool_calls=[MockCall("get_weather", written)])
            return streamed(scene, scene.events(reply)) if scene.streams else whole(scene, scene.body(reply))
        except ValueError:  # this format has an object there: a text is wrong in itself
            return every(lambda data: data.replace(proper, wrong), make=_call)(scene)

    return play


def _fault(kind: str, meaning: str, written: str, modes: frozenset[Mode] = _BOTH) -> Fault:
    return Fault(f"tool-arguments-{kind}", "B13", meaning, _arguments(written), modes, JSON_FORMATS)


FAULTS = (
    _fault("cut", "A tool call whose arguments are cut.", '{"city": "Par'),
    _fault("empty", "A tool call without any arguments.", ""),
    _fault("huge", "A tool call with arguments of 10 MB.", '{"city": "%s"}' % ("a" * 10_000_000), _WHOLE),
    _fault("text", "A tool call whose arguments are no JSON.", "Paris, please"),
    _fault("list", "A tool call whose arguments are a list.", '["Paris"]'),
    _fault("twice", "A tool call whose arguments have a key twice.", '{"city": "Rome", "city": "Paris"}'),
)
