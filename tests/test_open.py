"""The open answer of a stream: what it keeps, and what it says while the provider says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import (
    NO_RETRY,
    Fiber,
    FiberError,
    FiberParsingError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    FiberValidationError,
    TextDelta,
    Timeouts,
)
from fiber._open import FED_BYTES
from fiber.testing.fake import FakeReply, FakeTransport, lost, sse_reply
from tests.kit import DONE, FINISH, KEY, MODEL, START, answer, frames, piece, scripted, streamed, whole

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


def test_no_more_is_kept_than_a_whole_body_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a stream have the limit of a body: beyond it what came is in the error."""
    long = streamed("ten words ", "or more ", "of it")
    monkeypatch.setattr("fiber._open.MAX_BODY_BYTES", len(b"".join(long.chunks[:3])) - 1)
    fiber, _ = scripted(long, long)

    with pytest.raises(FiberParsingError, match="keep_raw") as caught:
        fiber.sync.chat_stream("Hi", keep_raw=True).collect()

    assert caught.value.partial is not None
    assert caught.value.partial.body == b"".join(long.chunks[:3])
    assert caught.value.partial.text == "ten words or more "
    assert caught.value.is_retryable is False
    assert fiber.sync.chat_stream("Hi").collect().text == "ten words or more of it"


def test_an_end_beyond_the_limit_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is whole with the bytes that go beyond the limit is whole."""
    whole = at_once("A", "B")
    monkeypatch.setattr("fiber._open.MAX_BODY_BYTES", 1)
    fiber, _ = scripted(whole)

    result = fiber.sync.chat_stream("Hi", keep_raw=True).collect()

    assert (result.text, result.body) == ("AB", body_of(whole))


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


# -- heartbeats ---------------------------------------------------------------------------------------------------


def tags(*said: Any, **options: Any) -> list[str]:
    """Return the tags of the events of a stream that says *said*."""
    fiber, _ = scripted(sse_reply(*said))
    return [event.type for event in fiber.sync.chat_stream("Hi", **options)]


@pytest.mark.parametrize("silence", [PING, "event: ping\n\n", "\n\n"], ids=repr)
def test_a_chunk_without_an_event_is_a_heartbeat_when_asked(silence: str) -> None:
    """One for each such chunk, where it came; without asking there is none."""
    said = (START, piece("A"), silence, silence, piece("B", "stop"), DONE)

    assert tags(*said) == ["message-start", "text-delta", "text-delta", "message-end"]
    assert tags(*said, heartbeats=True) == [
        "message-start",
        "text-delta",
        "heartbeat",
        "heartbeat",
        "text-delta",
        "message-end",
    ]


def test_a_heartbeat_is_given_out_at_once() -> None:
    """Nobody waits for the next event to hear that the provider is alive."""
    fiber, transport = scripted(sse_reply(START, piece("A"), PING, 2.0, piece("B", "stop"), DONE))
    stream = fiber.sync.chat_stream("Hi", heartbeats=True)

    heard = [(next(stream).type, transport.clock) for _ in range(4)]

    assert heard[2:] == [("heartbeat", 0.0), ("text-delta", 2.0)]


def test_no_heartbeat_comes_before_the_first_event_with_content() -> None:
    """Nothing is given out up to there, so that the attempt can be repeated."""
    assert tags(PING, START, PING, piece("A", "stop"), DONE, heartbeats=True) == [
        "message-start",
        "text-delta",
        "message-end",
    ]


@pytest.mark.parametrize(
    ("timer", "said"),
    [("first_event", (START, 2.0, PING, 2.0, PING)), ("stall", (START, piece("A"), 2.0, PING, 2.0, PING))],
)
def test_heartbeats_feed_no_timer(timer: str, said: tuple[Any, ...]) -> None:
    """They are no content."""
    fiber, transport = scripted(sse_reply(*said), timeouts=Timeouts(first_event=3, stall=3), retry=NO_RETRY)

    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat_stream("Hi", heartbeats=True).collect()

    assert (caught.value.timer, transport.clock) == (timer, 3.0)


@pytest.mark.parametrize("last", [(lost(),), (ERROR,), ()], ids=["lost", "in-band error", "no end"])
def test_a_failure_is_no_heartbeat(last: tuple[Any, ...]) -> None:
    """What breaks the stream is raised, with no sign of life before it."""
    fiber, _ = scripted(sse_reply(START, piece("A"), *last))
    stream = fiber.sync.chat_stream("Hi", heartbeats=True)
    heard = [next(stream).type, next(stream).type]

    with pytest.raises(FiberError):
        next(stream)

    assert heard == ["message-start", "text-delta"]


def test_heartbeats_change_neither_text_nor_result() -> None:
    """`ask_stream` and the result know only the answer; one that came whole has no heartbeats at all."""
    said = sse_reply(START, piece("A"), PING, piece("B", "stop"), DONE)
    fiber, _ = scripted(said, said, whole("A"), whole("A"))

    assert list(fiber.sync.ask_stream("Hi", heartbeats=True)) == ["A", "B"]
    assert fiber.sync.chat_stream("Hi", heartbeats=True).collect().text == "AB"
    assert [event.type for event in fiber.sync.chat_stream("Hi", heartbeats=True)] == [
        "message-start",
        "text-delta",
        "usage",
        "message-end",
    ]
    assert fiber.sync.chat("Hi", heartbeats=True).text == "A"


# -- much at once ---------------------------------------------------------------------------------------------------


class Working(FakeTransport):
    """A transport whose clock moves when others get their turn: they work."""

    async def sleep(self, seconds: float) -> None:
        """Move the clock."""
        await super().sleep(seconds)
        self.clock += 1.0


def at_once(*texts: str) -> FakeReply:
    """Make a stream that comes in one chunk."""
    return FakeReply(200, {"content-type": "text/event-stream"}, (body_of(streamed(*texts)),))


def client(*script: FakeReply, **options: Any) -> tuple[Fiber, Working]:
    """Make a client over a transport on which others work."""
    transport = Working(*script)
    return Fiber(
        api_keys={"openai": KEY}, default_model=MODEL, transport=transport, retry=NO_RETRY, **options
    ), transport


def test_what_comes_at_once_is_decoded_in_slices() -> None:
    """Between two of them others get their turn; a stream that is read whole is no exception."""
    texts = ["word " * 10_000] * 4
    fiber, transport = client(at_once(*texts), at_once(*texts))

    streamed_text = fiber.sync.chat_stream("Hi").collect().text
    turns = transport.slept.count(0.0)
    whole_text = fiber.sync.chat("Hi").text

    assert streamed_text == whole_text == "".join(texts)
    assert turns == len(body_of(at_once(*texts))) // FED_BYTES
    assert transport.slept.count(0.0) == 2 * turns


def test_the_first_event_does_not_wait_for_what_came_with_it() -> None:
    """Of a long chunk only the beginning is decoded before it is given out."""
    fiber, _ = client(at_once("A", *["word " * 200] * 50))
    stream = fiber.sync.chat_stream("Hi")

    first = [next(stream).type for _ in range(2)]
    decoded = stream.partial

    assert first == ["message-start", "text-delta"]
    assert decoded is not None
    assert decoded.text == "A"


def test_little_is_decoded_without_a_pause() -> None:
    """Nobody waits for a turn that takes no time."""
    fiber, transport = client(at_once("A", "B"), at_once("A", "B"))

    assert (fiber.sync.chat_stream("Hi").collect().text, fiber.sync.chat("Hi").text) == ("AB", "AB")
    assert transport.slept == []


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_what_comes_at_once_does_not_pass_the_deadline(stream: bool) -> None:
    """A server that is faster than its reader must not keep the reader for longer than `total`."""
    fiber, _ = client(at_once(*["word " * 10_000] * 20), timeouts=Timeouts(total=3))

    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat_stream("Hi").collect() if stream else fiber.sync.chat("Hi")

    assert caught.value.timer == "total"


# -- forget_text --------------------------------------------------------------------------------------------------


def test_text_that_is_not_kept_is_in_the_events_alone() -> None:
    """The result has everything else, and says so."""
    fiber, _ = scripted(streamed("A", "B"), streamed("A", "B"))
    kept = fiber.sync.chat_stream("Hi").collect()
    stream = fiber.sync.chat_stream("Hi", forget_text=True)

    told = "".join(event.text for event in stream if isinstance(event, TextDelta))
    result = stream.result

    assert (told, kept.text, result.text, stream.text) == ("AB", "AB", "", "")
    assert (result.usage, result.finish_reason) == (kept.usage, kept.finish_reason)
    assert any("forget_text" in warning for warning in result.warnings)


def test_a_decoder_that_cannot_forget_keeps_the_text() -> None:
    """A raw stream has no text; a whole answer is its text."""
    fiber, _ = scripted(whole("A"), FakeReply(200, {}, (b"a", b"b")))
    view = fiber.with_options(forget_text=True)

    assert view.sync.chat("Hi").text == "A"
    assert list(view.sync.request_stream("GET", "/x", provider="openai")) == [b"a", b"b"]


@pytest.mark.parametrize("beside", [{"response_format": "json"}, {"emulate_tools": True}])
def test_what_reads_the_text_at_the_end_needs_it(beside: dict[str, Any]) -> None:
    """Refused before anything is sent."""
    fiber, transport = scripted()

    with pytest.raises(FiberValidationError) as caught:
        fiber.sync.chat_stream("Hi", forget_text=True, **beside)

    assert (caught.value.parameter, caught.value.outcome, transport.requests) == ("forget_text", "not_sent", [])
