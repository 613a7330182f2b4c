"""A crew of tasks, on asyncio and trio."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Generic, Self

import anyio

from fiber.transports.crew import In, Out


class TaskCrew(Generic[In, Out]):
    """See `fiber.transports.crew.Crew`; what is in flight at the end is cancelled."""

    def __init__(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> None:
        self._work = work
        self._items = iter(items)
        self._concurrency = concurrency
        self._taken = 0
        self._done: deque[tuple[Any, Exception | None]] = deque()

    async def __aenter__(self) -> Self:
        self._news = anyio.Event()
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._group.cancel_scope.cancel()
        # The group is not told what was raised: it would wrap that into a group of its own.
        await self._group.__aexit__(None, None, None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Out:
        while self._taken < self._concurrency:
            for item in self._items:
                self._group.start_soon(self._run, item)
                self._taken += 1
                break
            else:
                break
        if not self._taken:
            raise StopAsyncIteration
        while not self._done:
            if self._news.is_set():
                self._news = anyio.Event()
            await self._news.wait()
        self._taken -= 1
        outcome: Out
        outcome, error = self._done.popleft()
        if error is not None:
            raise error
        return outcome

    async def _run(self, item: In) -> None:
        try:
            self._done.append((await self._work(item), None))
        except Exception as error:
            self._done.append((None, error))
        self._news.set()
