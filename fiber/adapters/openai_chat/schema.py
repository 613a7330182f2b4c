"""
Views of what servers send: only the members that are read, as loosely typed as servers are loose.

Whole replies and stream chunks share one view, and `message` and `delta` another: a whole message
is a delta that brings everything at once. `msgspec.Raw` keeps the bytes of what may have to be sent
back.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

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


class _Said(msgspec.Struct, gc=False):
    content: str
    reasoning_content: None = None
    reasoning: None = None
    reasoning_details: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    audio: None = None
    images: None = None
    annotations: None = None


class _Spoken(msgspec.Struct, gc=False):
    delta: _Said
    index: Literal[0]
    message: None = None
    finish_reason: None = None
    logprobs: None = None
    error: None = None


class Words(msgspec.Struct, gc=False):
    """
    A chunk that brings one piece of text and says nothing else, as most do: nothing but it is of
    this type.
    """

    choices: tuple[_Spoken]
    object: Literal["chat.completion.chunk"]
    usage: None = None
    service_tier: Any = None
    request_id: None = None
    citations: None = None
    search_results: None = None
    x_groq: None = None
    error: None = None
    errors: None = None
    detail: None = None
    base_resp: None = None


WORDS = msgspec.json.Decoder(Words)
CHUNK = msgspec.json.Decoder(Chunk)
OBJECT: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
LIST: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[Any])
