"""A crew of threads, for blocking code: the one place that needs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from queue import SimpleQueue
from typing import Generic, Self

from fiber.transports.crew import In, Out, finish


class ThreadCrew(Generic[In, Out]):
    """See `fiber.transports.crew.Crew`; what is in flight at the end is awaited, for a thread cannot be stopped."""

    def __init__(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> None:
        self._work = work
        self._items = iter(items)
        self._concurrency = concurrency
        self._taken = 0
        self._done: SimpleQueue[Future[Out]] = SimpleQueue()

    async def __aenter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="fiber-batch")
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Out:
        while self._taken < self._concurrency:
            for item in self._items:
                future = self._pool.submit(copy_context().run, finish, self._work, item)
                future.add_done_callback(self._done.put)
                self._taken += 1
                break
            else:
                break
        if not self._taken:
            raise StopAsyncIteration
        future = self._done.get()
        self._taken -= 1
        return future.result()
