"""
Errors: refusals in the shape of RFC 7807, and predictions that did not succeed.

Documentation: https://replicate.com/docs/reference/http#errors, /docs/reference/error-codes, November 2026. The codes
(`E1001`, `PA`) stand at the end of, or in, the text of an error, and there are none for most of what can happen, so
the words have to decide.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fiber._errors import (
    FiberContentFilterError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberParsingError,
)
from fiber.adapters.failures import failure, unread
from fiber.adapters.jsons import decode_any, members, text
from fiber.types.http import HTTPHead
from fiber.types.numbers import is_number
from fiber.types.target import Target

_CODE = re.compile(r"\b(E\d{3,4})\b|\(code: (\w+)\)")
_NOT_FOUND = 404
_WORDS: tuple[tuple[tuple[str, ...], type[FiberError], int], ...] = (
    # Words that all have to be there, what they mean, and the status that a failed prediction with them stands for.
    (("flagged", "sensitive"), FiberContentFilterError, 400),
    (("context", "length"), FiberContextLengthError, 400),
    (("exceed", "context"), FiberContextLengthError, 400),
    (("prompt", "too long"), FiberContextLengthError, 400),
    (("invalid version",), FiberModelNotFoundError, 422),
)


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Turn an answer of status 300 or above into a typed error."""
    said = _decoded(body)
    message, wait = _message(said, body), members(said).get("retry_after")
    kind, _ = _kind_of(message)
    if kind is None and head.status == _NOT_FOUND and target.model:
        kind = FiberModelNotFoundError  # what a chat asks for is a model, and nothing else
    return failure(
        head,
        target,
        body,
        message=message,
        code=_code_in(message),
        kind=kind,
        retry_after=float(wait) if is_number(wait) else None,
    )


def unsuccessful(head: HTTPHead, body: bytes, target: Target, *, status: str, message: str) -> FiberError:
    """
    Make the error of a prediction that is over without success, or of a stream that says so.

    Args:
        status: Its last state: `failed`, `canceled`, `aborted`.
        message: What the model said.
    """
    kind, number = _kind_of(message)
    error = failure(
        head,
        target,
        body,
        message=message or f"the prediction was {status}",
        status=number,
        code=_code_in(message) or status,
        kind=kind,
    )
    if status == "canceled":
        error.should_retry = False  # somebody meant it
    return error


def _kind_of(message: str) -> tuple[type[FiberError] | None, int]:
    words = message.lower()
    return next(((kind, status) for found, kind, status in _WORDS if all(word in words for word in found)), (None, 500))


def _code_in(message: str) -> str | None:
    found = _CODE.search(message)
    return None if found is None else found[1] or found[2]


def _decoded(body: bytes) -> Any:
    try:
        return decode_any(body)
    except FiberParsingError:
        return None


def _message(said: Any, body: bytes) -> str:
    if not isinstance(said, dict):
        return unread(body)
    detail = said.get("detail") or said.get("error")
    if detail and not isinstance(detail, str):  # a list of what is wrong with the input
        detail = msgspec.json.encode(detail).decode("utf-8", "replace")
    return ": ".join(filter(None, (text(said.get("title")), text(detail))))
