"""The transport without a network."""

from __future__ import annotations

import pytest

from fiber import FiberConnectionError, Secret, Timeouts
from fiber._engine import run_sync
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, lost, sse_reply
from fiber.transports.base import DeadlineReached, HTTPResponse
from fiber.types.http import HTTPRequest

LIMITS = Timeouts()
REQUEST = HTTPRequest("POST", "http://x/y", (("authorization", Secret("key")), ("x-a", "b")), b'{"a": 1}')


def opened(transport: FakeTransport, until: float | None = None) -> HTTPResponse:
    """Open the next answer."""
    return run_sync(transport.open(REQUEST, LIMITS, until))


def test_answers_come_in_the_order_of_the_script() -> None:
    """And every request is remembered, with its revealed key."""
    transport = FakeTransport(json_reply({"n": 1}), json_reply(b"raw", 404, x_request_id="r1"))

    first, second = opened(transport), opened(transport)

    assert (first.head.status, run_sync(transport.read(first, None))) == (200, b'{"n":1}')
    assert (second.head.status, second.head.headers["x-request-id"]) == (404, "r1")
    assert run_sync(transport.read(second, None)) == b"raw"
    sent = transport.requests[0]
    assert (sent.method, sent.url, sent.headers, sent.json()) == (
        "POST",
        "http://x/y",
        {"authorization": "key", "x-a": "b"},
        {"a": 1},
    )


def test_names_are_looked_up_in_addresses() -> None:
    """A list that a test sets; a host that is not there has no address, and what was connected to is remembered."""
    transport = FakeTransport(FakeReply())
    transport.addresses["example.com"] = ["192.0.2.1", "192.0.2.2"]

    found = run_sync(transport.resolve("example.com", 443, None))
    run_sync(transport.open(HTTPRequest("GET", "https://example.com/", address=found[0]), LIMITS, None))

    assert found == ["192.0.2.1", "192.0.2.2"]
    assert transport.requests[0].address == "192.0.2.1"
    with pytest.raises(FiberConnectionError, match=r"transport\.addresses") as caught:
        run_sync(transport.resolve("example.org", 443, None))
    assert caught.value.outcome == "not_sent"


def test_an_exception_in_the_script_is_raised() -> None:
    """In place of an answer."""
    with pytest.raises(LookupError):
        opened(FakeTransport(LookupError()))


def test_an_empty_script_says_which_request_it_was() -> None:
    """A test that sends too much fails with a reason."""
    with pytest.raises(AssertionError, match="request 1: http://x/y"):
        opened(FakeTransport())


def test_the_clock_moves_only_when_somebody_waits() -> None:
    """By sleeping, by a late head, by silence in the body."""
    transport = FakeTransport(FakeReply(chunks=(b"a", 2.0, b"b"), delay_seconds=3.0))

    run_sync(transport.sleep(1.5))
    response = opened(transport)
    after_head = transport.now()
    body = run_sync(transport.read(response, None))

    assert (transport.slept, after_head, transport.now(), body) == ([1.5], 4.5, 6.5, b"ab")


def test_a_wait_stops_at_its_limit() -> None:
    """The clock stands exactly there."""
    transport = FakeTransport(FakeReply(delay_seconds=3.0), FakeReply(chunks=(2.0, b"b")))

    with pytest.raises(DeadlineReached):
        opened(transport, 2.0)
    at_head = transport.now()
    response = opened(transport)
    with pytest.raises(DeadlineReached):
        run_sync(transport.next_chunk(response, 3.0))

    assert (at_head, transport.now()) == (2.0, 3.0)


def test_a_body_may_break() -> None:
    """An exception among the chunks is raised there, and reading closes."""
    transport = FakeTransport(FakeReply(chunks=(b"a", lost())))
    response = opened(transport)

    with pytest.raises(FiberConnectionError, match="scripted"):
        run_sync(transport.read(response, None))
    assert transport.closed == 1


def test_an_answer_is_closed_once() -> None:
    """However often; nothing comes after it."""
    transport = FakeTransport(FakeReply(chunks=(b"a", b"b")))
    response = opened(transport)

    run_sync(transport.close(response))
    transport.discard(response)

    assert transport.closed == 1
    assert run_sync(transport.next_chunk(response, None)) == b""


def test_frames_of_a_stream_are_written_as_they_are_meant() -> None:
    """Values as JSON (with their type as the event), strings as data, whole events as they are."""
    reply = sse_reply({"a": 1}, {"type": "ping"}, "[DONE]", ": note\n\n", 1.5, lost(), cut=True, x_a="b")

    assert reply.headers == {"content-type": "text/event-stream", "x-a": "b"}
    assert reply.chunks[:5] == (
        b'data: {"a":1}\n\n',
        b'event: ping\ndata: {"type":"ping"}\n\n',
        b"data: [DONE]\n\n",
        b": note\n\n",
        1.5,
    )
    assert sse_reply("x").chunks == (b"data: x\n\n",)
    assert [type(chunk) for chunk in reply.chunks[5:]] == [FiberConnectionError, FiberConnectionError]


def test_a_batch_runs_one_after_another() -> None:
    """So that a script can be followed; and there is nothing to shut down."""
    transport = FakeTransport()

    async def one(item: int) -> int:
        return item * 10

    async def work() -> list[int]:
        async with transport.crew(one, [3, 1, 2], 8) as crew:
            return [outcome async for outcome in crew]

    done = run_sync(work())
    run_sync(transport.shutdown())

    assert done == [30, 10, 20]
