"""
asyncio and trio.

Each event loop has connections of its own, closed when the loop shuts down, so one transport serves any number of
loops, one after another or side by side. A forked child never touches the connections of its parent.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextvars import copy_context
from itertools import count
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio.lowlevel import RunVar

from fiber.transports import asyncio_stream
from fiber.transports.base import UNRESOLVED, Branch, DeadlineReached, addresses_of, unresolved
from fiber.transports.crew import Crew, In, Out
from fiber.transports.network import Home
from fiber.transports.streams import Stream

_NUMBERS = count()


class Loops:
    """The network of coroutines; see `fiber.transports.network.Network`."""

    def __init__(self) -> None:
        # A variable of the loop and not of this object: an entry lives until its loop has closed it.
        self._home: RunVar[Any] = RunVar(f"fiber home {next(_NUMBERS)}", default=None)
        self._later: set[asyncio.Task[Any]] = set()
        # Process, loop and home of the last call; held weakly, for a loop that is over must go.
        self._latest: tuple[int, weakref.ref[Any], weakref.ref[Home]] | None = None

    now = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the loop."""
        await anyio.sleep(seconds)

    async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
        """Look *host* up, in a thread of the loop's own."""
        failure: Exception = DeadlineReached()
        try:
            with anyio.fail_after(None if until is None else until - self.now()):
                found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            if until is None or self.now() < until:  # uvloop answers without waiting when *host* is an address
                return addresses_of(found)
        except TimeoutError:
            pass
        except UNRESOLVED as error:
            failure = unresolved(host, error)
        raise failure

    async def bounded(self, work: Awaitable[Any], until: float) -> Any:
        """Await *work*; cancel it at *until*."""
        with anyio.CancelScope(deadline=anyio.current_time() + until - self.now()) as scope:
            return await work
        assert scope.cancelled_caught  # noqa: S101 - the only way to get here
        raise DeadlineReached

    async def aside(self, function: Callable[[], Any]) -> Any:
        """Run *function* in a thread; who is cancelled meanwhile does not wait for it."""
        return await anyio.to_thread.run_sync(function, abandon_on_cancel=True)

    def detach(self, work: Callable[[], None]) -> None:
        """Run *work* in a thread, which the end of the loop does not stop and the end of the process waits for."""
        try:
            threading.Thread(target=copy_context().run, args=(work,), name="fiber detached").start()
        except RuntimeError:  # the interpreter is ending
            work()

    async def later(self, work: Callable[[], Any]) -> None:
        """Run the coroutine of *work* beside the caller, as long as the loop lives."""
        loop = running_loop()
        if not isinstance(loop, asyncio.AbstractEventLoop):
            from trio.lowlevel import spawn_system_task

            spawn_system_task(work, context=copy_context())
            return
        task = loop.create_task(work())
        self._later.add(task)  # the loop itself does not keep it
        task.add_done_callback(self._later.discard)

    async def race(self, first: Branch, second: Branch, seconds: float) -> Branch | None:
        """Run *first* in this task and, after *seconds*, *second* in another; the good one cancels the other."""
        winners: list[Branch] = []
        ended = anyio.Event()

        async def beside() -> None:
            with anyio.move_on_after(seconds):
                await ended.wait()
                return
            await win(second)

        async def win(branch: Branch) -> None:
            if await branch.run():
                winners.append(branch)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(beside)
            await win(first)
            ended.set()
        return winners[0] if winners else None

    async def home(self) -> Home:
        """Return the pools of this loop."""
        loop, latest = running_loop(), self._latest
        if latest is not None and latest[0] == os.getpid() and latest[1]() is loop:
            found = latest[2]()
            if found is not None and not found.is_over:
                return found  # without asking for the loop's variable, which takes anyio longer than all else here
        entry = self._home.get()
        if entry is None or entry[0] != os.getpid():
            entry = (os.getpid(), Home(time.monotonic))
            self._home.set(entry)
            await self._keep(entry[1])
        home: Home = entry[1]
        self._latest = (entry[0], weakref.ref(loop), weakref.ref(home))
        return home

    def waiter(self) -> _Waiter:
        """Make something to wait for."""
        return _Waiter()

    async def connect(self, host: str, port: int, due: float | None) -> Stream:
        """Connect."""
        if isinstance(running_loop(), asyncio.AbstractEventLoop):
            return await asyncio_stream.connect(host, port, due)
        from fiber.transports import trio_stream

        return await trio_stream.connect(host, port, due)

    def here(self) -> Any:
        """Return the running loop."""
        return running_loop()

    def soon(self, place: Any, function: Callable[[], None]) -> None:
        """Call *function* on the loop *place*: at once when it runs here, else soon."""
        if running_loop() is place:
            function()
            return
        soon: Callable[..., Any] = getattr(place, "call_soon_threadsafe", None) or place.run_sync_soon
        try:
            soon(function)
        except RuntimeError:  # the loop is over, and its sockets with it
            pass

    def crew(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> Crew[Out]:
        """Make tasks that do *work* on *items*."""
        from fiber.transports.crew_loops import TaskCrew

        return TaskCrew(work, items, concurrency)

    async def shutdown(self) -> None:
        """Close every connection of this loop; other loops close theirs when they end."""
        entry = self._home.get()
        if entry is not None and entry[0] == os.getpid():
            await entry[1].keeper.aclose()

    async def _keep(self, home: Home) -> None:
        """Have the connections closed when the loop shuts down, and when nobody uses this object any more."""
        variable = self._home

        def forget() -> None:
            variable.set(None)
            abandoned.detach()

        home.keeper = _keeper(home, forget)
        abandoned = weakref.finalize(self, _close_soon, running_loop(), home.keeper)
        abandoned.atexit = False
        await anext(home.keeper)


class _Waiter:
    def __init__(self) -> None:
        self._event = anyio.Event()

    def wake(self) -> None:
        self._event.set()

    async def wait(self, due: float | None) -> None:
        with anyio.fail_after(None if due is None else due - time.monotonic()):
            await self._event.wait()


async def _keeper(home: Home, forget: Callable[[], object]) -> AsyncGenerator[None, None]:
    # An async generator that is not finished is closed by the loop when it shuts down, on asyncio and on trio:
    # this closes the connections at the right moment without anybody's help.
    try:
        yield
    finally:
        forget()
        with anyio.CancelScope(shield=True):
            await home.close()
            for _ in range(3):  # asyncio closes a socket a turn of the loop after it was told to, under TLS two
                await anyio.lowlevel.checkpoint()


def _close_soon(loop: Any, keeper: AsyncGenerator[None, None]) -> None:
    try:
        if isinstance(loop, asyncio.AbstractEventLoop):
            loop.call_soon_threadsafe(lambda: loop.create_task(keeper.aclose()))  # type: ignore[arg-type, unused-ignore]
        else:
            from trio.lowlevel import spawn_system_task

            loop.run_sync_soon(spawn_system_task, keeper.aclose)
    except RuntimeError:  # the loop is over, and its sockets with it
        pass


def running_loop() -> Any:
    """Return the running loop: asyncio's, or a token of trio's; None when none runs in this thread."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        pass
    try:
        from trio.lowlevel import current_trio_token

        return current_trio_token()
    except (ImportError, RuntimeError):
        return None
