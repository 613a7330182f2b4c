"""Whole predictions."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import (
    FiberContentFilterError,
    FiberError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
)
from fiber.types.content import Opaque
from tests.adapters.replicate.conftest import LLAMA, Tools


@pytest.mark.parametrize(
    ("output", "text"), [(["Hel", "lo", ""], "Hello"), ("Hello", "Hello"), ([], ""), ("", ""), (None, "")]
)
def test_output_is_text_in_one_piece_or_many(tools: Tools, output: Any, text: str) -> None:
    """As the model gives it."""
    result = tools.parse(tools.prediction(output=output))

    assert (result.text, result.finish_reason, result.raw_finish_reason) == (text, "stop", "succeeded")
    assert (result.model, result.response_id) == (LLAMA, "p1")


def test_output_that_is_no_text_is_kept_as_it_is(tools: Tools) -> None:
    """In its place among the texts."""
    result = tools.parse(tools.prediction(output=["See: ", {"score": 0.5}]))
    alone = tools.parse(tools.prediction(output={"score": 0.5}))

    assert result.text == "See: "
    assert [part.kind for part in result.message.parts if isinstance(part, Opaque)] == ["output"]
    assert [part.data for part in alone.message.parts if isinstance(part, Opaque)] == ['{"score": 0.5}']


def test_tokens_and_seconds_are_told(tools: Tools) -> None:
    """Tokens by some models only; the seconds stand under the server's names."""
    metrics = {"predict_time": 1.5, "total_time": 2, "time_to_first_token": 0.1, "tokens_per_second": 9}
    counted = tools.parse(tools.prediction(metrics={**metrics, "input_token_count": 7, "output_token_count": 3})).usage
    timed = tools.parse(tools.prediction(metrics=metrics)).usage

    assert (counted.input_tokens, counted.output_tokens, counted.total_tokens) == (7, 3, 10)
    assert counted.timings == timed.timings == {"predict": 1.5, "total": 2.0, "first_token": 0.1}
    assert (timed.input_tokens, timed.cost_status) == (None, "no_usage")


@pytest.mark.parametrize("metrics", [None, {}, {"predict_time": "1", "input_token_count": True}, {"total_time": False}])
def test_odd_metrics_are_unknown(tools: Tools, metrics: Any) -> None:
    """Neither zero nor an error."""
    usage = tools.parse(tools.prediction(metrics=metrics)).usage

    assert (usage.input_tokens, usage.output_tokens, usage.timings) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "error", "kind", "code", "retried"),
    [
        ("failed", "CUDA out of memory", FiberProviderError, "failed", True),
        ("failed", "Model was killed (E1001)", FiberProviderError, "E1001", True),
        ("failed", "Prediction interrupted; please retry (code: PA)", FiberProviderError, "PA", True),
        ("failed", "The input was flagged as sensitive. (E005)", FiberContentFilterError, "E005", False),
        ("failed", {"odd": 1}, FiberProviderError, "failed", True),
        ("failed", None, FiberProviderError, "failed", True),
        ("canceled", None, FiberProviderError, "canceled", False),
        ("aborted", None, FiberProviderError, "aborted", True),
    ],
)
def test_prediction_without_success_is_an_error(
    tools: Tools, status: str, error: Any, kind: type[FiberError], code: str, retried: bool
) -> None:
    """With what it gave until then; what somebody stopped is not begun anew."""
    with pytest.raises(kind) as caught:
        tools.parse(tools.prediction(status, output=["Hel"], error=error, metrics={"predict_time": 1.0}))

    failure = caught.value
    assert failure.partial is not None
    assert failure.partial.text == "Hel"
    assert (failure.provider_code, failure.is_retryable) == (code, retried)
    assert str(error or status) in failure.message.replace('{"odd":1}', "{'odd': 1}")


def test_error_under_a_status_of_success_is_an_error(tools: Tools) -> None:
    """It tells its status itself."""
    body = b'{"title": "Service unavailable", "detail": "Overloaded", "status": 503}'

    with pytest.raises(FiberOverloadedError) as caught:
        tools.parse(body)

    assert caught.value.status_code == 503


def test_failure_may_have_no_output(tools: Tools) -> None:
    """What was never begun fails without any."""
    with pytest.raises(FiberProviderError, match="never began"):
        tools.parse(b'{"id": "p1", "status": "failed", "error": "it never began"}')


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html></html>", b"[]", b"{}", b'{"status": 200}', b'{"status": "processing", "output": []}'),
        b'{"id": "p1", "status": "succeeded"}',
    ],
)
def test_what_is_no_prediction_is_refused(tools: Tools, body: bytes) -> None:
    """And so is one that is not over, or says that it succeeded and has no output."""
    with pytest.raises(FiberParsingError):
        tools.parse(body)
