"""Two requests beside each other, over real sockets: on asyncio, on trio and in blocking code, over each transport."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from itertools import count
from threading import Event
from typing import Any

import anyio
import pytest

from fiber import NO_RETRY, ChatResult, Fiber, FiberOverloadedError, HedgePolicy
from fiber._engine import run_sync
from fiber.transports.base import race
from fiber.transports.blocking import Threads
from fiber.transports.lazy import Lazy
from fiber.transports.loops import Loops
from tests.kit import eventually
from tests.transports.cases import Serve
from tests.transports.conftest import PATIENCE, Exchange, Loopback
from tests.transports.sockets import open_to
from tests.transports.wire import client, echo, endless

SOON = HedgePolicy(after_seconds=0.01, max_share=1.0)
WORLDS = ["asyncio", "trio", "blocking"]


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, which: str) -> str:
    """Where calls are made, over each transport."""
    return str(request.param)


def ask(world: str, fiber: Fiber, *, stream: bool = False, then: tuple[str, ...] = ()) -> list[ChatResult]:
    """Make a call, and some more on the same connections; close the client."""

    async def main() -> list[ChatResult]:
        async with fiber:
            first = await (fiber.chat_stream("Hi").collect() if stream else fiber.chat("Hi"))
            return [first, *[await fiber.chat(prompt) for prompt in then]]

    if world != "blocking":
        return anyio.run(main, backend=world)
    try:
        first = fiber.sync.chat_stream("Hi").collect() if stream else fiber.sync.chat("Hi")
        return [first, *[fiber.sync.chat(prompt) for prompt in then]]
    finally:
        fiber.sync.close()


class Server:
    """
    Answers to a first request and to a second.

    Attributes:
        both: Set when the second has come.
    """

    def __init__(
        self,
        first: Callable[[Exchange], object],
        second: Callable[[Exchange], object] = echo,
        *,
        first_waits: bool = False,
    ) -> None:
        self._first, self._second = first, second
        self._first_waits = first_waits
        self._numbers = count(1)
        self.both = Event()

    def __call__(self, exchange: Exchange) -> object:
        """Answer; the first after the second has come, if it is to wait, and further ones with their prompt."""
        number = next(self._numbers)
        if number == 1:
            assert not self._first_waits or self.both.wait(PATIENCE)
            return self._first(exchange)
        self.both.set()
        return (self._second if number == 2 else echo)(exchange)


def hold(exchange: Exchange) -> str:
    """Never answer."""
    return "hold"


def busy(exchange: Exchange) -> None:
    """Refuse."""
    exchange.answer(b'{"error": {"message": "no"}}', "content-type: application/json", status="503 Busy")


def nothing_is_left(server: Loopback) -> None:
    """Look for sockets and threads of ours, as long as they may take to end."""
    gc.collect()
    eventually(lambda: open_to(server.port) == 0)
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "fiber hedge"])


def told(result: ChatResult) -> list[tuple[int, int | None, str | None]]:
    """Return what the receipt says of each attempt."""
    return [(attempt.number, attempt.status, attempt.error) for attempt in result.receipt.attempts]


def test_the_second_wins_and_the_server_sees_the_first_leave(serve: Serve, world: str) -> None:
    """The connections that are left are well."""
    server = serve(Server(hold))
    fiber = client(server, hedge=SOON)

    results = ask(world, fiber, then=("one", "two"))

    assert [result.text for result in results] == ["Hi", "one", "two"]
    assert told(results[0]) == [(1, None, "cancelled"), (2, 200, None)]
    assert server.wait_until_gone()
    nothing_is_left(server)


def test_a_stream_that_only_began_loses(serve: Serve, world: str) -> None:
    """An answer to the second is the answer of the stream."""

    def silent(exchange: Exchange) -> str:
        exchange.begin("content-type: text/event-stream")
        return "hold"

    server = serve(Server(silent))
    fiber = client(server, hedge=SOON)

    [result] = ask(world, fiber, stream=True)

    assert result.text == "Hi"
    assert told(result) == [(1, None, "cancelled"), (2, 200, None)]
    assert server.wait_until_gone()
    nothing_is_left(server)


def test_the_first_wins_and_the_server_sees_the_second_leave(serve: Serve, world: str) -> None:
    """Nobody waits for it."""
    server = serve(Server(echo, hold, first_waits=True))
    fiber = client(server, hedge=SOON)

    results = ask(world, fiber, then=("one",))

    assert [result.text for result in results] == ["Hi", "one"]
    assert told(results[0]) == [(1, None, "cancelled"), (2, 200, None)]
    assert server.wait_until_gone()
    nothing_is_left(server)


def test_an_answer_in_time_is_alone(serve: Serve, world: str) -> None:
    """No thread or task is left that would send a second request."""
    server = serve(echo)
    fiber = client(server, hedge=HedgePolicy(after_seconds=30))

    [result] = ask(world, fiber)

    assert (result.text, len(server.exchanges)) == ("Hi", 1)
    nothing_is_left(server)


def test_a_failure_leaves_it_to_the_other(serve: Serve, world: str) -> None:
    """The first fails when the second has been sent; that answers later."""
    failed = Event()

    def fail(exchange: Exchange) -> None:
        busy(exchange)
        failed.set()

    def wait(exchange: Exchange) -> None:
        assert failed.wait(PATIENCE)
        echo(exchange)

    server = serve(Server(fail, wait, first_waits=True))
    fiber = client(server, hedge=SOON, retry=NO_RETRY)

    [result] = ask(world, fiber)

    first, second = told(result)
    # The second answer may be read before the refusal, which the server sent before it.
    assert first in [(1, 503, "FiberOverloadedError"), (1, None, "cancelled")]
    assert (result.text, second) == ("Hi", (2, 200, None))
    nothing_is_left(server)


def test_both_may_fail(serve: Serve, world: str) -> None:
    """Both attempts are in the error."""
    server = serve(Server(busy, busy, first_waits=True))
    fiber = client(server, hedge=SOON, retry=NO_RETRY)

    with pytest.raises(FiberOverloadedError) as caught:
        ask(world, fiber)

    assert [attempt.error for attempt in caught.value.attempts] == ["FiberOverloadedError"] * 2
    nothing_is_left(server)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.usefixtures("which")
def test_who_is_cancelled_takes_both_with_it(serve: Serve, backend: str) -> None:
    """And the client is well afterwards."""
    script = Server(hold, hold)
    server = serve(script)
    fiber = client(server, hedge=SOON)

    async def main() -> str:
        async with fiber:
            with anyio.fail_after(PATIENCE):
                async with anyio.create_task_group() as group:
                    group.start_soon(fiber.chat, "slow")
                    await anyio.to_thread.run_sync(script.both.wait, PATIENCE)
                    group.cancel_scope.cancel()
            eventually(lambda: open_to(server.port) == 0)
            return await fiber.ask("well")

    assert anyio.run(main, backend=backend) == "well"
    nothing_is_left(server)


def test_a_cancelled_stream_takes_both_with_it(serve: Serve, world: str) -> None:
    """From another thread, while nothing has come."""
    script = Server(hold, hold)
    server = serve(script)
    fiber = client(server, hedge=SOON)

    def cancel(stream: Any) -> None:
        assert script.both.wait(PATIENCE)
        stream.cancel()

    async def main() -> None:
        async with fiber:
            stream = fiber.chat_stream("Hi")
            thread = threading.Thread(target=cancel, args=(stream,))
            thread.start()
            async for _ in stream:
                pass
            thread.join()

    if world != "blocking":
        anyio.run(main, backend=world)
    else:
        stream = fiber.sync.chat_stream("Hi")
        thread = threading.Thread(target=cancel, args=(stream,))
        thread.start()
        assert list(stream) == []
        thread.join()
        fiber.sync.close()

    assert len(server.exchanges) == 2
    nothing_is_left(server)


def test_a_stream_that_won_can_be_left(serve: Serve, world: str) -> None:
    """Its connection is closed then."""
    server = serve(Server(hold, endless))
    fiber = client(server, hedge=SOON)

    async def main() -> str:
        async with fiber, fiber.chat_stream("Hi") as stream:
            await anext(stream)
            return (await anext(stream)).type

    if world != "blocking":
        last = anyio.run(main, backend=world)
    else:
        with fiber.sync.chat_stream("Hi") as stream:
            next(stream)
            last = next(stream).type
        fiber.sync.close()

    assert last == "text-delta"
    nothing_is_left(server)


class Work:
    """A branch that waits for nothing, or for its turn."""

    def __init__(self, run: Callable[[], bool]) -> None:
        self._run = run
        self.stopped = False

    async def run(self) -> bool:
        """Do it."""
        return self._run()

    def stop(self) -> None:
        """Note it."""
        self.stopped = True


def test_without_a_thread_the_first_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no more can be had, nothing fails for it."""

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    good, bad = Work(lambda: True), Work(lambda: False)

    winners = [run_sync(Threads().race(first, good, 0)) for first in (good, bad)]

    assert winners == [good, None]


def test_only_one_of_two_good_ones_wins_in_threads() -> None:
    """The first is good when the second has won already: its outcome is not wanted."""
    won = Event()
    first = Work(lambda: won.wait(PATIENCE))
    second = Work(lambda: True)
    first.stop = won.set  # type: ignore[method-assign]

    assert run_sync(Threads().race(first, second, 0)) is second


def test_an_interrupt_stops_the_second() -> None:
    """What is no error of the first's passes, and nothing is sent any more."""

    def interrupt() -> bool:
        raise KeyboardInterrupt

    second = Work(lambda: True)

    with pytest.raises(KeyboardInterrupt):
        run_sync(Threads().race(Work(interrupt), second, 30))

    assert second.stopped
    eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "fiber hedge"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_first_that_fails_in_time_is_alone(backend: str) -> None:
    """The second is not begun, on loops as in threads."""
    begun = Event()

    def begin() -> bool:
        begun.set()
        return True

    first, second = Work(lambda: False), Work(begin)

    assert anyio.run(Loops().race, first, second, 30, backend=backend) is None
    assert run_sync(Threads().race(first, second, 30)) is None
    assert not begun.is_set()


def test_a_transport_made_at_its_first_use_races_as_the_one_it_made() -> None:
    """Here the fake one, whose clock says that the first took too long."""
    transport = Lazy("fiber.testing.fake", "FakeTransport")

    def slow() -> bool:
        run_sync(transport.sleep(9))
        return True

    first, second = Work(slow), Work(lambda: True)

    assert run_sync(race(transport, first, second, 2)) is second
    assert (first.stopped, second.stopped, transport.now()) == (True, False, 2)


def test_a_transport_that_cannot_race_runs_the_first() -> None:
    """Alone, as if there were no second."""
    good, bad = Work(lambda: True), Work(lambda: False)
    bare: Any = object()

    winners = [run_sync(race(bare, first, good, 0)) for first in (good, bad)]

    assert winners == [good, None]
