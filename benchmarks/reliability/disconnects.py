"""How long after a stream was given up does the server see the end of the connection?"""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import anyio
from raw import RawServer
from worlds import client

from fiber import ChatStream, Fiber, SyncChatStream

PATIENCE_SECONDS = 2.0
LONG_SECONDS = 0.25
AT_ONCE = 10

Stop = Callable[[ChatStream], Awaitable[float]]
"""Gives a stream up, and returns the moment just before."""


async def leave_block(stream: ChatStream) -> float:
    """Leave the `async with` block."""
    async with stream:
        await anext(stream)
        now = time.monotonic()
    return now


async def close(stream: ChatStream) -> float:
    """Call `close`."""
    await anext(stream)
    now = time.monotonic()
    await stream.close()
    return now


async def cancel(stream: ChatStream) -> float:
    """Call `cancel`."""
    await anext(stream)
    now = time.monotonic()
    stream.cancel()
    return now


async def break_and_drop(stream: ChatStream) -> float:
    """Break out of the loop and drop the last reference, which is the caller's part."""
    async for _ in stream:
        break
    return time.monotonic()


async def cancel_scope(stream: ChatStream) -> float:
    """Cancel a scope around the loop."""
    await anext(stream)
    with anyio.move_on_after(0.01) as scope:
        async for _ in stream:
            pass
    return scope.deadline - anyio.current_time() + time.monotonic()


async def cancel_from_thread(stream: ChatStream) -> float:
    """Call `cancel` from another thread while the next event is awaited."""
    await anext(stream)
    moments: list[float] = []

    def stop() -> None:
        moments.append(time.monotonic())
        stream.cancel()

    timer = threading.Timer(0.01, stop)
    timer.start()
    async for _ in stream:
        pass
    timer.join()
    return moments[0]


async def cancel_task(stream: ChatStream) -> float:
    """Cancel the task that reads; asyncio only."""

    begun = asyncio.Event()

    async def read() -> None:
        async for _ in stream:
            begun.set()

    task = asyncio.ensure_future(read())
    await begun.wait()
    now = time.monotonic()
    task.cancel()
    await asyncio.wait((task,))
    return now


STOPS: tuple[Stop, ...] = (leave_block, close, cancel, break_and_drop, cancel_scope, cancel_from_thread)


def measured(server: RawServer, times: int) -> Iterator[tuple[str, list[float]]]:
    """Yield each way to give a stream up, and the delays in seconds; an end that was never seen is infinite."""
    for backend in ("asyncio", "trio"):
        for stop in (*STOPS, *([cancel_task] if backend == "asyncio" else [])):
            run = functools.partial(anyio.run, _given_up, server, stop, times, backend=backend)
            yield f"{backend} {stop.__name__}", _settled(run)
    yield "sync cancel from a thread", _settled(functools.partial(_blocking, server, times, in_thread=True))
    yield "sync close", _settled(functools.partial(_blocking, server, times, in_thread=False))


def _settled(run: Callable[[], list[float]]) -> list[float]:
    """Return the delays of a run; of the best of three where one was long, for the machine itself pauses at times."""
    delays = run()
    for _ in range(2):
        if max(delays) <= LONG_SECONDS:
            break
        delays = min(delays, run(), key=max)
    return delays


async def _given_up(server: RawServer, stop: Stop, times: int) -> list[float]:
    stopped: dict[str, float] = {}
    waiting = iter([f"nonce-{number:x}" for number in range(times)])
    async with client(server.base_url("endless")) as fiber:

        async def work() -> None:
            for nonce in waiting:
                stopped[nonce] = await _stopped(fiber, stop, nonce)

        async with anyio.create_task_group() as group:
            for _ in range(min(AT_ONCE, times)):
                group.start_soon(work)
        seen: dict[str, float] = {}
        with anyio.move_on_after(PATIENCE_SECONDS):
            while len(seen) < times:
                await anyio.sleep(0.02)
                seen |= server.report()["gone"]
    return _delays(stopped, seen)


async def _stopped(fiber: Fiber, stop: Stop, nonce: str) -> float:
    # No reference to the stream is left when this returns.
    return await stop(fiber.chat_stream(nonce))


def _blocking(server: RawServer, times: int, *, in_thread: bool) -> list[float]:
    stopped: dict[str, float] = {}
    fiber = client(server.base_url("endless"))

    def stop(stream: SyncChatStream, nonce: str) -> None:
        stopped[nonce] = time.monotonic()
        stream.cancel() if in_thread else stream.close()

    for number in range(times):
        nonce = f"nonce-{number:x}"
        stream = fiber.sync.chat_stream(nonce)
        next(stream)
        if in_thread:
            timer = threading.Timer(0.005, stop, (stream, nonce))
            timer.start()
            for _ in stream:
                pass
            timer.join()
        else:
            stop(stream, nonce)
    seen: dict[str, float] = {}
    end = time.monotonic() + PATIENCE_SECONDS
    while len(seen) < times and time.monotonic() < end:
        time.sleep(0.02)
        seen |= server.report()["gone"]
    fiber.sync.close()
    gc.collect()
    return _delays(stopped, seen)


def _delays(stopped: dict[str, float], seen: dict[str, float]) -> list[float]:
    return [max(0.0, seen.get(nonce, float("inf")) - moment) for nonce, moment in stopped.items()]
