"""The connections to one origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.transports.pool import IDLE_SECONDS, MAX_IDLE_CONNECTIONS, Pool, Turn, idle_seconds


@dataclass(eq=False)
class Fake:
    """A connection."""

    dead: bool = False
    aborted: int = 0

    def is_dead(self) -> bool:
        """Say so."""
        return self.dead

    def abort(self) -> None:
        """Count."""
        self.aborted += 1


@dataclass(eq=False)
class Bell:
    """A waiter that remembers."""

    rung: int = 0

    def wake(self) -> None:
        """Count."""
        self.rung += 1

    async def wait(self, due: float | None) -> None:
        """Nobody waits here."""


@dataclass
class Clock:
    """Seconds that a test moves."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Bench:
    """A pool and its clock."""

    clock: Clock = field(default_factory=Clock)
    most: int = 2

    def __post_init__(self) -> None:
        self.pool: Pool[Fake] = Pool(self.clock, self.most)

    def filled(self, count: int) -> list[Fake]:
        """Take so many new connections and give them back in order."""
        for _ in range(count):
            assert self.pool.take(Bell) is None
        made = [Fake() for _ in range(count)]
        for connection in made:
            self.pool.give(connection)
        return made


def test_the_newest_idle_connection_is_taken_first() -> None:
    """So that the surplus grows old."""
    bench = Bench()
    old, new = bench.filled(2)

    assert [bench.pool.take(Bell), bench.pool.take(Bell)] == [new, old]
    assert bench.pool.count == 2


@pytest.mark.parametrize("why", ["old", "dead"])
def test_what_is_no_good_any_more_is_closed_and_not_given_out(why: str) -> None:
    """The right to make a new one is, instead."""
    bench = Bench()
    (connection,) = bench.filled(1)
    if why == "old":
        bench.clock.seconds = IDLE_SECONDS
    else:
        connection.dead = True

    assert bench.pool.take(Bell) is None
    assert (connection.aborted, bench.pool.count) == (1, 1)


def test_old_connections_are_closed_when_another_comes_back() -> None:
    """Nobody has to ask for one."""
    bench = Bench()
    old, new = bench.filled(2)
    assert bench.pool.take(Bell) is new
    bench.clock.seconds = IDLE_SECONDS

    bench.pool.give(new)

    assert (old.aborted, new.aborted, bench.pool.count) == (1, 0, 1)


def test_the_surplus_of_idle_connections_is_closed() -> None:
    """The oldest first."""
    bench = Bench(most=MAX_IDLE_CONNECTIONS + 1)

    made = bench.filled(MAX_IDLE_CONNECTIONS + 1)

    assert [connection.aborted for connection in made] == [1] + [0] * MAX_IDLE_CONNECTIONS
    assert bench.pool.count == MAX_IDLE_CONNECTIONS


def test_who_comes_first_is_served_first() -> None:
    """With a connection that came back, or with the right to make one in place of one that is gone."""
    bench = Bench()
    for _ in range(2):
        bench.pool.take(Bell)
    first, second = bench.pool.take(Bell), bench.pool.take(Bell)
    assert isinstance(first, Turn)
    assert isinstance(second, Turn)
    back = Fake()

    bench.pool.give(back)
    bench.pool.gone()

    assert (first.has_come, first.connection, second.has_come, second.connection) == (True, back, True, None)
    assert (first.waiter.rung, second.waiter.rung, bench.pool.count) == (1, 1, 2)  # type: ignore[attr-defined]


def test_who_leaves_the_queue_is_passed_over() -> None:
    """And costs nobody a place."""
    bench = Bench(most=1)
    bench.pool.take(Bell)
    first, second = bench.pool.take(Bell), bench.pool.take(Bell)
    assert isinstance(first, Turn)
    assert isinstance(second, Turn)

    bench.pool.leave(first)
    bench.pool.gone()

    assert (first.has_come, second.has_come, bench.pool.count) == (False, True, 1)


@pytest.mark.parametrize("what", ["connection", "right"])
def test_who_leaves_too_late_passes_on_what_it_got(what: str) -> None:
    """Its turn had come while it was being cancelled."""
    bench = Bench(most=1)
    bench.pool.take(Bell)
    first, second = bench.pool.take(Bell), bench.pool.take(Bell)
    assert isinstance(first, Turn)
    assert isinstance(second, Turn)
    back = Fake()
    if what == "connection":
        bench.pool.give(back)
    else:
        bench.pool.gone()

    bench.pool.leave(first)

    assert (second.has_come, second.connection) == (True, back if what == "connection" else None)
    assert bench.pool.count == 1


def test_a_pool_hands_out_what_is_idle_to_be_closed() -> None:
    """What is in use comes back later."""
    bench = Bench()
    made = bench.filled(2)
    used = bench.pool.take(Bell)

    assert bench.pool.drain() == [made[0]]
    assert (used, bench.pool.count, made[0].aborted) == (made[1], 1, 0)


def test_what_comes_back_to_a_pool_that_ended_is_closed() -> None:
    """Nobody will ever take it: its home is forgotten."""
    bench = Bench()
    idle, used = bench.filled(2)
    assert bench.pool.take(Bell) is used

    assert bench.pool.end() == [idle]
    bench.pool.give(used)

    assert (idle.aborted, used.aborted, bench.pool.count) == (0, 1, 0)


def test_who_waits_at_a_pool_that_ended_is_still_served() -> None:
    """It would wait for ever otherwise."""
    bench = Bench(most=1)
    (used,) = bench.filled(1)
    bench.pool.take(Bell)
    turn = bench.pool.take(Bell)
    assert isinstance(turn, Turn)

    bench.pool.end()
    bench.pool.give(used)

    assert (turn.has_come, turn.connection, used.aborted) == (True, used, 0)


@pytest.mark.parametrize("what", ["connection", "right"])
@pytest.mark.parametrize("when", ["queue", "abort"])
def test_the_garbage_collector_may_give_back_at_any_moment(what: str, when: str) -> None:
    """Also while this very thread holds the lock: nothing waits for itself, and who was about to queue is served."""
    bench = Bench(most=2)
    back, idle = bench.filled(2)
    assert bench.pool.take(Bell) is idle
    assert bench.pool.take(Bell) is back

    def collect() -> Bell:
        if what == "connection":
            bench.pool.give(back)
        else:
            bench.pool.gone()
        return Bell()

    if when == "queue":
        turn = bench.pool.take(collect)
        assert isinstance(turn, Turn)
        assert (turn.has_come, turn.connection) == (True, back if what == "connection" else None)
        assert bench.pool.count == 2
    else:
        bench.pool.give(idle)
        idle.dead, idle.abort = True, collect  # type: ignore[assignment, method-assign]
        assert bench.pool.take(Bell) is None
        assert bench.pool.count == (2 if what == "connection" else 1)


STEPS = st.lists(st.sampled_from(["take", "give", "gone", "leave", "age", "close", "collect"]), max_size=60)


@given(steps=STEPS, picks=st.lists(st.integers(0, 1000), min_size=60, max_size=60), most=st.integers(1, 4))
def test_no_interleaving_loses_a_place(steps: list[str], picks: list[int], most: int) -> None:
    """Held, idle and granted connections add up to the count, which keeps to the limit; none waits in vain."""
    bench = Bench(most=most)
    pool = bench.pool
    held: list[Fake] = []
    turns: list[Turn[Fake]] = []

    def take() -> None:
        taken = pool.take(Bell)
        if isinstance(taken, Turn):
            turns.append(taken)
        else:
            held.append(taken or Fake())

    def collect(number: int) -> None:
        dropped = pick(held, number)
        taken = pool.take(lambda: (dropped and pool.gone(), Bell())[1])
        if isinstance(taken, Turn):
            turns.append(taken)
            return
        held.append(taken or Fake())
        if dropped:
            pool.gone()

    def settle() -> None:
        for turn in [turn for turn in turns if turn.has_come]:
            turns.remove(turn)
            held.append(turn.connection or Fake())

    def pick(from_: list[Fake], number: int) -> Fake | None:
        return from_.pop(number % len(from_)) if from_ else None

    moves: dict[str, Callable[[int], object]] = {
        "take": lambda number: take(),
        "give": lambda number: (connection := pick(held, number)) and pool.give(connection),
        "gone": lambda number: pick(held, number) and pool.gone(),
        "leave": lambda number: turns and pool.leave(turns.pop(number % len(turns))),
        "age": lambda number: setattr(bench.clock, "seconds", bench.clock.seconds + number % 40),
        "close": lambda number: pool.drain(),
        "collect": collect,
    }
    for step, number in zip(steps, picks, strict=False):
        moves[step](number)
        if number % 2:  # the others leave after their turn has come
            settle()
        granted = sum(turn.has_come for turn in turns)
        assert pool.count == len(held) + granted + len(pool._idle) <= most
        assert pool.count == most or not any(not turn.has_come for turn in turns)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("timeout=5", 4.0),
        ("timeout=5, max=100", 4.0),
        ("max=100, Timeout = 20", 19.0),
        ('timeout="7"', 6.0),
        ("timeout=2", 1.0),
        ("timeout=1", 0.5),
        ("timeout=0", 0.0),
        ("timeout=31", 30.0),
        ("timeout=999999999", IDLE_SECONDS),
        ("", IDLE_SECONDS),
        ("max=100", IDLE_SECONDS),
        ("timeout=soon", IDLE_SECONDS),
        ("timeout=-5", IDLE_SECONDS),
        ("xtimeout=5", IDLE_SECONDS),
    ],
)
def test_a_server_says_how_long_it_waits(said: str, seconds: float) -> None:
    """We wait a little less, never longer than for those who say nothing; what cannot be read says nothing."""
    assert idle_seconds(said) == seconds


def test_the_word_of_the_server_counts_for_its_pool() -> None:
    """What was idle for so long is taken no more, and closed when the next comes back."""
    bench = Bench()
    old, new = bench.filled(2)
    bench.pool.idle_seconds = 4.0

    bench.clock.seconds = 3.9
    taken = bench.pool.take(Bell)
    bench.clock.seconds = 4.0
    bench.pool.give(new)

    assert taken is new
    assert (old.aborted, bench.pool.count) == (1, 1)
    bench.clock.seconds = 8.0
    assert bench.pool.take(Bell) is None
    assert (new.aborted, bench.pool.count) == (1, 1)
