"""What answers teach."""

from __future__ import annotations

import random

import pytest

from fiber import RateLimits
from fiber.layers.limiting.lessons import Lessons


def test_what_the_provider_tells_holds_where_it_is_less() -> None:
    """Never is a limit wider than configured; a limit of nothing is no limit."""
    lessons = Lessons()
    said = RateLimits(requests_limit=50, tokens_limit=5000, input_tokens_limit=0, requests_remaining=0)

    assert lessons.told(said) == {"requests": 0}
    assert lessons.told(None) == {}
    assert [lessons.limit(meter, 100) for meter in ("requests", "tokens", "input_tokens")] == [50, 100, 100]


def test_the_output_is_the_mean_of_late_answers() -> None:
    """The first one stands for itself; who tells nothing teaches nothing."""
    lessons = Lessons()
    for output in (None, 100, None, 200):
        lessons.answered(output)

    assert lessons.output == 110


def test_a_refusal_makes_the_pace_slower_once() -> None:
    """What had been sent before it was heard is no news; and answers bring the pace back, but not above."""
    lessons = Lessons()
    for sent, now in ((0, 1), (0.5, 2), (1, 3)):
        lessons.refused(sent, now)
    slow = lessons.limit("requests", 100)
    for _ in range(10_000):
        lessons.answered(None)

    assert slow == pytest.approx(100 * 0.95**2)
    assert lessons.limit("requests", 100) == 100


def test_the_pace_has_a_bottom() -> None:
    """However often one is refused."""
    lessons = Lessons()
    for now in range(1000):
        lessons.refused(now, now)

    assert lessons.pace == 0.01


def test_a_hidden_limit_is_found() -> None:
    """A provider that lets six in ten through: in the long run one request in 250 is refused."""
    lessons, lot, refused = Lessons(), random.Random(1), 0
    paces = []
    for now in range(20_000):
        if lessons.pace > 0.6 and lot.random() < 0.5:
            lessons.refused(now, now)
            refused += now >= 5_000
        else:
            lessons.answered(None)
        paces.append(lessons.pace)

    assert refused < 15_000 / 100
    assert sum(paces[5_000:]) / 15_000 == pytest.approx(0.585, abs=0.02)
