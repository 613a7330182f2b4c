"""Streams: what servers do beside the textbook, and truthful ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber import _errors as errors
from fiber.adapters.openai_responses import ADAPTER
from fiber.types.content import Opaque, Reasoning, ToolCall
from fiber.types.events import (
    MessageEnd,
    MessageStart,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageUpdate,
)
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Quirks, Target

HEAD = HTTPHead(200, {"x-request-id": "req_1"})
TARGET = Target(provider="openai", model="asked", base_url="https://api.openai.com/v1")
MESSAGE = {"type": "message", "role": "assistant"}
CALL = {"type": "function_call", "call_id": "c1", "name": "f"}


def sse(*events: Any) -> bytes:
    """Frame events as the API does."""
    return b"".join(f"event: {event.get('type')}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def event(kind: str, index: int | None = 0, **members: Any) -> dict[str, Any]:
    """An event of an item; without an index when it is None."""
    place = {} if index is None else {"output_index": index}
    return {"type": f"response.{kind}", **place, **members}


def added(item: Any, index: int | None = 0) -> dict[str, Any]:
    """An item was added."""
    return event("output_item.added", index, item=item)


def done(item: Any, index: int | None = 0) -> dict[str, Any]:
    """An item is done."""
    return event("output_item.done", index, item=item)


def delta(words: str, index: int | None = 0, **members: Any) -> dict[str, Any]:
    """A piece of text."""
    return event("output_text.delta", index, content_index=0, delta=words, **members)


def message(words: str, **members: Any) -> dict[str, Any]:
    """A finished message."""
    return MESSAGE | {"content": [{"type": "output_text", "text": words, **members}]}


def end(kind: str = "completed", *output: Any, **members: Any) -> dict[str, Any]:
    """A terminal event."""
    response = {"id": "resp_1", "status": kind, "model": "m", "output": list(output)} | members
    return {"type": f"response.{kind}", "response": response}


def run(*events: Any, tail: bytes = b"", target: Target = TARGET) -> Any:
    """Decode a whole stream; return its decoder and its events."""
    decoder = ADAPTER.stream_decoder(HEAD, target)
    found = decoder.feed(sse(*events) + tail)
    return decoder, found + decoder.finish()


def good(*events: Any) -> ChatResult:
    """Decode a stream that ends well."""
    decoder, _ = run(*events)
    assert decoder.error is None
    assert decoder.done
    return decoder.result()


def bad(*events: Any, tail: bytes = b"") -> Any:
    """Decode a stream that fails; return its error."""
    decoder, _ = run(*events, tail=tail)
    assert not decoder.done
    return decoder.error


ERROR = {"code": "insufficient_quota", "type": "insufficient_quota", "message": "Pay."}


def test_events_of_a_plain_answer() -> None:
    """An answer starts once, comes in pieces, tells its usage and ends."""
    usage = {"input_tokens": 3, "output_tokens": 2}
    start = {"type": "response.created", "response": {"id": "resp_1", "model": "m"}}
    decoder, found = run(
        start,
        start | {"type": "response.in_progress"},
        delta("Hel"),
        delta(""),
        delta("lo"),
        done(message("Hello")),
        end(usage=usage),
    )

    counts = decoder.result().usage
    assert found == [
        MessageStart("m", "openai", "req_1"),
        TextDelta("Hel"),
        TextDelta("lo"),
        UsageUpdate(counts),
        MessageEnd("stop", "completed", counts),
    ]
    assert (counts.input_tokens, counts.output_tokens) == (3, 2)
    assert decoder.result().response_id == "resp_1"


def test_call_comes_in_pieces() -> None:
    """A call is named first, its arguments are passed on as they come, then it is whole."""
    item = CALL | {"arguments": '{"a":1}'}
    _, found = run(
        added(CALL | {"arguments": ""}),
        event("function_call_arguments.delta", delta='{"a"'),
        event("function_call_arguments.delta", delta=":1}"),
        event("function_call_arguments.done", arguments='{"a":1}'),
        done(item),
        end("completed", item),
    )

    assert found[1:5] == [
        ToolCallStart(0, "c1", "f"),
        ToolCallDelta(0, '{"a"'),
        ToolCallDelta(0, ":1}"),
        ToolCallEnd(0, ToolCall("c1", "f", '{"a":1}')),
    ]
    assert isinstance(found[-1], MessageEnd)
    assert found[-1].finish_reason == "tool_calls"


def test_terminal_event_without_a_response_ends_too() -> None:
    """The event's own name is the status where the reply has none."""
    result = good(delta("A"), {"type": "response.incomplete"})

    assert (result.finish_reason, result.raw_finish_reason) == ("other", "incomplete")


def test_cancelled_answer_is_not_complete() -> None:
    """A cancelled answer ends as `other`, with a warning."""
    result = good(delta("A"), end("cancelled"))

    assert (result.finish_reason, result.raw_finish_reason) == ("other", "cancelled")
    assert result.warnings


def test_event_name_stands_in_for_a_missing_type() -> None:
    """A server may say the type only in the event's name."""
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    decoder.feed(b'event: response.output_text.delta\ndata: {"delta":"A"}\n\n')
    decoder.feed(b'event: response.completed\ndata: {"response":{"output":[]}}\n\n')

    assert decoder.done
    assert decoder.result().text == "A"
    assert decoder.result().finish_reason == "stop"


@pytest.mark.parametrize(
    "noise",
    [
        {"type": "keepalive", "sequence_number": 3},
        {"type": "response.web_search_call.searching", "output_index": 0},
        {"type": "response.some_new_thing", "delta": {"deep": [1]}},
        {"type": "response.output_item.added"},
        {"type": "response.output_item.done"},
        {"type": "response.content_part.added"},
        {"type": "response.created"},
        {"type": "response.created", "response": None},
        {"type": "response.output_item.done", "item": None},
        {"type": None},
        {"type": 7, "output_index": "x", "content_index": "y"},
    ],
)
def test_noise_changes_nothing(noise: Any) -> None:
    """Pings, progress and events that are not known are passed over."""
    assert good(noise, delta("A"), noise, done(message("A")), end()).text == "A"


def test_comments_and_done_marker_are_tolerated() -> None:
    """OpenRouter sends comments, and `[DONE]` behind the end; before the end it means nothing."""
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    decoder.feed(b": OPENROUTER PROCESSING\n\n" + sse(delta("A")) + b"data: [DONE]\n\n")
    assert not decoder.done

    decoder.feed(sse(end()) + b"data: [DONE]\n\n" + sse(delta("B")))

    assert decoder.done
    assert decoder.finish() == []
    assert decoder.result().text == "A"


@pytest.mark.parametrize(
    "said",
    [
        {"type": "error", "sequence_number": 2, "error": ERROR},
        {"type": "error", "code": "insufficient_quota", "message": "Pay.", "param": None},
        {"error": ERROR},
        end("failed", error=ERROR),
    ],
)
def test_error_in_the_stream_is_typed(said: Any) -> None:
    """Nested, flat, bare or as a failed reply: the code types it, and the pieces are kept."""
    error = bad({"type": "response.created", "response": {}}, delta("Par"), said, end())

    assert type(error) is errors.FiberQuotaError
    assert error.status_code == 429
    assert error.request_id == "req_1"
    assert error.partial.text == "Par"


def test_failure_without_a_word_is_the_servers() -> None:
    """A reply that failed without an error is a failure of the provider."""
    error = bad(end("failed"))

    assert type(error) is errors.FiberProviderError
    assert error.status_code == 500


def test_partial_of_an_error_cannot_be_replayed() -> None:
    """What came before an error carries no seals."""
    item = {"type": "reasoning", "id": "rs", "summary": [{"text": "S"}]}
    error = bad(done(item), done({"type": "mcp_call", "id": "m"}, 1), {"type": "error", "error": ERROR})

    assert error.partial.message.parts == (Reasoning("S"),)


@pytest.mark.parametrize("tail", [b'{"error":{"code":"insufficient_quota","message":"Pay."}}\n'])
def test_bare_error_behind_the_stream_is_read(tail: bytes) -> None:
    """An error without its frame is an error."""
    assert type(bad(delta("A"), tail=tail)) is errors.FiberQuotaError


@pytest.mark.parametrize("tail", [b"", b"<html>\n", b'{"fine":1}\n', b"[1]\n", b"data: {"])
def test_end_without_marker_is_an_interruption(tail: bytes) -> None:
    """A body that just stops is not an answer."""
    error = bad(delta("A"), tail=tail)

    assert type(error) is errors.FiberStreamInterruptedError
    assert error.partial.text == "A"


def test_row_may_take_the_end_of_the_body_as_the_end() -> None:
    """A server known never to send the marker is believed, and the result says so."""
    target = Target(provider="p", model="m", base_url="https://h/v1", quirks=Quirks(terminal="eof"))
    decoder, found = run(delta("A"), target=target)

    assert decoder.done
    assert decoder.result().warnings
    assert found[-1].type == "message-end"


@pytest.mark.parametrize("data", [b"data: {nonsense\n\n", b"data: 7\n\n"])
def test_bad_json_is_a_parsing_error(data: bytes) -> None:
    """What is no event fails the stream, with the pieces before it."""
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    decoder.feed(sse(delta("A")) + data)

    assert type(decoder.error) is errors.FiberParsingError
    assert (decoder.error.provider, decoder.error.model) == ("openai", "asked")
    assert decoder.result().text == "A"


@pytest.mark.parametrize("bad_letters", [b"caf\xe9", b"\\ud83d"])
def test_broken_letters_do_not_break_the_stream(bad_letters: bytes) -> None:
    """Invalid UTF-8 and lone surrogates are replaced, also in an item that is only carried."""
    item = b'{"type":"x_call","t":"' + bad_letters + b'"}'
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    decoder.feed(b'data: {"type":"response.output_item.done","output_index":0,"item":' + item + b"}\n\n")
    decoder.feed(sse(end()))

    (part,) = decoder.result().message.parts
    assert isinstance(part, Opaque)
    assert part.value()["t"].endswith("\ufffd")


def test_event_of_many_megabytes_is_read() -> None:
    """A picture comes as one event of megabytes, twice."""
    item = {"type": "image_generation_call", "id": "ig", "result": "A" * 6_000_000}

    call, picture = good(done(item), end("completed", item)).message.parts

    assert isinstance(call, Opaque)
    assert picture.__struct_config__.tag == "image"


def test_many_deltas_take_linear_time() -> None:
    """Pieces are joined once at the end: the events of a long answer are exactly its pieces."""
    pieces = ["word "] * 20_000
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    found: list[StreamEvent] = decoder.feed(sse(*map(delta, pieces)))
    decoder.feed(sse(end()))

    assert len(found) == len(pieces) + 1
    assert decoder.result().text == "".join(pieces)
