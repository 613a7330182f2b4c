"""Items that are handed over on the loop that they are of."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from fiber.transports.desk import Desk, Desks
from fiber.transports.loops import running_loop

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


def desks(seen: list[Any], *, limit: int = 100, wait: Callable[[], Any] | None = None) -> Desks[int]:
    """Make desks that put items into *seen*, after a wait."""

    async def hand(item: int) -> None:
        if wait is not None:
            await wait()
        seen.append(item)

    return Desks(hand, limit=limit)


def here(made: Desks[int]) -> Desk[int]:
    """Return the desk of the running loop."""
    desk = made.here()
    assert desk is not None
    return desk


@BACKENDS
def test_items_are_handed_over_in_order(backend: str) -> None:
    """One after another, on the loop, while nobody waits; a flush waits for all before it."""
    seen: list[int] = []

    async def main() -> bool:
        made = desks(seen, wait=anyio.lowlevel.checkpoint)
        for number in range(10):
            here(made).put(number)
        assert seen == []
        return await here(made).flush(10)

    assert anyio.run(main, backend=backend)
    assert seen == list(range(10))


@BACKENDS
def test_items_of_other_threads_are_handed_over_on_the_loop(backend: str) -> None:
    """A stream may be dropped anywhere."""
    threads: list[Any] = []

    async def main() -> None:
        async def hand(item: int) -> None:
            threads.append(threading.get_ident())

        desk = here(Desks(hand, limit=100))
        await anyio.to_thread.run_sync(desk.put, 1)
        assert await desk.flush(10)

    anyio.run(main, backend=backend)

    assert threads == [threading.get_ident()]


@BACKENDS
def test_what_finds_too_many_waiting_is_dropped(backend: str) -> None:
    """And counted."""
    seen: list[int] = []

    async def main() -> None:
        for number in range(10):
            here(made).put(number)
        assert await here(made).flush(10)

    made = desks(seen, limit=4)
    anyio.run(main, backend=backend)

    assert (seen, made.dropped) == ([0, 1, 2, 3], 6)


@BACKENDS
def test_a_flush_waits_no_longer_than_it_was_told(backend: str) -> None:
    """The end of the loop drops what waits; what comes after it is dropped at once."""

    async def main() -> tuple[Desk[int], bool]:
        desk = here(made)
        desk.put(1)
        desk.put(2)
        return desk, await desk.flush(0.01)

    made = desks([], wait=anyio.sleep_forever)
    desk, arrived = anyio.run(main, backend=backend)
    after_the_end = made.dropped
    desk.put(3)

    assert not arrived
    assert (after_the_end, made.dropped) == (1, 2)  # the first was being handed over


def test_a_task_that_is_cancelled_before_it_began_drops_what_waits() -> None:
    """Not even its first step was made."""

    async def main() -> None:
        here(made).put(1)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.001)

    seen: list[int] = []
    made = desks(seen)
    asyncio.run(main())

    assert (seen, made.dropped) == ([], 1)


def test_a_trio_loop_that_is_ending_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then there are no tasks to be had."""

    def closed(work: Any) -> None:
        raise RuntimeError("Nursery is closed to new arrivals")

    async def main() -> None:
        here(made).put(1)
        await anyio.sleep(0.001)

    made = desks([])
    monkeypatch.setattr("trio.lowlevel.spawn_system_task", closed)
    anyio.run(main, backend="trio")

    assert made.dropped == 1


def test_a_desk_goes_on_after_a_handler_that_was_cancelled() -> None:
    """Whoever cancels all tasks of a loop that lives on."""
    seen: list[int] = []

    async def main() -> None:
        hang = [True]

        async def hand(item: int) -> None:
            if hang:
                await asyncio.sleep(60)
            seen.append(item)

        desk = here(Desks(hand, limit=100))
        desk.put(1)
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.001)
        hang.clear()
        desk.put(2)
        assert await desk.flush(10)

    asyncio.run(main())

    assert seen == [2]


def test_each_loop_has_a_desk_which_does_not_keep_it() -> None:
    """An item of a loop that was collected is dropped; blocking code has none."""
    found: list[Desk[int]] = []

    async def main() -> None:
        assert here(made) is here(made)
        found.append(here(made))

    made = desks([])
    for _ in range(2):
        asyncio.run(main())
    gc.collect()
    for desk in found:
        desk.put(1)

    assert found[0] is not found[1]
    assert made.dropped == 2
    assert len(made._desks) == 0
    assert made.here() is running_loop() is None


def test_a_flush_without_work_is_over_at_once() -> None:
    """Nothing was put."""

    async def main() -> bool:
        return await here(desks([])).flush(0)

    assert asyncio.run(main())


@BACKENDS
def test_handlers_see_nothing_that_calls_have_bound(backend: str) -> None:
    """They run in a context of their own."""
    variable: ContextVar[str] = ContextVar("variable", default="")
    seen: list[str] = []

    async def main() -> None:
        async def hand(item: int) -> None:
            seen.append(variable.get())

        desk = here(Desks(hand, limit=100))
        variable.set("bound")
        desk.put(1)
        assert await desk.flush(10)

    anyio.run(main, backend=backend)

    assert seen == [""]


def test_what_comes_while_the_work_ends_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """It found somebody at work, who looks once more."""
    seen: list[int] = []

    async def main() -> None:
        desk = here(made)
        lock = desk._at_work

        class Meddling:
            """A lock during whose release another item comes."""

            acquire, locked = lock.acquire, lock.locked
            comes = True

            def release(self) -> None:
                """Release it; just before, an item comes and finds it taken."""
                if self.comes:
                    self.comes = False
                    desk.put(2)
                lock.release()

        monkeypatch.setattr(desk, "_at_work", Meddling())
        desk.put(1)
        await asyncio.sleep(0.001)

    made = desks(seen)
    asyncio.run(main())

    assert seen == [1, 2]
