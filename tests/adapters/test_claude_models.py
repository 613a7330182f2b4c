"""Finding the facts of a model by its name."""

from __future__ import annotations

import pytest

from fiber.adapters.claude_models import MODELS, UNKNOWN, model_of


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("claude-opus-5", "claude-opus-5"),
        ("claude-opus-5-20260801", "claude-opus-5"),
        ("claude-opus-5-5", "claude-opus-5-5"),
        ("claude-opus-5-5@20261101", "claude-opus-5-5"),
        ("anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-sonnet-4-5-latest", "claude-sonnet-4-5"),
        ("claude-3-5-haiku-20241022", "claude-3-5"),
        ("claude-fable-5-2", "claude-fable-5-2"),
    ],
)
def test_longest_prefix_wins(name: str, row: str) -> None:
    """Dates, platform prefixes and suffixes do not hide a model."""
    assert model_of(name) is MODELS[row]


@pytest.mark.parametrize("name", ["claude-opus-5-6", "claude-sonnet-50", "claude-next", "gpt", ""])
def test_other_versions_are_unknown(name: str) -> None:
    """A version that is not listed is not taken for its neighbour."""
    assert model_of(name) is UNKNOWN
