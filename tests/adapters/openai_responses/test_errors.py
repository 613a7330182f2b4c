"""Errors: typed by code, then by words where there is no code, then by status."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber import _errors as errors
from fiber.adapters.openai_responses.errors import CODES, error_of, parse_error
from fiber.types.http import HTTPHead
from fiber.types.target import Target


def read(target: Target, status: int, body: Any, **headers: str) -> Any:
    """Type a body, given as bytes or as JSON."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse_error(HTTPHead(status, named), data, target)


def openai(message: str = "m", type: str | None = "invalid_request_error", **members: Any) -> Any:
    """OpenAI's error body."""
    return {"error": {"message": message, "type": type, **members}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.FiberBadRequestError),
        (401, errors.FiberAuthError),
        (402, errors.FiberQuotaError),
        (403, errors.FiberAuthError),
        (404, errors.FiberBadRequestError),
        (408, errors.FiberProviderError),
        (409, errors.FiberProviderError),
        (413, errors.FiberBadRequestError),
        (422, errors.FiberBadRequestError),
        (429, errors.FiberRateLimitError),
        (500, errors.FiberProviderError),
        (502, errors.FiberProviderError),
        (503, errors.FiberOverloadedError),
        (504, errors.FiberProviderError),
        (529, errors.FiberOverloadedError),
    ],
)
def test_status_types_what_has_no_code(status: int, kind: Any, target: Target) -> None:
    """Without a code the status decides."""
    error = read(target, status, openai(type=None))

    assert type(error) is kind
    assert error.status_code == status


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "insufficient_quota", errors.FiberQuotaError),
        (400, "insufficient_quota", errors.FiberQuotaError),
        (429, "project_spend_limit_exceeded", errors.FiberQuotaError),
        (429, "rate_limit_exceeded", errors.FiberRateLimitError),
        (429, "RateLimitReached", errors.FiberRateLimitError),
        (400, "model_not_found", errors.FiberModelNotFoundError),
        (404, "DeploymentNotFound", errors.FiberModelNotFoundError),
        (400, "context_length_exceeded", errors.FiberContextLengthError),
        (400, "content_filter", errors.FiberContentFilterError),
        (400, "invalid_prompt", errors.FiberContentFilterError),
        (400, "invalid_api_key", errors.FiberAuthError),
        (500, "server_is_overloaded", errors.FiberOverloadedError),
        (503, "server_error", errors.FiberOverloadedError),
        (413, "image_too_large", errors.FiberBadRequestError),
        (400, "unsupported_value", errors.FiberBadRequestError),
    ],
)
def test_code_types_before_the_status(status: int, code: str, kind: Any, target: Target) -> None:
    """The provider's code says more than the status; the status sent is kept."""
    error = read(target, status, openai(code=code, param="model"))

    assert type(error) is kind
    assert error.status_code == status
    assert error.provider_code == code
    assert error.parameter == "model"


@pytest.mark.parametrize(
    "body",
    [
        openai(type="insufficient_quota", code=None),
        openai(code="429", metadata={"error_type": "payment_required"}),
        {"code": "insufficient_quota", "error": "Pay."},
        [openai(code="insufficient_quota")],
    ],
)
def test_code_is_found_wherever_it_stands(body: Any, target: Target) -> None:
    """As the type, in metadata, beside the error, or in a list."""
    assert type(read(target, 429, body)) is errors.FiberQuotaError


def test_azure_filter_is_found_inside(target: Target) -> None:
    """Azure names the content filter in an inner error."""
    body = openai(code="x", innererror={"code": "ResponsibleAIPolicyViolation"})

    assert type(read(target, 400, body)) is errors.FiberContentFilterError


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Incorrect API key provided: ab***.", errors.FiberAuthError),
        (
            400,
            "This model's maximum context length is 8192 tokens.",
            errors.FiberContextLengthError,
        ),
        (400, "x/y is not a valid model ID", errors.FiberModelNotFoundError),
        (400, "Selected model is at capacity.", errors.FiberOverloadedError),
        (500, "The server is currently overloaded.", errors.FiberOverloadedError),
    ],
)
def test_words_are_read_only_without_a_code(status: int, message: str, kind: Any, target: Target) -> None:
    """A sentence counts where it is all there is, and not against a code."""
    assert type(read(target, status, openai(message))) is kind
    assert type(read(target, status, {"error": message})) is kind
    assert type(read(target, status, openai(message, code="insufficient_quota"))) is errors.FiberQuotaError


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "HTTP 502 without a message"),
        (b"<!doctype html><p>Bad gateway", "an HTML page"),
        (b"upstream timed out", "upstream timed out"),
        (b'"plain string"', "plain string"),
        (b"[]", "without a message"),
        (b"7", "without a message"),
        (b"null", "without a message"),
        (b'{"detail":"gone"}', "gone"),
        (b'{"statusCode":502,"message":"Bad"}', "Bad"),
        (b'{"error":{"code":true,"param":7}}', "without a message"),
    ],
)
def test_any_body_is_an_error(body: bytes, words: str, target: Target) -> None:
    """HTML, text, nothing and odd JSON never raise, and their words are kept."""
    error = read(target, 502, body)

    assert type(error) is errors.FiberProviderError
    assert words in error.message
    assert error.is_retryable


def test_facts_of_the_head_are_kept(target: Target) -> None:
    """Request id and waiting time come from the headers, and no key is left in the text."""
    error = read(
        target,
        429,
        openai("Key sk-abcdefghijklmnop is too fast.", code="rate_limit_exceeded"),
        x_request_id="req_9",
        retry_after_ms="1500",
    )

    assert (error.request_id, error.retry_after) == ("req_9", 1.5)
    assert (error.provider, error.model) == ("openai", "new-model")
    assert "sk-abc" not in error.message + error.raw_response


@pytest.mark.parametrize(
    ("said", "status", "kind"),
    [
        ({"code": "server_error"}, 500, errors.FiberProviderError),
        ({"code": "vector_store_timeout"}, 504, errors.FiberProviderError),
        ({"code": "invalid_image"}, 400, errors.FiberBadRequestError),
        ({"code": 429}, 429, errors.FiberRateLimitError),
        ({"code": "503"}, 503, errors.FiberOverloadedError),
        ({"type": "invalid_request_error"}, 400, errors.FiberBadRequestError),
        ({"code": "12345"}, 500, errors.FiberProviderError),
        ({"message": "Our servers are overloaded."}, 503, errors.FiberOverloadedError),
        ({}, 500, errors.FiberProviderError),
    ],
)
def test_error_under_200_stands_for_a_status(said: Any, status: int, kind: Any, target: Target) -> None:
    """An error within an answer has the status that its code implies."""
    error = error_of({"error": {"message": "m"} | said}, HTTPHead(200), b"{}", target)

    assert type(error) is kind
    assert error.status_code == status


def test_every_code_implies_a_matching_status(target: Target) -> None:
    """Each code of the table, alone in an event, gives its class and its status."""
    for code, (kind, status) in CODES.items():
        error = error_of({"type": "error", "code": code, "message": "m"}, HTTPHead(200), b"", target)

        assert isinstance(error, kind)
        assert error.status_code == status
        assert error.provider_code == code
