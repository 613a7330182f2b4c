"""
From an error answer, or an error in a stream, to a typed error.

Shape: `{"type": "error", "error": {"type", "message", "details": {"error_code"}}, "request_id"}`;
other platforms send `{"error": {"code", "status", "message"}}`, gateways anything.
Documentation: https://platform.claude.com/docs/en/api/errors; spend-limit codes from
anthropic-sdk-python 2.11.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContentFilterError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters import aws_errors, jsons
from fiber.adapters.failures import FIRST_ERROR_STATUS, failure, unread
from fiber.adapters.jsons import text
from fiber.types.http import HTTPHead
from fiber.types.target import Target

# Type: the class, and the status it stands for where none came (in a stream).
_TYPES: Mapping[str, tuple[type[FiberError] | None, int]] = {
    "invalid_request_error": (None, 400),  # the general one: a status tells more (gateways send it with 401)
    "authentication_error": (FiberAuthError, 401),
    "billing_error": (FiberQuotaError, 402),
    "permission_error": (FiberAuthError, 403),
    "not_found_error": (FiberBadRequestError, 404),
    "conflict_error": (FiberProviderError, 409),
    "request_too_large": (FiberBadRequestError, 413),
    "rate_limit_error": (FiberRateLimitError, 429),
    "ramp_limit_exceeded": (FiberRateLimitError, 429),
    "api_error": (FiberProviderError, 500),
    "timeout_error": (FiberProviderError, 504),
    "overloaded_error": (FiberOverloadedError, 529),
    "exceed_context_size_error": (FiberContextLengthError, 400),  # llama.cpp
}
_CODES: Mapping[str, type[FiberError]] = {
    # Spend limits come as 429 rate_limit_error without retry-after; waiting does not help.
    "enforced_spend_limit_reached": FiberQuotaError,
    "contract_spend_limit_reached": FiberQuotaError,
    "ramp_limit_exceeded": FiberRateLimitError,
    "model_not_found": FiberModelNotFoundError,
    "DeploymentNotFound": FiberModelNotFoundError,  # Microsoft Foundry
}
_WORDS: Mapping[str, tuple[tuple[str, type[FiberError]], ...]] = {
    # These come without a code of their own: the type is the general one, and only the words tell.
    "invalid_request_error": (
        ("prompt is too long", FiberContextLengthError),
        ("exceed context limit", FiberContextLengthError),
        ("credit balance is too low", FiberQuotaError),
        ("reached your specified api usage limits", FiberQuotaError),
        ("blocked by content filtering policy", FiberContentFilterError),
    ),
    "not_found_error": (("model:", FiberModelNotFoundError),),
}


class _Said(NamedTuple):
    """What an error answer says."""

    message: str
    type: str = ""
    code: str = ""
    request_id: str | None = None


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Turn an answer of status 300 or above, or an error in a stream, into a typed error."""
    if aws_errors.TYPE_HEADER in head.headers and head.status >= FIRST_ERROR_STATUS:
        return aws_errors.parse_error(head, body, target)
    said = _said(body)
    kind, status = _TYPES.get(said.type, (None, None))
    kind = _CODES.get(said.code) or _by_words(said) or kind
    if head.status >= FIRST_ERROR_STATUS:
        status = head.status
    return failure(
        head,
        target,
        body,
        message=said.message,
        # An error that names no known type is the provider's failure, not the caller's.
        status=status or 500,
        code=said.code or said.type or None,
        kind=kind,
        request_id=said.request_id,
    )


def _by_words(said: _Said) -> type[FiberError] | None:
    message = said.message.lower()
    return next((kind for words, kind in _WORDS.get(said.type, ()) if words in message), None)


def _said(body: bytes) -> _Said:
    try:
        answer = jsons.decode_any(body)
    except FiberParsingError:
        return _Said(unread(body))
    if isinstance(answer, list) and answer:
        answer = answer[0]
    if not isinstance(answer, dict):
        return _Said(text(answer))
    error = answer.get("error")
    request_id = text(answer.get("request_id")) or None
    if not isinstance(error, dict):
        found = (text(value) for value in (error, answer.get("message"), answer.get("detail")))
        return _Said(next(filter(None, found), ""), request_id=request_id)
    code = _code(error)
    return _Said(text(error.get("message")), text(error.get("type")), code, request_id)


def _code(error: dict[str, Any]) -> str:
    details = error.get("details")
    found = details.get("error_code") if isinstance(details, dict) else None
    return text(found) or text(error.get("code")) or text(error.get("status"))
