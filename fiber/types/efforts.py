"""How much a model may think: the scale, and the nearest effort that a model has."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias, get_args

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
EFFORTS: tuple[str, ...] = get_args(Effort)
_SCALE = EFFORTS[1:]  # `none` is another matter: it turns thinking off


def nearest_effort(effort: str, efforts: Collection[str]) -> str:
    """Return *effort* when it is one of *efforts*, else the nearest of them below it, else their lowest."""
    if effort in efforts:
        return effort
    lower = [name for name in _SCALE[: _SCALE.index(effort)] if name in efforts]
    return lower[-1] if lower else next(name for name in _SCALE if name in efforts)
