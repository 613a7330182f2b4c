"""Compare two pieces of work in turns, by CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

ROUNDS = 15
SHORT_ROUNDS, SHORT = 1000, 5
"""For what is small: many rounds, so short that the work of others falls into few of them."""


def compare(
    ours: Callable[[], object], floor: Callable[[], object], *, smoke: bool, repeat: int
) -> tuple[float, float]:
    """Return microseconds a repetition of *ours*, and the ratio to *floor*: medians over the rounds."""
    rounds, repeat = (2, max(1, repeat // 20)) if smoke else (ROUNDS, repeat)
    ours(), floor()
    times: list[float] = []
    ratios: list[float] = []
    for _ in range(rounds):
        below = _microseconds(floor, repeat)
        mine = _microseconds(ours, repeat)
        times.append(mine)
        ratios.append(mine / below)
    return median(times), median(ratios)


def undisturbed(*works: Callable[[], object], smoke: bool) -> list[float]:
    """Return microseconds a repetition of each of *works*, done in turns: the best tenth of the rounds."""
    for work in works:
        work()
    rounds = [[_microseconds(work, SHORT) for work in works] for _ in range(5 if smoke else SHORT_ROUNDS)]
    return [sorted(times)[len(times) // 10] for times in zip(*rounds, strict=True)]


def _microseconds(work: Callable[[], object], repeat: int) -> float:
    started = time.process_time()
    for _ in range(repeat):
        work()
    return (time.process_time() - started) / repeat * 1e6
