"""
Errors: `{"id", "message"}` with a status, or an answer whose finish reason is ERROR or TIMEOUT.

There are no codes but the status and, in a stream, `error_type`, so for what a status cannot say
the words decide.
Documentation: https://docs.cohere.com/reference/errors, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber._errors import (
    FiberContentFilterError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberParsingError,
    FiberQuotaError,
)
from fiber.adapters.failures import FIRST_ERROR_STATUS, failure, unread
from fiber.adapters.jsons import decode_any, members, text
from fiber.types.http import HTTPHead
from fiber.types.target import Target

FAILED = ("ERROR", "TIMEOUT")
"""Finish reasons of answers that are none."""

_UNMADE = ("INVALID_TOOL_GENERATION",)
"""Types of failures of the model itself."""
_UNMADE_WORDS = "no valid response generated"
"""The same without a type; recorded, cohere.chat.b2e2d31ee4: as a whole reply it is refused with 422."""

_DENIED_TOKEN = 498
"""Status for a text that is on a list of denied ones."""

_WORDS: Mapping[int, tuple[tuple[tuple[str, ...], type[FiberError]], ...]] = {
    # Status: words that all have to be there, and what they mean.
    400: ((("too many tokens",), FiberContextLengthError),),
    404: ((("model", "not found"), FiberModelNotFoundError),),
    # A trial key has a limit per minute, which passes, and one per month.
    429: ((("calls / month",), FiberQuotaError), (("monthly",), FiberQuotaError)),
}


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Turn an answer of status 300 or above, or an error under a 200, into a typed error."""
    try:
        said = decode_any(body)
    except FiberParsingError:
        return _made(head, body, target, unread(body, 500))
    outer = members(said)
    inner = outer.get("error", outer)  # gateways put it below `error`
    message = text(inner) or text(members(inner).get("message")) or text(outer.get("message")) or text(said)
    return _made(head, body, target, message, request_id=text(outer.get("id")) or None)


def failed(reason: str, error: Any, kind: Any, head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Make the error of an answer that ended with *reason*, and what it says of it."""
    message, code = text(error) or f"the answer ended with {reason}", text(kind) or reason
    unmade = code in _UNMADE or message.lower().startswith(_UNMADE_WORDS)
    status = 422 if unmade else 504 if reason == "TIMEOUT" else 500
    return _made(head, body, target, message, status=status, code=code)


def _made(
    head: HTTPHead,
    body: bytes,
    target: Target,
    message: str,
    *,
    status: int = 500,
    code: str | None = None,
    request_id: str | None = None,
) -> FiberError:
    status = head.status if head.status >= FIRST_ERROR_STATUS else status
    kind = _kind(status, message.lower())
    return failure(head, target, body, message=message, status=status, code=code, kind=kind, request_id=request_id)


def _kind(status: int, message: str) -> type[FiberError] | None:
    if status == _DENIED_TOKEN:
        return FiberContentFilterError
    return next((kind for words, kind in _WORDS.get(status, ()) if all(word in message for word in words)), None)
