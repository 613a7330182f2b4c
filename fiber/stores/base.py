"""
What a store is: plain functions that may block, and a clock that the caller brings.

One implementation serves every world. A layer calls a `quick` store directly and any other one through `aside`,
which keeps an event loop free by a thread of its own. So no store knows an event loop, no command is cancelled halfway,
and a store of an application is a class with a few ordinary methods.
"""

from __future__ import annotations

from collections.abc import Sequence
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
