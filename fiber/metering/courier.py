"""
From calls to whoever listens, without making a call wait.

An item may be put from anywhere, also from a callback of Python's garbage collector in the middle of anything: a stream
that is dropped ends so. Hence a queue that Python promises to be reentrant, locks that are only tried, and one lock
that the same thread may take twice.

Source: https://docs.python.org/3/library/queue.html#simplequeue-objects, read 2026-11-22.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Event, Lock, RLock, Thread
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")

_CLOSE_SECONDS = 2.0
"""So long a close, and each courier at the end of the process, waits for deliveries."""
_IDLE_SECONDS = 5.0
"""So long a thread without work lives on; then nothing holds a courier that its owner forgot."""


class _Mark(Event):
    """What a flush waits for: all that was put before it is delivered."""

    def __init__(self, *, is_last: bool) -> None:
        super().__init__()
        self.is_last = is_last


class Courier(Generic[T]):
    """
    Hand items to a function on a thread of its own, in order, as many at once as are waiting.

    The thread begins at the first item, and again after a close, an idle time or a fork. A forked process delivers
    what was put in it, never what was waiting in its parent. At the end of the process what waits is delivered,
    if that takes no longer than two seconds.

    Args:
        deliver: Takes one or more items. What it raises is counted and goes no further; the items are gone.
        limit: So many items wait at most, beside those that are being delivered; all further ones are dropped.
        every: Seconds between two deliveries at least, so that many small ones become few large ones.
    """

    def __init__(self, deliver: Callable[[list[T]], None], *, limit: int = 10_000, every: float = 0.0) -> None:
        self._deliver = deliver
        self._limit = limit
        self._every = every
        self._begin_anew()
        _couriers.add(self)

    def _begin_anew(self) -> None:
        """Forget what waits, and any thread and lock of a parent process."""
        self._waiting: SimpleQueue[T | _Mark] = SimpleQueue()
        self._at_work = Lock()
        self._hurry = Event()
        self._counting = RLock()
        self._dropped = 0
        self._failures = 0

    @property
    def dropped(self) -> int:
        """Items that found too many waiting, in this process."""
        return self._dropped

    @property
    def failures(self) -> int:
        """Deliveries that raised, in this process."""
        return self._failures

    def put(self, item: T) -> None:
        """Have *item* delivered soon, or drop it; never wait, never raise."""
        if self._waiting.qsize() >= self._limit:
            with self._counting:
                self._dropped += 1
            return
        self._waiting.put(item)
        self._see_to_it()

    def flush(self, timeout: float) -> bool:
        """
        Wait until all that was put before is delivered, without the usual pause between deliveries.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether it was delivered, or failed, in that time.
        """
        return self._marked(_Mark(is_last=False), timeout)

    def close(self) -> bool:
        """
        Deliver what waits, for two seconds at most, and end the thread; a later item begins another.

        Returns:
            Whether all was delivered, or failed, in that time.
        """
        return self._marked(_Mark(is_last=True), _CLOSE_SECONDS)

    def _marked(self, mark: _Mark, timeout: float) -> bool:
        if self._waiting.empty() and not self._at_work.locked():
            return True  # without a thread
        self._waiting.put(mark)
        self._hurry.set()
        self._see_to_it()
        return mark.wait(timeout)

    def _see_to_it(self) -> None:
        """Begin a thread if there is none."""
        if self._at_work.acquire(blocking=False):
            try:
                Thread(target=self._work, name="fiber-courier", daemon=True).start()
            except RuntimeError:  # too many threads, or the process is ending; the next item tries again
                self._at_work.release()

    def _work(self) -> None:
        """Deliver until there was nothing to do for a while."""
        while self._round() or self._is_needed():
            pass

    def _round(self) -> bool:
        """Deliver what waits, or what comes; say whether to go on."""
        try:
            taken = [self._waiting.get(timeout=_IDLE_SECONDS)]
        except Empty:
            return False
        # As many as there are now: with calls that do not stop, to empty the queue could take for ever.
        taken += [self._waiting.get() for _ in range(self._waiting.qsize())]
        if items := [item for item in taken if not isinstance(item, _Mark)]:
            self._hand_over(items)
        marks = [item for item in taken if isinstance(item, _Mark)]
        for mark in marks:
            mark.set()
        if any(mark.is_last for mark in marks):
            return False
        if self._every and self._hurry.wait(self._every):
            self._hurry.clear()
        return True

    def _is_needed(self) -> bool:
        """Stop being the one at work, unless something came meanwhile that no other thread began to see to."""
        self._at_work.release()
        return not self._waiting.empty() and self._at_work.acquire(blocking=False)

    def _hand_over(self, items: list[T]) -> None:
        try:
            self._deliver(items)
        except BaseException:  # also what would end the thread: nobody is there to take it
            with self._counting:
                self._failures += 1


_couriers: WeakSet[Courier[Any]] = WeakSet()
"""Whom a fork and the end of the process concern; Python has no way to ask for less than the whole process."""


def _after_fork() -> None:
    for courier in list(_couriers):
        courier._begin_anew()


def _at_exit() -> None:
    for courier in list(_couriers):
        courier.close()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
