"""What headers say about rate limits, and the times and numbers in them. Nothing here raises for a bad header."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec


class RateLimits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The provider's rate-limit headers: counts, and seconds until the bucket is full again."""

    requests_limit: int | None = None
    requests_remaining: int | None = None
    requests_reset_seconds: float | None = None
    tokens_limit: int | None = None
    tokens_remaining: int | None = None
    tokens_reset_seconds: float | None = None
    input_tokens_limit: int | None = None
    input_tokens_remaining: int | None = None
    output_tokens_limit: int | None = None
    output_tokens_remaining: int | None = None


def _member(bucket: str, kind: str) -> str:
    return f"{bucket.replace('-', '_')}_{kind}{'_seconds' if kind == 'reset' else ''}"


_LIMITS = {
    header.format(bucket, kind): _member(bucket, kind)
    for bucket in ("requests", "tokens", "input-tokens", "output-tokens")
    for kind in ("limit", "remaining", "reset")
    for header in ("x-ratelimit-{1}-{0}", "anthropic-ratelimit-{0}-{1}")
    if _member(bucket, kind) in RateLimits.__struct_fields__
}
"""The rate-limit headers, and the member of `RateLimits` that each fills."""

_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


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
        elif (limit := number(text)) is not None:
            found[member] = int(limit)
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


def number(text: str | None) -> float | None:
    """Read a number that is not negative; None where there is none."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def http_date(text: str) -> datetime | None:
    """Read a date as HTTP writes it; None where there is none."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _reset(text: str, headers: Mapping[str, str]) -> float | None:
    seconds = duration(text) if text.endswith("s") else number(text)
    if seconds is not None:
        return seconds
    now = http_date(headers.get("date", ""))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if now is None or moment.tzinfo is None:
        return None
    return max(0.0, (moment - now).total_seconds())
