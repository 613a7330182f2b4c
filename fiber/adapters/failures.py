"""From a provider's status and code to a typed error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters import headers as read
from fiber.adapters.jsons import excerpt, redact
from fiber.types.http import HTTPHead
from fiber.types.limits import rate_limits
from fiber.types.target import Target

FIRST_ERROR_STATUS = 300
"""From it on a status says itself what failed; below, an error came in a stream, or under a 200."""

BY_STATUS: Mapping[int, type[FiberError]] = {
    400: FiberBadRequestError,
    401: FiberAuthError,
    402: FiberQuotaError,
    403: FiberAuthError,
    404: FiberBadRequestError,
    405: FiberBadRequestError,
    406: FiberBadRequestError,
    410: FiberBadRequestError,
    413: FiberBadRequestError,
    414: FiberBadRequestError,
    415: FiberBadRequestError,
    422: FiberBadRequestError,
    429: FiberRateLimitError,
    431: FiberBadRequestError,
    503: FiberOverloadedError,
    529: FiberOverloadedError,
}
_ADVICE: Mapping[type[FiberError], str] = {
    FiberAuthError: " Check the key and what it may be used for.",
    FiberQuotaError: " Waiting does not help: add credit or raise the limit.",
    FiberRateLimitError: " Slow down or try again later.",
    FiberOverloadedError: " The provider is out of capacity; try again later.",
    FiberModelNotFoundError: " Check the model's name, or list the models with `fiber models`.",
}


def failure(
    head: HTTPHead,
    target: Target,
    body: bytes | str,
    *,
    message: str,
    status: int | None = None,
    code: str | None = None,
    kind: type[FiberError] | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
    **facts: Any,
) -> FiberError:
    """
    Make the error that a provider's answer stands for.

    Args:
        message: The provider's own words.
        status: Status the error stands for; the head's when not said.
        code: The provider's code or type.
        kind: Class to raise; by default that of the status.
        retry_after: Seconds from the body, used when the headers say nothing.
    """
    if status is None:
        status = head.status
    if kind is None:
        kind = BY_STATUS.get(status, FiberProviderError)
    said = redact(message.strip())[:1000] or f"HTTP {status} without a message"
    waited = read.retry_after(head.headers)
    return kind(
        f"{target.provider} refused: {said.rstrip('.')}.{_ADVICE.get(kind, '')}"
        if kind is not FiberProviderError
        else f"{target.provider} failed: {said}",
        provider=target.provider,
        model=target.model,
        status_code=status,
        provider_code=code,
        request_id=request_id or read.request_id(head.headers),
        retry_after=retry_after if waited is None else waited,
        should_retry=read.should_retry(head.headers),
        raw_response=excerpt(body),
        rate_limits=rate_limits(head.headers),
        outcome="unknown" if status >= 500 and status not in (503, 529) else "rejected",
        **facts,
    )


def unread(body: bytes, most: int = 1000) -> str:
    """Return the words of an error that is no JSON: that it is a page, or its first characters, *most* of them."""
    said = excerpt(body).strip()
    return "an HTML page" if said.startswith("<") else said[:most]


def unreadable(head: HTTPHead, target: Target, body: bytes, why: str) -> FiberError:
    """Make the error for an answer that is not this format at all (HTML, text, empty, another JSON)."""
    what = head.content_type or "no content type"
    return FiberParsingError(
        f"{target.provider} answered HTTP {head.status} with {why} ({what}). Check the base URL,"
        " and whether a proxy or login page stands between.",
        provider=target.provider,
        model=target.model,
        status_code=head.status,
        request_id=read.request_id(head.headers),
        raw_response=excerpt(body),
        outcome="unknown",
    )
