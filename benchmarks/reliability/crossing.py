"""
One client across processes, threads and event loops (goal G13): each question carries a nonce that its answer must
repeat, so an answer that went to somebody else is seen.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import anyio
from figure import Figure, script
from raw import RawServer
from worlds import client

from fiber import NO_RETRY, Fiber, FiberError, Timeouts

AT_ONCE = 16
THREADS = 16
LOOPS = 3


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield wrong answers and failed calls for each way to cross."""
    calls = 320 if smoke else 10_000
    for name, cross in (
        ("fork, fiber.sync", _fork_blocking),
        ("fork, asyncio", functools.partial(_fork_loop, "asyncio")),
        ("fork, trio", functools.partial(_fork_loop, "trio")),
        (f"{THREADS} threads on fiber.sync", _threads),
        (f"{LOOPS} event loops side by side", _side_by_side),
        (f"{LOOPS} event loops one after another", _one_by_one),
    ):
        with RawServer() as server:
            fiber = client(server.base_url("echo"), retry=NO_RETRY, timeouts=Timeouts(connect=30, total=60))
            started = time.monotonic()
            wrong, failed = cross(fiber, calls)
            note = f"{calls} calls in {time.monotonic() - started:.1f} s"
            yield Figure(f"{name}: wrong answers", wrong, "", 0, note)
            yield Figure(f"{name}: failed calls", failed, "", 0)


# -- processes ---------------------------------------------------------------------------------------------------------


def _fork_blocking(fiber: Fiber, calls: int) -> tuple[int, int]:
    # Some connections are idle when the process forks, and both sides use the same client.
    _in_threads(lambda: _asked(fiber, "nonce-0"), 4)
    both = _forked(lambda who: _ask_often(fiber, who, calls // 2))
    fiber.sync.close()
    return both


def _fork_loop(backend: str, fiber: Fiber, calls: int) -> tuple[int, int]:
    # The parent forks inside its running loop, where its connections are, and goes on there.
    async def parent() -> tuple[int, int]:
        await _ask_many(fiber, "warm", AT_ONCE)
        ours, child = _fork(lambda: _in_thread(lambda: anyio.run(_ask_many, fiber, "c", calls // 2, backend=backend)))
        mine = await _ask_many(fiber, "p", calls // 2)
        theirs = await anyio.to_thread.run_sync(_from_child, ours, child)
        await fiber.close()
        return mine[0] + theirs[0], mine[1] + theirs[1]

    return anyio.run(parent, backend=backend)


def _forked(work: Callable[[str], tuple[int, int]]) -> tuple[int, int]:
    """Do *work* in this process and in a fork of it, at the same time; return what both counted."""
    ours, child = _fork(lambda: work("c"))
    mine = work("p")
    theirs = _from_child(ours, child)
    return mine[0] + theirs[0], mine[1] + theirs[1]


def _fork(work: Callable[[], tuple[int, int]]) -> tuple[Connection, int]:
    ours, others = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        try:
            others.send(work())
        finally:
            os._exit(0)
    others.close()
    return ours, child


def _from_child(ours: Connection, child: int) -> tuple[int, int]:
    try:
        counted: tuple[int, int] = ours.recv()
    except EOFError:
        counted = (0, 1)
    os.waitpid(child, 0)
    return counted


def _in_thread(work: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    # Trio does not forget the loop of the parent in the thread that forked, so the child's has a thread of its own.
    found = [(0, 1)]

    def run() -> None:
        found[0] = work()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


# -- threads -----------------------------------------------------------------------------------------------------------


def _threads(fiber: Fiber, calls: int) -> tuple[int, int]:
    counted: list[tuple[int, int]] = []
    numbers = iter(range(THREADS))
    _in_threads(lambda: counted.append(_ask_often(fiber, f"{next(numbers):x}", calls // THREADS)), THREADS)
    fiber.sync.close()
    return sum(wrong for wrong, _ in counted), sum(failed for _, failed in counted)


def _in_threads(work: Callable[[], object], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ask_often(fiber: Fiber, who: str, calls: int) -> tuple[int, int]:
    answers = [_asked(fiber, f"nonce-{who.encode().hex()}x{number:x}", number % 2) for number in range(calls)]
    return answers.count(False), answers.count(None)


def _asked(fiber: Fiber, nonce: str, stream: int = 0) -> bool | None:
    """Ask; say whether the answer is right, None for none."""
    try:
        result = fiber.sync.chat_stream(nonce).collect() if stream else fiber.sync.chat(nonce)
    except FiberError:
        return None
    return result.text == nonce


# -- event loops -------------------------------------------------------------------------------------------------------


def _side_by_side(fiber: Fiber, calls: int) -> tuple[int, int]:
    counted: list[tuple[int, int]] = []
    numbers = iter(range(LOOPS))

    def work() -> None:
        counted.append(asyncio.run(_ask_many(fiber, f"{next(numbers):x}", calls // LOOPS)))

    _in_threads(work, LOOPS)
    return sum(wrong for wrong, _ in counted), sum(failed for _, failed in counted)


def _one_by_one(fiber: Fiber, calls: int) -> tuple[int, int]:
    counted = [asyncio.run(_ask_many(fiber, f"{number:x}", calls // LOOPS)) for number in range(LOOPS)]
    return sum(wrong for wrong, _ in counted), sum(failed for _, failed in counted)


async def _ask_many(fiber: Fiber, who: str, calls: int) -> tuple[int, int]:
    wrong = failed = 0
    numbers = iter(range(calls))

    async def work() -> None:
        nonlocal wrong, failed
        for number in numbers:
            nonce = f"nonce-{who.encode().hex()}x{number:x}"
            try:
                if number % 2:
                    result = await fiber.chat_stream(nonce).collect()
                else:
                    result = await fiber.chat(nonce)
            except FiberError:
                failed += 1
            else:
                wrong += result.text != nonce

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(work)
    return wrong, failed


if __name__ == "__main__":
    sys.exit(script("G13 fork, threads, loops", measure))
