"""Blocking sockets."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread, Timer, get_ident
from typing import Any

import pytest

from fiber import FiberError, FiberTimeoutError, Timeouts
from fiber._engine import run_sync
from fiber.transports import blocking, network, pool
from fiber.transports.base import later
from fiber.transports.blocking import Threads
from fiber.transports.choice import for_threads
from fiber.transports.direct import DirectTransport
from fiber.transports.network import Home
from fiber.transports.proxy import no_proxy
from tests.kit import FINISH, START, piece
from tests.transports.cases import Cases, Run, Serve, fetch, get, hello
from tests.transports.conftest import LIBRARY, Exchange
from tests.transports.sockets import open_to
from tests.transports.wire import client, echo, endless, event

pytestmark = pytest.mark.usefixtures("which")


@pytest.fixture
def run(which: str) -> Run:
    """Finish a coroutine function in one step over a transport of its own."""

    def finish(work: Any) -> Any:
        transport = for_threads(lambda: which, lambda: LIBRARY, no_proxy)
        try:
            return run_sync(work(transport))
        finally:
            run_sync(transport.shutdown())

    return finish


class TestBlocking(Cases):
    """All that holds for every transport."""


def test_sixteen_threads_get_their_own_answers(serve: Serve) -> None:
    """On one client, twenty calls each."""
    fiber = client(serve(echo))

    def calls(thread: int) -> list[bool]:
        said = [(f"{thread}-{n}", fiber.sync.ask(f"{thread}-{n}")) for n in range(20)]
        return [asked == answered for asked, answered in said]

    with ThreadPoolExecutor(16) as pool:
        right = [same for answers in pool.map(calls, range(16)) for same in answers]
    fiber.sync.close()

    assert right == [True] * 320


def test_a_batch_uses_threads_and_keeps_the_order(serve: Serve) -> None:
    """Bound fields reach the threads."""
    fiber = client(serve(echo))

    results = fiber.sync.batch_chat([str(n) for n in range(20)], concurrency=4)
    fiber.sync.close()

    assert [result.text for result in results] == [str(n) for n in range(20)]  # type: ignore[union-attr]


def test_a_batch_that_fails_fast_leaves_nothing_behind(serve: Serve) -> None:
    """No coroutine that was never awaited, no thread."""

    def refuse(exchange: Exchange) -> None:
        exchange.answer(b'{"error": {"message": "no"}}', "content-type: application/json", status="400 Bad Request")

    server = serve(refuse)
    fiber = client(server)

    with pytest.raises(FiberError):
        fiber.sync.batch_chat(["Hi"] * 50, concurrency=2, fail_fast=True)
    fiber.sync.close()
    gc.collect()

    assert len(server.exchanges) < 50


def test_a_blocking_call_works_inside_a_running_loop(serve: Serve) -> None:
    """Beside an asynchronous one on the same client."""
    fiber = client(serve(echo))

    async def both() -> list[str]:
        async with fiber:
            return [fiber.sync.ask("a"), await fiber.ask("b"), fiber.sync.ask("c")]

    assert asyncio.run(both()) == ["a", "b", "c"]


@pytest.mark.parametrize("how", ["block", "close", "drop", "cancel", "thread"])
def test_the_server_sees_that_a_stream_was_left(serve: Serve, how: str) -> None:
    """By the end of the block, `close`, dropping it, and `cancel` from here or another thread."""
    server = serve(endless)
    fiber = client(server)
    stream = fiber.sync.chat_stream("Hi")

    if how == "block":
        with stream:
            next(stream)
    else:
        next(stream)
    if how == "close":
        stream.close()
    elif how == "cancel":
        stream.cancel()
    elif how == "thread":
        thread = Thread(target=stream.cancel)
        thread.start()
        thread.join()
    del stream
    gc.collect()

    assert server.wait_until_gone()
    fiber.sync.close()


def test_cancel_wakes_a_thread_that_waits_for_the_next_event(serve: Serve) -> None:
    """Its loop ends without an error, long before any timer; the server sees the disconnect."""
    server = serve(endless)
    fiber = client(server)
    stream = fiber.sync.chat_stream("Hi")
    kinds = [next(stream).type, next(stream).type]
    reader = Thread(target=lambda: kinds.extend(event.type for event in stream))
    reader.start()

    reader.join(0.03)
    waiting = reader.is_alive()
    stream.cancel()
    reader.join(5)

    assert waiting
    assert not reader.is_alive()
    assert kinds == ["message-start", "text-delta"]
    assert server.wait_until_gone()
    fiber.sync.close()


def test_the_stall_timer_holds_on_a_silent_socket(serve: Serve) -> None:
    """It is shorter than the read timer, and moves with every event."""
    server = serve(endless)
    fiber = client(server, timeouts=Timeouts(read=30, stall=0.05))

    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat_stream("Hi").collect()

    assert (caught.value.timer, caught.value.seconds) == ("stall", 0.05)
    assert server.wait_until_gone()
    fiber.sync.close()


def test_the_total_timer_holds_on_a_silent_socket(serve: Serve) -> None:
    """In the body of a whole answer too."""

    def half(exchange: Exchange) -> str:
        exchange.begin("content-type: application/json")
        exchange.chunk(b"{")
        return "hold"

    server = serve(half)
    fiber = client(server, timeouts=Timeouts(read=30, total=0.05))

    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat("Hi")

    assert caught.value.timer == "total"
    assert server.wait_until_gone()
    fiber.sync.close()


def test_a_stream_comes_piece_by_piece(serve: Serve) -> None:
    """The first event is there before the server is done."""

    def talk(exchange: Exchange) -> None:
        exchange.begin("content-type: text/event-stream")
        for said in (START, piece("Hel"), piece("lo"), FINISH):
            exchange.chunk(event(said))
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.chunk(b"")

    server = serve(talk)
    fiber = client(server)

    said = [list(fiber.sync.ask_stream("Hi")), list(fiber.sync.ask_stream("Hi"))]
    fiber.sync.close()

    assert said == [["Hel", "lo"], ["Hel", "lo"]]
    assert server.connections == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_makes_its_own_connections(serve: Serve, which: str) -> None:
    """And leaves its parent's alone."""
    server = serve(hello)
    transport = for_threads(lambda: which, lambda: LIBRARY, no_proxy)

    assert run_sync(fetch(transport, get(server))) == b"hello"
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            good = run_sync(fetch(transport, get(server))) == b"hello"
        finally:
            os._exit(0 if good else 1)
    status = os.waitpid(child, 0)[1]
    again = run_sync(fetch(transport, get(server)))
    run_sync(transport.shutdown())

    assert (status, again, server.connections) == (0, b"hello", 2)


def test_a_crew_refuses_what_suspends(which: str) -> None:
    """There is no loop to go on."""

    class Suspends:
        def __await__(self) -> Any:
            yield

    async def wait(item: int) -> None:
        await Suspends()

    async def work() -> None:
        async with for_threads(lambda: which, str, no_proxy).crew(wait, [1], 2) as crew:
            await anext(crew)

    with pytest.raises(RuntimeError, match="suspends"):
        run_sync(work())


def test_cancel_wakes_a_thread_that_waits_for_the_beginning(serve: Serve) -> None:
    """Its loop ends without an error and without another attempt; the server sees the disconnect."""
    server = serve(lambda exchange: "hold")
    fiber = client(server)
    stream = fiber.sync.chat_stream("Hi")
    kinds: list[str] = []
    reader = Thread(target=lambda: kinds.extend(event.type for event in stream))
    reader.start()

    for _ in range(5000):
        if server.exchanges:
            break
        reader.join(0.002)
    stream.cancel()
    reader.join(5)

    assert not reader.is_alive()
    assert (kinds, len(server.exchanges)) == ([], 1)
    assert server.wait_until_gone()
    fiber.sync.close()


def test_a_waiter_ends_when_it_is_woken_or_late() -> None:
    """By another thread, or before anybody waited."""
    threads = Threads()
    early, late, never = (threads.waiter() for _ in range(3))
    early.wake()
    run_sync(early.wait(None))
    Timer(0.01, late.wake).start()
    run_sync(late.wait(threads.now() + 5))
    before = time.monotonic()

    with pytest.raises(TimeoutError):
        run_sync(never.wait(threads.now() + 0.02))
    with pytest.raises(TimeoutError):
        run_sync(never.wait(threads.now() - 1))
    assert time.monotonic() - before > 0.018


def test_a_batch_waits_for_free_connections(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are fewer than threads."""
    monkeypatch.setattr(network, "Pool", lambda now: pool.Pool(now, 2))
    server = serve(echo)
    fiber = client(server, transport="direct")

    results = fiber.sync.batch_chat([str(n) for n in range(30)], concurrency=10)
    fiber.sync.close()

    assert [result.text for result in results] == [str(n) for n in range(30)]  # type: ignore[union-attr]
    assert server.connections <= 2


def test_two_threads_that_come_first_share_one_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the connections of one of them would never be closed."""
    threads = Threads()
    homes: list[Home] = []

    def slow(now: Any) -> Home:
        monkeypatch.setattr(blocking, "Home", Home)
        homes.append(run_sync(threads.home()))  # another thread, which was faster
        return Home(now)

    monkeypatch.setattr(blocking, "Home", slow)
    homes.append(run_sync(threads.home()))

    assert homes[0] is homes[1] is run_sync(threads.home())


@pytest.mark.parametrize("is_child", [False, True])
def test_a_client_that_is_dropped_closes_its_connections(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, is_child: bool
) -> None:
    """But a forked child leaves those of its parent alone."""
    server = serve(hello)
    transport = DirectTransport(Threads())
    run_sync(fetch(transport, get(server)))
    home = run_sync(transport._network.home())
    before = open_to(server.port)
    if is_child:
        monkeypatch.setattr(blocking.os, "getpid", lambda: -1)

    del transport
    gc.collect()
    after = open_to(server.port)
    run_sync(home.close())

    assert (before, after) == (1, 1 if is_child else 0)


def test_a_stream_outlives_the_client_that_was_dropped(serve: Serve) -> None:
    """The connection is closed with the stream, and not before."""

    def talk(exchange: Exchange) -> None:
        exchange.begin("content-type: text/event-stream")
        for said in (START, piece("Hel"), piece("lo"), FINISH):
            exchange.chunk(event(said))
            time.sleep(0.002)
        exchange.chunk(b"data: [DONE]\n\n")
        exchange.chunk(b"")

    server = serve(talk)
    words = client(server, transport="direct").sync.ask_stream("Hi")
    first = next(words)
    gc.collect()
    rest = list(words)
    del words
    gc.collect()

    assert [first, *rest] == ["Hel", "lo"]
    assert open_to(server.port) == 0


def test_what_comes_later_has_a_thread_of_its_own() -> None:
    """The caller goes on at once."""
    where: list[int] = []
    begun, done = Event(), Event()

    async def work() -> None:
        begun.wait(10)
        where.append(get_ident())
        done.set()

    run_sync(later(DirectTransport(Threads()), work))
    begun.set()

    assert done.wait(10)
    assert where != [get_ident()]
