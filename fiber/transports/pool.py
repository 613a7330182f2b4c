"""
The connections to one origin: which are idle, how many there are, who waits for one.

Newest first out of the idle ones, so that the surplus grows old and is closed; first come, first served among those
who wait. Every step is O(1) and none waits: how to wait for a `Turn` is the business of the transport. A caller that
took a connection, or the right to make one, owes exactly one `give` or `gone`.

What is given back goes through a mailbox. The garbage collector may drop an answer while this very thread holds the
lock, and would wait for itself; so nobody waits who gives back, and whoever holds the lock looks into the mailbox when
he is done.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MAX_CONNECTIONS = 1000
MAX_IDLE_CONNECTIONS = 100
IDLE_SECONDS = 30.0
_TIMEOUT = re.compile(r"(?:^|[,;\s])timeout\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)


def idle_seconds(keep_alive: str) -> float:
    """
    Return how long a connection of a server that says `keep-alive: timeout=5, max=100` may be idle.

    It is a second less than the server says, for both begin to count at different moments, and what is on its way when
    the server closes is lost; but half of it at least. Servers that say nothing are given `IDLE_SECONDS`.

    Source: https://http.dev/keep-alive, read 2026-11-21.
    """
    said = _TIMEOUT.search(keep_alive)
    if said is None:
        return IDLE_SECONDS
    seconds = float(said[1])
    return min(IDLE_SECONDS, max(seconds - 1, seconds / 2))


class Pooled(Protocol):
    """What a pool holds."""

    def is_dead(self) -> bool:
        """Say whether the peer closed it, or spoke, while it was idle."""
        ...

    def abort(self) -> None:
        """Close it at once."""
        ...


C = TypeVar("C", bound=Pooled)


class Waiter(Protocol):
    """Something to wait for, once; the end of the waiting may come first, and from another thread."""

    def wake(self) -> None:
        """End the waiting."""
        ...

    async def wait(self, due: float | None) -> None:
        """Wait; raise `TimeoutError` at *due*."""
        ...


class Turn(Generic[C]):
    """
    A place in the queue.

    Attributes:
        waiter: Woken when its turn has come.
        has_come: Its turn has come: `connection` is the one to use, or None to make one.
    """

    __slots__ = ("connection", "has_come", "left", "waiter")

    def __init__(self, waiter: Waiter) -> None:
        self.waiter = waiter
        self.has_come = False
        self.left = False
        self.connection: C | None = None


class Pool(Generic[C]):
    """
    Connections to one origin.

    Args:
        now: Monotonic seconds.
        most: How many there may be at a time.

    Attributes:
        count: Connections that exist or are being made.
        idle_seconds: How long one may be idle and still be used; see `idle_seconds`.
    """

    def __init__(self, now: Callable[[], float], most: int = MAX_CONNECTIONS) -> None:
        self._now = now
        self._most = most
        self._idle: deque[tuple[float, C]] = deque()
        self._waiting: deque[Turn[C]] = deque()
        self._lock = threading.Lock()
        self._mailbox: deque[C | None] = deque()
        self._is_over = False
        self.count = 0
        self.idle_seconds = IDLE_SECONDS

    def take(self, waiter: Callable[[], Waiter]) -> C | Turn[C] | None:
        """Return an idle connection; None for the right to make one; or the turn to wait for, with a new *waiter*."""
        with self._lock:
            taken = self._next(waiter)
        self._settle()
        return taken

    def give(self, connection: C) -> None:
        """Give back a connection that is ready for the next request."""
        self._mailbox.append(connection)
        self._settle()

    def gone(self) -> None:
        """A connection is no more, or was never made."""
        self._mailbox.append(None)
        self._settle()

    def leave(self, turn: Turn[C]) -> None:
        """Leave the queue; what was handed over meanwhile goes to the next."""
        with self._lock:
            turn.left = True
            if turn.has_come:
                self._mailbox.append(turn.connection)
        self._settle()

    def drain(self) -> list[C]:
        """Return the idle connections, which are in the pool no more: the caller closes them."""
        with self._lock:
            idle = [connection for _, connection in self._idle]
            self._idle.clear()
            self.count -= len(idle)
        self._settle()
        return idle

    def end(self) -> list[C]:
        """Return the idle connections, and from now on close every one that comes back."""
        self._is_over = True
        return self.drain()

    def _next(self, waiter: Callable[[], Waiter]) -> C | Turn[C] | None:
        while self._idle:
            idle = self._idle.pop()
            if self._now() - idle[0] < self.idle_seconds and not idle[1].is_dead():
                return idle[1]
            self._drop(idle)
        if self.count < self._most:
            self.count += 1
            return None
        turn: Turn[C] = Turn(waiter())
        self._waiting.append(turn)
        return turn

    def _settle(self) -> None:
        while self._mailbox and self._lock.acquire(blocking=False):
            try:
                while self._mailbox:
                    self._put(self._mailbox.popleft())
            finally:
                self._lock.release()

    def _put(self, connection: C | None) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.left:
                turn.connection = connection
                turn.has_come = True
                turn.waiter.wake()
                return
        if connection is None:
            self.count -= 1
            return
        now = self._now()
        self._idle.append((now, connection))
        most = 0 if self._is_over else MAX_IDLE_CONNECTIONS
        while self._idle and (len(self._idle) > most or now - self._idle[0][0] >= self.idle_seconds):
            self._drop(self._idle.popleft())

    def _drop(self, idle: tuple[float, C]) -> None:
        self.count -= 1
        idle[1].abort()
