"""What counts as a number where any value may come."""

from __future__ import annotations

from typing import TypeGuard


def is_number(value: object) -> TypeGuard[int | float]:
    """Say whether *value* is an int or a float; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
