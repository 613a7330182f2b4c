"""The store of one process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberValidationError, MemoryStore
from fiber.stores.base import Claim, Flow, Standing


def test_a_value_lives_until_it_expires() -> None:
    """The last moment is not part of its life, and a read forgets what is over."""
    store = MemoryStore()
    store.set("a", b"1", seconds=10, now=100)

    assert store.get("a", now=109.9) == b"1"
    assert store.get("a", now=110) is None
    assert store.get("a", now=100) is None


def test_what_was_not_used_for_longest_makes_room() -> None:
    """A read counts as use; the evictions are counted."""
    store = MemoryStore(max_entries=2)
    store.set("a", b"1", seconds=10, now=0)
    store.set("b", b"2", seconds=10, now=0)
    store.get("a", now=1)
    store.set("c", b"3", seconds=10, now=1)

    assert [store.get(key, now=2) for key in "abc"] == [b"1", None, b"3"]
    assert store.evictions == 1


def test_bytes_are_bounded_too() -> None:
    """Old values make room by their size; one that is too large alone is not kept, nor what it would have replaced."""
    store = MemoryStore(max_bytes=10)
    store.set("a", b"1" * 6, seconds=10, now=0)
    store.set("b", b"2" * 6, seconds=10, now=0)
    store.set("b", b"3" * 11, seconds=10, now=0)
    store.set("c", b"4" * 10, seconds=10, now=0)

    assert [store.get(key, now=1) for key in "abc"] == [None, None, b"4" * 10]
    assert store.evictions == 1


def test_what_is_over_is_swept_without_being_read() -> None:
    """A later write finds room, and evicts nothing that lives."""
    store = MemoryStore(max_entries=2)
    store.set("old", b"1", seconds=10, now=0)
    store.settle([Claim("c", 0, None, 10)], [3], "h", now=0)
    store.set("new", b"2", seconds=500, now=60)
    store.set("newer", b"3", seconds=500, now=61)

    assert store.evictions == 0
    assert store.get("new", now=62) == b"2"
    assert store._counters == {}


@pytest.mark.parametrize("bound", ["max_entries", "max_bytes"])
@pytest.mark.parametrize("value", [0, 1.5, True])
def test_a_store_needs_room(bound: str, value: object) -> None:
    """Bounds are whole numbers from 1."""
    with pytest.raises(FiberValidationError) as caught:
        MemoryStore(**{bound: value})  # type: ignore[arg-type]

    assert caught.value.parameter == bound


def test_a_reservation_holds_all_or_nothing() -> None:
    """The claim that does not fit is named, and the others hold nothing."""
    store = MemoryStore()
    wide, narrow = Claim("wide", 5, 100, 60), Claim("narrow", 5, 7, 60)
    granted = store.reserve([wide, narrow], "one", seconds=30, now=0)
    refused = store.reserve([wide, narrow], "two", seconds=30, now=0)

    assert granted.refused is None
    assert (refused.refused, refused.standings) == (1, (Standing(0, 5), Standing(0, 5)))
    assert store.standings(["wide", "narrow"], now=1) == (Standing(0, 5), Standing(0, 5))


def test_a_settled_reservation_counts_what_was_used() -> None:
    """Once, whatever was held, and never again for a reset."""
    store = MemoryStore()
    claim = Claim("c", 5, 7, 60)
    store.reserve([claim], "one", seconds=30, now=0)
    store.settle([claim], [2], "one", now=1)

    assert store.standings(["c"], now=1) == (Standing(2, 0),)
    store.reset(["c"], now=1)
    assert store.standings(["c"], now=1) == (Standing(0, 0),)


def test_a_reservation_of_the_dead_ends() -> None:
    """After its time it holds nothing; a settlement that comes later still counts."""
    store = MemoryStore()
    claim = Claim("c", 5, 7, 600)
    store.reserve([claim], "dead", seconds=30, now=0)
    store.reserve([Claim("c", 1, 7, 600)], "alive", seconds=90, now=0)

    assert store.reserve([claim], "next", seconds=30, now=29).refused == 0
    assert store.standings(["c"], now=30) == (Standing(0, 1),)
    store.settle([claim], [4], "dead", now=31)
    assert store.standings(["c"], now=31) == (Standing(4, 1),)


def test_a_counter_ends_with_its_period() -> None:
    """It begins anew at zero, also before it was swept."""
    store = MemoryStore()
    store.settle([Claim("c", 0, None, 10)], [3], "h", now=0)

    assert store.standings(["c"], now=10) == (Standing(0, 0),)
    store.settle([Claim("c", 0, None, 10)], [4], "h", now=11)
    assert store.standings(["c"], now=12) == (Standing(4, 0),)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12)), max_size=40), st.integers(0, 30))
def test_no_order_of_calls_passes_the_limit(calls: list[tuple[int, int]], limit: int) -> None:
    """Used and held together stay below it as long as nobody uses more than he reserved."""
    store = MemoryStore()
    for number, (amount, used) in enumerate(calls):
        claim = Claim("c", amount, limit, 60)
        if store.reserve([claim], str(number), seconds=30, now=number).refused is None:
            store.settle([claim], [min(used, amount)], str(number), now=number)
        ((total, held),) = store.standings(["c"], now=number)

        assert total + held <= limit


def test_threads_share_a_counter_exactly() -> None:
    """A thousand claims of one on a limit of 500: 500 are granted."""
    store = MemoryStore()

    def claim(number: int) -> bool:
        return store.reserve([Claim("c", 1, 500, 60)], str(number), seconds=30, now=0).refused is None

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(claim, range(1000)))

    assert granted == 500


def test_lines_are_bounded() -> None:
    """Those that are as good as new are forgotten after a while; of very many, those not used for longest."""
    store, flow = MemoryStore(), [Flow("requests", 1, 1, 1)]
    for number in range(10_001):
        store.take(str(number), "a", flow, places=None, seconds=10, longest=None, now=0)
    many, first = len(store._lines), "0" in store._lines
    store.take("new", "a", flow, places=None, seconds=10, longest=None, now=70)

    assert (many, first) == (10_000, False)
    assert list(store._lines) == ["new"]
