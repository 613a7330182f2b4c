"""The open answer of a stream: what it keeps, and what it says while the provider says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import FiberError, FiberParsingError, FiberStreamInterruptedError, FiberTimeoutError, Timeouts
from fiber.testing.fake import FakeReply, lost, sse_reply
from tests.kit import DONE, FINISH, START, answer, frames, piece, scripted, streamed, whole

PING = ": ping\n\n"
ERROR = {"error": {"message": "no", "code": "server_error"}}


def body_of(reply: FakeReply) -> bytes:
    """Return the bytes that *reply* delivers."""
    return b"".join(chunk for chunk in reply.chunks if isinstance(chunk, bytes))


# -- keep_raw -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"keep_raw": None}, {"keep_raw": False}])
def test_a_stream_keeps_no_bytes_unless_asked(options: dict[str, Any]) -> None:
    """Neither in the result nor on the way there."""
    fiber, _ = scripted(streamed("A", "B"))
    stream = fiber.sync.chat_stream("Hi", **options)
    next(stream)

    assert stream.partial is not None
    assert stream.partial.body == stream.collect().body == b""


def test_keep_raw_keeps_the_whole_body() -> None:
    """Comments, the end marker and what stands behind it are in it; so are chunks before the first event."""
    reply = sse_reply(PING, *frames("A", "B"), ": bye\n\n")
    fiber, _ = scripted(reply)

    result = fiber.sync.chat_stream("Hi", keep_raw=True).collect()

    assert result.body == body_of(reply)
    assert result.text == "AB"
    with pytest.raises(FiberParsingError, match="not JSON"):
        _ = result.raw


def test_keep_raw_shows_what_came_so_far() -> None:
    """`partial.body` grows with the stream."""
    reply = streamed("A", "B")
    fiber, _ = scripted(reply)
    stream = fiber.sync.chat_stream("Hi", keep_raw=True)

    next(stream)

    assert stream.partial is not None
    assert stream.partial.body == b"".join(reply.chunks[:2])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ((ERROR,), FiberError),
        ((lost(),), FiberStreamInterruptedError),
        ((), FiberStreamInterruptedError),
        ((4.0,), FiberTimeoutError),
    ],
    ids=["in-band error", "lost", "no end", "stall"],
)
@pytest.mark.parametrize("keep_raw", [True, False])
def test_an_error_has_the_bytes_that_came_before_it(
    last: tuple[Any, ...], kind: type[FiberError], keep_raw: bool
) -> None:
    """Whatever ended the stream, its `partial` has what was received when it was asked for, and only then."""
    reply = sse_reply(START, piece("A"), *last)
    fiber, _ = scripted(reply, timeouts=Timeouts(stall=3))

    with pytest.raises(kind) as caught:
        fiber.sync.chat_stream("Hi", keep_raw=keep_raw).collect()

    assert caught.value.partial is not None
    assert caught.value.partial.text == "A"
    assert caught.value.partial.body == (body_of(reply) if keep_raw else b"")


def test_an_error_before_the_first_event_has_its_bytes_too() -> None:
    """Priming keeps what it reads; each attempt has its own."""
    fiber, _ = scripted(sse_reply(START, {"error": {"message": "busy", "code": 503}}), streamed("A"))

    result = fiber.sync.chat_stream("Hi", keep_raw=True).collect()

    assert len(result.receipt.attempts) == 2
    assert result.body == body_of(streamed("A"))


def test_an_answer_that_came_whole_has_its_body_anyway() -> None:
    """A server that answers a stream with JSON, and one that answers a whole call with a stream."""
    events = sse_reply(START, piece("A"), FINISH, DONE)
    fiber, _ = scripted(whole("A"), events)

    assert fiber.sync.chat_stream("Hi").collect().raw == answer("A")
    assert fiber.sync.chat("Hi").body == body_of(events)


def test_keep_raw_may_be_a_default_and_leaves_raw_exchanges_alone() -> None:
    """A raw stream gives its bytes out; there is nothing to keep."""
    fiber, _ = scripted(streamed("A"), FakeReply(200, {}, (b"a", b"b")))
    view = fiber.with_options(keep_raw=True)

    assert view.sync.chat_stream("Hi").collect().body == body_of(streamed("A"))
    raw = view.sync.request_stream("GET", "/x", provider="openai")
    assert list(raw) == [b"a", b"b"]
    assert raw.result.body == b""
