"""
One line of calls and its meters: the arithmetic of a `Pacer`, without a clock and without a lock.

Each meter is a bucket that fills with time. A call goes when there is enough for it and for all who came before it and
still wait; so they go in order, none takes what another waits for, and each is told how long that will be as things
stand. It asks again then, or on the way, for others may have used less than they took.
`fiber/stores/redis_pacing.py` says the same in Lua.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

from fiber.stores.base import Flow, Spent, Turn

LEAST_WAIT, GRACE_SECONDS = 0.001, 10.0
"""A shorter wait is none, for timers are no better; who is so late with asking again is dead."""

_SET_BACK_SECONDS = 5.0


class _Place:
    """
    One call in the line.

    Attributes:
        until: When it is dead, if nothing is heard of it until then.
        waits: It waits for the meters.
        goes: It has had its turn.
        amounts: What it wants, or took.
        marks: What had ever been wanted before it.
        totals: What had ever been taken when it went.
    """

    __slots__ = ("amounts", "goes", "marks", "totals", "until", "waits")

    def __init__(self) -> None:
        self.until = math.inf
        self.waits = self.goes = False
        self.amounts: dict[str, float] = {}
        self.marks: dict[str, float] = {}
        self.totals: dict[str, float] = {}


class _Meter:
    """How much there is; how much was ever wanted, wanted and no longer waited for, and taken."""

    __slots__ = ("gone", "level", "taken", "wanted")

    def __init__(self, level: float) -> None:
        self.level = level
        self.wanted = self.gone = self.taken = 0.0


class Line:
    """
    One line.

    Attributes:
        quiet: When it is as good as new: all calls are dead or gone, and all meters are full.
    """

    __slots__ = ("_at", "_dying", "_meters", "_places", "_seen", "quiet")

    def __init__(self, now: float) -> None:
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._at = self._seen = self.quiet = now
        self._dying = math.inf
        self._meters: dict[str, _Meter] = {}
        self._places: dict[str, _Place] = {}

    def take(
        self, name: str, flows: Sequence[Flow], *, places: int | None, seconds: float, longest: float | None, now: float
    ) -> Turn:
        """Return whether it is the turn of *name*, or how long to wait."""
        self._advance(flows, now)
        place = self._places.setdefault(name, _Place())
        ahead = self._ahead(name, places)
        wait = min(1.0, 0.02 * ahead) if ahead else self._due(place, flows, now)
        if wait < LEAST_WAIT:
            if not place.goes:
                self._go(place, flows)
            place.until = now + seconds
        elif longest is not None and wait >= longest:
            self._drop(name)
            return Turn(round(wait, 6), refused=True)
        else:
            if not ahead:
                self._want(place, flows)
            wait = min(wait, max(1.0, wait / 4))
            place.until = now + wait + GRACE_SECONDS
        self._dying = min(self._dying, place.until)
        self._note(flows, place.until)
        return Turn(0.0 if place.goes else round(wait, 6))

    def leave(self, name: str, flows: Sequence[Flow], spent: Spent, *, now: float) -> None:
        """End the turn of *name*, or its wait."""
        self._advance(flows, now)
        place = self._drop(name)
        for flow in flows:
            meter = self._meters[flow.meter]
            if place is not None and place.goes:
                self._correct(meter, flow, place, spent)
            if spent.pause is not None:
                meter.level = min(meter.level, 0.0)  # it was thought that there was something, and there was not
        if spent.pause is not None:
            self._at = max(self._at, now + spent.pause)
        self._note(flows, self._at)

    def _advance(self, flows: Sequence[Flow], now: float) -> None:
        """Fill the meters until *now*, and forget the dead."""
        if now < self._seen - _SET_BACK_SECONDS:
            self._begin(now)  # the clock was set back, and nobody is to wait until it is here again
        self._seen = max(self._seen, now)
        if now >= self._dying:
            for name in [name for name, place in self._places.items() if now >= place.until]:
                self._drop(name)
            self._dying = min((place.until for place in self._places.values()), default=math.inf)
        for flow in flows:
            meter = self._meters.setdefault(flow.meter, _Meter(flow.most))
            meter.level = min(flow.most, meter.level + flow.rate * max(0.0, now - self._at))
        self._at = max(self._at, now)

    def _ahead(self, name: str, places: int | None) -> int:
        """Return how many must leave before *name* has one of the *places*."""
        if places is None or name in islice(self._places, places):
            return 0
        return list(self._places).index(name) - places + 1

    def _due(self, place: _Place, flows: Sequence[Flow], now: float) -> float:
        """Return in how many seconds there is enough for *place* and for all before it, as things stand."""
        if place.goes:
            return 0.0
        wait = 0.0
        for flow in flows:
            meter = self._meters[flow.meter]
            before = max(0.0, place.marks.get(flow.meter, meter.wanted) - meter.gone)
            lacks = before + min(flow.amount, flow.most) - meter.level
            wait = max(wait, lacks / flow.rate if flow.amount else 0.0)
        return wait + self._at - now

    def _want(self, place: _Place, flows: Sequence[Flow]) -> None:
        for flow in [] if place.waits else flows:
            meter = self._meters[flow.meter]
            place.marks[flow.meter], place.amounts[flow.meter] = meter.wanted, flow.amount
            meter.wanted += flow.amount
        place.waits = True

    def _go(self, place: _Place, flows: Sequence[Flow]) -> None:
        self._no_longer_wants(place)
        for flow in flows:
            meter = self._meters[flow.meter]
            meter.level -= flow.amount
            meter.taken += flow.amount
            place.amounts[flow.meter], place.totals[flow.meter] = flow.amount, meter.taken
        place.goes = True

    def _drop(self, name: str) -> _Place | None:
        place = self._places.pop(name, None)
        if place is not None:
            self._no_longer_wants(place)
        return place

    def _no_longer_wants(self, place: _Place) -> None:
        for name, amount in place.amounts.items() if place.waits else ():
            self._meters[name].gone += amount
        place.waits = False

    def _correct(self, meter: _Meter, flow: Flow, place: _Place, spent: Spent) -> None:
        took = place.amounts.get(flow.meter, 0.0)
        if (left := spent.left.get(flow.meter)) is not None:
            # What came since then, without what others of this line took since then.
            since = max(0.0, meter.taken - place.totals.get(flow.meter, 0.0))
            meter.level = min(meter.level, left + flow.rate * spent.seconds - since)
        change = took - spent.used.get(flow.meter, took)
        meter.level = min(flow.most, meter.level + change)
        meter.taken -= change

    def _note(self, flows: Sequence[Flow], until: float) -> None:
        full = [self._at + (flow.most - self._meters[flow.meter].level) / flow.rate for flow in flows]
        self.quiet = max(self.quiet, until, *full)
