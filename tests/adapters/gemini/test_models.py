"""What is known of Gemini models."""

from __future__ import annotations

import pytest

from fiber.adapters.gemini.models import MODELS, UNKNOWN, facts, generation, is_before, is_modern


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        ("gemini-2.5-pro-preview-06-05", "gemini-2.5-pro"),
        ("gemini-2.5-flash-lite", "gemini-2.5"),
        ("gemini-3.5-flash", "gemini-3"),
        ("models/gemini-3.5-flash-lite", "gemini-3.5-flash-lite"),
        ("gemini-4-carbon", "gemini-4"),
    ],
)
def test_longest_prefix_wins(model: str, prefix: str) -> None:
    """A model has the facts of the longest name it begins with."""
    assert facts(model) == MODELS[prefix]


def test_unknown_models_are_permissive() -> None:
    """A model that is not listed refuses nothing and is of no generation."""
    assert facts("my-model") == UNKNOWN
    assert UNKNOWN.sampling
    assert generation("gemini-flash-latest") is None
    assert not is_before("my-model", 9, 0)


def test_generation_is_read_from_the_name() -> None:
    """The numbers in the name are the generation."""
    assert generation("publishers/google/models/gemini-2.5-pro") == (2, 5)
    assert generation("gemini-4-argon") == (4, 0)
    assert is_modern("gemini-3-pro")
    assert not is_modern("gemini-2.5-pro")
    assert is_before("gemini-2.5-pro", 3, 0)
