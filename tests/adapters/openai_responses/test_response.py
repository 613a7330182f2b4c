"""Whole replies: identity, ends, failures, and what is no reply."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import _errors as errors
from fiber.adapters.openai_responses import ADAPTER
from fiber.types.http import HTTPHead
from fiber.types.target import Target


def text(words: str, **members: Any) -> dict[str, Any]:
    """A message item of one text."""
    return {"type": "message", "content": [{"type": "output_text", "text": words, **members}]}


@pytest.mark.parametrize(
    ("status", "details", "reason", "raw"),
    [
        ("completed", None, "stop", "completed"),
        ("incomplete", {"reason": "max_output_tokens"}, "length", "max_output_tokens"),
        ("incomplete", {"reason": "content_filter"}, "content_filter", "content_filter"),
        ("incomplete", {"reason": "steered"}, "other", "steered"),
        ("incomplete", None, "other", "incomplete"),
        ("some_new_word", None, "other", "some_new_word"),
        (None, None, None, None),
        (7, None, None, None),
    ],
)
def test_status_is_the_finish_reason(
    status: Any, details: Any, reason: str | None, raw: str | None, parse: Any
) -> None:
    """What is not known is `other`, and what is not said is None; neither is `stop`."""
    result = parse(text("A"), status=status, incomplete_details=details)

    assert (result.finish_reason, result.raw_finish_reason) == (reason, raw)


@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelled"])
def test_background_answer_says_that_it_is_not_finished(status: str, parse: Any) -> None:
    """An answer that is still being made is no complete one, and a warning says how to get it."""
    result = parse(status=status, usage=None)

    assert (result.finish_reason, result.raw_finish_reason) == ("other", status)
    assert "resp_1" in result.warnings[0]


def test_changed_input_is_a_warning(parse: Any) -> None:
    """When the provider dropped reasoning from the input, the caller hears of it."""
    result = parse(text("A"), input_transformations=[{"reason": "model_mismatch"}])

    assert "model_mismatch" in result.warnings[0]


def test_failed_answer_is_its_error(parse: Any) -> None:
    """A reply that failed under 200 is the error it names, with what was there before."""
    with pytest.raises(errors.FiberRateLimitError) as caught:
        parse(text("Par"), status="failed", error={"code": "rate_limit_exceeded", "message": "x"})

    assert caught.value.partial is not None
    assert caught.value.partial.text == "Par"
    assert caught.value.status_code == 429


def test_failure_without_a_reason_is_the_providers(parse: Any) -> None:
    """A failure that says nothing counts as the server's."""
    with pytest.raises(errors.FiberProviderError, match="without saying why") as caught:
        parse(status="failed", error=None)

    assert caught.value.status_code == 500
    assert caught.value.is_retryable


def test_error_without_status_is_an_error(parse: Any) -> None:
    """An error beside an output counts, unless the status says that all went well."""
    with pytest.raises(errors.FiberProviderError):
        parse(status=None, error={"message": "x"})
    assert parse(text("A"), error={"message": "x"}).text == "A"


def test_error_object_under_200_is_typed(head: HTTPHead, target: Target) -> None:
    """An error body counts whatever the status line says."""
    body = b'\n\n  {"error":{"code":"insufficient_quota","message":"Pay."}}'

    with pytest.raises(errors.FiberQuotaError):
        ADAPTER.parse_response(head, body, target)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b"{}", b'{"output":null}', b'{"output":{}}', b'{"outp'])
def test_what_is_no_reply_is_unreadable(body: bytes, head: HTTPHead, target: Target) -> None:
    """HTML, other JSON, nothing and half a reply are parsing errors."""
    with pytest.raises(errors.FiberParsingError):
        ADAPTER.parse_response(head, body, target)


def test_output_of_something_else_is_unreadable(head: HTTPHead, target: Target) -> None:
    """Items that are no objects are no items."""
    with pytest.raises(errors.FiberParsingError) as caught:
        ADAPTER.parse_response(head, b'{"output":[7]}', target)

    assert caught.value.provider == "openai"


@pytest.mark.parametrize("bad", [b"caf\xe9", b"\\ud83d", b"\xef\xbf\xbd"])
def test_broken_letters_do_not_break_the_answer(bad: bytes, head: HTTPHead, target: Target) -> None:
    """Invalid UTF-8 and lone surrogates are replaced, in texts and in seals."""
    item = b'{"type":"message","id":"m","content":[{"type":"output_text","text":"' + bad + b'"}]}'
    body = b'\xef\xbb\xbf{"status":"completed","output":[' + item + b"]}"

    result = ADAPTER.parse_response(head, body, target)

    assert result.text.endswith("\ufffd")
    assert result.message.parts[0].native.value()["content"][0]["text"] == result.text


def test_a_completed_reply_without_any_item_is_no_answer(head: HTTPHead, target: Target) -> None:
    """It is not taken for an empty one; a reply that was cut short may well be empty."""
    with pytest.raises(errors.FiberParsingError, match="without any item"):
        ADAPTER.parse_response(head, b'{"status": "completed", "output": []}', target)


def test_body_is_kept(head: HTTPHead, target: Target) -> None:
    """The provider's answer is at hand as it came, with the rate limits of its head."""
    body = b'{"status": "incomplete", "output": []}'
    limited = HTTPHead(200, {"x-ratelimit-remaining-requests": "9"})

    result = ADAPTER.parse_response(limited, body, target)

    assert result.body == body
    assert result.rate_limits is not None
    assert result.rate_limits.requests_remaining == 9
