"""Error answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber import _errors as errors
from fiber.adapters.anthropic import ADAPTER
from fiber.types.http import HTTPHead
from fiber.types.target import Target


def said(kind: str, message: str = "no", code: str | None = None) -> dict[str, Any]:
    """An error body of the API."""
    error: dict[str, Any] = {"type": kind, "message": message}
    if code:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": "req_9"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, said("invalid_request_error"), errors.FiberBadRequestError, "invalid_request_error"),
        (
            400,
            said("invalid_request_error", "Prompt is too long: 9 tokens > 8 maximum"),
            errors.FiberContextLengthError,
            "invalid_request_error",
        ),
        (
            400,
            said("invalid_request_error", "input length and `max_tokens` exceed context limit: 9"),
            errors.FiberContextLengthError,
            "invalid_request_error",
        ),
        (
            400,
            said("invalid_request_error", "Your credit balance is too low to access the API"),
            errors.FiberQuotaError,
            "invalid_request_error",
        ),
        (
            400,
            said("invalid_request_error", "You have reached your specified API usage limits."),
            errors.FiberQuotaError,
            "invalid_request_error",
        ),
        (
            400,
            said("invalid_request_error", "Output blocked by content filtering policy"),
            errors.FiberContentFilterError,
            "invalid_request_error",
        ),
        (400, said("authentication_error"), errors.FiberAuthError, "authentication_error"),
        (401, said("authentication_error"), errors.FiberAuthError, "authentication_error"),
        (402, said("billing_error"), errors.FiberQuotaError, "billing_error"),
        (403, said("permission_error"), errors.FiberAuthError, "permission_error"),
        (
            404,
            said("not_found_error", "model: claude-0"),
            errors.FiberModelNotFoundError,
            "not_found_error",
        ),
        (
            404,
            said("not_found_error", "File not found", "file_expired"),
            errors.FiberBadRequestError,
            "file_expired",
        ),
        (409, said("conflict_error"), errors.FiberProviderError, "conflict_error"),
        (413, said("request_too_large"), errors.FiberBadRequestError, "request_too_large"),
        (429, said("rate_limit_error"), errors.FiberRateLimitError, "rate_limit_error"),
        (
            429,
            said("rate_limit_error", code="ramp_limit_exceeded"),
            errors.FiberRateLimitError,
            "ramp_limit_exceeded",
        ),
        (
            429,
            said("rate_limit_error", code="enforced_spend_limit_reached"),
            errors.FiberQuotaError,
            "enforced_spend_limit_reached",
        ),
        (
            429,
            said("rate_limit_error", code="contract_spend_limit_reached"),
            errors.FiberQuotaError,
            "contract_spend_limit_reached",
        ),
        (500, said("api_error"), errors.FiberProviderError, "api_error"),
        (503, said("cmek_unavailable"), errors.FiberOverloadedError, "cmek_unavailable"),
        (504, said("timeout_error"), errors.FiberProviderError, "timeout_error"),
        (529, said("overloaded_error"), errors.FiberOverloadedError, "overloaded_error"),
        (
            529,
            said("overloaded_error", code="compaction_unavailable"),
            errors.FiberOverloadedError,
            "compaction_unavailable",
        ),
        (
            404,
            {"error": {"code": "DeploymentNotFound", "message": "none"}},
            errors.FiberModelNotFoundError,
            "DeploymentNotFound",
        ),
        (
            429,
            [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "slow"}}],
            errors.FiberRateLimitError,
            "RESOURCE_EXHAUSTED",
        ),
        (401, {"error": "no key"}, errors.FiberAuthError, None),
        (422, {"detail": "odd"}, errors.FiberBadRequestError, None),
        (500, {"message": "broken"}, errors.FiberProviderError, None),
        (500, [], errors.FiberProviderError, None),
        (502, "gone", errors.FiberProviderError, None),
        (400, {"error": {"type": 5, "message": None, "details": "x"}}, None, None),
    ],
)
def test_error_is_typed(status: int, body: Any, kind: Any, code: Any, target: Target) -> None:
    """The provider's code decides the class, then its type, then the status."""
    error = ADAPTER.parse_error(HTTPHead(status), json.dumps(body).encode(), target)

    assert type(error) is (kind or errors.FiberBadRequestError)
    assert error.status_code == status
    assert error.provider_code == code
    assert (error.provider, error.model) == ("anthropic", "claude-sonnet-4-6")


@pytest.mark.parametrize("body", [b"", b"<html>bad gateway</html>", b"upstream gone", b'{"a', b"\xff"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (502, errors.FiberProviderError),
        (429, errors.FiberRateLimitError),
        (401, errors.FiberAuthError),
    ],
)
def test_any_body_makes_an_error(status: int, kind: Any, body: bytes, target: Target) -> None:
    """What is no JSON is typed by its status alone."""
    error = ADAPTER.parse_error(HTTPHead(status), body, target)

    assert type(error) is kind
    assert ("HTML" in str(error)) == body.startswith(b"<")


def test_facts_of_the_answer_are_kept(target: Target) -> None:
    """Waiting time, request id, the provider's word on retrying and the limits are on the error."""
    head = HTTPHead(
        429,
        {
            "retry-after": "7",
            "x-should-retry": "false",
            "anthropic-ratelimit-requests-limit": "50",
        },
    )

    error = ADAPTER.parse_error(head, json.dumps(said("rate_limit_error")).encode(), target)

    assert error.retry_after == 7
    assert error.request_id == "req_9"
    assert not error.is_retryable
    assert error.rate_limits is not None
    assert error.rate_limits.requests_limit == 50
