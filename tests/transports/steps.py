"""Cancel a coroutine at a step of its own: at the n-th time that it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import anyio

Work = Callable[[], Awaitable[Any]]


class _Steps:
    def __init__(self, awaitable: Awaitable[Any], last: int, cancel: Callable[[], object] | None) -> None:
        self._awaitable = awaitable
        self._last = last
        self._cancel = cancel

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaitable.__await__()
        number = 0
        resume: Callable[[], Any] = lambda: next(steps)  # noqa: E731
        while True:
            try:
                asked = resume()
            except StopIteration as stop:
                return stop.value
            number += 1
            if number == self._last and self._cancel is not None:
                self._cancel()
            try:
                value = yield asked
            except BaseException as error:
                resume = lambda error=error: steps.throw(error)  # type: ignore[misc]  # noqa: E731
            else:
                resume = lambda value=value: steps.send(value)  # type: ignore[misc]  # noqa: E731
                if number == self._last and self._cancel is None:
                    # What was waited for is there, and the cancellation too: asyncio lets the cancellation win.
                    resume = lambda: steps.throw(asyncio.CancelledError())  # noqa: E731


async def cancelled_by_scope(work: Work, step: int) -> bool:
    """Run *work* and cancel its scope at the step; say whether it was over before."""
    with anyio.CancelScope() as scope:
        await _Steps(work(), step, scope.cancel)
        return True
    return False


async def cancelled_by_task(work: Work, step: int) -> bool:
    """Run *work* in a task of asyncio and cancel that."""

    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        await _Steps(work(), step, task.cancel)

    return await _native(run)


async def cancelled_too_late(work: Work, step: int) -> bool:
    """Cancel in the very turn of the loop in which the waiting ended well."""

    async def run() -> None:
        await _Steps(work(), step, None)

    return await _native(run)


async def _native(run: Work) -> bool:
    try:
        await asyncio.ensure_future(run())
    except asyncio.CancelledError:
        return False
    return True


WAYS: dict[str, tuple[str, Callable[[Work, int], Awaitable[bool]]]] = {
    "asyncio task": ("asyncio", cancelled_by_task),
    "asyncio task, too late": ("asyncio", cancelled_too_late),
    "asyncio scope": ("asyncio", cancelled_by_scope),
    "trio scope": ("trio", cancelled_by_scope),
}
"""How a task may be cancelled, and on which event loop."""
