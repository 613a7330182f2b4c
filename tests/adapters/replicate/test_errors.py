"""Refusals."""

from __future__ import annotations

from typing import Any

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
from fiber.adapters.replicate.errors import parse_error
from fiber.types.http import HTTPHead
from tests.adapters.replicate.conftest import LLAMA, Tools, target

BAD_VERSION = {"title": "Invalid version or not permitted", "detail": "The specified version does not exist."}


def refused(status: int, body: bytes, model: str = LLAMA, **headers: str) -> FiberError:
    """Read a refusal."""
    return parse_error(HTTPHead(status, headers), body, target(model))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"title": "Unauthenticated", "detail": "You did not pass a valid token"}, FiberAuthError),
        (402, {"title": "Insufficient credit", "detail": "Go to billing."}, FiberQuotaError),
        (404, {"detail": "The requested resource could not be found."}, FiberModelNotFoundError),
        (422, BAD_VERSION, FiberModelNotFoundError),
        (422, {"detail": "- input: prompt is required\n", "invalid_fields": []}, FiberBadRequestError),
        (422, {"detail": [{"loc": ["input"], "msg": "odd"}]}, FiberBadRequestError),
        (422, {"detail": "the prompt exceeds the context length"}, FiberContextLengthError),
        (422, {"detail": "the prompt is too long"}, FiberContextLengthError),
        (400, {"detail": "The input was flagged as sensitive (E005)"}, FiberContentFilterError),
        (429, {"detail": "Request was throttled."}, FiberRateLimitError),
        (503, {"detail": "busy"}, FiberOverloadedError),
        (500, {"error": "boom"}, FiberProviderError),
        (500, [], FiberProviderError),
    ],
)
def test_refusal_has_its_type(tools: Tools, status: int, body: Any, kind: type[FiberError]) -> None:
    """By the status, and where that says nothing by the words."""
    error = refused(status, tools.encode(body))

    assert type(error) is kind
    assert error.status_code == status


def test_message_is_title_and_detail(tools: Tools) -> None:
    """Both say something; a detail that is no text is shown as JSON."""
    assert "Invalid version or not permitted: The specified version does not exist." in str(
        refused(422, tools.encode(BAD_VERSION))
    )
    assert '[{"loc":["input"]}]' in str(refused(422, tools.encode({"detail": [{"loc": ["input"]}]})))


@pytest.mark.parametrize(
    ("said", "headers", "seconds"),
    [(2, {}, 2.0), (2, {"retry-after": "7"}, 7.0), ("soon", {}, None), (True, {}, None)],
)
def test_body_may_say_how_long_to_wait(tools: Tools, said: Any, headers: dict[str, str], seconds: float | None) -> None:
    """The header goes before it."""
    error = refused(429, tools.encode({"detail": "throttled", "retry_after": said}), **headers)

    assert error.retry_after == seconds


def test_what_is_not_found_in_a_raw_exchange_is_no_model(tools: Tools) -> None:
    """It may be anything."""
    assert type(refused(404, tools.encode({"detail": "no"}), model="")) is FiberBadRequestError


@pytest.mark.parametrize(("body", "said"), [(b"<html>", "an HTML page"), (b"busy", "busy"), (b"", "without a message")])
def test_refusal_that_is_no_json_is_read(body: bytes, said: str) -> None:
    """A proxy wrote it."""
    assert said in str(refused(502, body))
