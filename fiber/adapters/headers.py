"""What response headers say about limits, waiting and identity. Nothing here raises for a bad header."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.types.limits import duration, http_date, number

_COOKIES = ("set-cookie", "cookie")
_REQUEST_IDS = (
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "x-goog-request-id",
    "x-debug-trace-id",
)
_BEHIND_LITELLM = "llm_provider-"
"""Before the names of headers that LiteLLM's proxy (1.106.2, asked on 2026-11-21) passes on from the provider."""


def request_id(headers: Mapping[str, str]) -> str | None:
    """Return the provider's request id, under whichever name it comes."""
    for name in _REQUEST_IDS:
        if found := headers.get(name):
            return found
    return None


def public(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return *headers* without cookies."""
    if headers.keys().isdisjoint(_COOKIES):
        return headers
    return {name: value for name, value in headers.items() if name not in _COOKIES}


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """Read `x-should-retry`, which overrides the status (openai-python and anthropic-sdk-python obey it)."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").lower())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """
    Seconds the provider asks to wait: `retry-after-ms`, or `retry-after` as seconds, duration (`1m2s`) or HTTP date.

    A date is measured against the response's own `date` header, so that no clock is needed and skew does not matter.
    Where the server itself asks for nothing, what the provider behind LiteLLM's proxy asks for counts.
    """
    waited = _waited(headers)
    return _waited(headers, _BEHIND_LITELLM) if waited is None else waited


def _waited(headers: Mapping[str, str], prefix: str = "") -> float | None:
    milliseconds = number(headers.get(f"{prefix}retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get(f"{prefix}retry-after")
    seconds = number(text)
    if seconds is not None or not text:
        return seconds
    if (seconds := duration(text.strip())) is not None:
        return seconds
    moment, now = http_date(text), http_date(headers.get(f"{prefix}date", ""))
    if moment is None or now is None:
        return None
    return max(0.0, (moment - now).total_seconds())
