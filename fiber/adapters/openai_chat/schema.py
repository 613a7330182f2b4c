"""
Views of what servers send: only the members that are read, as loosely typed as servers are loose.

Whole replies and stream chunks share one view, and `message` and `delta` another: a whole message
is a delta that brings everything at once. `msgspec.Raw` keeps the bytes of what may have to be sent
back.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fiber.adapters.jsons import narrowed, one

MEMBERS = "assistant.members"
"""
Kind of a native that is an object of message members, to be merged into the message that is sent
back.
"""

LISTS = ("images",)
"""Kinds of natives that are entries of the message member of that name."""

NOTHING = msgspec.Raw(b"")
"""Stands where a member is missing."""


class Delta(msgspec.Struct, gc=False):
    """A message, or a piece of one."""

    content: str | int | float | bool | list[msgspec.Raw] | dict[str, Any] | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: msgspec.Raw = NOTHING
    refusal: Any = None
    tool_calls: list[msgspec.Raw] | None = None
    function_call: Any = None
    audio: Any = None
    images: list[msgspec.Raw] | None = None
    annotations: Any = None


class Choice(msgspec.Struct, gc=False):
    """One answer, or a piece of one; Perplexity and Writer send `message` beside each `delta`."""

    index: Any = None
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: Any = None
    logprobs: Any = None
    error: Any = None


class Chunk(msgspec.Struct, gc=False):
    """A whole reply, or a chunk of a stream, or an error in the place of either."""

    id: Any = None
    model: Any = None
    choices: list[Choice] | None = None
    usage: Any = None
    service_tier: Any = None
    request_id: Any = None
    citations: Any = None
    search_results: Any = None
    x_groq: Any = None
    error: Any = None
    errors: Any = None
    detail: Any = None
    base_resp: Any = None
    object: Any = None


_SAID = narrowed(Delta, content=str)
_SPOKEN = narrowed(Choice, index=Literal[0], delta=_SAID)
WORDS = msgspec.json.Decoder(
    narrowed(
        Chunk,
        choices=one(_SPOKEN),
        object=Literal["chat.completion.chunk"],
        service_tier=(Any, None),
        ignored=("id", "model"),
    )
)
"""For a chunk that brings one piece of text and says nothing else, as most do."""

CHUNK = msgspec.json.Decoder(Chunk)
OBJECT: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
LIST: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[Any])
