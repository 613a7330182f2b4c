"""What a transport is."""

from __future__ import annotations

import threading
import weakref

import pytest

from fiber._engine import run_sync
from fiber._errors import FiberConnectionError
from fiber.testing.fake import FakeReply, FakeTransport
from fiber.testing.recording import Recorder
from fiber.testing.replay import Replay
from fiber.transports import base
from fiber.transports.base import MAX_BODY_BYTES, DeadlineReached, HTTPResponse, Transport, blocking_face
from fiber.transports.blocking import Threads
from fiber.transports.direct import DirectTransport
from fiber.transports.lazy import Lazy
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest


def test_every_transport_has_the_whole_protocol() -> None:
    """All of this library."""
    wanted = {name for name in vars(Transport) if not name.startswith("_")}

    assert wanted == {"now", "sleep", "resolve", "open", "read", "next_chunk", "close", "discard", "crew", "shutdown"}
    for kind in (FakeTransport, Lazy, Recorder, Replay, DirectTransport(Threads())):
        assert wanted <= set(dir(kind))


def test_time_is_that_of_the_transport_or_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual clock counts from the year 2026; a transport without any is dated by the machine."""
    monkeypatch.setattr(base.time, "time", lambda: 5.0)
    fake = FakeTransport()
    fake.clock = 2.5

    assert base.wall(fake) == 1_767_225_602.5
    assert base.wall(DirectTransport(Threads())) == 5.0


def test_addresses_come_once_in_the_order_of_the_system() -> None:
    """It lists one for every kind of socket."""
    found = [
        (2, 1, 6, "", ("192.0.2.1", 443)),
        (10, 1, 6, "", ("2001:db8::1", 443, 0, 0)),
        (2, 2, 17, "", ("192.0.2.1", 443)),
    ]

    assert base.addresses_of(found) == ["192.0.2.1", "2001:db8::1"]


def test_a_response_is_a_head_and_a_handle() -> None:
    """It can be referenced weakly."""
    response = HTTPResponse(HTTPHead(200), "handle")

    assert (response.head.status, response.handle) == (200, "handle")
    assert weakref.ref(response)() is response


def test_a_transport_may_have_a_second_face_for_blocking_code() -> None:
    """In its attribute `blocking`; without one it serves both."""
    one, two = FakeTransport(), FakeTransport()
    alone = blocking_face(one)
    one.blocking = two  # type: ignore[attr-defined]

    assert alone is one
    assert blocking_face(one) is two


def test_a_deadline_is_no_error_of_the_public_tree() -> None:
    """The engine turns it into a timer."""
    assert DeadlineReached.__mro__[1] is Exception
    assert MAX_BODY_BYTES == 32 * 2**20


def test_a_whole_body_is_bounded_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any transport reads a whole body the same way: to its end, or to the limit; closed in both cases."""
    monkeypatch.setattr(base, "MAX_BODY_BYTES", 4)
    transport = FakeTransport(FakeReply(chunks=(b"ab", b"cd")), FakeReply(chunks=(b"ab", b"cde", b"f")))
    request = HTTPRequest("GET", "http://127.0.0.1/")

    async def work() -> bytes:
        return await base.read_whole(transport, await transport.open(request, Timeouts(), None), None)

    assert run_sync(work()) == b"abcd"
    with pytest.raises(FiberConnectionError, match="longer than 4 bytes") as caught:
        run_sync(work())
    assert (caught.value.is_retryable, transport.closed) == (False, 2)


def test_work_is_awaited_as_it_is_where_a_transport_cannot_bound_it() -> None:
    """A fake one, and a blocking one, whose work does not suspend."""

    async def work() -> str:
        return "done"

    async def all_ways() -> list[str]:
        return [
            await base.bounded(FakeTransport(), work(), 1.0),
            await base.bounded(DirectTransport(Threads()), work(), None),
            await base.bounded(DirectTransport(Threads()), work(), 1.0),
            await base.bounded(Lazy("fiber.testing.fake", "FakeTransport"), work(), 1.0),
        ]

    assert run_sync(all_ways()) == ["done"] * 4


def test_what_may_block_runs_at_once_where_there_is_no_loop_to_mind() -> None:
    """Over a fake transport, and over a blocking one."""

    async def all_ways() -> list[int]:
        return [
            await base.aside(FakeTransport(), threading.get_ident),
            await base.aside(DirectTransport(Threads()), threading.get_ident),
            await base.aside(Lazy("fiber.testing.fake", "FakeTransport"), threading.get_ident),
        ]

    assert run_sync(all_ways()) == [threading.get_ident()] * 3


def test_others_get_their_turn_while_a_long_body_is_read() -> None:
    """What was packed small comes without any waiting."""
    transport = FakeTransport(FakeReply(200, {}, (b"x" * 2**19,) * 5))

    async def work() -> bytes:
        return await transport.read(await transport.open(HTTPRequest("GET", "http://x"), Timeouts(), None), None)

    assert len(run_sync(work())) == 5 * 2**19
    assert transport.slept == [0.0, 0.0]
