"""A transport that waits until it is needed."""

from __future__ import annotations

from threading import Barrier, Event, Thread

import pytest

from fiber import FiberConnectionError, Timeouts
from fiber._engine import run_sync
from fiber.testing.fake import FakeTransport
from fiber.transports.base import Transport, aside, detach, later
from fiber.transports.lazy import Lazy
from fiber.types.http import HTTPRequest
from tests.kit import whole


def lazy() -> Lazy:
    """Make one over a fake with one answer and another."""
    return Lazy("fiber.testing.fake", "FakeTransport", whole("A"), whole("B"))


def test_it_is_made_once_and_shut_down_only_then() -> None:
    """Shutting down what was never made makes nothing."""
    transport = lazy()

    run_sync(transport.shutdown())
    before = transport._transport
    transport.now()
    made = transport._transport
    transport.now()
    run_sync(transport.shutdown())

    assert before is None
    assert isinstance(made, FakeTransport)
    assert transport._transport is made


def test_its_methods_become_those_of_the_one_it_made() -> None:
    """The clock and the body of an answer are asked without a step more; what opens one can be guarded here."""
    transport = lazy()

    transport.now()

    assert transport.now.__self__ is transport.read.__self__ is transport._transport  # type: ignore[attr-defined]
    assert transport.open.__self__ is transport  # type: ignore[attr-defined]


def test_methods_that_were_taken_before_it_was_made_serve_too() -> None:
    """They ask for the transport each time."""
    transport = lazy()
    read, next_chunk, close, discard = transport.read, transport.next_chunk, transport.close, transport.discard

    async def work() -> tuple[bytes, bytes]:
        first = await transport.open(HTTPRequest("GET", "http://x"), Timeouts(), None)
        second = await transport.open(HTTPRequest("GET", "http://x"), Timeouts(), None)
        chunk = await next_chunk(first, None)
        await close(first)
        discard(first)
        return chunk, await read(second, None)

    chunk, body = run_sync(work())

    assert b'"A"' in chunk
    assert b'"B"' in body


def test_it_tells_the_time_of_the_one_it_made() -> None:
    """The fake has a clock of its own."""
    assert lazy().wall() == 1_767_225_600.0


def test_it_hands_everything_on() -> None:
    """To the one it made."""
    transport: Transport = lazy()
    request = HTTPRequest("GET", "http://x")
    done: list[int] = []

    async def work() -> tuple[bytes, bytes]:
        first = await transport.open(request, Timeouts(), None)
        second = await transport.open(request, Timeouts(), None)
        chunk = await transport.next_chunk(first, None)
        await transport.close(first)
        transport.discard(first)
        await transport.sleep(2)

        async def one(item: int) -> None:
            done.append(item)

        await transport.map(one, [1, 2], 1)
        return chunk, await transport.read(second, None)

    async def look_up() -> list[str]:
        return await transport.resolve("example.com", 443, None)

    chunk, body = run_sync(work())

    assert b'"A"' in chunk
    assert b'"B"' in body
    assert (transport.now(), done) == (2.0, [1, 2])
    with pytest.raises(FiberConnectionError, match="No address"):
        run_sync(look_up())


def test_threads_that_come_first_together_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is held while it is made."""
    made: list[FakeTransport] = []

    def make(self: FakeTransport) -> None:
        made.append(self)

    monkeypatch.setattr("fiber.testing.fake.FakeTransport.__init__", make)
    monkeypatch.setattr("fiber.testing.fake.FakeTransport.now", lambda self: 1.0)
    barrier = Barrier(8)
    transport = Lazy("fiber.testing.fake", "FakeTransport")

    def use() -> None:
        barrier.wait()
        transport.now()

    threads = [Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_a_second_that_waited_for_the_lock_takes_what_the_first_made() -> None:
    """It looks again."""
    transport, other = lazy(), FakeTransport()

    class Late:
        def __enter__(self) -> None:
            transport._transport = other

        def __exit__(self, *error: object) -> None:
            """Nothing is held."""

    transport._lock = Late()  # type: ignore[assignment]

    assert transport._real() is other


def test_it_hands_on_what_a_transport_need_not_have() -> None:
    """To one that has it, and for one that has not as if it were not there."""
    done: list[str] = []

    async def work() -> None:
        done.append("later")

    async def both() -> str:
        await later(Lazy("fiber.testing.fake", "FakeTransport"), work)
        return await aside(Lazy("fiber.testing.fake", "FakeTransport"), lambda: "outside")

    assert run_sync(both()) == "outside"
    detach(Lazy("fiber.testing.fake", "FakeTransport"), lambda: done.insert(0, "aside"))
    detach(Lazy("fiber.transports.choice", "for_threads", *[lambda *_: ""] * 3), lambda: done.insert(0, "here"))
    assert done == ["here", "aside", "later"]
    begun = Event()
    real: Transport = Lazy("fiber.transports.choice", "for_threads", lambda: "", lambda: "", lambda scheme, place: "")

    async def begin() -> None:
        begun.set()

    run_sync(later(real, begin))
    assert begun.wait(10)
