"""
Members that providers send and the adapters do not read.

The adapters' views of what is sent (their `schema` modules) say what is read. Whatever else a recording has is either
known and not needed (the oracles' `UNREAD`) or new, and then worth a look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, get_args

import msgspec

View = type[msgspec.Struct]

_BELOW: Mapping[str, Mapping[str, str]] = {
    # What a view keeps as raw JSON, and reads later by the view named here.
    "openai_responses": {
        "Reply.output": "Item",
        "Event.response": "Reply",
        "Event.item": "Item",
    },
    "gemini": {"Content.parts": "Part"},
}
_FIRST: Mapping[str, tuple[str, str]] = {
    # The view of a whole reply, and that of an event; none where events are no JSON.
    "openai_chat": ("Chunk", "Chunk"),
    "openai_responses": ("Reply", "Event"),
    "anthropic": ("Message", "Event"),
    "bedrock_converse": ("Reply", "Event"),
    "gemini": ("Reply", "Reply"),
    "cohere": ("Reply", "Event"),
    "ollama": ("Reply", "Reply"),
    "replicate": ("Prediction", ""),
}


def unknown(format: str, payloads: list[Any], unread: Mapping[str, frozenset[str]], *, whole: bool) -> Iterator[str]:
    """Name the members that are neither read nor listed in *unread*, like `Choice.native_finish_reason`."""
    if name := _FIRST[format][0 if whole else 1]:
        first = _view(format, name)
        for payload in payloads:
            yield from _walk(format, payload, first, unread)


def _walk(format: str, value: Any, view: View, unread: Mapping[str, frozenset[str]]) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _walk(format, each, view, unread)
    if not isinstance(value, dict):
        return
    inner = _inner(format, view)
    for name, member in value.items():
        if name not in inner:
            if name not in unread.get(view.__name__, ()):
                yield f"{view.__name__}.{name}"
        elif (below := inner[name]) is not None:
            yield from _walk(format, member, below, unread)


@cache
def _inner(format: str, view: View) -> dict[str, View | None]:
    """Return the members that *view* reads, each with the view of what is in it."""
    below = _BELOW.get(format, {})
    found: dict[str, View | None] = {}
    for member in msgspec.structs.fields(view):
        named = below.get(f"{view.__name__}.{member.name}")
        found[member.encode_name] = _view(format, named) if named else _struct_in(member.type)
    return found


def _struct_in(kind: Any) -> View | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next(filter(None, map(_struct_in, get_args(kind))), None)


def _view(format: str, name: str) -> View:
    view: View = getattr(import_module(f"fiber.adapters.{format}.schema"), name)
    return view
