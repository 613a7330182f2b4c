"""The store of one process: bounded, and usable from any task, thread and event loop."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

from fiber._errors import FiberValidationError
from fiber.stores.base import Claim, Flow, Reserved, Spent, Standing, Turn
from fiber.stores.pacing import Line

_SWEEP_SECONDS = 60.0
_MANY_LINES = 10_000


class _Counter:
    __slots__ = ("due", "expires", "held", "holds", "used")

    def __init__(self) -> None:
        self.used = self.held = 0
        self.expires = 0.0
        self.holds: dict[str, tuple[int, float]] = {}
        self.due = math.inf
        """When the next reservation is over, at the earliest."""

    def hold(self, name: str, amount: int, until: float) -> None:
        self.holds[name] = (amount, until)
        self.held += amount
        self.due = min(self.due, until)

    def release(self, name: str) -> None:
        self.held -= self.holds.pop(name, (0, 0.0))[0]

    def clean(self, now: float) -> None:
        if now >= self.due:
            for name in [name for name, (_, until) in self.holds.items() if now >= until]:
                self.release(name)
            self.due = min((until for _, until in self.holds.values()), default=math.inf)

    @property
    def standing(self) -> Standing:
        return Standing(self.used, self.held)


class MemoryStore:
    """
    Keep values, counters and lines in this process; a `Store`, a `Ledger` and a `Pacer`.

    What was not used for the longest time makes room. A forked child goes on with a copy.

    Args:
        max_entries: Most values.
        max_bytes: Most bytes of all values together; a value above it is not kept.

    Attributes:
        evictions: Values that had to make room.
    """

    quick = True

    def __init__(self, *, max_entries: int = 1024, max_bytes: int = 64 * 1024 * 1024) -> None:
        for name, number in (("max_entries", max_entries), ("max_bytes", max_bytes)):
            if type(number) is not int or number < 1:
                raise FiberValidationError(
                    f"MemoryStore({name}=...) must be a whole number from 1, not {number!r}.", parameter=name
                )
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0
        self._counters: dict[str, _Counter] = {}
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._sweep_due = 0.0
        self._lock = Lock()
        self.evictions = 0

    def get(self, key: str, *, now: float) -> bytes | None:
        """Return what is kept under *key*."""
        with self._lock:
            value, expires = self._values.get(key, (None, 0.0))
            if value is not None and now >= expires:
                self._drop(key)
                return None
            if value is not None:
                self._values.move_to_end(key)
            return value

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Keep *value*."""
        with self._lock:
            self._sweep(now)
            self._drop(key)
            if len(value) > self._max_bytes:
                return
            self._values[key] = (value, now + seconds)
            self._bytes += len(value)
            while len(self._values) > self._max_entries or self._bytes > self._max_bytes:
                self._drop(next(iter(self._values)))
                self.evictions += 1

    def reserve(self, claims: Sequence[Claim], hold: str, *, seconds: float, now: float) -> Reserved:
        """Hold all of *claims*, or none."""
        with self._lock:
            self._sweep(now)
            standings = tuple(self._standing(claim.key, now) for claim in claims)
            for number, (claim, (used, held)) in enumerate(zip(claims, standings, strict=True)):
                if claim.limit is not None and used + held + claim.amount > claim.limit:
                    return Reserved(number, standings)
            for claim in claims:
                self._counter(claim, now).hold(hold, claim.amount, now + seconds)
            return Reserved(None, standings)

    def settle(self, claims: Sequence[Claim], used: Sequence[int], hold: str, *, now: float) -> None:
        """End the reservation *hold*."""
        with self._lock:
            for claim, amount in zip(claims, used, strict=True):
                counter = self._counter(claim, now)
                counter.release(hold)
                counter.used += amount

    def standings(self, keys: Sequence[str], *, now: float) -> tuple[Standing, ...]:
        """Return how counters stand."""
        with self._lock:
            return tuple(self._standing(key, now) for key in keys)

    def reset(self, keys: Sequence[str], *, now: float) -> None:
        """Set counters to zero."""
        with self._lock:
            for key in keys:
                self._counters.pop(key, None)

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
        """Return when it is the turn of *name*."""
        with self._lock:
            self._sweep(now)
            line = self._line(key, now)
            return line.take(name, flows, places=places, seconds=seconds, longest=longest, now=now)

    def leave(self, key: str, name: str, flows: Sequence[Flow], spent: Spent, *, now: float) -> None:
        """End the turn of *name*, or its wait."""
        with self._lock:
            self._line(key, now).leave(name, flows, spent, now=now)

    def _line(self, key: str, now: float) -> Line:
        line = self._lines.pop(key, None) or Line(now)
        self._lines[key] = line
        if len(self._lines) > _MANY_LINES:
            self._lines.popitem(last=False)  # the one not used for longest
        return line

    def _standing(self, key: str, now: float) -> Standing:
        counter = self._counters.get(key)
        if counter is None or now >= counter.expires:
            return Standing(0, 0)
        counter.clean(now)
        return counter.standing

    def _counter(self, claim: Claim, now: float) -> _Counter:
        counter = self._counters.get(claim.key)
        if counter is None or now >= counter.expires:
            counter = self._counters[claim.key] = _Counter()
        counter.expires = max(counter.expires, now + claim.seconds)
        return counter

    def _drop(self, key: str) -> None:
        value, _ = self._values.pop(key, (b"", 0.0))
        self._bytes -= len(value)

    def _sweep(self, now: float) -> None:
        if now < self._sweep_due:
            return
        self._sweep_due = now + _SWEEP_SECONDS
        for key in [key for key, (_, expires) in self._values.items() if now >= expires]:
            self._drop(key)
        for key in [key for key, counter in self._counters.items() if now >= counter.expires]:
            del self._counters[key]
        for key in [key for key, line in self._lines.items() if now >= line.quiet]:
            del self._lines[key]
