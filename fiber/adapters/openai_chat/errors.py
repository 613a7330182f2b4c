"""
Errors, whole or inside a 200: many shapes, one reader.

Seen: `{"error": {...}}`, the same in a list or with a string or list inside, flat `{"message",
"type", "code"}`, `{"code", "error": "text"}` (xAI), `{"detail": ...}` (FastAPI), `{"errors":
[...]}` (Cloudflare), `{"base_resp"}` (MiniMax), nested upstream errors (OpenRouter `metadata.raw`,
Pollinations `details`), plain text, HTML, nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fiber._errors import (
    FiberBadRequestError,
    FiberContextLengthError,
    FiberError,
    FiberParsingError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters import headers as read
from fiber.adapters.failures import FIRST_ERROR_STATUS, failure
from fiber.adapters.jsons import count, decode_any, text_or_none
from fiber.adapters.openai_chat.codes import (
    BAD_REQUESTS,
    CODES,
    PHRASES,
    PROVIDER_CODES,
    STATUS,
    WEIGHT,
)
from fiber.types.http import HTTPHead
from fiber.types.target import Target

_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_WAIT = re.compile(r"retry after (\d+(?:\.\d+)?) seconds?", re.IGNORECASE)
_MESSAGE_CHARACTERS = 500
_DAY = 86_400


def parse_error(head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """
    Make a typed error of an answer, by the provider's codes first, then by status; never raises.

    Args:
        head: Status 300 or above, or 2xx with an error in the body.
        body: In any shape.
    """
    try:
        return error_of(decode_any(body), head, body, target)
    except FiberParsingError:
        text = body.decode("utf-8", "replace").strip()
        if text.startswith("<"):
            title = _TITLE.search(text)
            text = f"an HTML page, {title[1].strip()!r}" if title else "an HTML page"
        return error_of(text, head, body, target)


def error_of(value: Any, head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Make a typed error of decoded JSON; *body* is what it was decoded from."""
    objects = list(_objects(value))
    message = _message(value)
    codes = [code for found in objects for code in _codes(found)]
    numbers = [number for found in objects for number in _numbers(found)]
    inside = head.status < FIRST_ERROR_STATUS
    status = next((n for n in numbers if 400 <= n <= 599), None) if inside else head.status
    kind = _kind(codes, numbers, message.lower(), status, head, target)
    if kind is None and status is None:
        blamed = any(code.lower() in BAD_REQUESTS for code in codes)
        kind = FiberBadRequestError if blamed else FiberProviderError
    if status is None:
        status = STATUS[kind] if kind is not None else head.status
    parameter = next((p for found in objects if (p := _parameter(found))), None)
    named = [code for code in codes if not code.isdigit()] or [*codes, *map(str, numbers)]
    waits = _WAIT.search(message)
    return failure(
        head,
        target,
        body,
        message=message,
        status=status,
        code=named[0] if named else None,
        kind=kind,
        request_id=next((r for found in objects if (r := text_or_none(found.get("request_id")))), None),
        retry_after=float(waits[1]) if waits else _estimated(objects),  # Azure says it in words
        parameter=parameter,
    )


def _kind(
    codes: list[str],
    numbers: list[int],
    message: str,
    status: int | None,
    head: HTTPHead,
    target: Target,
) -> type[FiberError] | None:
    """Choose the class by code, then by what statuses cannot say; None leaves it to the status."""
    own = PROVIDER_CODES.get(target.family, {})
    found = {own[c] for c in [*codes, *map(str, numbers)] if c in own}
    found |= {CODES[c] for code in codes if (c := code.lower()) in CODES}
    kind = next((kind for kind in WEIGHT if kind in found), None)
    if kind is FiberRateLimitError and status == 413:
        return FiberBadRequestError  # one request above the limit per minute (Groq): waiting does not help
    if kind is not None:
        return kind
    phrase = next((kind for words, kind in PHRASES if words in message), None)
    if phrase is not None and (phrase is not FiberContextLengthError or status != 429):
        return phrase
    if status == 402:
        # OpenRouter: no credit, unless it says when to come back (too much money in flight).
        waits = read.retry_after(head.headers) is not None
        return FiberRateLimitError if waits else FiberQuotaError
    return None


def _objects(value: Any, depth: int = 4) -> Iterator[dict[str, Any]]:
    """Walk the objects that may describe the error, the most telling first."""
    if depth and isinstance(value, list):
        for entry in value:
            yield from _objects(entry, depth - 1)
    elif depth and isinstance(value, dict):
        for name in ("error", "errors"):
            yield from _objects(value.get(name), depth - 1)
        yield value
        for name in ("x_groq", "innererror", "metadata", "details", "detail", "message", "base_resp"):
            yield from _objects(value.get(name), depth - 1)


def _codes(found: dict[str, Any]) -> Iterator[str]:
    for name in ("code", "type", "error_type", "status", "reason", "provider_code", "status_code"):
        if isinstance(said := found.get(name), str) and said:
            yield said


def _numbers(found: dict[str, Any]) -> Iterator[int]:
    for name in ("status_code", "code", "status", "statusCode"):
        if (said := found.get(name)) is not None and (number := count(said)) is not None:
            yield number


def _estimated(objects: list[dict[str, Any]]) -> float | None:
    """Read how long a model of Hugging Face's takes to load, in seconds."""
    said = next((found["estimated_time"] for found in objects if "estimated_time" in found), None)
    seconds = None if said is None else count(said)
    return None if seconds is None or seconds < 0 else float(min(seconds, _DAY))


def _parameter(found: dict[str, Any]) -> str | None:
    said = text_or_none(found.get("param"))
    return said if said is not None and " " not in said else None


def _message(value: Any, depth: int = 6) -> str:
    """Find the words; upstream's words are added to a gateway's."""
    if isinstance(value, str):
        return value[:_MESSAGE_CHARACTERS]
    if isinstance(value, list):
        listed = (_message(entry, depth - 1) for entry in value[:20] if depth)
        return "; ".join(filter(None, listed))[:_MESSAGE_CHARACTERS]
    if not isinstance(value, dict) or not depth:
        return ""
    said: list[str] = []
    for name in ("error", "x_groq", "message", "errors", "detail", "msg", "status_msg", "title"):
        if words := _message(value.get(name), depth - 1):
            if name == "msg" and isinstance(where := value.get("loc"), list):  # FastAPI
                words = f"{'.'.join(map(str, where))}: {words}"
            said.append(words)
            break
    if isinstance(metadata := value.get("metadata"), dict) and (raw := text_or_none(metadata.get("raw"))):
        said.append(raw[:_MESSAGE_CHARACTERS])
    for name in ("details", "base_resp"):
        if isinstance(inner := value.get(name), dict) and (words := _message(inner, depth - 1)):
            said.append(words)
    if (param := text_or_none(value.get("param"))) is not None and " " in param:  # Xiaomi's real message
        said.append(param)
    return ": ".join(said)
