"""What response headers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters import headers
from fiber.types.result import RateLimits

NOW = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, None),
        ({"x-request-id": ""}, None),
        ({"x-request-id": "a", "request-id": "b"}, "a"),
        ({"x-request-id": "", "request-id": "b"}, "b"),
        ({"request-id": "b"}, "b"),
        ({"x-amzn-requestid": "c"}, "c"),
        ({"apim-request-id": "d"}, "d"),
        ({"x-goog-request-id": "e"}, "e"),
    ],
)
def test_request_id_has_many_names(found: dict[str, str], expected: str | None) -> None:
    """The request id is the first of its names that says anything."""
    assert headers.request_id(found) == expected


def test_cookies_are_private() -> None:
    """Cookies are left out of what the caller sees."""
    assert headers.public({"set-cookie": "a=b", "cookie": "c", "x-a": "1"}) == {"x-a": "1"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("True", True), ("false", False), ("FALSE", False), ("", None), ("yes", None), (None, None)],
)
def test_provider_may_decide_about_retrying(value: str | None, expected: bool | None) -> None:
    """`x-should-retry` is true, false or unsaid."""
    assert headers.should_retry({} if value is None else {"x-should-retry": value}) is expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"retry-after": "5"}, 5.0, id="seconds"),
        pytest.param({"retry-after": "0"}, 0.0, id="zero"),
        pytest.param({"retry-after": "1.5"}, 1.5, id="fraction"),
        pytest.param({"retry-after": " 5 "}, 5.0, id="blanks"),
        pytest.param({"retry-after-ms": "250", "retry-after": "5"}, 0.25, id="milliseconds win"),
        pytest.param({"retry-after-ms": "soon", "retry-after": "5"}, 5.0, id="odd milliseconds"),
        pytest.param({"retry-after-ms": "0"}, 0.0, id="zero milliseconds"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 10:01:30 GMT", "date": NOW}, 90.0, id="date"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": NOW}, 0.0, id="date in the past"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 12:00:30 +0200", "date": NOW}, 30.0, id="date with a zone"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 10:00:10 -0000", "date": NOW}, 10.0, id="date without a zone"),
        pytest.param({"retry-after": "Saturday, 21-Nov-26 10:00:10 GMT", "date": NOW}, 10.0, id="old date"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 10:01:30 GMT"}, None, id="date without a clock"),
        pytest.param({"retry-after": "Sat, 21 Nov 2026 10:01:30 GMT", "date": "now"}, None, id="odd clock"),
        pytest.param({"retry-after": "soon", "date": NOW}, None, id="word"),
        pytest.param({"retry-after": "-5", "date": NOW}, None, id="negative"),
        pytest.param({"retry-after": "nan", "date": NOW}, None, id="nan"),
        pytest.param({"retry-after": "inf", "date": NOW}, None, id="infinite"),
        pytest.param({"retry-after": "", "date": NOW}, None, id="empty"),
        pytest.param({"retry-after": "Sat, 21 Nov 99999999999999 10:00:00 GMT", "date": NOW}, None, id="far year"),
        pytest.param({"retry-after": "Sun, 06 Nov 1994 08:49:37 +99999999999999", "date": NOW}, None, id="far zone"),
    ],
)
def test_wait_has_many_spellings(found: dict[str, str], expected: float | None) -> None:
    """The wait asked for is read from milliseconds, seconds or a date against the response's own clock."""
    assert headers.retry_after(found) == expected


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
    assert headers.duration(text) == (None if expected is None else pytest.approx(expected))


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
    assert headers.rate_limits(found) == expected


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "date",
                "retry-after",
                "retry-after-ms",
                "x-should-retry",
                "x-request-id",
                "x-ratelimit-reset-tokens",
                "x-ratelimit-limit-tokens",
                "anthropic-ratelimit-requests-reset",
            ]
        ),
        st.text(max_size=12)
        | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,24} (Jan|Feb) [0-9]{1,24} [0-9]{1,24}:00:00 [-+][0-9]{1,24}")
        | st.from_regex(r"[0-9]{1,5}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[-+][0-9]{2}:[0-9]{2}"),
    )
)
def test_no_header_makes_the_reader_fail(found: dict[str, str]) -> None:
    """Whatever a header holds, it is read or ignored."""
    waits = [headers.retry_after(found)]
    if (limits := headers.rate_limits(found)) is not None:
        waits += [limits.tokens_reset_seconds, limits.requests_reset_seconds]

    assert all(wait is None or wait >= 0 for wait in waits)
    assert headers.should_retry(found) in (None, True, False)
