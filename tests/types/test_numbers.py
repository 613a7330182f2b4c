"""What counts as a number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fiber.types.numbers import is_number


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, True), (-1.5, True), (float("nan"), True), (True, False), (None, False), ("1", False), (Decimal(1), False)],
)
def test_ints_and_floats_are_numbers(value: object, *, expected: bool) -> None:
    """True and False are no numbers, although Python says so."""
    assert is_number(value) is expected
