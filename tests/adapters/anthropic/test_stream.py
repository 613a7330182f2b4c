"""Streams: the same result as the whole answer, under any chunking, and truthful ends."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiber import _errors as errors
from fiber.adapters.anthropic import ADAPTER
from fiber.adapters.base import StreamDecoder
from fiber.types.content import Opaque
from fiber.types.events import Log, StreamEvent, TextDelta
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic"
CASES = sorted(path.name for path in FIXTURES.iterdir())
HEAD = HTTPHead(200, {"request-id": "req_1", "content-type": "text/event-stream"})
TARGET = Target(provider="anthropic", model="claude-sonnet-4-6", base_url="https://api.anthropic.com")
START = {"type": "message_start", "message": {"id": "m1", "model": "c", "content": []}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}
STOP = {"type": "message_stop"}
PING = {"type": "ping"}


def sse(*events: Any) -> bytes:
    """Frame events as the API does."""
    return b"".join(f"event: {event.get('type')}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def block(index: Any, kind: str = "text", **members: Any) -> dict[str, Any]:
    """A block's start."""
    content = {"type": kind, **members}
    return {"type": "content_block_start", "index": index, "content_block": content}


def delta(index: Any, kind: str, **members: Any) -> dict[str, Any]:
    """A block's delta."""
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **members}}


def text(piece: str, index: Any = 0) -> dict[str, Any]:
    """A piece of text."""
    return delta(index, "text_delta", text=piece)


def stop(index: Any = 0) -> dict[str, Any]:
    """A block's end."""
    return {"type": "content_block_stop", "index": index}


def decode(*chunks: bytes) -> tuple[StreamDecoder, list[StreamEvent]]:
    """Feed chunks to a new decoder and finish it."""
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return decoder, events + decoder.finish()


def whole(*events: Any) -> ChatResult:
    """The result of a stream that ends well."""
    decoder, _ = decode(sse(*events))
    assert decoder.error is None
    assert decoder.done
    return decoder.result()


def comparable(result: ChatResult) -> Any:
    """A result with its native JSON decoded, for key order is no part of what it says."""
    message = [
        (
            type(part),
            getattr(part, "text", None) or getattr(part, "id", None),
            None if native is None else (native.kind, native.provider, native.host, native.value()),
        )
        for part in result.message.parts
        for native in [part if isinstance(part, Opaque) else part.native]
    ]
    calls = [(call.id, call.name, call.arguments) for call in result.tool_calls]
    sources = [(c.url, c.title, c.start, c.native and c.native.value()) for c in result.citations]
    facts = (result.usage, result.finish_reason, result.raw_finish_reason, result.response_id)
    return message, calls, sources, facts, result.model, set(result.warnings)


@pytest.mark.parametrize("case", CASES)
def test_stream_gives_the_result_of_the_whole_answer(case: str) -> None:
    """The same answer, streamed or whole, is the same result."""
    decoder, events = decode((FIXTURES / case / "stream.sse").read_bytes())

    plain = ADAPTER.parse_response(HEAD, (FIXTURES / case / "response.json").read_bytes(), TARGET)
    assert decoder.error is None
    assert comparable(decoder.result()) == comparable(plain)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == plain.text
    tags = Counter(event.type for event in events)
    assert events[-1].type == "message-end"
    assert (tags["message-start"], tags["usage"], tags["message-end"]) == (1, 1, 1)


@pytest.mark.parametrize("case", CASES)
def test_stream_byte_by_byte(case: str) -> None:
    """Bytes that come one by one give the same events."""
    body = (FIXTURES / case / "stream.sse").read_bytes()

    decoder, events = decode(*(body[at : at + 1] for at in range(len(body))))

    once, expected = decode(body)
    assert events == expected
    assert decoder.result() == once.result()


@settings(max_examples=settings.default.max_examples // 4)
@given(case=st.sampled_from(CASES), data=st.data())
def test_stream_under_any_chunking(case: str, data: st.DataObject) -> None:
    """However the body is cut, the events are the same."""
    body = (FIXTURES / case / "stream.sse").read_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=12)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    assert decode(*chunks)[1] == decode(body)[1]


def test_bytes_behind_the_end_say_nothing() -> None:
    """After message_stop nothing is read."""
    body = sse(START, block(0, text="Hi"), stop(), END, STOP)

    decoder, events = decode(body + sse(START, text("more"), STOP), b"garbage")

    assert events == decode(body)[1]
    assert decoder.result().text == "Hi"


@pytest.mark.parametrize("at", range(1, 6))
def test_cut_stream_is_interrupted(at: int) -> None:
    """A stream without a finish reason or terminal marker is not whole; nothing of it is sealed."""
    events = [
        START,
        block(0, "thinking", thinking="h", signature="s"),
        stop(),
        block(1, "tool_use", id="a", name="f"),
        delta(1, "input_json_delta", partial_json='{"x'),
    ]

    decoder, _ = decode(sse(*events[:at]))

    error = decoder.error
    assert isinstance(error, errors.FiberStreamInterruptedError)
    assert error.partial is not None
    assert error.partial.request_id == "req_1"
    assert all(part.native is None for part in error.partial.message.parts)  # type: ignore[union-attr]


def test_missing_terminal_marker_is_told() -> None:
    """A finish reason without message_stop ends the answer, with a warning."""
    result = whole(START, block(0, text="Hi"), END)

    assert (result.text, result.finish_reason) == ("Hi", "stop")
    assert len(result.warnings) == 1


def test_usage_is_cumulative() -> None:
    """message_delta overrides what message_start said, but for nulls; nothing is added up."""
    start = {
        "type": "message_start",
        "message": {
            "id": "m",
            "usage": {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1},
        },
    }
    news = {"input_tokens": 9, "cache_read_input_tokens": None, "output_tokens": 4}
    last = {"type": "message_delta", "delta": None, "usage": {"output_tokens": 6}}

    usage = whole(start, {**END, "usage": news}, last, STOP).usage

    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (11, 6, 2)


def test_usage_so_far_is_on_an_interrupted_stream() -> None:
    """What message_start counted is known even when the stream breaks off."""
    start = {"type": "message_start", "message": {"id": "m", "usage": {"input_tokens": 5}}}

    error = decode(sse(start, text("Hi")))[0].error

    assert isinstance(error, errors.FiberStreamInterruptedError)
    assert error.partial is not None
    assert error.partial.usage.input_tokens == 5
    assert error.partial.text == "Hi"


def test_stream_without_usage() -> None:
    """Unknown is not zero, and there is no usage event."""
    decoder, events = decode(sse(START, text("Hi"), {**END, "usage": None}, STOP))

    assert decoder.result().usage.output_tokens is None
    assert "usage" not in [event.type for event in events]


@pytest.mark.parametrize(
    "noise",
    [
        PING,
        {"type": "vision", "index": {}},
        {"type": None},
        {"type": "content_block_stop", "index": 9},
        {"type": "content_block_delta", "index": 9},
        delta(9, "dream_delta", x=1),
        {"type": "content_block_delta", "index": 0, "delta": {"type": 5}},
    ],
)
def test_noise_is_ignored(noise: Any) -> None:
    """Pings, unknown events, comments and ends of nothing change nothing."""
    body = sse(START) + b": comment\n\ndata: [DONE]\n\n" + b"data: " + json.dumps(noise).encode()

    decoder, _ = decode(body + b"\n\n" + sse(block(0, text="Hi"), stop(), END, STOP))

    assert decoder.error is None
    assert decoder.result().text == "Hi"


@pytest.mark.parametrize("frame", ["null", "[]", "7", '"x"'])
def test_an_event_that_is_no_object_is_an_error(frame: str) -> None:
    """Something stood in its place, and nobody knows what."""
    decoder, _ = decode(sse(START) + f"data: {frame}\n\n".encode() + sse(block(0, text="Hi"), stop(), END, STOP))

    assert isinstance(decoder.error, errors.FiberParsingError)


def test_a_general_error_type_leaves_the_class_to_the_status() -> None:
    """Gateways send it with statuses that say more."""
    body = b'{"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}'

    kinds = [type(ADAPTER.parse_error(HTTPHead(status), body, TARGET)).__name__ for status in (400, 401, 429)]

    assert kinds == ["FiberBadRequestError", "FiberAuthError", "FiberRateLimitError"]


def test_deltas_without_a_start() -> None:
    """Deltas whose block, or whose message, never began are kept all the same."""
    result = whole(
        delta(0, "thinking_delta", thinking="hm"),
        delta(0, "signature_delta", signature="s"),
        text("Hi", 1),
        START,
        text(" there", 1),
        delta(2, "input_json_delta", partial_json='{"a": 1}'),
        END,
        STOP,
    )

    assert (result.reasoning, result.text) == ("hm", "Hi there")
    assert [call.arguments for call in result.tool_calls] == [{"a": 1}]
    assert result.response_id == "m1"
    thought = result.message.parts[0].native  # type: ignore[union-attr]
    assert thought is not None
    assert thought.value() == {"type": "thinking", "thinking": "hm", "signature": "s"}


def test_blocks_may_interleave_and_stay_open() -> None:
    """Blocks keep the order of their starts; one that is never closed ends with the message."""
    result = whole(
        START,
        block(0, "server_tool_use", id="s", name="code_execution", input={}),
        block(1, text=""),
        delta(0, "input_json_delta", partial_json='{"a":'),
        text("Hi", 1),
        stop(1),
        delta(0, "input_json_delta", partial_json="1}"),
        END,
        STOP,
    )

    first, second = result.message.parts
    assert isinstance(first, Opaque)
    assert first.value()["input"] == {"a": 1}
    assert result.text == "Hi"
    assert second.native is None  # type: ignore[union-attr]


def test_delta_of_another_kind_grows_the_block_unseen() -> None:
    """Text or thinking for a block that is neither becomes a member of it, and no text."""
    result = whole(
        START,
        block(0, "dream"),
        text("a"),
        delta(0, "thinking_delta", thinking="b"),
        text("c"),
        stop(),
        END,
        STOP,
    )

    (part,) = result.message.parts
    assert isinstance(part, Opaque)
    assert part.value() == {"type": "dream", "text": "ac", "thinking": "b"}
    assert (result.text, result.reasoning) == ("", "")


def test_warning_is_given_once() -> None:
    """A container named at the start and at the end is one warning."""
    held = {"container": {"id": "c1"}}
    start = {"type": "message_start", "message": {"id": "m", "content": [], **held}}

    result = whole(start, {**END, "delta": {"stop_reason": "end_turn", **held}}, STOP)

    assert len(result.warnings) == 1


def test_index_that_is_used_again_begins_a_new_block() -> None:
    """A start closes the block that had its index."""
    result = whole(START, block(0, text="a"), block(0, text="b"), END, STOP)

    assert [part.text for part in result.message.parts] == ["a", "b"]  # type: ignore[union-attr]


def test_invalid_arguments_are_kept() -> None:
    """Arguments cut by max_tokens stay as they are; in native JSON they are wrapped."""
    caller = {"type": "direct"}
    end = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}
    result = whole(
        START,
        block(0, "tool_use", id="a", name="f", input={}, caller=caller),
        delta(0, "input_json_delta", partial_json='{"x": "cu'),
        end,
        STOP,
    )

    (call,) = result.tool_calls
    assert call.arguments_json == '{"x": "cu'
    assert call.native is not None
    assert call.native.value()["input"] == {"_invalid_json": '{"x": "cu'}
    assert result.finish_reason == "length"


def test_untouched_members_keep_their_bytes() -> None:
    """Numbers of a streamed block survive as they were written."""
    raw = b'{"type":"x_result","n":1.50,"big":123456789012345678901234567890}'
    body = sse(START)
    body += b'data: {"type":"content_block_start","index":0,"content_block":' + raw + b"}\n\n"

    decoder, _ = decode(body + sse(stop(), END, STOP))

    (part,) = decoder.result().message.parts
    assert isinstance(part, Opaque)
    assert part.data.encode() == raw


def test_call_whose_input_came_with_its_start() -> None:
    """Without fragments the input of the start is the input."""
    result = whole(START, block(0, "tool_use", id="a", name="f", input={"x": 1}), stop(), END, STOP)

    assert result.tool_calls[0].arguments == {"x": 1}


def test_message_that_comes_whole_in_its_start() -> None:
    """Content and stop reason inside message_start count (calls made by code execution)."""
    call = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
    message = {"id": "m1", "model": "c", "content": [call], "stop_reason": "tool_use"}

    result = whole({"type": "message_start", "message": message}, STOP)

    assert result.finish_reason == "tool_calls"
    assert [c.arguments for c in result.tool_calls] == [{"x": 1}]


def test_message_in_one_frame() -> None:
    """A server that answers whole inside the stream is understood."""
    content = [{"type": "text", "text": "Hi"}]
    message = {"type": "message", "id": "m", "content": content, "stop_reason": "end_turn"}

    result = whole({**message, "usage": {"output_tokens": 2}})

    assert (result.text, result.usage.output_tokens) == ("Hi", 2)


def test_repeated_message_start_is_one() -> None:
    """The same beginning sent twice changes nothing."""
    decoder, events = decode(sse(START, START, block(0, text="Hi"), stop(), END, STOP))

    assert decoder.result().text == "Hi"
    assert decoder.result().warnings == ()
    assert [event.type for event in events].count("message-start") == 1


def test_answer_that_begins_anew() -> None:
    """Another message in the same stream replaces what was said, and a warning says so."""
    again = {
        "type": "message_start",
        "message": {"id": "m2", "model": "d", "usage": {"input_tokens": 4}},
    }
    citation = {"type": "char_location", "document_index": 0}
    first = {
        "type": "message_start",
        "message": {"id": "m1", "usage": {"cache_read_input_tokens": 9}},
    }
    decoder, events = decode(
        sse(
            first,
            block(0, text="Hel", citations=[citation]),
            block(1, "tool_use", id="a", name="f"),
            delta(1, "input_json_delta", partial_json='{"x'),
            again,
            block(0, text=""),
            text("Hello"),
            stop(),
            END,
            STOP,
        )
    )

    result = decoder.result()
    assert decoder.error is None
    assert (result.text, result.tool_calls, result.finish_reason) == ("Hello", (), "stop")
    assert (result.model, result.response_id) == ("d", "m2")
    assert result.citations == ()
    assert (result.usage.input_tokens, result.usage.cache_read_tokens) == (4, None)
    assert [type(event) for event in events].count(Log) == 1
    assert len(result.warnings) == 1


def test_beginning_anew_before_any_block_needs_no_warning() -> None:
    """Nothing said, nothing lost."""
    again = {"type": "message_start", "message": {"id": "m2", "model": "d"}}

    result = whole(START, again, block(0, text="Hi"), stop(), END, STOP)

    assert (result.model, result.warnings) == ("d", ())


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, errors.FiberOverloadedError, 529),
        ({"type": "api_error", "message": "x"}, errors.FiberProviderError, 500),
        ({"type": "rate_limit_error", "message": "x"}, errors.FiberRateLimitError, 429),
        (
            {
                "type": "rate_limit_error",
                "message": "x",
                "details": {"error_code": "enforced_spend_limit_reached"},
            },
            errors.FiberQuotaError,
            429,
        ),
        ({"type": "tomorrow", "message": "x"}, errors.FiberProviderError, 500),
    ],
)
def test_error_in_the_stream(error: Any, kind: Any, status: int) -> None:
    """An error event is typed by its type, with the status that stands for, and what came before."""
    event = {"type": "error", "error": error, "request_id": "req_2"}

    decoder, events = decode(sse(START, text("Hi"), event) + sse(text("no")))

    assert type(decoder.error) is kind
    assert decoder.error.status_code == status
    assert decoder.error.request_id == "req_2"
    assert decoder.error.partial.text == "Hi"
    assert not decoder.done
    assert "message-end" not in [e.type for e in events]


@pytest.mark.parametrize(
    "frame",
    [
        b'event: error\ndata: {"message":"gone"}\n\n',
        b'data: {"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"slow"}}\n\n',
        b'data: {"error":"gone","index":{}}\n\n',
    ],
)
def test_error_in_another_shape(frame: bytes) -> None:
    """Errors of gateways and other platforms are errors too."""
    decoder, _ = decode(sse(START) + frame)

    assert isinstance(decoder.error, errors.FiberProviderError)


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        (b'{"error":{"type":"overloaded_error"}}', errors.FiberOverloadedError),
        (b'[{"error":{"message":"x"}}]\n', errors.FiberProviderError),
        (b'{"note":1}', errors.FiberStreamInterruptedError),
        (b"[1]", errors.FiberStreamInterruptedError),
        (b"[]", errors.FiberStreamInterruptedError),
        (b"oops", errors.FiberStreamInterruptedError),
    ],
)
def test_bare_lines_at_the_end(tail: bytes, kind: Any) -> None:
    """A bare JSON error behind the events is read; anything else leaves the stream interrupted."""
    decoder, _ = decode(sse(START) + tail)

    assert type(decoder.error) is kind


@pytest.mark.parametrize("frame", [b"data: {oops\n\n", b'data: {"type":"content_block_delta","delta":"x"}\n\n'])
def test_frames_that_do_not_fit_are_parsing_errors(frame: bytes) -> None:
    """A frame that is no JSON, or a known event of another shape, ends the stream with an error."""
    decoder, _ = decode(sse(START, text("Hi")) + frame)

    assert type(decoder.error) is errors.FiberParsingError


def test_lone_surrogate_in_a_delta() -> None:
    """A frame that strict JSON parsers refuse is still read."""
    frame = b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\ud83d"}}\n\n'

    decoder, _ = decode(sse(START) + frame + sse(END, STOP))

    assert decoder.result().text == "\ufffd"


def test_empty_stream_is_interrupted() -> None:
    """No bytes at all are no answer."""
    assert isinstance(decode()[0].error, errors.FiberStreamInterruptedError)
