"""Probabilities of tokens."""

from __future__ import annotations

from typing import Any

import pytest

from fiber.adapters.logprobs import token_logprobs
from fiber.types.result import TokenLogprob


def test_a_token_is_read_with_its_bytes_and_those_that_were_likely_too() -> None:
    """Each likely token is read as the token itself is."""
    said = {"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -2.5}]}

    assert token_logprobs([said]) == [TokenLogprob("a", -1.0, (97,), (TokenLogprob("b", -2.5),))]


@pytest.mark.parametrize(
    "said", [None, "a", {"token": "a", "logprob": 1}, ["a"], [{"token": "a"}], [{"token": "a", "logprob": True}]]
)
def test_what_has_no_number_says_nothing(said: Any) -> None:
    """A list without objects, or an object without a number, is left out."""
    assert token_logprobs(said) == []


def test_a_token_that_is_no_text_is_empty() -> None:
    """Its number is kept."""
    assert token_logprobs([{"token": 5, "logprob": 0}]) == [TokenLogprob("", 0.0)]
