"""Blocking sockets behind coroutines that never suspend: no event loop, no thread of our own."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from typing import Any

from fiber.transports import socket_stream
from fiber.transports.base import UNRESOLVED, Branch, DeadlineReached, addresses_of, unresolved
from fiber.transports.crew import Crew, In, OneByOne, Out, finish
from fiber.transports.lookup import look_up
from fiber.transports.network import Home
from fiber.transports.streams import Stream, has_expired


class Threads:
    """The network of blocking code, shared by all threads; see `fiber.transports.network.Network`."""

    def __init__(self) -> None:
        self._homes: dict[int, Home] = {}

    now = staticmethod(time.monotonic)

    async def sleep(self, seconds: float) -> None:
        """Block the thread."""
        time.sleep(seconds)

    async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
        """Look *host* up, in a thread when there is a limit."""
        failure: Exception
        try:
            return addresses_of(look_up(host, port, socket_stream.seconds_left(until)))
        except UNRESOLVED as error:
            failure = DeadlineReached() if has_expired(error) else unresolved(host, error)
        raise failure

    async def bounded(self, work: Awaitable[Any], until: float) -> Any:
        """Await *work*, which does not suspend here and so cannot be stopped."""
        return await work

    async def aside(self, function: Callable[[], Any]) -> Any:
        """Run *function* here: to block is this transport's way."""
        return function()

    def detach(self, work: Callable[[], None]) -> None:
        """Run *work* here."""
        work()

    async def later(self, work: Callable[[], Any]) -> None:
        """Run the coroutine of *work* in a thread, which the end of the process does not wait for."""

        def beside() -> None:
            finish(lambda _: work(), None)

        threading.Thread(target=copy_context().run, args=(beside,), name="fiber later", daemon=True).start()

    async def race(self, first: Branch, second: Branch, seconds: float) -> Branch | None:
        """Run *first* here and, after *seconds*, *second* in a thread; the good one stops the other."""
        winners: list[Branch] = []
        lock = threading.Lock()
        ended = threading.Event()

        def wins(branch: Branch) -> bool:
            with lock:
                winners.append(branch)
                return winners[0] is branch

        def beside() -> None:
            if not ended.wait(seconds) and finish(lambda _: second.run(), None) and wins(second):
                first.stop()

        thread = threading.Thread(target=copy_context().run, args=(beside,), name="fiber hedge", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # there are no more threads to be had
            return first if await first.run() else None
        try:
            is_good = await first.run()
            ended.set()
            if is_good and wins(first):
                second.stop()  # its thread ends by itself, and nobody waits for it
            else:
                thread.join()
        except BaseException:
            ended.set()
            second.stop()
            raise
        return winners[0] if winners else None

    async def home(self) -> Home:
        """Return the pools of this process; a forked child has its own."""
        process = os.getpid()
        home = self._homes.get(process)
        if home is None:
            made = Home(time.monotonic)  # not `self.now`: the finalizer must not hold on to what it waits for
            home = self._homes.setdefault(process, made)
            if home is made:
                # Whoever forgets to close leaves no open socket behind, at the end of the process at the latest.
                weakref.finalize(self, _close, home, process)
        return home

    def waiter(self) -> _Waiter:
        """Make something to wait for."""
        return _Waiter()

    async def connect(self, host: str, port: int, due: float | None) -> Stream:
        """Connect."""
        return socket_stream.connect(host, port, due)

    def here(self) -> None:
        """Say nothing: every thread may close the sockets of any other."""

    def soon(self, place: None, function: Callable[[], None]) -> None:
        """Call *function*: blocking sockets close at once, also under a thread that waits for them."""
        function()

    def crew(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In], concurrency: int) -> Crew[Out]:
        """Make threads that do *work* on *items*; none when they are done one by one."""
        if concurrency == 1:
            return OneByOne(work, items)
        from fiber.transports.crew_blocking import ThreadCrew

        return ThreadCrew(work, items, concurrency)

    async def shutdown(self) -> None:
        """Close every connection."""
        process = os.getpid()
        home = self._homes.pop(process, None)
        if home is not None:
            await home.close()


class _Waiter:
    def __init__(self) -> None:
        self._event = threading.Event()

    def wake(self) -> None:
        self._event.set()

    async def wait(self, due: float | None) -> None:
        if not self._event.wait(None if due is None else max(0.0, due - time.monotonic())):
            raise TimeoutError


def _close(home: Home, process: int) -> None:
    if os.getpid() == process:
        for connection in home.drain():
            connection.abort()
