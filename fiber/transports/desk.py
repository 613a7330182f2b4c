"""
Items handed to a coroutine function on an event loop, one after another, while nobody waits for it.

An item may come from any thread, and from a callback of Python's garbage collector in the middle of anything. Hence a
queue that needs no lock, and a lock that is only tried: whoever has it is at work.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import Context
from threading import Lock, RLock
from typing import Any, Generic, NamedTuple, TypeVar

import anyio

from fiber.transports.loops import running_loop

T = TypeVar("T")


class Desks(Generic[T]):
    """
    Hand items to a coroutine function, each on the event loop that it is of.

    Args:
        hand: Takes an item, and raises nothing but a cancellation.
        limit: So many items of one loop wait at most; all further ones are dropped.

    Attributes:
        dropped: Items that were dropped.
    """

    def __init__(self, hand: Callable[[T], Awaitable[None]], *, limit: int) -> None:
        self._hand, self._limit = hand, limit
        self._desks: weakref.WeakKeyDictionary[Any, Desk[T]] = weakref.WeakKeyDictionary()
        self._lock = Lock()
        self._counting = RLock()  # a collection in the middle of a count may count, too
        self.dropped = 0

    def here(self) -> Desk[T] | None:
        """Return the desk of the running loop; None when none runs in this thread."""
        loop = running_loop()
        if loop is None:
            return None
        with self._lock:
            if loop not in self._desks:
                self._desks[loop] = Desk(loop, self._hand, self._limit, self._drop)
            return self._desks[loop]

    def _drop(self, items: int) -> None:
        with self._counting:
            self.dropped += items


class _Mark(NamedTuple):
    """What a flush waits for: all that was put before it is handed over."""

    reached: anyio.Event


class Desk(Generic[T]):
    """
    What waits for one event loop.

    The work is a task that begins with an item and ends when none waits. One that the end of the loop cancels leaves
    the rest undone: it is counted as dropped.
    """

    def __init__(
        self, loop: Any, hand: Callable[[T], Awaitable[None]], limit: int, drop: Callable[[int], None]
    ) -> None:
        self._loop = weakref.ref(loop)  # desks are kept by loop, and must not keep it
        self._hand, self._limit, self._drop = hand, limit, drop
        self._waiting: deque[T | _Mark] = deque()
        self._at_work = Lock()
        self._task: asyncio.Task[None] | None = None

    def put(self, item: T) -> None:
        """Have *item* handed over soon, or drop it; never wait, never raise."""
        if len(self._waiting) < self._limit:
            self._add(item)
        else:
            self._drop(1)

    async def flush(self, seconds: float) -> bool:
        """Wait, on the loop, until all that was put before is handed over; say whether that took no longer."""
        if not self._at_work.locked():
            return True
        mark = _Mark(anyio.Event())
        self._add(mark)
        with anyio.move_on_after(seconds):
            await mark.reached.wait()
        return mark.reached.is_set()

    def _add(self, item: T | _Mark) -> None:
        self._waiting.append(item)
        if self._at_work.acquire(blocking=False):
            try:
                self._begin(self._loop())
            except RuntimeError:
                self._leave()

    def _begin(self, loop: Any) -> None:
        """Begin to work on *loop*; `RuntimeError` when it is over, or even collected."""
        if loop is None:
            raise RuntimeError
        if not isinstance(loop, asyncio.AbstractEventLoop):
            loop.run_sync_soon(self._work_as_system_task)
        elif running_loop() is loop:
            # At once: a loop that is about to end cancels tasks, and forgets what was to become one.
            self._work_as_task(loop)
        else:
            loop.call_soon_threadsafe(self._work_as_task, loop)

    def _work_as_task(self, loop: asyncio.AbstractEventLoop) -> None:
        # In a context of its own: what the call has bound is not the handler's.
        self._task = loop.create_task(self._work(), context=Context())
        self._task.add_done_callback(lambda task: self._leave() if task.cancelled() or task.exception() else None)

    def _work_as_system_task(self) -> None:
        from trio.lowlevel import spawn_system_task

        async def work() -> None:
            try:
                await self._work()
            except BaseException:
                self._leave()
                raise

        try:
            spawn_system_task(work)
        except RuntimeError:  # the loop ends meanwhile
            self._leave()

    async def _work(self) -> None:
        while True:
            while self._waiting:
                item = self._waiting.popleft()
                if isinstance(item, _Mark):
                    item.reached.set()
                else:
                    await self._hand(item)
            self._at_work.release()
            # What came in between found somebody at work.
            if not self._waiting or not self._at_work.acquire(blocking=False):
                return

    def _leave(self) -> None:
        """Stop without doing the rest."""
        rest = [item for item in self._waiting if not isinstance(item, _Mark)]
        self._waiting.clear()
        self._at_work.release()
        self._drop(len(rest))
