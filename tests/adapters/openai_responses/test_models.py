"""What is known by model."""

from __future__ import annotations

import pytest

from fiber.adapters.openai_responses import models


@pytest.mark.parametrize(
    ("model", "effort", "refused"),
    [
        ("o3", None, True),
        ("o3", "none", True),
        ("gpt-5-mini", "low", True),
        ("gpt-5.4-nano", None, False),
        ("gpt-5.4", "none", False),
        ("gpt-5.4", "low", True),
        ("gpt-5.4-pro", None, True),
        ("gpt-5.6-luna", None, True),
        ("gpt-5.6-luna", "none", False),
        ("gpt-4o", "low", False),
        ("my-deployment", "high", False),
        ("openai/gpt-5", None, False),
    ],
)
def test_sampling_depends_on_model_and_effort(model: str, effort: str | None, refused: bool) -> None:
    """Sampling is refused exactly while a known model reasons; unknown names are let through."""
    assert models.sampling_refused(model, effort) is refused


def test_longest_prefix_wins_also_for_fine_tunes() -> None:
    """A fine-tune counts as its base, and the longer prefix is the nearer relative."""
    assert models.facts("ft:gpt-4o-2024-08-06:team::id") == models.FAMILIES["gpt-4"]
    assert models.facts("gpt-5.2-pro-2026-01-01") == models.FAMILIES["gpt-5.2-pro"]
    assert models.facts("anything") == models.UNKNOWN
