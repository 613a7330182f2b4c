"""What headers say about rate limits."""

from __future__ import annotations

import pytest

from fiber.types import limits
from fiber.types.limits import RateLimits

NOW = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6m0s", 360.0),
        ("1h2m3.5s", 3723.5),
        ("14s", 14.0),
        ("0s", 0.0),
        ("12ms", 0.012),
        ("5us", 5e-6),
        ("5µs", 5e-6),
        ("7ns", 7e-9),
        ("1.5h", 5400.0),
        ("", None),
        ("5", None),
        ("s", None),
        ("5 s", None),
        ("5s!", None),
        ("-5s", None),
        ("5d", None),
        ("9" * 400 + "s", None),
    ],
)
def test_duration_is_read(text: str, expected: float | None) -> None:
    """A Go or protobuf duration is seconds; anything else is nothing."""
    assert limits.duration(text) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"x-ratelimit-limit-requests": "many"}, None, id="words"),
        pytest.param(
            {
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-remaining-requests": "59",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-limit-tokens": "150000",
                "x-ratelimit-remaining-tokens": "149984",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            RateLimits(
                requests_limit=60,
                requests_remaining=59,
                requests_reset_seconds=1.0,
                tokens_limit=150_000,
                tokens_remaining=149_984,
                tokens_reset_seconds=360.0,
            ),
            id="openai",
        ),
        pytest.param(
            {
                "date": NOW,
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2026-11-21T10:00:30Z",
                "anthropic-ratelimit-tokens-reset": "2026-11-21T09:59:00+00:00",
                "anthropic-ratelimit-input-tokens-limit": "40000",
                "anthropic-ratelimit-input-tokens-remaining": "39000",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-21T10:00:30Z",
                "anthropic-ratelimit-output-tokens-limit": "8000",
                "anthropic-ratelimit-output-tokens-remaining": "7000",
            },
            RateLimits(
                requests_limit=50,
                requests_remaining=0,
                requests_reset_seconds=30.0,
                tokens_reset_seconds=0.0,
                input_tokens_limit=40_000,
                input_tokens_remaining=39_000,
                output_tokens_limit=8_000,
                output_tokens_remaining=7_000,
            ),
            id="anthropic",
        ),
        pytest.param({"x-ratelimit-reset-tokens": "2.5"}, RateLimits(tokens_reset_seconds=2.5), id="plain seconds"),
        pytest.param({"x-ratelimit-reset-tokens": "2026-11-21T10:00:30Z"}, None, id="time without a clock"),
        pytest.param({"x-ratelimit-reset-tokens": "2026-11-21T10:00:30", "date": NOW}, None, id="time without a zone"),
        pytest.param({"x-ratelimit-reset-tokens": "soon", "date": NOW}, None, id="word"),
        pytest.param({"x-ratelimit-limit-tokens": "1e999"}, None, id="infinite"),
        pytest.param({"x-ratelimit-limit-tokens": "-1"}, None, id="negative"),
    ],
)
def test_rate_limits_are_read(found: dict[str, str], expected: RateLimits | None) -> None:
    """Counts are numbers, resets are seconds; a header that says neither is left out."""
    assert limits.rate_limits(found) == expected
