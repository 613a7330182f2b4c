"""
What answers teach about one line: what calls use, and how fast the provider really lets them be.

A limit that the provider tells holds at once. One that it only shows by refusing is felt for: each refusal makes the
pace 5 % slower, each answer 0.02 % faster, so that in the long run one request in 250 is refused, and the pace stays
within a few percent of what is allowed. Never is anything faster than configured.
"""

from __future__ import annotations

import math
from typing import get_args

from fiber.types.limits import RateLimits
from fiber.types.pace import Meter

_SLOWER, _FASTER, _SLOWEST = 0.95, 1.0002, 0.01
_NEWS = 0.1
"""Weight of the last answer in the mean of the output."""


class Lessons:
    """
    What was learned.

    Attributes:
        output: Tokens of output that calls had lately; None when there were none.
        pace: Share of the limits that is used.
    """

    __slots__ = ("_limits", "_slowed", "output", "pace")

    def __init__(self) -> None:
        self.output: float | None = None
        self.pace = 1.0
        self._limits: dict[Meter, float] = {}
        self._slowed = -math.inf

    def limit(self, meter: Meter, configured: float) -> float:
        """Return how much of *meter* there is in a minute."""
        return min(configured, self._limits.get(meter, configured)) * self.pace

    def told(self, limits: RateLimits | None) -> dict[str, float]:
        """Learn what the provider's headers say is allowed in a minute; return what they say is left."""
        left: dict[str, float] = {}
        for meter in get_args(Meter):
            if most := getattr(limits, f"{meter}_limit", None):
                self._limits[meter] = most
            if (remaining := getattr(limits, f"{meter}_remaining", None)) is not None:
                left[meter] = remaining
        return left

    def answered(self, output: float | None) -> None:
        """Learn from a good answer with so much *output*."""
        self.pace = min(1.0, self.pace * _FASTER)
        if output is not None:
            self.output = output if self.output is None else self.output + _NEWS * (output - self.output)

    def refused(self, sent: float, now: float) -> None:
        """Learn from a refusal; those that were sent before the last one was heard say nothing new."""
        if sent >= self._slowed:
            self._slowed = now
            self.pace = max(_SLOWEST, self.pace * _SLOWER)
