"""
Whole replies.

Documentation: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse. Facts as
of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from fiber._errors import FiberParsingError
from fiber.adapters.assembly import Assembly
from fiber.adapters.failures import unreadable
from fiber.adapters.gemini.errors import error_of
from fiber.adapters.gemini.reading import Reader
from fiber.adapters.gemini.schema import replies
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode one reply.

    A list of replies, as a stream without `alt=sse` is, is read as the pieces of one. A blocked
    prompt has no candidates and is a result with `finish_reason` `content_filter`.

    Raises:
        FiberProviderError: The body is an error, although the status is not; its class is that of
        the error. FiberParsingError: The body is no such reply, or there is no answer in it.
    """
    try:
        pieces = replies(body)
    except FiberParsingError:
        raise unreadable(head, target, body, "something that is no Gemini reply") from None
    assembly = Assembly(head, target)
    reader = Reader(assembly)
    for piece in pieces:
        if piece.error is not None:
            raise error_of({"error": piece.error}, head, body, target)
        try:
            reader.take(piece)
        except FiberParsingError as error:
            why = f"a reply that cannot be read: {error.message}"
            raise unreadable(head, target, body, why) from None
    reader.settle()
    if assembly.empty and not assembly.finished:
        # Neither content, nor a reason for its absence: not even the blocking of the prompt.
        raise unreadable(head, target, body, "a reply without an answer")
    return assembly.result(body=body)
