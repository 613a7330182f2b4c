"""
What processes tell each other of open circuits: one short note for each target, in a store.

Who opens a circuit, or tries one, writes until when the target is left alone; who finds it well again writes that. A
note is looked for at most once a second, and before each try. Whatever fails in the store is counted, and each process
goes on with what it knows itself.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import count
from threading import Lock

from fiber._chain import Call
from fiber.stores.base import Store
from fiber.stores.holding import dispatch, perform
from fiber.stores.outages import Outages
from fiber.transports.base import wall

CLOSED = b"closed"
_HEAR_SECONDS = 1.0
_MANY_TARGETS = 1024


class Notices:
    """
    The notes of one fleet.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heard: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._written: OrderedDict[str, int] = OrderedDict()
        self._numbers = count()
        self._lock = Lock()
        self._outages = Outages("circuit_error")

    @property
    def failures(self) -> int:
        """Uses of the store that failed."""
        return self._outages.count

    async def hear(self, call: Call, *, anew: bool) -> float | None:
        """
        Return for how many seconds others leave the target of *call* alone; 0 when one of them found it well.

        Args:
            anew: Look even if that was done a moment ago.

        Returns:
            None when nobody says anything, or nobody was asked.
        """
        key, now = call.target.key, call.transport.now()
        with self._lock:
            if not anew and now < self._heard.get(key, -_HEAR_SECONDS) + _HEAR_SECONDS:
                return None
            self._heard[key] = now
            self._heard.move_to_end(key)
            if len(self._heard) > _MANY_TARGETS:
                self._heard.popitem(last=False)
        name, at = _name(call), wall(call.transport)
        try:
            note = await perform(call.transport, lambda: self._store.get(name, now=at), quick=self._store.quick)
            left = None if note is None else 0.0 if note == CLOSED else float(note) - at
        except Exception as error:
            self._outages.add(call, error)
            return None
        return left if left is None or left >= 0 else None

    def tell(self, call: Call, seconds: float | None, *, keep: float) -> None:
        """
        Write that the target of *call* is left alone for *seconds*, or with None that it is well; nobody waits for it.

        Args:
            keep: Seconds for which the note is kept.
        """
        name, at, number = _name(call), wall(call.transport), next(self._numbers)
        note = CLOSED if seconds is None else b"%.3f" % (at + seconds)

        def write() -> None:
            with self._lock:
                # Threads may come in another order than what they have to say.
                if self._written.get(name, -1) > number:
                    return
                self._written[name] = number
                self._written.move_to_end(name)
                if len(self._written) > _MANY_TARGETS:
                    self._written.popitem(last=False)
            try:
                self._store.set(name, note, seconds=keep, now=at)
            except Exception as error:
                self._outages.add(call, error)

        dispatch(call.transport, write, quick=self._store.quick)


def _name(call: Call) -> str:
    return f"circuit:{call.target.name}"
