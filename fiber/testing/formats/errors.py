"""
Failures in each provider's true shape: status, headers, body.

Sources: the error pages of the API references, and answers recorded from them (2026-11-20 and -21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.testing.formats.common import Refusal, encode, masked, message_of, whole_seconds
from fiber.testing.script import Failure

_RPC = "type.googleapis.com/google.rpc."
_OPENAI: Mapping[str, tuple[int, str, str | None, str]] = {
    # Kind -> status, type, code, message.
    "bad_request": (400, "invalid_request_error", None, "The request is not valid."),
    "bad_key": (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: {key}. You can find your API key at https://platform.openai.com/account/api-keys.",
    ),
    "permission": (403, "invalid_request_error", None, "You do not have access to this resource."),
    "model_not_found": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "context_length": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in"
        " 200000 tokens. Please reduce the length of the messages.",
    ),
    "content_filter": (
        400,
        "invalid_request_error",
        "invalid_prompt",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    ),
    "rate_limit": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for {model} on requests per min (RPM). Please try again later.",
    ),
    "quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "server_error": (
        500,
        "server_error",
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    "overloaded": (
        503,
        "service_unavailable_error",
        "server_is_overloaded",
        "Our servers are currently overloaded. Please try again later.",
    ),
}
_ANTHROPIC: Mapping[str, tuple[int, str, str]] = {
    # Kind -> status, type, message.
    "bad_request": (400, "invalid_request_error", "The request is not valid."),
    "bad_key": (401, "authentication_error", "invalid x-api-key"),
    "permission": (403, "permission_error", "Your API key may not use this resource."),
    "model_not_found": (404, "not_found_error", "model: {model}"),
    "context_length": (
        400,
        "invalid_request_error",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ),
    "content_filter": (
        400,
        "invalid_request_error",
        "Output blocked by content filtering policy",
    ),
    "rate_limit": (
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit. Please try again later.",
    ),
    "quota": (429, "rate_limit_error", "You have reached your specified API usage limits."),
    "server_error": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
}
_GEMINI: Mapping[str, tuple[int, str, str]] = {
    # Kind -> status, name of the status, message.
    "bad_request": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "bad_key": (
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
    ),
    "permission": (403, "PERMISSION_DENIED", "The caller does not have permission"),
    "model_not_found": (
        404,
        "NOT_FOUND",
        "models/{model} is not found for API version v1beta, or is not supported for"
        " generateContent. Call ListModels to see the list of available models and their"
        " supported methods.",
    ),
    "context_length": (
        400,
        "INVALID_ARGUMENT",
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "content_filter": (400, "INVALID_ARGUMENT", "The request was blocked by a safety policy."),
    "rate_limit": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded the requests per minute of this model. Please retry later.",
    ),
    "quota": (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    "server_error": (500, "INTERNAL", "An internal error has occurred. Please retry."),
    "overloaded": (
        503,
        "UNAVAILABLE",
        "The model is overloaded. Please try again later.",
    ),
}
_QUOTA_IDS = {
    "rate_limit": "GenerateRequestsPerMinutePerProjectPerModel",
    "quota": "GenerateRequestsPerDayPerProjectPerModel",
}
_COHERE: Mapping[str, tuple[int, str]] = {
    # Kind -> status, message.
    "bad_request": (400, "invalid request: the request is not valid"),
    "bad_key": (401, "invalid api token"),
    "permission": (403, "your api token may not use this resource"),
    "model_not_found": (
        404,
        "model '{model}' not found, make sure the correct model ID was used and that you have access to the model.",
    ),
    "context_length": (400, "too many tokens: total number of tokens in the prompt exceeds the limit of 128000"),
    "content_filter": (498, "the request holds a token that is denied"),
    "rate_limit": (429, "Please wait and try again later"),
    "quota": (429, "You are using a Trial key, which is limited to 1000 API calls / month."),
    "server_error": (500, "internal server error"),
    "overloaded": (503, "the service is overloaded, please try again later"),
}
_OLLAMA: Mapping[str, tuple[int, str]] = {
    # Kind -> status, message.
    "bad_request": (400, "invalid request"),
    "bad_key": (401, "unauthorized"),
    "permission": (403, "this model requires a subscription"),
    "model_not_found": (404, "model '{model}' not found"),
    "context_length": (400, "the input length exceeds the context length"),
    "content_filter": (400, "invalid request"),
    "rate_limit": (429, "too many concurrent requests"),
    "quota": (402, "you have reached your usage limit"),
    "server_error": (500, "llama runner process has terminated"),
    "overloaded": (503, "server busy, please try again.  maximum pending requests exceeded"),
}


_REPLICATE: Mapping[str, tuple[int, str, str]] = {
    # Kind -> status, title, detail.
    "bad_request": (422, "Input validation failed", "- input: prompt is required"),
    "bad_key": (401, "Unauthenticated", "You did not pass a valid authentication token"),
    "permission": (403, "Forbidden", "You do not have permission to run this model."),
    "model_not_found": (404, "Not found", "The requested resource could not be found."),
    "context_length": (422, "Input validation failed", "The prompt exceeds the context length of the model"),
    "content_filter": (400, "Prediction failed", "The input or output was flagged as sensitive. (E005)"),
    "rate_limit": (429, "Too many requests", "Request was throttled. Your rate limit resets in ~1s."),
    "quota": (402, "Insufficient credit", "You have insufficient credit to run this model."),
    "server_error": (500, "Internal server error", "An unexpected error occurred. (E1000)"),
    "overloaded": (503, "Service unavailable", "The service is overloaded, please try again later"),
}


def openai_error(failure: Failure, model: str = "", key: str = "") -> dict[str, Any]:
    """Return the object that stands under `error`."""
    _, kind, code, message = _OPENAI[failure.kind]
    text = message_of(failure, message.format(model=model, key=masked(key)))
    return {
        "message": text,
        "type": kind,
        "param": failure.parameter,
        "code": failure.own_code or code,
    }


def openai(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as OpenAI sends it."""
    headers = {}
    if failure.retry_after is not None:
        headers["retry-after"] = whole_seconds(failure.retry_after)
        headers["retry-after-ms"] = str(round(failure.retry_after * 1000))
    status = failure.status or _OPENAI[failure.kind][0]
    body = encode({"error": openai_error(failure, model, key)})
    return Refusal(status, {**headers, **failure.headers}, body)


def anthropic_error(failure: Failure, model: str, number: int = 0) -> dict[str, Any]:
    """Return the body of the failure; events of a stream repeat the request's number in it."""
    _, kind, message = _ANTHROPIC[failure.kind]
    own = failure.own_code
    error: dict[str, Any] = {
        "type": own if own and own.endswith("_error") else kind,
        "message": message_of(failure, message.format(model=model)),
    }
    if failure.kind == "quota":
        error["details"] = {"error_code": "enforced_spend_limit_reached"}
    if own and not own.endswith("_error"):
        error["details"] = {"error_code": own}
    body: dict[str, Any] = {"type": "error", "error": error}
    return {**body, "request_id": f"req_{number:024x}"} if number else body


def anthropic(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as Anthropic sends it."""
    headers = {}
    if failure.retry_after is not None:
        headers["retry-after"] = whole_seconds(failure.retry_after)
    status = failure.status or _ANTHROPIC[failure.kind][0]
    return Refusal(status, {**headers, **failure.headers}, encode(anthropic_error(failure, model)))


def gemini_error(failure: Failure, model: str) -> dict[str, Any]:
    """Return the body of the failure."""
    status, name, message = _GEMINI[failure.kind]
    own = failure.own_code
    details: list[dict[str, Any]] = []
    reason = "API_KEY_INVALID" if failure.kind == "bad_key" else own
    if reason and not (own and own.isupper() and own == reason):
        domain = "googleapis.com"
        details.append({"@type": f"{_RPC}ErrorInfo", "reason": reason, "domain": domain})
    if failure.kind in _QUOTA_IDS:
        violation = {"quotaId": _QUOTA_IDS[failure.kind], "quotaDimensions": {"model": model}}
        details.append({"@type": f"{_RPC}QuotaFailure", "violations": [violation]})
    if failure.retry_after is not None:
        delay = f"{failure.retry_after:.3f}".rstrip("0").rstrip(".")
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{delay}s"})
    error: dict[str, Any] = {
        "code": failure.status or status,
        "message": message_of(failure, message.format(model=model)),
        "status": own if own and own.isupper() else name,
    }
    return {"error": {**error, "details": details} if details else error}


def gemini(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as Google sends it: how long to wait stands in the body."""
    body = gemini_error(failure, model)
    return Refusal(body["error"]["code"], dict(failure.headers), encode(body))


def cohere_error(failure: Failure, model: str) -> dict[str, Any]:
    """Return the body of the failure, but for its id."""
    return {"message": message_of(failure, _COHERE[failure.kind][1].format(model=model))}


def cohere(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as Cohere sends it."""
    body = {"id": "00000000-0000-4000-8000-000000000000", **cohere_error(failure, model)}
    return _plain(failure, _COHERE, body)


def ollama_error(failure: Failure, model: str) -> dict[str, Any]:
    """Return the body of the failure."""
    return {"error": message_of(failure, _OLLAMA[failure.kind][1].format(model=model))}


def ollama(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as Ollama sends it."""
    return _plain(failure, _OLLAMA, ollama_error(failure, model))


def replicate_error(failure: Failure) -> dict[str, Any]:
    """Return the body of the failure."""
    status, title, detail = _REPLICATE[failure.kind]
    return {"title": title, "detail": message_of(failure, detail), "status": failure.status or status}


def replicate(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as Replicate sends it."""
    return _plain(failure, _REPLICATE, replicate_error(failure))


def _plain(failure: Failure, known: Mapping[str, tuple[Any, ...]], body: Mapping[str, Any]) -> Refusal:
    headers = {}
    if failure.retry_after is not None:
        headers["retry-after"] = whole_seconds(failure.retry_after)
    return Refusal(failure.status or known[failure.kind][0], {**headers, **failure.headers}, encode(body))
