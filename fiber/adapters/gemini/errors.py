"""
Errors: the shape of all Google APIs, `{"error": {"code", "message", "status", "details"}}`, at
times in a list.

Documentation: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://cloud.google.com/apis/design/errors. Facts as of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber._errors import (
    FiberAuthError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberParsingError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters.failures import FIRST_ERROR_STATUS, failure
from fiber.adapters.jsons import count, decode_any, members, objects, text_or_none
from fiber.types.http import HTTPHead
from fiber.types.limits import duration
from fiber.types.target import Target

_STATUS: Mapping[str, int] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""HTTP status of each google.rpc.Code."""
_OVERFLOW = ("input token count", "exceeds the maximum number of tokens allowed")


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Turn the body of an error into a typed error; the wait stands in it, not in a header."""
    try:
        value = decode_any(body)
    except FiberParsingError:
        html = b"<html" in body[:1000].lower() or body.lstrip()[:2] == b"<!"
        words = "an HTML page instead of JSON" if html else body[:300].decode("utf-8", "replace")
        return failure(head, target, body, message=words)
    return error_of(value, head, body, target)


def error_of(value: Any, head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Turn decoded JSON, which came as an answer of its own or in a stream, into a typed error."""
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), {})
    outer = members(value)
    inner = outer.get("error", outer)
    said = members(inner)
    word = text_or_none(said.get("status"))
    message = inner if isinstance(inner, str) else text_or_none(said.get("message")) or ""
    details = objects(said.get("details"))
    status = _status(head, said.get("code"), word)
    return failure(
        head,
        target,
        body,
        message=message,
        status=status,
        code=word,
        kind=_kind(status, word, message, details),
        retry_after=_retry_delay(details),
    )


def _status(head: HTTPHead, code: Any, word: str | None) -> int:
    if head.status >= FIRST_ERROR_STATUS:
        return head.status
    # An error under a 200: the status is the one the error stands for.
    return count(code) or _STATUS.get(word or "", 500)


def _kind(status: int, word: str | None, message: str, details: list[dict[str, Any]]) -> type[FiberError] | None:
    lowered = message.lower()
    # The code of an invalid key is in the details; a proxy may cut them off, and the status says
    # only 400.
    if _reason(details) == "API_KEY_INVALID" or "api key not valid" in lowered:
        return FiberAuthError
    if word == "RESOURCE_EXHAUSTED" or status == 429:
        return FiberQuotaError if _is_daily(details) else FiberRateLimitError
    # NOT_FOUND stands for models, files and caches alike, and a too long input is a plain
    # INVALID_ARGUMENT: there is no code for either, so the words decide.
    if word == "NOT_FOUND" and "model" in lowered:
        return FiberModelNotFoundError
    if word == "INVALID_ARGUMENT" and any(words in lowered for words in _OVERFLOW):
        return FiberContextLengthError
    return None


def _reason(details: list[dict[str, Any]]) -> Any:
    return next((detail["reason"] for detail in details if "reason" in detail), None)


def _is_daily(details: list[dict[str, Any]]) -> bool:
    """Say whether a quota of the whole day is used up."""
    for detail in details:
        named = [violation.get("quotaId") for violation in objects(detail.get("violations"))]
        named.append(members(detail.get("metadata")).get("quota_limit"))
        if any("PerDay" in name for name in named if isinstance(name, str)):
            return True
    return False


def _retry_delay(details: list[dict[str, Any]]) -> float | None:
    delay = next((detail["retryDelay"] for detail in details if "retryDelay" in detail), None)
    return duration(delay) if isinstance(delay, str) else None
