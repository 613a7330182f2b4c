"""
How much longer calls take with a cache and budgets over Redis that is dead, slow, or comes and goes (goal: 50 ms).

Every caller calls in turn with them and without, so that both kinds meet the same pauses of a busy machine; compared
is the slowest call but one in a hundred of either kind.
"""

from __future__ import annotations

import math
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any, TypeAlias

import anyio
from figure import Figure, script
from raw import RawServer, full, mute
from redis_server import MISSING, RedisServer
from worlds import client

from fiber import NO_RETRY, Budget, Budgets, Cache, Fiber, FiberBudgetError, FiberError, RedisStore

CALLERS = 10
PAUSE_SECONDS = 0.1
GOAL_MILLISECONDS = 50.0
COUNTERS = ("cache", "budgets", "Redis")
AWAY_SECONDS, HERE_SECONDS = 0.4, 0.9
"""How long a server that comes and goes is so."""


@dataclass
class Run:
    """
    What became of calls.

    Attributes:
        plain: Milliseconds that each took without cache and budgets.
        shared: The same with them.
        errors: How many calls ended with which error.
        counted: Failures that cache, budgets and store counted.
    """

    plain: list[float] = field(default_factory=list)
    shared: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    counted: dict[str, int] = field(default_factory=dict)


def run(server: RawServer, redis: str, seconds: float, on_failure: Any = "allow") -> Run:
    """Have ten call for so long; return what became of it."""
    found = Run()
    store = RedisStore(redis)
    cache = Cache(store)
    budgets = Budgets([Budget(name="b", requests=10**9)], ledger=store, on_failure=on_failure)
    options: dict[str, Any] = {"retry": NO_RETRY, "default_max_tokens": 10}
    plain = client(server.base_url("echo"), **options)
    shared = client(server.base_url("echo"), **options, cache=cache, cache_policy="write_through", budgets=budgets)

    async def call(fiber: Fiber, question: str, taken: list[float]) -> None:
        started = time.perf_counter()
        try:
            await fiber.chat(question)
        except FiberError as error:
            found.errors[type(error).__name__] += 1
        taken.append(1000 * (time.perf_counter() - started))

    async def work(name: int) -> None:
        lot = random.Random(name)
        ends, number = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            number += 1
            await call(plain, f"nonce-{name}x{number}", found.plain)
            await call(shared, f"nonce-{name}x{number}", found.shared)
            await anyio.sleep(lot.uniform(0, 2 * PAUSE_SECONDS))

    async def main() -> None:
        async with plain, shared:
            for fiber in (plain, shared):  # what is imported and connected first is not what is measured
                await call(fiber, "nonce-0", [])
            found.errors.clear()
            async with anyio.create_task_group() as group:
                for name in range(CALLERS):
                    group.start_soon(work, name)

    anyio.run(main)
    found.counted = dict(zip(COUNTERS, (cache.stats.errors, budgets.failures, store.failures), strict=True))
    return found


def slowest(taken: list[float]) -> float:
    """Return the slowest of *taken* but one in a hundred."""
    return sorted(taken)[math.ceil(0.99 * len(taken)) - 1]


def told(what: str, runs: list[Run], goal: float | None = GOAL_MILLISECONDS) -> Figure:
    """Return how much longer calls took; of several runs in the best, for a pause of the machine looks the same."""
    found = min(runs, key=lambda found: slowest(found.shared) - slowest(found.plain))
    slow, plain = slowest(found.shared), slowest(found.plain)
    counted = ", ".join(f"{name} {sum(found.counted.get(name, 0) for found in runs)}" for name in COUNTERS)
    note = (
        f"{slow:.3g} after {plain:.3g}; median {median(found.shared):.3g} after {median(found.plain):.3g}; "
        f"{len(runs)} x {len(found.shared)} calls; failures counted: {counted}"
    )
    return Figure(f"{what}: 99 of 100 calls are later by less than", slow - plain, "ms", goal, note)


# -- ways to be away ---------------------------------------------------------------------------------------------------


@contextmanager
def well() -> Iterator[str]:
    """A server as it should be."""
    with RedisServer() as redis:
        yield redis.url


@contextmanager
def dead() -> Iterator[str]:
    """Every connection is refused."""
    with RedisServer() as redis:
        redis.kill()
        yield redis.url


@contextmanager
def unreachable() -> Iterator[str]:
    """No connection ever stands."""
    with full() as port:
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def silent() -> Iterator[str]:
    """Connections stand, and nobody ever speaks."""
    with mute() as port:
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def paused() -> Iterator[str]:
    """A server that is well but for `CLIENT PAUSE`."""
    with RedisServer() as redis:
        redis.pause(600_000)
        yield redis.url


@contextmanager
def flapping(*turns: tuple[Callable[[RedisServer], None], float]) -> Iterator[str]:
    """Do the one and the other with a server, each for so many seconds."""
    over = threading.Event()

    def flap(redis: RedisServer) -> None:
        while not over.is_set():
            for turn, seconds in turns:
                turn(redis)
                over.wait(seconds)

    with RedisServer() as redis:
        thread = threading.Thread(target=flap, args=(redis,))
        thread.start()
        try:
            yield redis.url
        finally:
            over.set()
            thread.join()


def killed_again_and_again() -> AbstractContextManager[str]:
    """Killed, and started again."""
    return flapping((RedisServer.kill, AWAY_SECONDS), (RedisServer.start, HERE_SECONDS))


def frozen_again_and_again() -> AbstractContextManager[str]:
    """Stopped in the middle of what it does, and let go on."""
    return flapping((RedisServer.freeze, AWAY_SECONDS), (RedisServer.thaw, HERE_SECONDS))


def late() -> AbstractContextManager[str]:
    """Answers are late by up to 15 ms, which is in time."""
    return flapping((RedisServer.freeze, 0.015), (RedisServer.thaw, 0.005))


Away: TypeAlias = Callable[[], AbstractContextManager[str]]

AWAY: dict[Away, float | None] = {
    # Ways, and the most that a call may take longer. What threads and commands cost is mostly the machine's doing.
    well: None,
    dead: GOAL_MILLISECONDS,
    unreachable: GOAL_MILLISECONDS,
    silent: GOAL_MILLISECONDS,
    paused: GOAL_MILLISECONDS,
    killed_again_and_again: GOAL_MILLISECONDS,
    frozen_again_and_again: GOAL_MILLISECONDS,
    # Four answers that are all just in time take four times as long as one: this one only tells.
    late: None,
}


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield how much longer calls take, and whether they go on."""
    if MISSING:
        yield Figure("calls over a Redis that is away", None, note=MISSING)
        return
    seconds, rounds = (1.0, 1) if smoke else (5.0, 3)
    with RawServer() as server:

        def runs(away: Away, on_failure: Any = "allow") -> list[Run]:
            found = []
            for _ in range(rounds):
                with away() as url:
                    found.append(run(server, url, seconds, on_failure))
            return found

        for away, goal in AWAY.items():
            name = away.__name__.replace("_", " ")
            found = runs(away)
            # A brief run makes less than a hundred calls, so that its slowest one would decide.
            yield told(name, found, None if smoke else goal)
            yield Figure(f"{name}: calls that failed", sum(each.errors.total() for each in found), "", 0)
            if goal is not None:
                silent = sum(not each.counted[counter] for each in found for counter in COUNTERS)
                yield Figure(f"{name}: counters that say nothing", silent, "", 0)
        found = runs(dead, "refuse")
        yield told("dead, on_failure='refuse'", found, None if smoke else GOAL_MILLISECONDS)
        passed = sum(len(each.shared) - each.errors[FiberBudgetError.__name__] for each in found)
        yield Figure("dead, on_failure='refuse': calls not refused", passed, "", 0)


if __name__ == "__main__":
    sys.exit(script("redis_outages", measure))
