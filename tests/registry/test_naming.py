"""Spellings of a model's name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberValidationError
from fiber.registry.naming import reference, spellings


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("gpt-6-sol", "gpt-6-sol"),
        ("gpt-6-sol-2026-10-01", "gpt-6-sol"),
        ("claude-opus-5-20261001", "claude-opus-5"),
        ("claude-opus-5@20261001", "claude-opus-5"),
        ("claude-opus-5@default", "claude-opus-5"),
        ("models/gemini-4-argon", "gemini-4-argon"),
        ("publishers/google/models/gemini-4-argon", "gemini-4-argon"),
        ("us.anthropic.claude-opus-5-20261001-v1:0", "anthropic.claude-opus-5"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.amazon.nova-pro-v1:0", "amazon.nova-pro"),
        ("GPT-6-Sol", "gpt-6-sol"),
    ],
)
def test_a_snapshot_is_known_by_the_name_of_its_model(asked: str, known: str) -> None:
    """Dates, versions, places and regions are left out in turn."""
    assert known in list(spellings(asked))


@pytest.mark.parametrize(
    ("asked", "other"),
    [
        ("gpt-6-sol-mini", "gpt-6-sol"),
        ("mistral-large-2512", "mistral-large"),
        ("global.anthropic.claude-opus-5", "anthropic.claude-opus-5"),
        ("openai/gpt-5:free", "openai/gpt-5"),
    ],
)
def test_another_model_is_never_looked_for(asked: str, other: str) -> None:
    """A name that may stand for another price is not cut."""
    assert other not in list(spellings(asked))


@given(st.text())
def test_the_name_as_asked_for_comes_first(name: str) -> None:
    """It is the most exact one, whatever it is; without its place, in lower case."""
    first = next(spellings(name))

    assert name.lower().endswith(first)


def test_a_reference_is_split_at_its_first_colon() -> None:
    """Names of models have colons of their own."""
    assert reference("ollama:qwen4:8b", words="", parameter="") == ("ollama", "qwen4:8b")


@pytest.mark.parametrize("said", ["", "gpt-6-sol", ":gpt-6-sol", "openai:"])
def test_a_reference_names_provider_and_model(said: str) -> None:
    """Else it is refused, with the words and the parameter of whoever reads it."""
    with pytest.raises(FiberValidationError, match=r"^It names no provider: write provider:model\.$") as caught:
        reference(said, words="It", parameter="rates")

    assert (caught.value.parameter, caught.value.outcome) == ("rates", "not_sent")
