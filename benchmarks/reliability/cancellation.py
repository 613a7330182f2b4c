"""
Cancelled calls leave nothing behind (goal G7).

A storm of cancellations at random moments, under a pool that is much too small, while each question carries a nonce
that its answer must repeat. Afterwards: lost places in the pool, wrong answers, the next hundred calls, open files,
tasks, memory. Then: how soon does the server see that a stream was given up?
"""

from __future__ import annotations

import asyncio
import functools
import gc
import random
import sys
from collections import Counter
from collections.abc import Iterator

import anyio
import disconnects
import storm_threads
from figure import Figure, script, spread
from raw import RawServer
from storm import (
    AFTERWARDS,
    LONGEST_SECONDS,
    NEXT_CALLS,
    POOL,
    WORKERS,
    crowded,
    holding,
    living_tasks,
    nonces,
    open_files,
    resident_bytes,
    small_pool,
)

from fiber import Fiber, FiberError

GOAL_MS = 250.0
GOAL_MB = 5.0
WAYS = ("task.cancel", "scope", "trio", "threads")


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield what each way to cancel leaves behind, and how soon the server knows."""
    small_pool()
    times = 300 if smoke else 10_000
    for way in WAYS:
        with RawServer() as server:
            if way == "threads":
                found = storm_threads.storm(server, times)
            else:
                backend = "trio" if way == "trio" else "asyncio"
                found = anyio.run(functools.partial(_storm, server, way, times), backend=backend)
            yield from _figures(way, times, found)
    with RawServer() as server:
        for stop, delays in disconnects.measured(server, 10 if smoke else 200):
            yield from spread(f"{stop}: the server sees the end after", [1000 * d for d in delays], "ms", GOAL_MS)


def _figures(way: str, times: int, found: Counter[str]) -> Iterator[Figure]:
    ended = f"{times} cancelled at random; {found['whole']} were faster and {found['broken']} failed"
    yield Figure(f"{way}: wrong answers", found["wrong"], "", 0, ended)
    for said, count in found.items():
        if said.startswith("broken: "):
            yield Figure(f"{way}: {said[:48]}", count, "calls")
    yield Figure(f"{way}: lost places in a pool of {POOL}", found["lost"], "", 0)
    yield Figure(f"{way}: bad among the next {NEXT_CALLS} calls", found["bad"], "", 0)
    yield Figure(f"{way}: files still open after close", found["files"], "", 0)
    yield Figure(f"{way}: tasks or threads left", found["tasks"], "", 0)
    yield Figure(f"{way}: more memory", found["bytes"] / 2**20, "MB", GOAL_MB)


# -- coroutines --------------------------------------------------------------------------------------------------------


async def _storm(server: RawServer, way: str, times: int) -> Counter[str]:
    found: Counter[str] = Counter()
    names = nonces()
    tasks, files = living_tasks(), open_files()
    fiber = crowded(server)
    await _crowd(fiber, names, way, times // 10, Counter())  # so that what is made once is there
    memory = resident_bytes()
    await _crowd(fiber, names, way, times, found)
    found["bytes"] = max(0, resident_bytes() - memory)
    await _after(server, fiber, names, found)
    await fiber.close()
    del fiber
    for _ in range(50):
        if (open_files(), living_tasks()) == (files, tasks):
            break
        gc.collect()
        await anyio.sleep(0.02)
    found["files"], found["tasks"] = open_files() - files, living_tasks() - tasks
    return found


async def _crowd(fiber: Fiber, names: Iterator[str], way: str, times: int, found: Counter[str]) -> None:
    left = iter(range(times))

    async def work() -> None:
        for number in left:
            await _cancelled(fiber, next(names), way, number % 2 == 0, found)

    async with anyio.create_task_group() as group:
        for _ in range(WORKERS):
            group.start_soon(work)


async def _cancelled(fiber: Fiber, nonce: str, way: str, stream: bool, found: Counter[str]) -> None:
    """Make one call, and cancel it at a random moment; one that is faster is repeated until one was not."""
    while True:
        moment = random.uniform(0, LONGEST_SECONDS)
        if way == "task.cancel":
            if await _task_cancelled(fiber, nonce, stream, moment, found):
                return
        else:
            with anyio.move_on_after(moment) as scope:
                await _one(fiber, nonce, stream, found)
            if scope.cancelled_caught:
                return


async def _task_cancelled(fiber: Fiber, nonce: str, stream: bool, moment: float, found: Counter[str]) -> bool:
    task = asyncio.ensure_future(_one(fiber, nonce, stream, found))
    await asyncio.wait((task,), timeout=moment)
    was_running = task.cancel()
    await asyncio.wait((task,))
    return was_running and task.cancelled()


async def _one(fiber: Fiber, nonce: str, stream: bool, found: Counter[str]) -> None:
    try:
        if stream:
            async with fiber.chat_stream(nonce) as open_stream:
                async for _ in open_stream:
                    found["wrong"] += not nonce.startswith(open_stream.text)
                text = open_stream.result.text
        else:
            text = (await fiber.chat(nonce)).text
    except FiberError as error:
        found["broken"] += 1
        found[f"broken: {error}"] += 1
    else:
        found["whole"] += 1
        found["wrong"] += text != nonce


async def _after(server: RawServer, fiber: Fiber, names: Iterator[str], found: Counter[str]) -> None:
    """Hold as many calls as the pool has places at a time, then make the next calls."""
    server.report()
    fiber = fiber.with_options(timeouts=AFTERWARDS)
    held = holding(fiber, server)
    async with anyio.create_task_group() as group:
        for _ in range(2 * POOL):
            group.start_soon(_one, held, next(names), False, Counter())
    found["lost"] = abs(POOL - server.report()["counts"].get("most_held", 0))
    good: Counter[str] = Counter()
    async with anyio.create_task_group() as group:
        for number in range(NEXT_CALLS):
            group.start_soon(_one, fiber, next(names), number % 2 == 0, good)
    found["bad"] = NEXT_CALLS - good["whole"] + good["wrong"]


if __name__ == "__main__":
    sys.exit(script("G7 cancellation", measure))
