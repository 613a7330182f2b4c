"""One exchange: building, signing, opening, priming, reading; the five timers; what is left when it fails."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import traceback
from typing import Any

import pytest

from fiber import (
    NO_RETRY,
    Fiber,
    FiberAuthError,
    FiberCapabilityError,
    FiberConnectionError,
    FiberContextLengthError,
    FiberError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    FiberValidationError,
    ModelCatalog,
    Secret,
    Timeouts,
    _engine,
    openai_compatible,
)
from fiber._engine import Replay, run_sync
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, lost, sse_reply
from tests.kit import (
    COUNTS,
    DONE,
    FINISH,
    KEY,
    MODEL,
    START,
    answer,
    frames,
    piece,
    refused,
    scripted,
    streamed,
    watched,
    whole,
)

PACKAGE = os.path.join(os.path.dirname(_engine.__file__), "")
"""The package's own folder: a clone may have any name, `fiber` included."""

LIMITS = Timeouts(connect=1, read=2, total=100, first_event=10, stall=5)


def collect(fiber: Fiber, **options: Any) -> Any:
    """Read a whole stream."""
    return fiber.sync.chat_stream("Hi", **options).collect()


# -- run_sync -----------------------------------------------------------------------------------------------------


def test_run_sync_returns_the_value() -> None:
    """A coroutine that never suspends is finished in one step."""

    async def three() -> int:
        return 3

    assert run_sync(three()) == 3


def test_run_sync_passes_exceptions() -> None:
    """What the coroutine raises is raised."""

    async def fail() -> None:
        raise LookupError("x")

    with pytest.raises(LookupError, match="x"):
        run_sync(fail())


def test_run_sync_refuses_what_suspends_and_closes_it() -> None:
    """Whatever awaits an event loop is closed, and the error says what to do."""
    closed = []

    class Suspends:
        def __await__(self) -> Any:
            yield

    async def wait() -> None:
        try:
            await Suspends()
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match="synchronous call"):
        run_sync(wait())
    assert closed == [True]


# -- journal ------------------------------------------------------------------------------------------------------


def test_receipt_lists_every_attempt() -> None:
    """Status, request id, seconds and the wait before it."""
    script = (
        refused(503, x_request_id="r1", retry_after="2"),
        FakeReply(200, whole(x_request_id="r2").headers, (0.5, whole().chunks[0])),
    )
    fiber, transport = scripted(*script)

    result = fiber.sync.chat("Hi")

    first, second = result.receipt.attempts
    assert (first.number, first.status, first.error, first.request_id) == (1, 503, "FiberOverloadedError", "r1")
    assert (second.number, second.status, second.error, second.request_id) == (2, 200, None, "r2")
    assert (first.waited_seconds, second.waited_seconds) == (0.0, 2.0)
    assert (first.seconds, second.seconds) == (0.0, 0.5)
    assert (first.provider, first.model) == ("openai", "gpt-test")
    assert result.receipt.seconds == 2.5
    assert result.latency_ms == 2500
    assert transport.closed == 2


def test_error_lists_every_attempt() -> None:
    """An error carries what a receipt would."""
    fiber, _ = scripted(refused(401, x_request_id="r1"))

    with pytest.raises(FiberAuthError) as caught:
        fiber.sync.chat("Hi")

    assert [(a.number, a.status, a.error) for a in caught.value.attempts] == [(1, 401, "FiberAuthError")]
    assert (caught.value.provider, caught.value.model, caught.value.request_id) == ("openai", "gpt-test", "r1")


def test_streams_have_the_time_of_their_first_event() -> None:
    """It is that of the first event with content."""
    fiber, _ = scripted(sse_reply(START, 1.5, piece("Hi"), 2.0, FINISH, DONE))

    result = collect(fiber)

    assert result.receipt.first_event_seconds == 1.5
    assert result.receipt.seconds == 3.5


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"api_keys": {}}, FiberAuthError),
        ({"api_keys": {"openai": ""}}, FiberAuthError),
        ({"api_keys": {"openai": lambda: None}}, FiberAuthError),
        ({"api_keys": {"openai": "ключ"}}, FiberAuthError),
    ],
)
def test_what_was_not_sent_is_no_attempt(options: dict[str, Any], kind: type[FiberError]) -> None:
    """A missing or unusable key fails before any attempt."""
    fiber, transport = scripted(**options)

    with pytest.raises(kind) as caught:
        fiber.sync.chat("Hi")

    assert transport.requests == []
    assert caught.value.attempt == 0
    assert caught.value.outcome == "not_sent"


SMALL = ModelCatalog(overrides={"openai:gpt-test": {"max_input": 4000}})


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_longer_than_the_window_is_not_sent(stream: bool) -> None:
    """Neither whole nor as a stream; it is no attempt, and is not tried again."""
    fiber, transport, watch = watched(catalog=SMALL)

    with pytest.raises(FiberContextLengthError) as caught:
        fiber.sync.chat_stream("word " * 9000).collect() if stream else fiber.sync.chat("word " * 9000)

    assert (caught.value.outcome, caught.value.attempts, transport.requests) == ("not_sent", (), [])
    assert len(watch.calls) == 1


def test_the_caller_may_send_what_is_too_long() -> None:
    """And raw requests are never looked at."""
    fiber, transport = scripted(whole(), json_reply({}), catalog=SMALL)

    fiber.sync.chat("word " * 9000, on_unsupported="warn")
    fiber.sync.request("POST", "/x", provider="openai", json={"text": "word " * 9000})

    assert len(transport.requests) == 2


def test_missing_key_names_the_variable() -> None:
    """The message says what to set."""
    fiber, _ = scripted(api_keys={})

    with pytest.raises(FiberAuthError, match="OPENAI_API_KEY"):
        fiber.sync.chat("Hi")


def test_a_provider_that_needs_no_key_is_called_without() -> None:
    """No authorization header is sent."""
    fiber, transport = scripted(
        whole(), providers=[openai_compatible("local", "http://127.0.0.1:1/v1")], default_model="local:m"
    )

    fiber.sync.chat("Hi")

    assert "authorization" not in transport.requests[0].headers


@pytest.mark.parametrize(
    ("messages", "options", "words"),
    [
        ("\ud800", {}, "surrogate"),
        ("Hi", {"extra_body": {"x": object()}}, "JSON"),
    ],
)
def test_what_json_cannot_say_is_a_validation_error(messages: str, options: dict[str, Any], words: str) -> None:
    """Nothing is sent, and the prompt is not quoted."""
    fiber, transport = scripted()

    with pytest.raises(FiberValidationError, match=words) as caught:
        fiber.sync.chat(messages, **options)

    assert transport.requests == []
    assert caught.value.outcome == "not_sent"


def test_an_exception_of_a_key_callable_passes_and_closes_nothing() -> None:
    """The vault's own error is the caller's business."""

    def vault() -> str:
        raise LookupError("vault")

    fiber, transport = scripted(api_keys={"openai": vault})

    with pytest.raises(LookupError):
        fiber.sync.chat("Hi")

    assert transport.requests == []


def test_a_foreign_exception_of_a_transport_is_journalled_by_its_name() -> None:
    """A bug is an error of the attempt, not a cancellation."""
    fiber, _, watch = watched(ZeroDivisionError("bug"))

    with pytest.raises(ZeroDivisionError):
        fiber.sync.chat("Hi")

    assert [attempt.error for attempt in watch.calls[0].journal.attempts] == ["ZeroDivisionError"]


@pytest.mark.anyio
async def test_cancellation_is_journalled_and_closes_the_answer() -> None:
    """An attempt that was cancelled says so."""

    class Cancelled(BaseException):
        pass

    fiber, transport, watch = watched(FakeReply(200, {"content-type": "application/json"}, (b"{", Cancelled())))

    with pytest.raises(Cancelled):
        await fiber.chat("Hi")

    assert [attempt.error for attempt in watch.calls[0].journal.attempts] == ["cancelled"]
    assert transport.closed == 1


# -- headers ------------------------------------------------------------------------------------------------------


def test_headers_of_the_row_are_sent_unless_the_request_has_them() -> None:
    """The caller's header wins over the row's."""
    row = openai_compatible("local", "http://127.0.0.1:1/v1").replace(headers=(("X-Team", "row"), ("X-App", "fiber")))
    fiber, transport = scripted(whole(), providers=[row], default_model="local:m")

    fiber.sync.chat("Hi", extra_headers={"x-team": "call"})

    headers = transport.requests[0].headers
    assert headers["x-team"] == "call"
    assert headers["X-App"] == "fiber"
    assert "X-Team" not in headers


# -- keys ---------------------------------------------------------------------------------------------------------


async def from_vault() -> str:
    """Return the key, asynchronously."""
    await asyncio.sleep(0) if False else None
    return KEY


@pytest.mark.parametrize(
    "key",
    [KEY, f"{KEY}\n", f"  {KEY}\r\n", Secret(KEY), Secret(f"{KEY}\n"), lambda: KEY, lambda: f"{KEY}\n", from_vault],
)
def test_a_key_is_sent_without_the_space_around_it(key: Any) -> None:
    """Strings, secrets and callables of both kinds are accepted."""
    fiber, transport = scripted(whole(), api_keys={"openai": key})

    fiber.sync.chat("Hi")

    assert transport.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_callable_is_asked_at_every_attempt() -> None:
    """Keys may be rotated while the client lives."""
    keys = iter(["one", "two"])
    fiber, transport = scripted(refused(503, retry_after="0"), whole(), api_keys={"openai": lambda: next(keys)})

    fiber.sync.chat("Hi")

    assert [request.headers["authorization"] for request in transport.requests] == ["Bearer one", "Bearer two"]


BAD = [f"{KEY}\nx", f"{KEY}\x00", f"{KEY}é", f"{KEY}\u2028x"]


@pytest.mark.parametrize("as_callable", [False, True])
@pytest.mark.parametrize("key", BAD)
def test_a_key_with_bad_characters_is_not_quoted(key: str, as_callable: bool, caplog: pytest.LogCaptureFixture) -> None:
    """No text, traceback (with variables of our frames), log or pickle of the error holds it."""
    caplog.set_level(logging.DEBUG)
    source = Secret(key)
    fiber, transport = scripted(api_keys={"openai": source.reveal if as_callable else source})

    with pytest.raises(FiberAuthError, match="characters") as caught:
        fiber.sync.chat("Hi")

    assert transport.requests == []
    assert_no_key(caught.value, caplog)


def assert_no_key(error: FiberError, caplog: pytest.LogCaptureFixture) -> None:
    """Look for the key in everything that may be printed."""
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame for frame in frames.stack if frame.filename.startswith(PACKAGE)]
    said = [str(error), repr(error), str(vars(error)), "".join(traceback.format_exception(error)), caplog.text]
    said += [str(frame.locals) for frame in ours]
    assert ours
    assert not [text for text in said if KEY in text]
    assert KEY.encode() not in pickle.dumps(error)


def test_a_key_that_the_provider_repeats_is_taken_out(caplog: pytest.LogCaptureFixture) -> None:
    """Neither message nor raw response of the refusal holds it."""
    caplog.set_level(logging.DEBUG)
    fiber, _ = scripted(refused(401, "invalid_api_key", f"Incorrect API key: {KEY}"))

    with pytest.raises(FiberAuthError, match=r"Incorrect API key: \S*\*\*\*") as caught:
        fiber.sync.chat("Hi")

    assert_no_key(caught.value, caplog)


def test_a_key_that_a_stream_repeats_is_taken_out(caplog: pytest.LogCaptureFixture) -> None:
    """An in-band error after content is cleaned too, and knows where it happened."""
    caplog.set_level(logging.DEBUG)
    error = {"error": {"message": f"proxy said {KEY}", "code": "server_error"}}
    fiber, _ = scripted(sse_reply(START, piece("Hi"), error))

    with pytest.raises(FiberProviderError, match="proxy said") as caught:
        collect(fiber)

    assert_no_key(caught.value, caplog)
    assert (caught.value.provider, caught.value.model) == ("openai", "gpt-test")


# -- timers -------------------------------------------------------------------------------------------------------


def expire(fiber: Fiber, *, stream: bool) -> FiberTimeoutError:
    """Make a call that times out."""
    with pytest.raises(FiberTimeoutError) as caught:
        collect(fiber) if stream else fiber.sync.chat("Hi")
    return caught.value


@pytest.mark.parametrize("stream", [False, True])
def test_first_event_limits_the_wait_for_the_head(stream: bool) -> None:
    """A head that does not come is the `first_event` timer."""
    fiber, transport = scripted(FakeReply(delay_seconds=11), timeouts=LIMITS, retry=NO_RETRY)

    error = expire(fiber, stream=stream)

    assert (error.timer, error.seconds, error.outcome) == ("first_event", 10, "unknown")
    assert transport.clock == 10


def test_first_event_counts_from_sending() -> None:
    """A late head leaves less time for the first event."""
    reply = sse_reply(3.0, START, piece("Hi"), FINISH, DONE)
    fiber, transport = scripted(
        FakeReply(200, reply.headers, reply.chunks, delay_seconds=8), timeouts=LIMITS, retry=NO_RETRY
    )

    error = expire(fiber, stream=True)

    assert error.timer == "first_event"
    assert transport.clock == 10
    assert transport.closed == 1


def test_pings_do_not_count_as_first_event() -> None:
    """Comments and an empty first piece are no content."""
    fiber, transport = scripted(
        sse_reply(": ping\n\n", START, *[4.0, ": ping\n\n"] * 4, piece("Hi")), timeouts=LIMITS, retry=NO_RETRY
    )

    error = expire(fiber, stream=True)

    assert error.timer == "first_event"
    assert transport.clock == 10


def test_stall_limits_the_silence_between_events() -> None:
    """Pings do not feed it, content does; what came is in `partial`."""
    fiber, transport = scripted(
        sse_reply(START, piece("A"), 4.0, piece("B"), 3.0, ": ping\n\n", 3.0, piece("C")), timeouts=LIMITS
    )

    error = expire(fiber, stream=True)

    assert (error.timer, error.seconds) == ("stall", 5)
    assert error.partial is not None
    assert error.partial.text == "AB"
    assert transport.clock == 9
    assert len(transport.requests) == 1
    assert transport.closed == 1


@pytest.mark.parametrize(
    "delta", [{"reasoning_content": "hm"}, {"tool_calls": [{"index": 0, "function": {"arguments": "1"}}]}]
)
def test_reasoning_and_arguments_feed_the_stall_timer(delta: dict[str, Any]) -> None:
    """Both are content."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
    fiber, _ = scripted(
        sse_reply(START, piece(tool_calls=[call]), 4.0, piece(**delta), 4.0, piece(**delta), FINISH, DONE),
        timeouts=LIMITS,
    )

    assert collect(fiber).finish_reason == "tool_calls"


def test_a_stall_timer_that_is_off_never_expires() -> None:
    """None turns a timer off."""
    fiber, _ = scripted(
        sse_reply(START, piece("A"), 1e6, piece("B"), FINISH, DONE), timeouts=Timeouts(total=None, stall=None)
    )

    assert collect(fiber).text == "AB"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "reply",
    [
        FakeReply(delay_seconds=9),
        FakeReply(200, {"content-type": "application/json"}, (b"{", 9.0)),
        FakeReply(200, {"content-type": "text/event-stream"}, (9.0,)),
        sse_reply(START, piece("A"), 3.5, piece("B"), 9.0),
    ],
)
def test_total_is_a_deadline_over_everything(reply: FakeReply, stream: bool) -> None:
    """Wherever the time passes, the `total` timer is named, and it is not retried."""
    fiber, transport = scripted(reply, timeouts=Timeouts(total=4))

    error = expire(fiber, stream=stream)

    assert (error.timer, error.seconds) == ("total", 4)
    assert transport.clock == 4
    assert transport.slept == []
    assert (error.provider, error.model) == ("openai", "gpt-test")


def test_total_covers_attempts_and_waits() -> None:
    """The second attempt has what the first left."""
    fiber, transport = scripted(refused(503, retry_after="3"), FakeReply(delay_seconds=9), timeouts=Timeouts(total=4))

    error = expire(fiber, stream=False)

    assert error.timer == "total"
    assert transport.clock == 4
    assert len(error.attempts) == 2


@pytest.mark.parametrize("timer", ["connect", "read"])
def test_timers_of_the_socket_get_their_limit(timer: str) -> None:
    """A transport may not know the limit; the call does."""
    fiber, _ = scripted(FiberTimeoutError("x", timer=timer), timeouts=LIMITS, retry=NO_RETRY)

    error = expire(fiber, stream=False)

    assert (error.timer, error.seconds) == (timer, getattr(LIMITS, timer))


def test_read_timer_in_a_stream_is_not_an_interruption() -> None:
    """It keeps its type, its place and what came."""
    fiber, transport = scripted(
        sse_reply(START, piece("A"), FiberTimeoutError("silence", timer="read", outcome="unknown")), timeouts=LIMITS
    )

    error = expire(fiber, stream=True)

    assert (error.timer, error.seconds, error.provider, error.model) == ("read", 2, "openai", "gpt-test")
    assert error.partial is not None
    assert error.partial.text == "A"
    assert transport.closed == 1


# -- priming and ends ---------------------------------------------------------------------------------------------

IN_BAND = {"error": {"message": "overloaded", "code": "overloaded_error", "type": "overloaded_error", "status": 503}}


@pytest.mark.parametrize("before", [(), (": ping\n\n",), (START,)])
def test_an_in_band_error_before_content_is_retried(before: tuple[Any, ...]) -> None:
    """Nothing was given out, so the next attempt is as good as the first."""
    fiber, transport = scripted(sse_reply(*before, IN_BAND), streamed("Hi"))

    result = collect(fiber)

    assert result.text == "Hi"
    assert len(result.receipt.attempts) == 2
    assert transport.closed == 2


def test_an_in_band_error_after_content_is_not_retried() -> None:
    """The events before it are given out, then it is raised with what came."""
    fiber, transport = scripted(sse_reply(START, piece("Hel"), piece("lo"), IN_BAND))
    stream = fiber.sync.chat_stream("Hi")
    said: list[str] = []

    with pytest.raises(FiberProviderError) as caught:
        said.extend(event.text for event in stream if event.type == "text-delta")

    assert said == ["Hel", "lo"] or said == []
    assert stream.text == "Hello"
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"
    assert len(caught.value.attempts) == 1
    assert transport.closed == 1
    assert len(transport.requests) == 1


def test_an_error_in_the_chunk_of_the_content_comes_after_it() -> None:
    """One chunk with both gives the events first."""
    chunks = sse_reply(START, piece("Hel"), IN_BAND).chunks
    body = b"".join(chunk for chunk in chunks if isinstance(chunk, bytes))
    fiber, _ = scripted(FakeReply(200, {"content-type": "text/event-stream"}, (body,)))
    stream = fiber.sync.chat_stream("Hi")

    events = [next(stream).type, next(stream).type]
    with pytest.raises(FiberError):
        next(stream)

    assert events == ["message-start", "text-delta"]
    assert list(stream) == []


@pytest.mark.parametrize("before", [(), (START,)])
def test_a_connection_lost_before_content_is_retried_once(before: tuple[Any, ...]) -> None:
    """Its outcome is unknown, and the receipt says that it may be paid twice."""
    fiber, _ = scripted(sse_reply(*before, cut=True), streamed("Hi"))

    result = collect(fiber)

    assert result.text == "Hi"
    assert result.receipt.possible_duplicate_charge


def test_a_connection_lost_after_content_is_an_interruption() -> None:
    """The error has what came, the request id and the place."""
    fiber, transport = scripted(sse_reply(START, piece("Hel"), cut=True, x_request_id="r9"))

    with pytest.raises(FiberStreamInterruptedError) as caught:
        collect(fiber)

    error = caught.value
    assert error.partial is not None
    assert error.partial.text == "Hel"
    assert (error.request_id, error.provider, error.model) == ("r9", "openai", "gpt-test")
    assert transport.closed == 1


def test_a_stream_without_its_end_is_an_interruption() -> None:
    """The end of the body is not the end of the answer."""
    fiber, transport = scripted(sse_reply(START, piece("Hel")))

    with pytest.raises(FiberStreamInterruptedError):
        collect(fiber)

    assert transport.closed == 1


def test_other_errors_of_a_transport_keep_their_type_in_a_stream() -> None:
    """Only lost connections become interruptions."""
    fiber, _ = scripted(sse_reply(START, piece("Hel"), FiberOverloadedError("x")))

    with pytest.raises(FiberOverloadedError):
        collect(fiber)


def test_a_stream_that_says_only_done_is_no_answer() -> None:
    """An empty stream is an error."""
    fiber, transport = scripted(sse_reply(DONE), retry=NO_RETRY)

    with pytest.raises(FiberError):
        collect(fiber)

    assert transport.closed == 1


def test_a_stream_without_text_is_complete() -> None:
    """A stream may end before any content."""
    fiber, transport = scripted(sse_reply(START, FINISH, DONE))

    assert collect(fiber).text == ""
    assert transport.closed == 1


def test_the_end_of_a_body_ends_a_stream_where_the_row_says_so() -> None:
    """Some servers send no terminal marker; the events that the end completes are given out."""
    fiber, transport = scripted(sse_reply(START, piece("Hi"), FINISH))

    result = collect(fiber)

    assert result.text == "Hi"
    assert result.warnings
    assert transport.closed == 1


def test_a_good_end_is_read_to_the_end_of_the_body() -> None:
    """The connection can be used again."""
    fiber, transport = scripted(sse_reply(*frames("Hi"), ": bye\n\n"))

    assert collect(fiber).text == "Hi"
    assert transport.closed == 1


@pytest.mark.parametrize("trailer", [(9.0,), (lost(),), (b": x\n\n",) * 40])
def test_what_follows_a_good_end_cannot_break_it(trailer: tuple[Any, ...]) -> None:
    """Silence, a lost connection and endless bytes after the marker are nobody's business."""
    reply = streamed("Hi")
    fiber, transport = scripted(FakeReply(200, reply.headers, (*reply.chunks, *trailer)))

    assert collect(fiber).text == "Hi"
    assert transport.clock <= 1
    assert transport.closed == 1


def test_draining_never_passes_the_deadline() -> None:
    """The total timer holds there too, without an error."""
    fiber, transport = scripted(sse_reply(*frames("Hi"), 9.0), timeouts=Timeouts(total=0.5))

    assert collect(fiber).text == "Hi"
    assert transport.clock == 0.5


# -- the other kind of body ---------------------------------------------------------------------------------------


def test_a_whole_answer_to_a_stream_is_replayed_as_events() -> None:
    """Some servers do not stream; the caller need not care."""
    fiber, transport = scripted(whole("Hello", x_request_id="r1"))
    stream = fiber.sync.chat_stream("Hi")

    kinds = [event.type for event in stream]

    assert kinds == ["message-start", "text-delta", "usage", "message-end"]
    assert stream.result.text == "Hello"
    assert stream.result.receipt.attempts[0].request_id == "r1"
    assert transport.closed == 1


def test_a_stream_as_the_answer_to_a_whole_call_is_collected() -> None:
    """Some servers always stream."""
    fiber, transport = scripted(streamed("Hel", "lo"))

    assert fiber.sync.chat("Hi").text == "Hello"
    assert transport.closed == 1


def test_lines_as_the_answer_to_a_whole_call_are_collected() -> None:
    """Of a format that streams lines of JSON."""
    body = b'{"message":{"content":"Hel"}}\n{"message":{"content":"lo"},"done":true}\n'
    fiber, _ = scripted(FakeReply(200, {"content-type": "application/x-ndjson"}, (body,)))

    assert fiber.sync.chat("Hi", model="ollama:m").text == "Hello"


def test_a_broken_stream_as_the_answer_to_a_whole_call_is_an_error() -> None:
    """It is not taken for an answer."""
    fiber, _ = scripted(sse_reply(START, piece("Hel")), retry=NO_RETRY)

    with pytest.raises(FiberStreamInterruptedError):
        fiber.sync.chat("Hi")


@pytest.mark.parametrize("stream", [False, True])
def test_a_page_of_html_is_a_parsing_error(stream: bool) -> None:
    """A login page is no answer."""
    fiber, transport = scripted(FakeReply(200, {"content-type": "text/html"}, (b"<html>login</html>",)))

    with pytest.raises(FiberParsingError):
        collect(fiber) if stream else fiber.sync.chat("Hi")

    assert transport.closed == 1


def test_a_list_as_the_answer_to_a_stream_goes_to_the_decoder() -> None:
    """A JSON array may be a stream in one piece; here it is an error, and it is typed."""
    body = json_reply([{"error": {"message": "bad", "code": 400}}])
    fiber, transport = scripted(body, retry=NO_RETRY)

    with pytest.raises(FiberError):
        collect(fiber)

    assert transport.closed == 1


def test_a_redirect_is_an_error() -> None:
    """A key must not follow it."""
    fiber, transport = scripted(FakeReply(302, {"location": "http://elsewhere"}))

    with pytest.raises(FiberParsingError, match="redirect"):
        fiber.sync.chat("Hi")

    assert len(transport.requests) == 1


def test_replay_has_nothing_to_close() -> None:
    """It is a value behind the face of a stream."""
    fiber, _ = scripted(json_reply(answer()))
    replay = Replay(fiber.sync.chat("Hi"))

    run_sync(replay.close())
    replay.discard()

    assert replay.done
    assert run_sync(replay.next_events())
    assert run_sync(replay.next_events()) == []
    assert replay.result().text == "Hello"


def test_a_capability_error_is_raised_before_any_attempt() -> None:
    """Nothing was sent, so there is no attempt."""
    fiber, transport = scripted()

    with pytest.raises(FiberCapabilityError) as caught:
        fiber.sync.chat("Hi", top_k=5)

    assert transport.requests == []
    assert caught.value.attempts == ()


def test_a_connection_that_fails_before_sending_is_an_attempt() -> None:
    """It was tried."""
    fiber, _ = scripted(FiberConnectionError("x", outcome="not_sent"), retry=NO_RETRY)

    with pytest.raises(FiberConnectionError) as caught:
        fiber.sync.chat("Hi")

    assert len(caught.value.attempts) == 1
    assert caught.value.provider == "openai"


def test_a_stream_is_closed_once_and_says_nothing_more() -> None:
    """Closing again, and reading on, does nothing."""
    fiber, transport = scripted(streamed("A", "B"))
    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)
        stream.close()

        assert list(stream) == []
    stream.close()
    assert transport.closed == 1


def test_scripts_are_of_this_format() -> None:
    """They speak what the adapter reads."""
    fiber = Fiber(
        api_keys={"openai": KEY},
        default_model=MODEL,
        transport=FakeTransport(sse_reply(START, piece("x"), FINISH, COUNTS, DONE)),
    )

    assert collect(fiber).usage.total_tokens == 8


def test_a_cancelled_stream_is_closed_without_waiting() -> None:
    """The answer is discarded at once, and reading on gives nothing."""
    fiber, transport = scripted(streamed("A", "B"))
    stream = fiber.sync.chat_stream("Hi")
    next(stream)

    stream.cancel()

    assert list(stream) == []
    assert transport.closed == 1


def test_a_raw_stream_that_is_lost_is_an_interruption() -> None:
    """There is no result to attach, but the request id."""
    fiber, _ = scripted(FakeReply(200, {"x-request-id": "r1"}, (b"abc", lost())))
    stream = fiber.sync.request_stream("GET", "/x", provider="openai")

    with pytest.raises(FiberStreamInterruptedError) as caught:
        list(stream)

    assert caught.value.request_id == "r1"
    assert caught.value.partial is None


@pytest.mark.parametrize(
    ("headers", "member", "expected"),
    [({"x_request_id": "r1"}, {}, "r1"), ({}, {"request_id": "r2"}, "r2"), ({}, {}, None)],
)
def test_an_attempt_of_a_stream_has_the_id_of_its_request(
    headers: dict[str, str], member: dict[str, str], expected: str | None
) -> None:
    """The header says it, or the answer itself where no header does."""
    fiber, _ = scripted(sse_reply({**START, **member}, piece("Hi"), FINISH, DONE, **headers))

    with fiber.sync.chat_stream("Hi") as stream:
        list(stream)

    (attempt,) = stream.result.receipt.attempts
    assert attempt.request_id == stream.result.request_id == expected
