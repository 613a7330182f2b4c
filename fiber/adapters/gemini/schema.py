"""
Views of a `GenerateContentResponse`: only what is used, and `Any` where a backend may send
something odd.

Parts stay raw JSON until they are read one by one, because many of them have to go back exactly as
they came.

Documentation: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse. Facts as
of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fiber.adapters.jsons import decode, narrowed, one, text_or_none


class FunctionCall(msgspec.Struct, gc=False):
    """A call; `partialArgs` and `willContinue` only where Vertex streams the arguments."""

    id: Any = None
    name: Any = None
    args: msgspec.Raw = msgspec.Raw()
    partialArgs: Any = None
    willContinue: Any = None


class Part(msgspec.Struct, gc=False):
    """One part; the kinds not named here are carried as they are."""

    text: str | None = None
    thought: Any = None
    thoughtSignature: Any = None
    functionCall: FunctionCall | None = None
    inlineData: Any = None


class Content(msgspec.Struct, gc=False):
    """The parts of a candidate or of a piece of it."""

    parts: list[msgspec.Raw] | None = None


class Candidate(msgspec.Struct, gc=False):
    """One answer, or a piece of it."""

    index: Any = None
    content: Content | None = None
    finishReason: Any = None
    finishMessage: Any = None
    safetyRatings: Any = None
    citationMetadata: Any = None
    groundingMetadata: Any = None
    logprobsResult: Any = None
    continuationToken: Any = None


class Reply(msgspec.Struct, gc=False):
    """A whole reply, or one chunk of a stream."""

    candidates: list[Candidate] | None = None
    promptFeedback: Any = None
    usageMetadata: Any = None
    modelVersion: Any = None
    responseId: Any = None
    error: Any = None


class SealedCall(msgspec.Struct, gc=False):
    """The id of a call that is to be sent back."""

    id: Any = None


class Seal(msgspec.Struct, gc=False):
    """What a replayed part tells about itself."""

    functionCall: SealedCall | None = None
    thoughtSignature: Any = None

    @property
    def id(self) -> str | None:
        """The id the provider gave to the call."""
        return text_or_none(self.functionCall.id) if self.functionCall else None

    @property
    def signature(self) -> str | None:
        """The signature of the part."""
        return text_or_none(self.thoughtSignature)


_SAID = narrowed(Part, text=str)
_PIECES = narrowed(Content, parts=one(_SAID))
_SPOKEN = narrowed(Candidate, content=_PIECES, index=(Literal[0], 0))
WORDS = msgspec.json.Decoder(
    narrowed(
        Reply,
        candidates=one(_SPOKEN),
        usageMetadata=(Any, None),
        ignored=("modelVersion", "responseId"),
    )
)
"""For a chunk that brings one piece of text and says nothing else, as most do."""

REPLY = msgspec.json.Decoder(Reply)
REPLIES = msgspec.json.Decoder(list[Reply])
PART = msgspec.json.Decoder(Part)
SEAL = msgspec.json.Decoder(Seal)


def replies(data: bytes) -> list[Reply]:
    """
    Decode one reply or a list of them (a stream asked for without `alt=sse`, or an error in a
    list).

    Raises:
        FiberParsingError: It is neither.
    """
    return decode(data, REPLIES) if data.lstrip()[:1] == b"[" else [decode(data, REPLY)]
