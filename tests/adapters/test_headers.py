"""What response headers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters import headers
from fiber.types.limits import rate_limits

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
        pytest.param({"retry-after": "1m2.5s"}, 62.5, id="duration"),
        pytest.param({"retry-after": " 250ms "}, 0.25, id="short duration"),
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
        pytest.param({"llm_provider-retry-after": "7"}, 7.0, id="behind LiteLLM"),
        pytest.param({"llm_provider-retry-after-ms": "250"}, 0.25, id="milliseconds behind LiteLLM"),
        pytest.param(
            {"llm_provider-retry-after": "Sat, 21 Nov 2026 10:01:30 GMT", "llm_provider-date": NOW, "date": "now"},
            90.0,
            id="date behind LiteLLM",
        ),
        pytest.param({"retry-after": "0", "llm_provider-retry-after": "7"}, 0.0, id="LiteLLM itself wins"),
    ],
)
def test_wait_has_many_spellings(found: dict[str, str], expected: float | None) -> None:
    """The wait asked for is read from milliseconds, seconds or a date against the response's own clock."""
    assert headers.retry_after(found) == expected


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "date",
                "retry-after",
                "retry-after-ms",
                "llm_provider-retry-after",
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
    if (limits := rate_limits(found)) is not None:
        waits += [limits.tokens_reset_seconds, limits.requests_reset_seconds]

    assert all(wait is None or wait >= 0 for wait in waits)
    assert headers.should_retry(found) in (None, True, False)
