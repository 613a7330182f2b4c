"""
What a store is: plain functions that may block, and a clock that the caller brings.

One implementation serves every world. A layer calls a `quick` store directly and any other one through `aside`,
which keeps an event loop free by a thread of its own. So no store knows an event loop, no command is cancelled halfway,
and a store of an application is a class with a few ordinary methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Store(Protocol):
    """
    Keeps bytes under keys until they expire.

    Whatever fails is raised; layers count it and go on without the store, unless they were told otherwise.

    Attributes:
        quick: No method waits for anything, so that they may be called on an event loop.
    """

    quick: bool

    def get(self, key: str, *, now: float) -> bytes | None:
        """Return what is kept under *key*; None when there is nothing, or what there was is over or damaged."""
        ...

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Keep *value* for *seconds* from *now* (seconds since 1970); whoever reads sees all of it or nothing."""
        ...


class Claim(NamedTuple):
    """
    What one call wants of one counter.

    Attributes:
        key: Name of the counter.
        amount: How much, in whole units.
        limit: Most that may be used and held; None for a counter that only counts.
        seconds: How long the counter is kept from now.
    """

    key: str
    amount: int
    limit: int | None
    seconds: float


class Standing(NamedTuple):
    """How a counter stands: what was used, and what reservations hold."""

    used: int
    held: int


class Reserved(NamedTuple):
    """
    What became of a reservation.

    Attributes:
        refused: Number of the first claim that did not fit, and then nothing is held; None when everything is.
        standings: How each counter stood before.
    """

    refused: int | None
    standings: tuple[Standing, ...]


class Ledger(Protocol):
    """
    Counts exactly, however many tasks, threads or processes share it.

    A reservation that is not settled ends by itself, so that a dead process holds nothing forever.
    """

    quick: bool

    def reserve(self, claims: Sequence[Claim], hold: str, *, seconds: float, now: float) -> Reserved:
        """Hold all of *claims* under the name *hold* for *seconds*, or none of them."""
        ...

    def settle(self, claims: Sequence[Claim], used: Sequence[int], hold: str, *, now: float) -> None:
        """End the reservation *hold* of *claims*, and count for each what was *used*."""
        ...

    def standings(self, keys: Sequence[str], *, now: float) -> tuple[Standing, ...]:
        """Return how counters stand."""
        ...

    def reset(self, keys: Sequence[str], *, now: float) -> None:
        """Set counters to zero; reservations of calls in flight are forgotten too."""
        ...


class Flow(NamedTuple):
    """
    What one call wants of one meter of a line.

    Attributes:
        meter: Name of the meter.
        amount: How much.
        rate: How much comes in a second.
        most: How much is kept while nobody takes it.
    """

    meter: str
    amount: float
    rate: float
    most: float


class Turn(NamedTuple):
    """
    Whether it is a call's turn.

    Attributes:
        wait: Seconds after which to ask again; 0 when the call may go.
        refused: It would be too late, by *wait* seconds from now: the call has no place in the line.
    """

    wait: float
    refused: bool = False


class Spent(NamedTuple):
    """
    What became of a turn.

    Attributes:
        used: What the call used of each meter; where that is not known, what it took.
        left: What the provider said was left of each meter when the call reached it.
        seconds: How long ago that was.
        pause: Seconds for which the provider wants to see nobody; None when it did not refuse.
    """

    used: Mapping[str, float] = {}
    left: Mapping[str, float] = {}
    seconds: float = 0.0
    pause: float | None = None


class Pacer(Protocol):
    """
    Keeps lines, in which calls wait for their turn, however many tasks, threads or processes stand in them.

    Who came first goes first, unless it waits for a meter that the other does not need. Nothing that one waits for is
    given to one behind it. A call that is never heard of again loses its place by itself.
    """

    quick: bool

    def take(
        self,
        key: str,
        name: str,
        flows: Sequence[Flow],
        *,
        places: int | None,
        seconds: float,
        longest: float | None,
        now: float,
    ) -> Turn:
        """
        Return whether it is the turn of the call *name* in the line *key*; it stands there from the first time on.

        Args:
            flows: What it takes; for more than a meter can hold, the meter has to be full.
            places: Most calls that have their turn at one time.
            seconds: How long the call lives at most when it may go.
            longest: Longest wait that is of use; with a longer one it has no place, and nothing is taken.
        """
        ...

    def leave(self, key: str, name: str, flows: Sequence[Flow], spent: Spent, *, now: float) -> None:
        """End the turn of *name*, or its wait; of a name that has neither, only the pause is heard."""
        ...
