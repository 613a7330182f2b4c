"""How fast calls may be."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import FiberValidationError, RateLimit


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"requests": 0},
        {"tokens": -1},
        {"input_tokens": True},
        {"output_tokens": "9"},
        {"requests": float("inf")},
        {"requests": float("nan")},
        {"concurrency": 0},
        {"concurrency": 1.5},
        {"concurrency": True},
    ],
)
def test_a_limit_is_a_number_above_zero(said: dict[str, Any]) -> None:
    """And there is at least one."""
    with pytest.raises(FiberValidationError) as caught:
        RateLimit(**said)

    assert (caught.value.parameter, caught.value.outcome) == ("rate_limits", "not_sent")


def test_what_was_said_by_the_minute() -> None:
    """Is known by its name; concurrency is not of that kind."""
    assert RateLimit(requests=5, output_tokens=0.5, concurrency=2).meters == {"requests": 5, "output_tokens": 0.5}
    assert RateLimit(concurrency=1).meters == {}
