"""From a provider's answer to a typed error."""

from __future__ import annotations

from typing import Any

import pytest

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
from fiber.adapters.failures import failure, unread, unreadable
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult, RateLimits
from fiber.types.target import Target

TARGET = Target(provider="acme", model="m", base_url="https://h")


def of(status: int, message: str = "No.", headers: dict[str, str] | None = None, **facts: Any) -> FiberError:
    """The error for an answer of *status*."""
    return failure(HTTPHead(status, headers or {}), TARGET, b'{"error":1}', message=message, **facts)


@pytest.mark.parametrize(
    ("status", "kind", "retryable", "outcome"),
    [
        (400, FiberBadRequestError, False, "rejected"),
        (401, FiberAuthError, False, "rejected"),
        (402, FiberQuotaError, False, "rejected"),
        (403, FiberAuthError, False, "rejected"),
        (404, FiberBadRequestError, False, "rejected"),
        (405, FiberBadRequestError, False, "rejected"),
        (408, FiberProviderError, True, "rejected"),
        (409, FiberProviderError, True, "rejected"),
        (413, FiberBadRequestError, False, "rejected"),
        (418, FiberProviderError, False, "rejected"),
        (422, FiberBadRequestError, False, "rejected"),
        (425, FiberProviderError, True, "rejected"),
        (429, FiberRateLimitError, True, "rejected"),
        (500, FiberProviderError, True, "unknown"),
        (502, FiberProviderError, True, "unknown"),
        (503, FiberOverloadedError, True, "rejected"),
        (504, FiberProviderError, True, "unknown"),
        (529, FiberOverloadedError, True, "rejected"),
        (302, FiberProviderError, False, "rejected"),
        (200, FiberProviderError, False, "rejected"),
    ],
)
def test_status_decides_the_class(status: int, kind: type[FiberError], retryable: bool, outcome: str) -> None:
    """Every status has its class, whether it may succeed later, and what is known of the work."""
    error = of(status)

    assert type(error) is kind
    assert (error.status_code, error.is_retryable, error.outcome) == (status, retryable, outcome)


def test_facts_are_taken_from_body_and_headers() -> None:
    """The error carries the code, the request id, the wait, the limits and the start of the body."""
    error = of(
        429,
        "Slow, sk-abcdefghijklmnop.",
        {"x-request-id": "r1", "retry-after": "2", "x-ratelimit-limit-requests": "5", "x-should-retry": "false"},
        code="slow_down",
        retry_after=9.0,
    )

    assert error.message == "acme refused: Slow, ***. Slow down or try again later."
    assert (error.provider, error.model, error.provider_code, error.request_id) == ("acme", "m", "slow_down", "r1")
    assert (error.retry_after, error.rate_limits, error.should_retry) == (2.0, RateLimits(requests_limit=5), False)
    assert error.raw_response == '{"error":1}'


def test_facts_of_the_caller_fill_the_gaps() -> None:
    """The request id of the body wins, and its wait counts when the headers name none."""
    error = of(429, headers={"x-request-id": "r1"}, request_id="r2", retry_after=9.0)

    assert (error.request_id, error.retry_after) == ("r2", 9.0)


def test_in_band_status_and_class_win() -> None:
    """An error inside a good answer stands for its own status, or is of the class that its code means."""
    partial = ChatResult(model="m")

    in_band = failure(HTTPHead(200), TARGET, "{}", message="No.", status=529)
    coded = of(400, kind=FiberContextLengthError, partial=partial)

    assert (type(in_band), in_band.status_code) == (FiberOverloadedError, 529)
    assert isinstance(coded, FiberContextLengthError)
    assert coded.partial is partial


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param(of(400), "acme refused: No.", id="bad"),
        pytest.param(of(400, " "), "acme refused: HTTP 400 without a message.", id="silent"),
        pytest.param(of(401), "acme refused: No. Check the key and what it may be used for.", id="auth"),
        pytest.param(of(402), "acme refused: No. Waiting does not help: add credit or raise the limit.", id="quota"),
        pytest.param(of(503), "acme refused: No. The provider is out of capacity; try again later.", id="overloaded"),
        pytest.param(
            of(404, kind=FiberModelNotFoundError),
            "acme refused: No. Check the model's name, or list the models with `fiber models`.",
            id="model",
        ),
        pytest.param(of(500), "acme failed: No.", id="failed"),
        pytest.param(of(500, ""), "acme failed: HTTP 500 without a message", id="silent failure"),
    ],
)
def test_message_says_what_to_do(error: FiberError, message: str) -> None:
    """The message names the provider, quotes it, and says what to do next."""
    assert error.message == message


def test_message_is_short() -> None:
    """A provider that talks without end is cut off."""
    assert len(of(400, "x" * 5000).message) < 1100


def test_answer_of_another_format() -> None:
    """An answer that is not the format at all says what came and where to look."""
    head = HTTPHead(502, {"content-type": "text/html; charset=x", "x-request-id": "r1"})
    error = unreadable(head, TARGET, b"<html>sk-abcdefghijklmnop", "a web page")

    assert type(error) is FiberParsingError
    assert error.message == (
        "acme answered HTTP 502 with a web page (text/html). Check the base URL,"
        " and whether a proxy or login page stands between."
    )
    assert (error.provider, error.model, error.status_code, error.request_id) == ("acme", "m", 502, "r1")
    assert (error.raw_response, error.outcome) == ("<html>***", "unknown")


def test_answer_without_a_content_type() -> None:
    """An answer that does not say what it is says that."""
    assert "nothing (no content type)" in unreadable(HTTPHead(200), TARGET, b"", "nothing").message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b" <html><title>502", "an HTML page"),
        (b"\n upstream \xff broke\n", "upstream \ufffd broke"),
        (b"key sk-0123456789abcdef", "key ***"),
        (b"a" * 5000, "a" * 1000),
        (b"", ""),
    ],
    ids=["page", "text", "key", "long", "empty"],
)
def test_an_error_that_is_no_json_is_told_by_its_first_words(body: bytes, words: str) -> None:
    """Of a page only that it is one; never a key."""
    assert unread(body) == words


def test_the_words_of_an_error_have_a_bound() -> None:
    """Which a format may set."""
    assert unread(b"abcdef", 3) == "abc"
