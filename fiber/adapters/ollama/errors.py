"""
Errors: `{"error": "text"}`, with a status, or as a line of a stream.

There are no codes, so for what a status cannot say the words decide.
Documentation: https://docs.ollama.com/api/errors, and the messages in `server/routes.go` of
ollama/ollama, August 2026.
"""

from __future__ import annotations

from fiber._errors import (
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
)
from fiber.adapters.failures import FIRST_ERROR_STATUS, failure, unread
from fiber.adapters.jsons import decode_any, text
from fiber.types.http import HTTPHead
from fiber.types.target import Target

_WORDS: tuple[tuple[tuple[str, ...], type[FiberError], int], ...] = (
    # Words that all have to be there, what they mean, and the status where none came (in a stream).
    (("model", "not found"), FiberModelNotFoundError, 404),
    (("exceed", "context"), FiberContextLengthError, 400),
    (("server busy",), FiberOverloadedError, 503),
)


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Turn an answer of status 300 or above, or an error under a 200, into a typed error."""
    message = _message(body)
    words = message.lower()
    kind, status = next(
        ((kind, status) for found, kind, status in _WORDS if all(word in words for word in found)), (None, 500)
    )
    if head.status >= FIRST_ERROR_STATUS:
        status = head.status
    return failure(head, target, body, message=message, status=status, kind=kind)


def _message(body: bytes) -> str:
    try:
        said = decode_any(body)
    except FiberParsingError:
        return unread(body, 500)
    if isinstance(said, dict):
        said = said.get("error") or said.get("message")
    if isinstance(said, dict):  # as the OpenAI-compatible side of the same server has it
        said = said.get("message")
    return text(said)
