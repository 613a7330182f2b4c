"""Refusals of Cohere."""

from __future__ import annotations

import pytest

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContentFilterError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters.cohere import ADAPTER
from fiber.types.http import HTTPHead
from tests.adapters.cohere.conftest import TARGET

TRIAL = b'{"message":"You are using a Trial key, which is limited to %b."}'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"message":"invalid request"}', FiberBadRequestError),
        (400, b'{"message":"too many tokens: 200000"}', FiberContextLengthError),
        (401, b'{"message":"invalid api token"}', FiberAuthError),
        (402, b'{"message":"add a card"}', FiberQuotaError),
        (403, b'{"message":"no"}', FiberAuthError),
        (404, b'{"message":"model \'x\' not found"}', FiberModelNotFoundError),
        (404, b'{"message":"no such path"}', FiberBadRequestError),
        (422, b'{"message":"No valid response generated."}', FiberBadRequestError),
        (429, TRIAL % b"40 API calls / minute", FiberRateLimitError),
        (429, TRIAL % b"1000 API calls / month", FiberQuotaError),
        (498, b'{"message":"denied"}', FiberContentFilterError),
        (499, b'{"message":"closed"}', FiberProviderError),
        (500, b"<html>oops</html>", FiberProviderError),
        (503, b"busy", FiberOverloadedError),
        (500, b"[]", FiberProviderError),
    ],
)
def test_refusals_are_typed(status: int, body: bytes, kind: type[FiberError]) -> None:
    """By status, and by words where a status says too little."""
    error = ADAPTER.parse_error(HTTPHead(status, {}), body, TARGET)

    assert type(error) is kind
    assert error.status_code == status


def test_error_says_what_the_provider_said() -> None:
    """Its words and its id; an HTML page is not quoted."""
    error = ADAPTER.parse_error(HTTPHead(400, {}), b'{"id":"e1","message":"too long"}', TARGET)
    page = ADAPTER.parse_error(HTTPHead(500, {}), b"<html>oops</html>", TARGET)

    assert "too long" in str(error)
    assert error.request_id == "e1"
    assert "an HTML page" in str(page)
