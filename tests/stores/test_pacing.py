"""The arithmetic of a line."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import MemoryStore
from fiber.stores.base import Flow, Spent
from fiber.stores.pacing import Line
from tests.stores.lines import SCENARIOS, Stand


@pytest.mark.parametrize(("scenario", "expected"), SCENARIOS.items(), ids=lambda found: getattr(found, "__name__", ""))
def test_a_line_in_memory(scenario: Callable[[Stand], list[Any]], expected: list[Any]) -> None:
    """Each scenario has exactly the waits that it says."""
    assert scenario(Stand(MemoryStore())) == expected


def take(
    line: Line, name: str, now: float, amount: float = 1, *, rate: float = 1, most: float = 2, **options: Any
) -> Any:
    """Take from one meter."""
    bounds = {"places": None, "seconds": 1000.0, "longest": None, **options}
    return line.take(name, [Flow("requests", amount, rate, most)], now=now, **bounds)


def test_a_meter_fills_while_nobody_takes() -> None:
    """To its brim and not beyond."""
    line = Line(0)
    waits = [take(line, str(number), now).wait for number, now in enumerate((0, 0, 9, 9, 9.5))]

    assert waits == [0, 0, 0, 0, 0.5]


def test_the_dead_lose_their_places() -> None:
    """And what they took is gone; those behind come to their turn."""
    line = Line(0)
    take(line, "goes", 0, places=1, seconds=10)
    take(line, "dead", 0, places=1)
    waits = [take(line, "next", now, places=1).wait for now in (0, 9.99, 10, 10.02)]

    assert waits == [0.04, 0.04, 0.02, 0]


def test_the_dead_no_longer_want_anything() -> None:
    """Who does not ask again for ten seconds holds up nobody behind."""
    line = Line(0)
    for name, amount in (("a", 1), ("b", 1), ("dead", 50)):
        take(line, name, 0, amount)
    waits = [take(line, "c", now).wait for now in (0, 5, 10.9, 11)]

    assert waits == [12.75, 12.25, 12.25, 0]


def test_a_clock_that_is_set_back_makes_nobody_wait() -> None:
    """The line begins anew; a few seconds are nothing, for threads look at the clock before they stand in line."""
    line = Line(1000)
    take(line, "a", 1000), take(line, "b", 1000)

    assert take(line, "c", 996).wait == 1.25
    assert take(line, "d", 100).wait == 0


def test_a_wait_below_a_millisecond_is_none() -> None:
    """Timers are no better; what was not waited for is not lost."""
    line = Line(0)
    waits = [take(line, str(number), 0, rate=2000, most=1).wait for number in range(4)]

    assert waits == [0, 0, 0.001, 0.0015]


def test_a_line_says_when_it_is_as_good_as_new() -> None:
    """When its calls are dead or gone, and its meters full."""
    line = Line(0)
    take(line, "a", 0, seconds=10)
    alive = line.quiet
    line.leave("a", [Flow("requests", 1, 1, 2)], Spent(used={"requests": 101}), now=0)

    assert (alive, line.quiet) == (10, 101)


@given(
    calls=st.lists(st.tuples(st.floats(0, 5), st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=30),
)
def test_no_moment_sees_more_than_the_meters_allow(calls: list[tuple[float, int, int]]) -> None:
    """A provider with the same limits refuses nobody; and everybody goes, the first before those who want the same."""
    line, sent, arrival = Line(0), [], 0.0
    asks: list[tuple[float, int]] = []
    for number, (pause, _, _) in enumerate(calls):
        arrival += pause
        heapq.heappush(asks, (arrival, number))
    while asks:
        now, number = heapq.heappop(asks)
        _, requests, tokens = calls[number]
        flows = [Flow("requests", requests, 1.0, 3), Flow("tokens", tokens, 5.0, 40)]
        wait = line.take(str(number), flows, places=None, seconds=1e6, longest=None, now=now).wait
        if wait:
            heapq.heappush(asks, (now + wait, number))
        else:
            sent.append((now, number, flows))

    levels, last = {"requests": 3.0, "tokens": 40.0}, 0.0
    for now, _, flows in sent:
        for flow in flows:
            levels[flow.meter] = min(flow.most, levels[flow.meter] + flow.rate * (now - last)) - flow.amount
            assert levels[flow.meter] >= -0.1
        last = now
    greedy = [number for _, number, _ in sent if calls[number][1] and calls[number][2]]
    assert sorted(number for _, number, _ in sent) == list(range(len(calls)))
    assert greedy == sorted(greedy)
