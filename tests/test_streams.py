"""Streams as the caller holds them: every way in which they end, once."""

from __future__ import annotations

import gc
from threading import Thread
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from fiber import (
    Fiber,
    FiberError,
    FiberProviderError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    FiberValidationError,
    Log,
    TextDelta,
    Timeouts,
    ToolCallDelta,
)
from fiber._chain import Call, Handler
from fiber._reply import Ending, Reply
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, lost, sse_reply
from fiber.transports.base import HTTPResponse
from tests.kit import FINISH, KEY, MODEL, START, Watch, answer, frames, piece, streamed, watched, whole

KINDS = ["message-start", "text-delta", "text-delta", "usage", "message-end"]
TEXTS = ["A", "B"]
TWO = len(KINDS)

pytestmark = pytest.mark.anyio


class Slow(FakeTransport):
    """A fake that lets other tasks run before every chunk, and can be held before an answer."""

    def __init__(self, *script: Any) -> None:
        super().__init__(*script)
        self.gate: anyio.Event | None = None
        self.waiting = False

    async def open(self, *arguments: Any) -> HTTPResponse:
        """Wait at the gate."""
        self.waiting = True
        if self.gate is not None:
            await self.gate.wait()
        return await super().open(*arguments)

    async def next_chunk(self, *arguments: Any) -> bytes:
        """Let others run."""
        await anyio.lowlevel.checkpoint()
        return await super().next_chunk(*arguments)


# -- the good end -------------------------------------------------------------------------------------------------


async def test_a_stream_gives_events_and_the_same_result_as_a_chat() -> None:
    """Text, usage and finish reason agree; it is closed and ended once."""
    fiber, transport, watch = watched(streamed(*TEXTS), whole("AB"))

    async with fiber.chat_stream("Hi") as stream:
        kinds = [event.type async for event in stream]
    same = await fiber.chat("Hi")

    assert kinds == KINDS
    assert stream.text == "AB" == stream.result.text == same.text
    assert (stream.result.usage, stream.result.finish_reason) == (same.usage, same.finish_reason)
    assert stream.result is stream.result
    assert watch.outcomes == ["complete", "complete"]
    assert watch.endings[0].usage == same.usage
    assert transport.closed == 2


async def test_partial_holds_the_tool_call_that_is_being_written() -> None:
    """Its arguments are there as far as they came, at each event."""
    pieces = ('{"city":', '"Os', 'lo","days"', ":3}")
    calls: list[dict[str, Any]] = [{"index": 0, "id": "c", "type": "function", "function": {"name": "f"}}]
    calls += [{"index": 0, "function": {"arguments": text}} for text in pieces]
    deltas = [piece(tool_calls=[call]) for call in calls]
    fiber, _, _ = watched(sse_reply(START, *deltas, piece(finish_reason="tool_calls"), "[DONE]"))

    seen = []
    async with fiber.chat_stream("hi") as stream:
        async for event in stream:
            if isinstance(event, ToolCallDelta):
                assert stream.partial is not None
                seen.append(stream.partial.tool_calls[event.index].partial_arguments)

    assert seen == [{}, {"city": "Os"}, {"city": "Oslo"}, {"city": "Oslo", "days": 3}]
    assert stream.result.tool_calls[0].arguments == seen[-1]


async def test_a_stream_needs_no_block() -> None:
    """`async for` opens it."""
    fiber, transport, watch = watched(streamed(*TEXTS))

    kinds = [event.type async for event in fiber.chat_stream("Hi")]

    assert kinds == KINDS
    assert (transport.closed, watch.outcomes) == (1, ["complete"])


async def test_collect_reads_to_the_end() -> None:
    """Also after some events were read."""
    fiber, _, _ = watched(streamed(*TEXTS))
    stream = fiber.chat_stream("Hi")
    await anext(stream)

    result = await stream.collect()

    assert result.text == "AB"


async def test_nothing_is_sent_before_it_is_entered() -> None:
    """Dropping a stream that was not begun is free."""
    fiber, transport, watch = watched(streamed())
    stream = fiber.chat_stream("Hi")

    await stream.close()
    stream.cancel()

    assert [event async for event in stream] == []
    async with stream:
        pass
    assert stream.partial is None
    assert (transport.requests, transport.closed, watch.outcomes) == ([], 0, [])


async def test_result_and_partial_before_the_end() -> None:
    """`result` says what to do; `partial` has what came."""
    fiber, _, _ = watched(sse_reply(START, piece("A"), *frames("B")[1:]))
    stream = fiber.chat_stream("Hi")

    with pytest.raises(FiberValidationError, match="collect"):
        _ = stream.result
    await anext(stream)
    await anext(stream)

    assert stream.partial is not None
    assert (stream.text, stream.partial.text) == ("A", "A")
    with pytest.raises(FiberValidationError, match="collect"):
        _ = stream.result
    await stream.close()


async def test_text_is_that_of_the_first_choice() -> None:
    """The pieces of others are events only."""
    other = piece("X")
    other["choices"][0]["index"] = 1
    last = piece(finish_reason="stop")
    last["choices"][0]["index"] = 1
    fiber, _, _ = watched(sse_reply(START, piece("A"), other, FINISH, last, "[DONE]"))
    stream = fiber.chat_stream("Hi", n=2)

    await stream.collect()

    assert stream.text == "A"


# -- every other end ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(TWO))
async def test_break_in_a_block_closes_once(at: int) -> None:
    """After any event; complete only if the answer was: its last two events come together."""
    fiber, transport, watch = watched(streamed(*TEXTS))

    async with fiber.chat_stream("Hi") as stream:
        seen = 0
        async for _ in stream:
            if seen == at:
                break
            seen += 1

    assert transport.closed == 1
    assert watch.outcomes == ["complete" if at >= TWO - 2 else "cancelled"]
    assert [event async for event in stream] == []


@pytest.mark.parametrize("at", range(TWO))
async def test_break_and_drop_closes_once(at: int) -> None:
    """Without a block, the last reference is enough."""
    fiber, transport, watch = watched(streamed(*TEXTS))

    seen = 0
    async for _ in fiber.chat_stream("Hi"):
        if seen == at:
            break
        seen += 1
    gc.collect()

    assert transport.closed == 1
    assert watch.outcomes == ["complete" if at >= TWO - 2 else "cancelled"]


@pytest.mark.parametrize("at", range(TWO))
async def test_an_exception_in_the_block_closes_once(at: int) -> None:
    """The caller's own exception passes."""
    fiber, transport, watch = watched(streamed(*TEXTS))

    with pytest.raises(ZeroDivisionError):
        async with fiber.chat_stream("Hi") as stream:
            seen = 0
            async for _ in stream:
                if seen == at:
                    raise ZeroDivisionError
                seen += 1

    assert (transport.closed, len(watch.endings)) == (1, 1)


@pytest.mark.parametrize("how", ["close", "cancel"])
@pytest.mark.parametrize("at", range(TWO))
async def test_close_and_cancel_at_every_event_end_once(at: int, how: str) -> None:
    """They may be repeated, mixed and followed by the end of the block; what was not read is lost."""
    fiber, transport, watch = watched(streamed(*TEXTS))

    async with fiber.chat_stream("Hi") as stream:
        for _ in range(at + 1):
            await anext(stream)
        if how == "close":
            await stream.close()
        else:
            stream.cancel()
        stream.cancel()
        await stream.close()
        rest = [event async for event in stream]

    assert rest == []
    assert (transport.closed, len(watch.endings)) == (1, 1)


async def test_close_tells_the_usage_so_far() -> None:
    """Accounting runs when the consumer stops early."""
    usage = {**piece("A"), "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}
    fiber, _, watch = watched(sse_reply(START, usage, piece("B")))

    async with fiber.chat_stream("Hi") as stream:
        await anext(stream)

    assert watch.endings[0].usage is not None
    assert watch.endings[0].usage.input_tokens == 3


@pytest.mark.parametrize(
    ("tail", "kind", "outcome"),
    [
        ((), FiberStreamInterruptedError, "truncated"),
        (({"error": {"message": "x", "code": "server_error"}},), FiberProviderError, "error"),
        ((99.0,), FiberTimeoutError, "error"),
    ],
)
async def test_an_error_ends_once(tail: tuple[Any, ...], kind: type[FiberError], outcome: str) -> None:
    """Truncated and failed are told apart; reading on gives nothing."""
    fiber, transport, watch = watched(sse_reply(START, piece("A"), *tail), timeouts=Timeouts(stall=9))
    stream = fiber.chat_stream("Hi")

    with pytest.raises(kind) as caught:
        await stream.collect()

    assert [event async for event in stream] == []
    await stream.close()
    stream.cancel()
    assert (transport.closed, watch.outcomes) == (1, [outcome])
    assert watch.endings[0].error is caught.value
    assert len(caught.value.attempts) == 1


async def test_an_error_at_the_start_ends_nothing() -> None:
    """There was no reply; layers saw the exception."""
    fiber, transport, watch = watched(json_reply({"error": {"message": "x"}}, 400))

    with pytest.raises(FiberError) as caught:
        async with fiber.chat_stream("Hi"):
            pass

    assert (transport.closed, watch.endings) == (1, [])
    assert len(caught.value.attempts) == 1


async def test_a_bug_below_ends_as_an_error() -> None:
    """It is not taken for a cancellation."""
    fiber, transport, watch = watched(sse_reply(START, piece("A"), ZeroDivisionError("bug")))

    with pytest.raises(ZeroDivisionError):
        await fiber.chat_stream("Hi").collect()

    assert (transport.closed, watch.outcomes) == (1, ["error"])


async def test_cancellation_of_the_task_ends_once() -> None:
    """At every checkpoint of the whole call."""
    for steps in range(12):
        transport, watch = Slow(streamed(*TEXTS)), Watch()
        fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport, layers=(watch,))

        async with anyio.create_task_group() as group:

            async def read(fiber: Fiber = fiber) -> None:
                async with fiber.chat_stream("Hi") as stream:
                    async for _ in stream:
                        await anyio.lowlevel.checkpoint()

            group.start_soon(read)
            for _ in range(steps):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()

        begun = len(transport.requests)
        assert transport.closed == begun
        assert len(watch.endings) <= begun


async def test_cancellation_while_a_chunk_is_awaited_tells_the_usage() -> None:
    """The ending is `cancelled`, with what was counted."""
    watch = Watch()
    usage = {**piece("A"), "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}
    transport = Slow(sse_reply(START, usage, piece("B"), FINISH))
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport, layers=(watch,))

    with anyio.CancelScope() as scope:
        async for event in fiber.chat_stream("Hi"):
            if event.type == "text-delta":
                scope.cancel()

    (ending,) = watch.endings
    assert ending.outcome == "cancelled"
    assert ending.usage is not None
    assert ending.error is not None
    assert transport.closed == 1


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_closing_while_the_answer_is_awaited_closes_it_when_it_comes(how: str) -> None:
    """The reader's loop ends, and nothing stays open."""
    transport, watch = Slow(streamed(*TEXTS)), Watch()
    transport.gate = anyio.Event()
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport, layers=(watch,))
    stream, seen = fiber.chat_stream("Hi"), []

    async def read() -> None:
        seen.extend([event async for event in stream])

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        while not transport.waiting:
            await anyio.lowlevel.checkpoint()
        if how == "close":
            await stream.close()
        else:
            stream.cancel()
        transport.gate.set()

    assert seen == []
    assert (transport.closed, watch.outcomes) == (1, ["cancelled"])


@pytest.mark.parametrize("how", ["close", "cancel", "thread"])
async def test_closing_under_a_reader_ends_its_loop(how: str) -> None:
    """The reader gets no error for what others wanted, and no event after it."""

    class Held(Slow):
        async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
            chunk = await super().next_chunk(response, until)
            if b"[DONE]" in chunk:
                held.set()
                await self.gate.wait()  # type: ignore[union-attr]
            if response.handle is None:
                raise FiberProviderError("broken because of the close")
            return chunk

    held, transport, watch = anyio.Event(), Held(), Watch()
    transport = Held(streamed(*TEXTS))
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport, layers=(watch,))
    stream, seen = fiber.chat_stream("Hi"), []

    async def read() -> None:
        seen.extend([event.type async for event in stream])

    async with anyio.create_task_group() as group:
        await anext(stream)
        transport.gate = anyio.Event()
        group.start_soon(read)
        await held.wait()
        if how == "close":
            await stream.close()
        elif how == "cancel":
            stream.cancel()
        else:
            thread = Thread(target=stream.cancel)
            thread.start()
            thread.join()
        transport.gate.set()

    assert "message-end" not in seen
    assert (transport.closed, watch.outcomes) == (1, ["cancelled"])


async def test_closing_under_a_reader_that_gets_an_end_ends_its_loop() -> None:
    """A closed body may look like one that ended."""

    class Ends(Slow):
        async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
            chunk = await super().next_chunk(response, until)
            if b'"B"' in chunk:
                stream.cancel()
                return b""
            return chunk

    watch = Watch()
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=Ends(streamed(*TEXTS)), layers=(watch,))
    stream = fiber.chat_stream("Hi")

    assert [event.type async for event in stream] == ["message-start", "text-delta"]
    assert watch.outcomes == ["cancelled"]


# -- notes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [True, False])
@pytest.mark.parametrize("reply", [streamed(*TEXTS), json_reply(answer())])
async def test_notes_are_log_events_after_the_start(block: bool, reply: FakeReply) -> None:
    """Once, however the stream was opened; also for an answer that came whole."""
    fiber, _, _ = watched(reply, on_unsupported="warn")
    stream = fiber.chat_stream("Hi", top_k=5)

    if block:
        async with stream:
            events = [event async for event in stream]
    else:
        events = [event async for event in stream]

    logs = [event for event in events if isinstance(event, Log)]
    assert events[0].type == "message-start"
    assert events[1] is logs[0]
    assert len(logs) == 1
    assert "top_k" in logs[0].message


async def test_notes_are_silent_with_drop() -> None:
    """They are in the receipt."""
    fiber, _, _ = watched(streamed(*TEXTS), on_unsupported="drop")
    stream = fiber.chat_stream("Hi", top_k=5)

    assert [event.type async for event in stream] == KINDS
    assert stream.result.receipt.dropped


async def test_notes_come_first_where_an_answer_has_no_start() -> None:
    """A layer may give a stream of its own."""

    class Bare:
        done = True

        def __init__(self) -> None:
            self.events: list[Any] = [Log("info", "bare")]

        async def next_events(self) -> list[Any]:
            events, self.events = self.events, []
            return events

        def result(self) -> None:
            return None

        async def close(self) -> None:
            """Nothing is open."""

        def discard(self) -> None:
            """Nothing is open."""

    async def layer(call: Call, next: Handler) -> Reply:
        return Reply(stream=Bare())

    fiber, _, _ = watched()
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=FakeTransport(), layers=(layer,))

    assert [event.type async for event in fiber.chat_stream("Hi")] == ["log"]


# -- pieces -------------------------------------------------------------------------------------------------------


async def test_ask_stream_gives_pieces_that_join_to_the_text() -> None:
    """None is empty."""
    reply = sse_reply(START, piece("A"), piece(""), piece(reasoning_content="x"), piece("B"), FINISH, "[DONE]")
    fiber, transport, watch = watched(reply)
    stream = fiber.ask_stream("Hi")

    pieces = [text async for text in stream]

    assert pieces == ["A", "B"]
    assert stream.result.text == "AB"
    assert (transport.closed, watch.outcomes) == (1, ["complete"])


@pytest.mark.parametrize("how", ["block", "close", "drop"])
async def test_ask_stream_is_closed_early(how: str) -> None:
    """By a block, by `close`, or by dropping it."""
    fiber, transport, watch = watched(streamed(*TEXTS))

    if how == "block":
        async with fiber.ask_stream("Hi") as stream:
            assert await anext(stream) == "A"
    elif how == "close":
        stream = fiber.ask_stream("Hi")
        assert await anext(stream) == "A"
        await stream.close()
    else:
        async for _ in fiber.ask_stream("Hi"):
            break
    gc.collect()

    assert (transport.closed, watch.outcomes) == (1, ["cancelled"])


async def test_request_stream_gives_bytes() -> None:
    """As they come."""
    fiber, _, _ = watched(FakeReply(200, {}, (b"a", b"b")))

    assert [chunk async for chunk in fiber.request_stream("GET", "/x", provider="openai")] == [b"a", b"b"]


# -- blocking -----------------------------------------------------------------------------------------------------


def test_blocking_streams_give_the_same() -> None:
    """Events, text, result."""
    fiber, transport, watch = watched(streamed(*TEXTS), streamed(*TEXTS))

    with fiber.sync.chat_stream("Hi") as stream:
        kinds = [event.type for event in stream]
    again = fiber.sync.chat_stream("Hi")
    first = next(again).type

    assert kinds == KINDS
    assert first == "message-start"
    assert stream.text == stream.result.text == again.collect().text == "AB"
    assert stream.partial is not None
    assert (transport.closed, watch.outcomes) == (2, ["complete", "complete"])


@pytest.mark.parametrize("how", ["block", "close", "cancel", "drop"])
@pytest.mark.parametrize("at", range(TWO))
def test_blocking_streams_end_once_at_every_event(at: int, how: str) -> None:
    """However they are left."""
    fiber, transport, watch = watched(streamed(*TEXTS))
    stream = fiber.sync.chat_stream("Hi")

    if how == "block":
        with stream:
            for _ in range(at + 1):
                next(stream)
    else:
        for _ in range(at + 1):
            next(stream)
    if how == "close":
        stream.close()
    if how == "cancel":
        stream.cancel()
    del stream
    gc.collect()

    assert (transport.closed, len(watch.endings)) == (1, 1)


def test_blocking_pieces() -> None:
    """Text pieces, in a block or not, closed early or not."""
    fiber, transport, _ = watched(streamed(*TEXTS), streamed(*TEXTS), streamed(*TEXTS))

    assert list(fiber.sync.ask_stream("Hi")) == TEXTS
    with fiber.sync.ask_stream("Hi") as stream:
        assert next(stream) == "A"
    stream = fiber.sync.ask_stream("Hi")
    next(stream)
    stream.close()

    assert list(stream) == []
    assert transport.closed == 3


def test_blocking_pieces_have_a_result() -> None:
    """Once they are read."""
    fiber, _, _ = watched(streamed(*TEXTS))
    stream = fiber.sync.ask_stream("Hi")

    assert "".join(stream) == stream.result.text


async def test_an_end_callback_may_look_at_the_ending() -> None:
    """It gets the same facts for a stream as for a chat."""
    endings: list[Ending] = []
    fiber, _, watch = watched(streamed(*TEXTS), whole("AB"))

    await fiber.chat_stream("Hi").collect()
    await fiber.chat("Hi")

    endings = watch.endings
    assert endings[0].usage == endings[1].usage
    assert (endings[0].finish_reason, endings[0].model) == (endings[1].finish_reason, endings[1].model)


async def test_events_that_come_after_a_close_are_not_given_out() -> None:
    """The chunk was on its way when another task closed the stream."""

    class Late(Slow):
        async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
            chunk = await super().next_chunk(response, until)
            if b'"B"' in chunk:
                stream.cancel()
            return chunk

    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=Late(streamed(*TEXTS)), layers=())
    stream = fiber.chat_stream("Hi")

    assert [event.type async for event in stream] == ["message-start", "text-delta"]
    assert stream.text == "A"


async def test_a_raw_stream_that_is_lost_has_no_partial_result() -> None:
    """Its bytes were given out."""
    fiber, transport, watch = watched(FakeReply(200, {}, (b"a", lost())))
    stream = fiber.request_stream("GET", "/x", provider="openai")

    assert await anext(stream) == b"a"
    with pytest.raises(FiberStreamInterruptedError):
        await anext(stream)

    assert (transport.closed, watch.outcomes) == (1, ["truncated"])


def test_text_of_many_pieces_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pieces were joined meanwhile, `text` is what was given out, at every moment."""
    monkeypatch.setattr("fiber._streams._MANY_PIECES", 3)
    words = [f"{number} " for number in range(10)]
    fiber, _, _ = watched(streamed(*words))
    given, seen = [], []

    for event in (stream := fiber.sync.chat_stream("Hi")):
        given += [event.text] if isinstance(event, TextDelta) else []
        seen.append(stream.text == "".join(given))

    assert all(seen)
    assert stream.text == stream.result.text == "".join(words)
