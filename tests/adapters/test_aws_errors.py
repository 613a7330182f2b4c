"""Errors of Amazon Bedrock, whole and in a stream."""

from __future__ import annotations

import msgspec
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
from fiber.adapters.aws_errors import parse_error, parse_exception
from fiber.framing.event_stream import Message
from fiber.types.http import HTTPHead
from fiber.types.target import Target

TARGET = Target(provider="bedrock", model="m", base_url="https://bedrock-runtime.us-east-1.amazonaws.com")


def refused(status: int, kind: str, message: str = "No.") -> FiberError:
    """Read an error answer."""
    head = HTTPHead(status, {"x-amzn-errortype": f"{kind}:http://internal", "x-amzn-requestid": "r1"})
    return parse_error(head, msgspec.json.encode({"message": message}), TARGET)


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected", "retryable"),
    [
        (400, "ValidationException", "Malformed input request", FiberBadRequestError, False),
        (400, "ValidationException", "Input is too long for requested model.", FiberContextLengthError, False),
        (400, "ValidationException", "prompt is too long: 2 > 1", FiberContextLengthError, False),
        (400, "ValidationException", "The provided model identifier is invalid.", FiberModelNotFoundError, False),
        (400, "ServiceQuotaExceededException", "No.", FiberQuotaError, False),
        (403, "AccessDeniedException", "No.", FiberAuthError, False),
        (403, "InvalidSignatureException", "Signature expired", FiberAuthError, False),
        (400, "IncompleteSignature", "No.", FiberAuthError, False),
        (404, "ResourceNotFoundException", "No.", FiberModelNotFoundError, False),
        (408, "ModelTimeoutException", "No.", FiberProviderError, True),
        (424, "ModelErrorException", "No.", FiberProviderError, False),
        (424, "ModelStreamErrorException", "No.", FiberProviderError, True),
        (429, "ThrottlingException", "Input is too long", FiberRateLimitError, True),
        (429, "ModelNotReadyException", "No.", FiberOverloadedError, True),
        (500, "InternalServerException", "No.", FiberProviderError, True),
        (503, "ServiceUnavailableException", "No.", FiberOverloadedError, True),
        (418, "SomethingNewException", "No.", FiberProviderError, False),
        (409, "SomethingNewException", "No.", FiberProviderError, True),
    ],
)
def test_exception_has_its_class(
    status: int, kind: str, message: str, expected: type[FiberError], retryable: bool
) -> None:
    """The name in the header tells the class; of a validation only the words tell more."""
    error = refused(status, kind, message)

    assert type(error) is expected
    assert (error.status_code, error.provider_code, error.request_id) == (status, kind, "r1")
    assert error.is_retryable is retryable
    assert message.rstrip(".") in error.message


@pytest.mark.parametrize(
    ("body", "words", "expected"),
    [
        (b'{"Message": "Big letter"}', "Big letter", FiberAuthError),
        (b'{"__type": "com.amazon.coral#ThrottlingException", "message": "Slow"}', "Slow", FiberRateLimitError),
        (b"<html>gateway</html>", "an HTML page", FiberAuthError),
        (b"plain words", "plain words", FiberAuthError),
        (b'{"error": 1}', "HTTP 403 without a message", FiberAuthError),
        (b"[]", "[]", FiberAuthError),
        (b'{"message": "prompt is too long"}', "prompt is too long", FiberContextLengthError),
    ],
)
def test_answer_without_the_header_is_read_as_well_as_it_goes(
    body: bytes, words: str, expected: type[FiberError]
) -> None:
    """Gateways and older services say less; the status and the body have to do."""
    error = parse_error(HTTPHead(403), body, TARGET)

    assert type(error) is expected
    assert words in error.message


def test_word_of_the_server_about_retrying_wins() -> None:
    """A header that forbids another try overrides what the exception stands for."""
    head = HTTPHead(424, {"x-amzn-errortype": "ModelStreamErrorException", "x-should-retry": "false"})

    assert not parse_error(head, b"{}", TARGET).is_retryable


@pytest.mark.parametrize(
    ("headers", "payload", "expected", "status", "code", "words"),
    [
        (
            {":message-type": "exception", ":exception-type": "throttlingException"},
            b'{"message":"Too many requests"}',
            FiberRateLimitError,
            429,
            "ThrottlingException",
            "Too many requests",
        ),
        (
            {":message-type": "exception", ":exception-type": "modelStreamErrorException"},
            b'{"message":"Broke","originalStatusCode":500,"originalMessage":"out of memory"}',
            FiberProviderError,
            424,
            "ModelStreamErrorException",
            "Broke (out of memory)",
        ),
        (
            {":message-type": "error", ":error-code": "InternalFailure", ":error-message": "Oh."},
            b"",
            FiberProviderError,
            500,
            "InternalFailure",
            "Oh.",
        ),
        (
            {":message-type": "exception", ":exception-type": "validationException"},
            b"no JSON",
            FiberBadRequestError,
            400,
            "ValidationException",
            "no JSON",
        ),
        ({":message-type": "exception"}, b"[1]", FiberProviderError, 500, None, "[1]"),
    ],
)
def test_exception_in_a_stream_has_its_class_and_status(
    headers: dict[str, str], payload: bytes, expected: type[FiberError], status: int, code: str | None, words: str
) -> None:
    """Under a 200 the exception itself says which status it stands for."""
    error = parse_exception(HTTPHead(200, {"x-amzn-requestid": "r1"}), Message(headers, payload), TARGET)

    assert type(error) is expected
    assert (error.status_code, error.provider_code, error.request_id) == (status, code, "r1")
    assert words in error.message
