"""What a call will take, and what it took."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import Usage
from fiber.layers.limiting.estimates import expected, spent
from tests.kit import watched, whole


def call_with(**options: Any) -> Any:
    """Make a call."""
    fiber, _, watch = watched(whole())
    fiber.sync.chat("x" * 400, **options)
    return watch.calls[0]


@pytest.mark.parametrize(
    ("options", "lately", "output"),
    [
        ({}, None, 1000),
        ({"max_tokens": 50}, None, 50),
        ({"max_tokens": 50, "n": 2}, None, 100),
        ({"max_tokens": 50}, 30.0, 30.0),
        ({"max_tokens": 50}, 70.0, 50),
        ({}, 70.0, 70.0),
    ],
)
def test_output_is_what_calls_used_lately(options: dict[str, Any], lately: float | None, output: float) -> None:
    """At most `max_tokens`, and that as long as nobody knows better; input is a token for four bytes."""
    amounts = expected(call_with(**options), lately)

    assert (amounts["requests"], amounts["output_tokens"]) == (1, output)
    assert 100 <= amounts["input_tokens"] <= 110
    assert amounts["tokens"] == amounts["input_tokens"] + output


def test_of_a_raw_request_nobody_knows_the_tokens() -> None:
    """It is a request."""
    fiber, _, watch = watched(whole())
    fiber.sync.request("GET", "models", provider="openai")

    assert expected(watch.calls[0], 5) == {"requests": 1, "tokens": 0, "input_tokens": 0, "output_tokens": 0}


@pytest.mark.parametrize(
    ("usage", "used"),
    [
        (None, {"requests": 1}),
        (Usage(), {"requests": 1}),
        (Usage(input_tokens=3), {"requests": 1, "input_tokens": 3}),
        (Usage(input_tokens=3, output_tokens=5), {"requests": 1, "tokens": 8, "input_tokens": 3, "output_tokens": 5}),
    ],
)
def test_what_is_not_told_is_not_said(usage: Usage | None, used: dict[str, float]) -> None:
    """The line then counts what was taken."""
    assert spent(usage) == used
