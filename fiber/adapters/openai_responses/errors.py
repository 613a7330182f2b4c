"""
Errors, however they come: by status, as an object under 200, or as an event of a stream.

Codes: https://platform.openai.com/docs/guides/error-codes and `ResponseError.code` of the API
reference, read 2026-11-20; Azure: https://learn.microsoft.com/azure/ai-foundry/openai/;
OpenRouter's `metadata.error_type`: https://openrouter.ai/docs/api-reference/errors.
"""

from __future__ import annotations

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
from fiber.adapters import jsons
from fiber.adapters.failures import FIRST_ERROR_STATUS, failure, unread
from fiber.types.http import HTTPHead
from fiber.types.target import Target

_Kind = tuple[type[FiberError], int]


def _table(kind: type[FiberError], status: int, codes: str) -> dict[str, _Kind]:
    return dict.fromkeys(codes.split(), (kind, status))


CODES: dict[str, _Kind] = {
    **_table(
        FiberQuotaError,
        429,
        "insufficient_quota billing_hard_limit_reached credit_balance_exhausted payment_required"
        " organization_spend_limit_exceeded project_spend_limit_exceeded"
        " organization_usage_limit_exceeded",
    ),
    **_table(
        FiberRateLimitError,
        429,
        "rate_limit_exceeded rate_limit_error ratelimitreached too_many_requests",
    ),
    **_table(
        FiberAuthError,
        401,
        "invalid_api_key authentication_error authentication invalid_authentication",
    ),
    **_table(FiberAuthError, 403, "permission_error permission_denied"),
    **_table(
        FiberContextLengthError,
        400,
        "context_length_exceeded max_tokens_exceeded token_limit_exceeded exceed_context_size_error",
    ),
    **_table(FiberModelNotFoundError, 404, "model_not_found deploymentnotfound"),
    # `invalid_prompt` is what OpenAI calls a prompt that its usage policy forbids.
    **_table(
        FiberContentFilterError,
        400,
        "content_filter content_policy_violation invalid_prompt bio_policy"
        " misalignment_policy_violation image_content_policy_violation"
        " responsibleaipolicyviolation",
    ),
    **_table(
        FiberOverloadedError,
        503,
        "server_is_overloaded service_unavailable overloaded overloaded_error slow_down"
        " provider_overloaded provider_unavailable",
    ),
    **_table(FiberProviderError, 500, "server_error internal_error internal_server_error server"),
    **_table(FiberProviderError, 504, "vector_store_timeout timeout"),
    **_table(
        FiberBadRequestError,
        400,
        "data_residency_mismatch invalid_image invalid_image_format invalid_base64_image"
        " invalid_image_url image_too_large image_too_small image_parse_error invalid_image_mode"
        " image_file_too_large unsupported_image_media_type empty_image_file"
        " failed_to_download_image image_file_not_found",
    ),
}
"""Lower-case codes and types: the class, and the status they stand for where none was sent."""

_WORDS: tuple[tuple[str, type[FiberError], int], ...] = (
    ("incorrect api key", FiberAuthError, 401),
    ("invalid api key", FiberAuthError, 401),
    ("maximum context length", FiberContextLengthError, 400),
    ("context window", FiberContextLengthError, 400),
    ("context length", FiberContextLengthError, 400),
    ("not a valid model", FiberModelNotFoundError, 404),
    ("overloaded", FiberOverloadedError, 503),
    ("at capacity", FiberOverloadedError, 503),
)
"""
Words of messages, read only when no code is known.

xAI answers a bad key with a 400 and a sentence; LM Studio and OpenRouter name neither overflow nor
a wrong model by a code; OpenAI types "Selected model is at capacity" as `invalid_request_error`
without a code.
"""


class _Said(NamedTuple):
    """What an error says: its codes, most telling first, its words, and the parameter it blames."""

    codes: tuple[str, ...]
    message: str
    parameter: str | None


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """
    Type an answer of status 300 or above, or an error object under 200, by code first, then by
    status.
    """
    try:
        value = jsons.decode_any(body)
    except FiberParsingError:
        return failure(head, target, body, message=unread(body, 300))
    return error_of(value, head, body, target)


def error_of(value: Any, head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """
    Make the error that decoded JSON stands for.

    Shapes: `{"error": {"message", "type", "param", "code"}}`, the same flat (stream events of type
    `error`), `{"code": str, "error": str}` (xAI), `{"statusCode", "message"}` (Azure's gateway), a
    bare string, any of them in a list.
    """
    said = _read(value)
    known = next((CODES[code.lower()] for code in said.codes if code.lower() in CODES), None)
    kind, implied = known or _by_words(said.message) or (None, _status(said.codes))
    if kind in (FiberProviderError, FiberBadRequestError):
        # The status says more than these do: a `server_error` under 503 is an overload.
        kind = None
    return failure(
        head,
        target,
        body,
        message=said.message,
        status=head.status if head.status >= FIRST_ERROR_STATUS else implied,
        code=said.codes[0] if said.codes else None,
        kind=kind,
        parameter=said.parameter,
    )


def _status(codes: tuple[str, ...]) -> int:
    """Return the status that codes of no table stand for; OpenRouter's and Azure's are numbers."""
    for code in codes:
        if code.isdecimal() and len(code) == 3 and code[0] in "45":
            return int(code)
    # Nothing says whose fault it is: what fails amid an answer is taken as the server's.
    return 400 if "invalid_request_error" in codes else 500


def _by_words(message: str) -> _Kind | None:
    text = message.lower()
    return next(((kind, status) for words, kind, status in _WORDS if words in text), None)


def _read(value: Any) -> _Said:
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return _Said((), jsons.text(value), None)
    error = value.get("error")
    inner = error if isinstance(error, dict) else value
    message = next(
        (text for text in (inner.get("message"), error, inner.get("detail")) if isinstance(text, str)),
        "",
    )
    deeper = [each for each in (inner.get("innererror"), inner.get("metadata")) if isinstance(each, dict)]
    words = [
        inner.get("code"),
        *(each.get(name) for each in deeper for name in ("code", "error_type")),
        # The type of a flat stream event is `error`, which says nothing.
        inner.get("type") if inner.get("type") != "error" else None,
        inner.get("status"),
        value.get("code"),
        value.get("statusCode"),
    ]
    codes = dict.fromkeys(
        str(word) for word in words if isinstance(word, str | int) and not isinstance(word, bool) and word != ""
    )
    parameter = inner.get("param")
    return _Said(tuple(codes), message, parameter if isinstance(parameter, str) else None)
