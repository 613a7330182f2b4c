"""asyncio and trio."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Callable
from threading import Event, Thread, get_ident
from typing import Any

import anyio
import pytest

from fiber import Fiber, FiberTimeoutError, Timeouts
from fiber.transports.base import DeadlineReached, Transport, aside, detach, later
from fiber.transports.choice import for_loops
from fiber.transports.direct import DirectTransport
from fiber.transports.loops import Loops
from fiber.transports.proxy import no_proxy
from tests.transports.cases import LIMITS, Cases, Run, Serve, fetch, get, hello
from tests.transports.conftest import LIBRARY, Exchange, Loopback
from tests.transports.wire import client, echo, endless

pytestmark = pytest.mark.usefixtures("which")

BACKENDS = ["asyncio", "trio"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The event loop."""
    return str(request.param)


@pytest.fixture
def run(backend: str, which: str) -> Run:
    """Run a coroutine function on the loop, over a transport of its own."""

    def finish(work: Any) -> Any:
        async def main() -> Any:
            transport = for_loops(lambda: which, lambda: LIBRARY, no_proxy)
            try:
                return await work(transport)
            finally:
                await transport.shutdown()

        result = anyio.run(main, backend=backend)
        gc.collect()
        return result

    return finish


class TestLoops(Cases):
    """All that holds for every transport."""


def both(backend: str, work: Callable[[], Any]) -> Any:
    """Run *work*, and look for what it left behind."""
    result = anyio.run(work, backend=backend)
    gc.collect()
    return result


def test_many_loops_one_after_another_use_one_client(serve: Serve) -> None:
    """Nobody closes anything; each loop closes its own when it ends."""
    server = serve(echo)
    fiber = client(server)

    said = [asyncio.run(fiber.ask(str(n))) for n in range(50)]
    gc.collect()

    assert said == [str(n) for n in range(50)]
    assert server.connections == 50


def test_loops_that_are_over_are_forgotten(serve: Serve) -> None:
    """A client that lives long does not collect dead loops."""
    import weakref

    fiber = client(serve(echo))
    dead: list[Any] = []

    async def call() -> None:
        dead.append(weakref.ref(asyncio.get_running_loop()))
        await fiber.ask("Hi")

    for _ in range(3):
        asyncio.run(call())
    gc.collect()

    assert [loop() for loop in dead] == [None, None, None]


def test_loops_side_by_side_use_one_client(serve: Serve) -> None:
    """asyncio twice and trio, each in its own thread."""
    fiber = client(serve(echo))
    said: dict[str, list[str]] = {}

    def work(name: str, backend: str) -> None:
        async def calls() -> None:
            said[name] = [await fiber.ask(f"{name}{n}") for n in range(20)]

        anyio.run(calls, backend=backend)

    threads = [Thread(target=work, args=pair) for pair in (("a", "asyncio"), ("b", "asyncio"), ("t", "trio"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert said == {name: [f"{name}{n}" for n in range(20)] for name in "abt"}


def test_many_tasks_get_their_own_answers(serve: Serve, backend: str) -> None:
    """On one client and one loop."""
    fiber = client(serve(echo))

    async def main() -> list[str]:
        async with fiber:
            results = await fiber.batch_chat([str(n) for n in range(100)], concurrency=20)
            return [result.text for result in results]  # type: ignore[union-attr]

    assert both(backend, main) == [str(n) for n in range(100)]


@pytest.mark.parametrize("how", ["block", "close", "drop", "cancel", "thread", "scope"])
def test_the_server_sees_that_a_stream_was_left(serve: Serve, backend: str, how: str) -> None:
    """Whatever the way out; and the client is well afterwards."""

    def answer(exchange: Exchange) -> object:
        return endless(exchange) if b'"stream":true' in exchange.body else echo(exchange)

    server = serve(answer)
    fiber = client(server)

    async def gone() -> bool:
        return await anyio.to_thread.run_sync(server.wait_until_gone)

    async def main() -> tuple[bool, str]:
        async with fiber:
            await leave(fiber, how)
            return await gone(), await fiber.ask("well")

    assert both(backend, main) == (True, "well")


async def leave(fiber: Fiber, how: str) -> None:
    """Read one event and leave."""
    stream = fiber.chat_stream("Hi")
    if how == "block":
        async with stream:
            await anext(stream)
    elif how == "scope":
        await anext(stream)
        with anyio.move_on_after(0.03):
            async for _ in stream:
                pass
    else:
        await anext(stream)
    if how == "close":
        await stream.close()
    elif how == "cancel":
        stream.cancel()
    elif how == "thread":
        thread = Thread(target=stream.cancel)
        thread.start()
        thread.join()


@pytest.mark.parametrize("how", ["task", "thread", "close"])
def test_cancel_wakes_a_task_that_waits_for_the_next_event(serve: Serve, backend: str, how: str) -> None:
    """Its loop ends without an error, long before any timer; the server sees the disconnect."""
    server = serve(endless)
    fiber = client(server)
    kinds: list[str] = []

    async def main() -> None:
        stream, begun = fiber.chat_stream("Hi"), anyio.Event()

        async def read() -> None:
            async for event in stream:
                kinds.append(event.type)
                if len(kinds) == 2:
                    begun.set()

        async with fiber:
            with anyio.fail_after(5):
                async with anyio.create_task_group() as group:
                    group.start_soon(read)
                    await begun.wait()
                    if how == "task":
                        stream.cancel()
                    elif how == "close":
                        await stream.close()
                    else:
                        thread = Thread(target=stream.cancel)
                        thread.start()

    both(backend, main)

    assert server.wait_until_gone()
    assert kinds == ["message-start", "text-delta"]


async def arrived(server: Loopback, count: int) -> None:
    """Wait until the server has got so many requests."""
    for _ in range(5000):
        if len(server.exchanges) >= count:
            return
        await anyio.sleep(0.002)


def test_a_cancelled_call_closes_its_connection(serve: Serve, backend: str) -> None:
    """While it waits for the head; the pool is well afterwards."""
    server = serve(lambda exchange: "hold" if b"slow" in exchange.body else echo(exchange))
    fiber = client(server)

    async def main() -> str:
        async with fiber:
            for number in range(1, 21):
                async with anyio.create_task_group() as group:
                    group.start_soon(fiber.chat, "slow")
                    await arrived(server, number)
                    group.cancel_scope.cancel()
            return await fiber.ask("well")

    assert both(backend, main) == "well"
    assert server.wait_until_gone()


def test_the_timers_hold_on_silent_sockets(serve: Serve, backend: str) -> None:
    """`stall` between events, `first_event` before the head."""
    fiber = client(serve(endless), timeouts=Timeouts(read=30, stall=0.03))
    mute = client(serve(lambda exchange: "hold"), timeouts=Timeouts(first_event=0.03))
    timers: list[str] = []

    async def main() -> None:
        async with fiber, mute:
            for call in (fiber.chat_stream("Hi").collect, lambda: mute.with_options(timeout=0.04).chat("Hi")):
                with pytest.raises(FiberTimeoutError) as caught:
                    await call()
                timers.append(caught.value.timer)

    both(backend, main)

    assert timers[0] == "stall"
    assert timers[1] in ("first_event", "total")


def test_a_dropped_stream_of_a_loop_that_is_over_is_quiet(serve: Serve, backend: str) -> None:
    """Its connection was closed with the loop."""
    server = serve(endless)
    fiber = client(server)
    kept: list[Any] = []

    async def main() -> None:
        stream = fiber.chat_stream("Hi")
        await anext(stream)
        kept.append(stream)

    both(backend, main)
    kept.clear()
    gc.collect()

    assert server.wait_until_gone()


def test_an_outer_cancellation_passes_through(serve: Serve, run: Run) -> None:
    """It is not taken for a deadline of ours."""
    server = serve(lambda exchange: "hold")

    async def work(transport: Transport) -> bool:
        with anyio.move_on_after(0.02) as scope:
            await transport.open(get(server), LIMITS, transport.now() + 5)
        return scope.cancelled_caught

    assert run(work) is True


@pytest.mark.parametrize("where", ["head", "first event"])
@pytest.mark.parametrize("how", ["task", "thread", "close"])
def test_cancel_wakes_a_task_that_waits_for_the_beginning(serve: Serve, backend: str, how: str, where: str) -> None:
    """The loop over the stream ends without an error and without another attempt; the server sees the disconnect."""

    def answer(exchange: Exchange) -> str:
        if where == "first event":
            exchange.begin("content-type: text/event-stream")
            exchange.chunk(b": wait\n\n")
        return "hold"

    server = serve(answer)
    fiber = client(server)
    kinds: list[str] = []

    async def main() -> None:
        stream = fiber.chat_stream("Hi")

        async def read() -> None:
            kinds.extend([event.type async for event in stream])

        async with fiber:
            with anyio.fail_after(5):
                async with anyio.create_task_group() as group:
                    group.start_soon(read)
                    await arrived(server, 1)
                    await anyio.sleep(0.02)
                    if how == "task":
                        stream.cancel()
                    elif how == "close":
                        await stream.close()
                    else:
                        await anyio.to_thread.run_sync(stream.cancel)

    both(backend, main)

    assert server.wait_until_gone()
    assert (kinds, len(server.exchanges)) == ([], 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("inside", [False, True])
def test_a_forked_child_makes_its_own_connections(serve: Serve, which: str, inside: bool) -> None:
    """Forked between two loops, or in the midst of one; the parent's connection goes on."""
    server = serve(hello)
    transport = for_loops(lambda: which, lambda: LIBRARY, no_proxy)

    def fork() -> int:
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            try:
                good = asyncio.run(fetch(transport, get(server))) == b"hello"
            finally:
                os._exit(0 if good else 1)
        return os.waitpid(child, 0)[1]

    async def parent() -> list[object]:
        first = await fetch(transport, get(server))
        status = fork() if inside else 0
        return [first, status, await fetch(transport, get(server))]

    said = asyncio.run(parent())
    status = 0 if inside else fork()

    assert (said, status, server.connections) == ([b"hello", 0, b"hello"], 0, 2)


def test_a_waiter_ends_when_it_is_woken_or_late(backend: str) -> None:
    """Also when it was woken before anybody waited."""
    loops = Loops()

    async def main() -> float:
        early, late, never = (loops.waiter() for _ in range(3))
        early.wake()
        await early.wait(None)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(late.wait, loops.now() + 5)
                await anyio.sleep(0.01)
                late.wake()
        before = time.monotonic()
        with pytest.raises(TimeoutError):
            await never.wait(loops.now() + 0.02)
        return time.monotonic() - before

    assert both(backend, main) > 0.018


def test_a_batch_waits_for_free_connections(serve: Serve, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are fewer than calls."""
    from fiber.transports import network, pool

    monkeypatch.setattr(network, "Pool", lambda now: pool.Pool(now, 2))
    server = serve(echo)
    fiber = client(server, transport="direct")

    async def main() -> list[str]:
        async with fiber:
            results = await fiber.batch_chat([str(n) for n in range(30)], concurrency=10)
            return [result.text for result in results]  # type: ignore[union-attr]

    assert both(backend, main) == [str(n) for n in range(30)]
    assert server.connections == 2


def test_a_look_up_that_does_not_wait_keeps_the_deadline_too(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As uvloop looks up an address: a scope that has passed is noticed only where something waits."""

    async def at_once(*_: Any, **options: Any) -> list[Any]:
        return [(0, 0, 0, "", ("127.0.0.1", 443))]

    monkeypatch.setattr(anyio, "getaddrinfo", at_once)
    loops = Loops()

    async def main() -> list[str]:
        found = await loops.resolve("a.example", 443, None) + await loops.resolve("a.example", 443, loops.now() + 5)
        with pytest.raises(DeadlineReached):
            await loops.resolve("a.example", 443, loops.now() - 1)
        return found

    assert both(backend, main) == ["127.0.0.1", "127.0.0.1"]


def test_what_may_block_runs_in_a_thread(backend: str) -> None:
    """The loop goes on meanwhile."""
    went_on = Event()

    async def other() -> None:
        went_on.set()

    async def main() -> tuple[int, bool]:
        async with anyio.create_task_group() as group:
            group.start_soon(other)
            return await aside(Loops(), lambda: (get_ident(), went_on.wait(5)))

    thread, others_ran = both(backend, main)

    assert thread != get_ident()
    assert others_ran


def test_an_async_key_is_bounded_by_the_total_timer(serve: Serve, backend: str) -> None:
    """Whoever asks a vault that does not answer is told so; nothing was sent, and the vault's task is cancelled."""
    server = serve(echo)
    left: list[str] = []

    async def vault() -> str:
        try:
            await anyio.sleep(30)
        finally:
            left.append("left")
        return "never"

    fiber = Fiber(api_keys={"openai": vault}, base_urls={"openai": server.url}, default_model="openai:m")

    async def main() -> FiberTimeoutError:
        async with fiber:
            with pytest.raises(FiberTimeoutError) as caught:
                await fiber.chat("Hi", timeout=0.05)
            return caught.value

    error = both(backend, main)

    assert (error.timer, error.outcome, left, server.exchanges) == ("total", "not_sent", ["left"], [])


def test_an_async_key_that_comes_in_time_is_used(serve: Serve, backend: str) -> None:
    """Its own errors pass through as they are."""
    server = serve(echo)

    async def vault() -> str:
        await anyio.sleep(0.001)
        return "a-key-from-the-vault"

    fiber = Fiber(api_keys={"openai": vault}, base_urls={"openai": server.url}, default_model="openai:m")

    async def main() -> str:
        async with fiber:
            return await fiber.ask("Hi")

    assert both(backend, main) == "Hi"
    assert server.exchanges[0].headers["authorization"] == "Bearer a-key-from-the-vault"


def test_what_comes_later_holds_nobody_up(backend: str) -> None:
    """It runs beside the caller on the same loop, and ends with it."""

    async def main() -> list[str]:
        said: list[str] = []
        done = anyio.Event()

        async def work() -> None:
            said.append("later")
            done.set()

        await later(DirectTransport(Loops()), work)
        said.append("first")
        await done.wait()
        await later(DirectTransport(Loops()), anyio.sleep_forever)
        return said

    assert both(backend, main) == ["first", "later"]


def test_what_is_detached_is_done_in_a_thread(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it; where no thread can begin any more, it is done at once."""
    where: list[int] = []
    done = threading.Event()

    def work() -> None:
        where.append(get_ident())
        done.set()

    async def main() -> None:
        detach(DirectTransport(Loops()), work)

    both(backend, main)
    done.wait(10)

    def over(self: Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", over)
        detach(DirectTransport(Loops()), work)

    assert where[0] != get_ident()
    assert where[1] == get_ident()
