"""Errors of Gemini."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters.gemini import ADAPTER
from fiber.types.http import HTTPHead

INFO = "type.googleapis.com/google.rpc."


def parse(tools: Any, status: int, body: Any, **headers: str) -> FiberError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ADAPTER.parse_error(HTTPHead(status, headers), data, tools.target())


def error(code: int, status: str, message: str = "No.", *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


@pytest.mark.parametrize(
    ("status", "word", "message", "kind"),
    [
        (400, "INVALID_ARGUMENT", "Bad.", FiberBadRequestError),
        (400, "INVALID_ARGUMENT", "API key not valid. Please pass one.", FiberAuthError),
        (
            400,
            "INVALID_ARGUMENT",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            FiberContextLengthError,
        ),
        (400, "FAILED_PRECONDITION", "User location is not supported.", FiberBadRequestError),
        (401, "UNAUTHENTICATED", "No.", FiberAuthError),
        (403, "PERMISSION_DENIED", "No.", FiberAuthError),
        (404, "NOT_FOUND", "models/x is not found for v1.", FiberModelNotFoundError),
        (404, "NOT_FOUND", "Publisher Model `x` was not found.", FiberModelNotFoundError),
        (404, "NOT_FOUND", "Not found: cache content 1.", FiberBadRequestError),
        (429, "RESOURCE_EXHAUSTED", "Slow.", FiberRateLimitError),
        (499, "CANCELLED", "Cancelled.", FiberProviderError),
        (500, "INTERNAL", "Oops.", FiberProviderError),
        (503, "UNAVAILABLE", "The model is overloaded.", FiberOverloadedError),
        (504, "DEADLINE_EXCEEDED", "Late.", FiberProviderError),
    ],
)
def test_status_and_code_decide_the_class(
    tools: Any, status: int, word: str, message: str, kind: type[FiberError]
) -> None:
    """Each documented error has its class, status and code, also inside a list."""
    plain = parse(tools, status, error(status, word, message))
    listed = parse(tools, status, [error(status, word, message)])

    assert type(plain) is type(listed) is kind
    assert (plain.status_code, plain.provider_code) == (status, word)
    assert message.rstrip(".") in str(plain)


def test_invalid_key_is_told_by_its_reason(tools: Any) -> None:
    """The reason in the details decides, whatever the words are."""
    reason = {"@type": f"{INFO}ErrorInfo", "reason": "API_KEY_INVALID"}

    failed = parse(tools, 400, error(400, "INVALID_ARGUMENT", "Nein.", reason))

    assert type(failed) is FiberAuthError


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ({"violations": [{"quotaId": "RequestsPerDayPerProject"}]}, FiberQuotaError),
        ({"violations": [{"quotaId": "RequestsPerMinute"}, {}]}, FiberRateLimitError),
        ({"metadata": {"quota_limit": "TokensPerDay"}}, FiberQuotaError),
        ({"violations": "odd", "metadata": None}, FiberRateLimitError),
    ],
)
def test_daily_quota_is_not_a_rate_limit(tools: Any, detail: dict[str, Any], kind: type[FiberError]) -> None:
    """A quota of the day is used up until tomorrow, so it is not retried."""
    failed = parse(tools, 429, error(429, "RESOURCE_EXHAUSTED", "Quota.", detail))

    assert type(failed) is kind
    assert failed.is_retryable is (kind is FiberRateLimitError)


@pytest.mark.parametrize(("delay", "seconds"), [("34.4s", 34.4), ("soon", None), (5, None)])
def test_retry_delay_is_read_from_the_body(tools: Any, delay: Any, seconds: float | None) -> None:
    """The wait stands in RetryInfo as a protobuf duration."""
    detail = {"@type": f"{INFO}RetryInfo", "retryDelay": delay}

    failed = parse(tools, 429, error(429, "RESOURCE_EXHAUSTED", "Slow.", detail))

    assert failed.retry_after == seconds


def test_header_wins_over_retry_delay(tools: Any) -> None:
    """A Retry-After header, where there is one, is the server's last word."""
    body = error(429, "RESOURCE_EXHAUSTED", "Slow.", {"retryDelay": "9s"})

    assert parse(tools, 429, body, **{"retry-after": "3"}).retry_after == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "without a message"),
        (b"<html><body>502</body></html>", "an HTML page"),
        (b"<!doctype html>", "an HTML page"),
        (b"upstream connect error", "upstream connect error"),
        (b"null", "without a message"),
        (b"[]", "without a message"),
        (b"[1]", "without a message"),
        (b'{"error": "flat words"}', "flat words"),
        (b'{"error": null}', "without a message"),
        (b'{"message": "no envelope"}', "no envelope"),
        (b'{"error": {"message": 5, "code": [], "status": {}, "details": 1}}', "without a message"),
    ],
)
def test_any_body_gives_an_error(tools: Any, body: bytes, words: str) -> None:
    """No body, however odd, raises; the status decides what it is."""
    failed = parse(tools, 502, body)

    assert type(failed) is FiberProviderError
    assert words in str(failed)
    assert failed.status_code == 502


@pytest.mark.parametrize(
    ("inner", "status"),
    [({"code": 429}, 429), ({"status": "UNAVAILABLE"}, 503), ({"message": "?"}, 500)],
)
def test_error_under_200_has_the_status_it_stands_for(tools: Any, inner: dict[str, Any], status: int) -> None:
    """The code counts, then the word; an error that says neither is the server's fault."""
    assert parse(tools, 200, {"error": inner}).status_code == status


def test_keys_are_not_repeated(tools: Any) -> None:
    """A key in the provider's words is masked."""
    failed = parse(tools, 400, error(400, "INVALID_ARGUMENT", "Invalid: AIzaSyA1234567890abcdef"))

    assert "1234567890" not in str(failed)
    assert "1234567890" not in (failed.raw_response or "")
