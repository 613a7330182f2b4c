"""What response headers say about limits, waiting and identity. Nothing here raises for a bad header."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from fiber.types.result import RateLimits

_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "x-goog-request-id",
    "x-debug-trace-id",
)
_LIMITS = {
    header.format(bucket, kind): f"{bucket.replace('-', '_')}_{kind}{'_seconds' if kind == 'reset' else ''}"
    for bucket in ("requests", "tokens", "input-tokens", "output-tokens")
    for kind in ("limit", "remaining", "reset")
    for header in ("x-ratelimit-{1}-{0}", "anthropic-ratelimit-{0}-{1}")
    if f"{bucket.replace('-', '_')}_{kind}{'_seconds' if kind == 'reset' else ''}" in RateLimits.__struct_fields__
}
"""The rate-limit headers, and the member of `RateLimits` that each fills."""

_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the provider's request id, under whichever name it comes."""
    for name in _REQUEST_IDS:
        if found := headers.get(name):
            return found
    return None


def public(headers: Mapping[str, str]) -> dict[str, str]:
    """Return *headers* without cookies."""
    return {name: value for name, value in headers.items() if name not in ("set-cookie", "cookie")}


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Read `x-should-retry`, which overrides the status (openai-python and anthropic-sdk-python obey it)."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").lower())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """
    Seconds the provider asks to wait: `retry-after-ms`, or `retry-after` as seconds or as an HTTP date.

    A date is measured against the response's own `date` header, so that no clock is needed and skew does not matter.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    moment, now = _http_date(text), _http_date(headers.get("date", ""))
    if moment is None or now is None:
        return None
    return max(0.0, (moment - now).total_seconds())


def rate_limits(headers: Mapping[str, str]) -> RateLimits | None:
    """
    Read the rate-limit headers of OpenAI and its compatibles (`x-ratelimit-*`) and of Anthropic.

    Resets come as Go durations (`6m0s`), seconds or RFC 3339 times; all become seconds.
    """
    found: dict[str, Any] = {}
    for name in _LIMITS.keys() & headers.keys():
        text, member = headers[name], _LIMITS[name]
        if member.endswith("_reset_seconds"):
            found[member] = _reset(text, headers)
        elif (number := _number(text)) is not None:
            found[member] = int(number)
    known = {name: value for name, value in found.items() if value is not None}
    return RateLimits(**known) if known else None


@lru_cache(maxsize=256)
def duration(text: str) -> float | None:
    """Read a Go or protobuf duration (`1m2.5s`, `14s`, `12ms`) as seconds."""
    pieces = _GO_DURATION.findall(text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text:
        return None
    seconds = sum(float(number) * _GO_UNITS[unit] for number, unit in pieces)
    return seconds if math.isfinite(seconds) else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _reset(text: str, headers: Mapping[str, str]) -> float | None:
    seconds = duration(text) if text.endswith("s") else _number(text)
    if seconds is not None:
        return seconds
    now = _http_date(headers.get("date", ""))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if now is None or moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
