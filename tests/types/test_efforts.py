"""The nearest effort."""

from __future__ import annotations

import pytest

from fiber.types.efforts import nearest_effort


@pytest.mark.parametrize(
    ("effort", "efforts", "expected"),
    [
        ("high", ("low", "high"), "high"),
        ("none", ("none", "low"), "none"),
        ("max", ("low", "high"), "high"),
        ("medium", ("low", "high", "max"), "low"),
        ("minimal", ("medium", "low"), "low"),
        ("low", ("none", "high"), "high"),
    ],
)
def test_an_effort_that_is_not_known_becomes_the_next_lower_one(
    effort: str, efforts: tuple[str, ...], expected: str
) -> None:
    """The lowest, when there is none below; never none, which would turn thinking off."""
    assert nearest_effort(effort, efforts) == expected
