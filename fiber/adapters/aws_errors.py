"""
From an error of Amazon Bedrock to a typed error: of a whole answer, or in the middle of an event stream.

A whole answer names its exception in the header `x-amzn-errortype` (`ThrottlingException:http://...`) and says no more
than `{"message": ...}`; in a stream the name stands in the message's header, and begins with a small letter.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and .../CommonErrors.html;
service model `bedrock-runtime/2023-09-30` of botocore 1.44.5 (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters import jsons
from fiber.adapters.failures import FIRST_ERROR_STATUS, failure, unread
from fiber.framing.event_stream import Message
from fiber.types.http import HTTPHead
from fiber.types.target import Target

TYPE_HEADER = "x-amzn-errortype"
# Exception: its class (None for that of the status), and the status it stands for where none came (in a stream).
_EXCEPTIONS: Mapping[str, tuple[type[FiberError] | None, int]] = {
    "AccessDeniedException": (FiberAuthError, 403),
    "ExpiredTokenException": (FiberAuthError, 403),
    "IncompleteSignature": (FiberAuthError, 400),
    "InternalServerException": (FiberProviderError, 500),
    "InvalidSignatureException": (FiberAuthError, 403),
    "MissingAuthenticationTokenException": (FiberAuthError, 403),
    "ModelErrorException": (FiberProviderError, 424),
    "ModelNotReadyException": (FiberOverloadedError, 429),
    "ModelStreamErrorException": (FiberProviderError, 424),
    "ModelTimeoutException": (FiberProviderError, 408),
    "RequestExpired": (FiberAuthError, 400),
    "ResourceNotFoundException": (FiberModelNotFoundError, 404),
    "ServiceQuotaExceededException": (FiberQuotaError, 400),
    "ServiceUnavailableException": (FiberOverloadedError, 503),
    "ThrottlingException": (FiberRateLimitError, 429),
    "UnrecognizedClientException": (FiberAuthError, 403),
    "ValidationException": (FiberBadRequestError, 400),
}
_RETRYABLE = ("ModelStreamErrorException",)
"""Worth another try although the status does not say so."""
_WORDS: tuple[tuple[str, type[FiberError]], ...] = (
    # Of a `ValidationException` only the words tell more.
    ("input is too long", FiberContextLengthError),
    ("input tokens exceeded", FiberContextLengthError),
    ("prompt is too long", FiberContextLengthError),
    ("maximum context length", FiberContextLengthError),
    ("model identifier is invalid", FiberModelNotFoundError),
)


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Turn an answer of status 300 or above into a typed error."""
    try:
        said = jsons.decode_any(body)
    except FiberParsingError:
        said = None
    members = jsons.members(said)
    name = named(head.headers.get(TYPE_HEADER, "") or jsons.text(members.get("__type")))
    if not (message := _message(members)) and not isinstance(said, dict):
        message = unread(body)
    status = head.status if head.status >= FIRST_ERROR_STATUS else None
    return _error(head, target, body, name, message, status)


def parse_exception(head: HTTPHead, message: Message, target: Target) -> FiberError:
    """Turn a message that is no event (`exception` or `error`) into a typed error."""
    headers = message.headers
    name = named(jsons.text(headers.get(":exception-type")) or jsons.text(headers.get(":error-code")))
    try:
        said = jsons.decode_any(message.payload)
    except FiberParsingError:
        said = None
    words = _message(said) if isinstance(said, dict) else jsons.excerpt(message.payload)
    return _error(head, target, message.payload, name, words or jsons.text(headers.get(":error-message")), None)


def named(kind: str) -> str:
    """Return the bare name of an exception: without namespace, without what follows the colon, in capitals."""
    name = kind.partition(":")[0].rpartition("#")[2].strip()
    return name[:1].upper() + name[1:]


def _error(head: HTTPHead, target: Target, body: bytes, name: str, message: str, status: int | None) -> FiberError:
    kind, usual = _EXCEPTIONS.get(name, (None, 500))
    if name in ("", "ValidationException"):
        lowered = message.lower()
        kind = next((found for words, found in _WORDS if words in lowered), kind)
    error = failure(head, target, body, message=message, status=status or usual, code=name or None, kind=kind)
    if name in _RETRYABLE and error.should_retry is None:
        error.should_retry = True
    return error


def _message(members: Mapping[str, Any]) -> str:
    found = [jsons.text(members.get(name)) for name in ("message", "Message", "originalMessage")]
    message = next(filter(None, found), "")
    original = found[2]
    return f"{message} ({original})" if original and original not in message else message
