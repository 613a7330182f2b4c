"""Streams: ends, errors in the middle, oddities of servers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberRateLimitError,
    FiberStreamInterruptedError,
)
from fiber.adapters.base import StreamDecoder
from fiber.adapters.openai_chat import ADAPTER
from fiber.types.content import Audio, Reasoning
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.target import Quirks, Target

HEAD = HTTPHead(200, {"content-type": "text/event-stream"})
DONE = b"data: [DONE]\n\n"


def run(*frames: Any, terminal: Any = "marker") -> tuple[StreamDecoder, list[StreamEvent]]:
    """Decode *frames*: bytes as they are, values as `data:` events."""
    target = Target(
        provider="row",
        model="asked",
        base_url="https://host.example/v1",
        quirks=Quirks(terminal=terminal),
    )
    decoder = ADAPTER.stream_decoder(HEAD, target)
    events: list[StreamEvent] = []
    for frame in frames:
        chunk = frame if isinstance(frame, bytes) else f"data: {json.dumps(frame)}\n\n".encode()
        events += decoder.feed(chunk)
    events += decoder.finish()
    return decoder, events


def delta(content: str | None = None, finish_reason: Any = None, **members: Any) -> dict[str, Any]:
    """Make a chunk."""
    said = {**({} if content is None else {"content": content}), **members}
    return {"model": "m", "choices": [{"index": 0, "delta": said, "finish_reason": finish_reason}]}


def test_usage_follows_the_finish_reason() -> None:
    """Only the marker ends a stream: usage that comes after the finish reason counts."""
    decoder, events = run(delta("a", "stop"), {"choices": [], "usage": {"prompt_tokens": 3}}, DONE, b"data: junk\n\n")

    assert decoder.done
    assert decoder.result().usage.input_tokens == 3
    assert [event.type for event in events] == ["message-start", "text-delta", "usage", "message-end"]


def test_last_usage_wins() -> None:
    """Usage on every chunk is cumulative; the last one counts."""
    chunks = [{**delta("a"), "usage": {"completion_tokens": n}} for n in (1, 2)]

    assert run(*chunks, DONE)[0].result().usage.output_tokens == 2


def test_first_chunk_without_choices_waits_for_the_model() -> None:
    """The start is announced when the model is known (Azure begins with an empty chunk)."""
    _, events = run({"model": "", "id": "", "choices": []}, delta("a", "stop"), DONE)

    assert events[0].model == "m"  # type: ignore[union-attr]


def test_choices_interleave() -> None:
    """With several choices each keeps its own text."""
    chunks = [{"choices": [{"index": i, "delta": {"content": c}}]} for i, c in ((0, "a"), (1, "b"), (0, "c"))]

    assert [choice.text for choice in run(*chunks, DONE)[0].result().choices] == ["ac", "b"]


def test_marker_without_finish_reason() -> None:
    """A marked end without a finish reason is whole, and the reason unknown."""
    decoder, _ = run(delta("a"), DONE)

    assert decoder.error is None
    assert decoder.result().finish_reason is None


def test_end_without_marker_after_a_finish_reason() -> None:
    """A finish reason is an end where the marker is missing, and the result says so."""
    decoder, _ = run(delta("a", "stop"))

    assert decoder.done
    assert decoder.result().warnings


def test_end_without_marker_and_finish_reason() -> None:
    """A stream that just stops is interrupted; nothing in it can be replayed."""
    decoder, _ = run(delta(None, reasoning="hm"), delta("a"))

    assert isinstance(decoder.error, FiberStreamInterruptedError)
    assert decoder.error.partial is not None
    assert decoder.error.partial.message.parts[0] == Reasoning("hm")


def test_end_of_body_where_the_row_says_so() -> None:
    """A row without markers takes the end of the body as the end, and the result says so."""
    decoder, _ = run(delta("a"), terminal="eof")

    assert decoder.error is None
    assert decoder.result().warnings


def test_stream_cut_inside_a_chunk() -> None:
    """Half a chunk at the end is an interruption, not a parsing error."""
    decoder, _ = run(delta("a"), b'data: {"choices":[{"del')

    assert isinstance(decoder.error, FiberStreamInterruptedError)


@pytest.mark.parametrize("frames", [(DONE,), ({"choices": []}, DONE)])
def test_marker_without_an_answer(frames: Any) -> None:
    """A marker alone is no answer."""
    assert type(run(*frames)[0].error) is FiberParsingError


def test_invalid_json_is_an_error() -> None:
    """A chunk that is no JSON ends the stream with an error that holds what came before."""
    decoder, _ = run(delta("a"), b"data: {nope\n\n")

    assert type(decoder.error) is FiberParsingError


def test_keep_alives_are_ignored() -> None:
    """Comments, empty data and unknown members change nothing."""
    decoder, _ = run(b": hi\n\n", b"data:\n\n", {**delta("a", "stop"), "obfuscation": "x"}, b"data:  [DONE] \n\n")

    assert decoder.result().text == "a"
    assert decoder.done


@pytest.mark.parametrize(
    ("frame", "kind", "status"),
    [
        ({"error": {"code": "rate_limit_exceeded"}}, FiberRateLimitError, 429),
        ({"error": {"code": "server_is_overloaded"}}, FiberOverloadedError, 503),
        ({"error": {"type": "server_error"}}, FiberProviderError, 500),
        ({"error": {"type": "invalid_request_error"}}, FiberBadRequestError, 400),
        ({"error": {"code": 502, "message": "x"}, "choices": []}, FiberProviderError, 502),
        ({"error": "boom"}, FiberProviderError, 500),
        ({"error": {"message": "x"}, "status_code": 429}, FiberRateLimitError, 429),
        ({"x_groq": {"error": "over_capacity"}}, FiberProviderError, 500),
        ([{"error": {"code": 401, "message": "x"}}], FiberAuthError, 401),
        (b'event: error\ndata: {"message":"x","code":"overloaded"}\n\n', FiberOverloadedError, 503),
        (b"event: error\ndata: boom\n\n", FiberProviderError, 500),
        ({"choices": [{"error": {"code": 429, "message": "x"}}]}, FiberRateLimitError, 429),
    ],
)
def test_errors_in_the_stream(frame: Any, kind: type[FiberProviderError], status: int) -> None:
    """Errors in the stream are typed by code, have the status they stand for, and keep what came."""
    decoder, _ = run(delta("half"), frame, DONE)

    assert type(decoder.error) is kind
    assert decoder.error.status_code == status
    assert decoder.error.partial is not None
    assert decoder.error.partial.text == "half"
    assert not decoder.done


def test_error_beside_a_last_piece() -> None:
    """A chunk that brings both text and an error adds the text to what came."""
    chunk = {**delta("b", "error"), "error": {"code": 502, "message": "x"}}
    decoder, _ = run(delta("a"), chunk)

    assert isinstance(decoder.error, FiberProviderError)
    assert decoder.error.partial is not None
    assert decoder.error.partial.text == "ab"


def test_bare_json_error_instead_of_a_stream() -> None:
    """A bare JSON body with an error is that error."""
    decoder, _ = run(b'{"error": {"code": "invalid_api_key",\n "message": "no"}}')

    assert isinstance(decoder.error, FiberAuthError)


def test_bare_json_answer_instead_of_a_stream() -> None:
    """A server that does not stream is read as if it did."""
    body = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
    decoder, events = run(json.dumps(body, indent=1).encode())

    assert decoder.result().text == "a"
    assert decoder.result().warnings
    assert events[-1].type == "message-end"


def test_html_instead_of_a_stream() -> None:
    """A page is no stream."""
    error = run(b"<html>\n<b>x</b>")[0].error

    assert isinstance(error, FiberParsingError)
    assert not isinstance(error, FiberStreamInterruptedError)


def test_message_instead_of_a_delta() -> None:
    """A chunk with a whole message is read once; it does not repeat what deltas said."""
    message = {"choices": [{"index": 0, "message": {"content": "ab"}, "finish_reason": "stop"}]}

    assert run(message, message, DONE)[0].result().text == "ab"
    assert run(delta("ab"), message, DONE)[0].result().text == "ab"


def test_reasoning_member_is_chosen_once() -> None:
    """The member that speaks first is read to the end, so no text is read twice."""
    chunks = [
        delta(None, reasoning="a"),
        delta(None, reasoning="b", reasoning_content="b"),
        delta(None, reasoning_details=[{"type": "reasoning.text", "text": "c"}]),
    ]

    assert run(*chunks, DONE)[0].result().reasoning == "ab"


def test_pieces_of_details_are_merged() -> None:
    """Texts of one index are joined and take the last members; others stay whole and in order."""
    chunks = [
        [{"type": "reasoning.text", "text": "a", "index": 0, "format": None}],
        [{"type": "reasoning.text", "text": "b", "index": 0, "format": "f"}],
        [{"type": "reasoning.text", "index": 0, "signature": "s", "format": None}, 7],
        [{"type": "reasoning.encrypted", "data": "x", "index": 0}],
        [{"type": "reasoning.encrypted", "data": "y", "index": 0}],
        [{"type": "reasoning.summary", "summary": "z", "index": 0}],
    ]
    decoder, _ = run(*(delta(None, reasoning_details=details) for details in chunks), DONE)

    part = decoder.result().message.parts[0]

    assert isinstance(part, Reasoning)
    assert part.text == "abz"
    assert part.native is not None
    assert part.native.value() == {
        "reasoning_details": [
            {"type": "reasoning.text", "text": "ab", "index": 0, "format": "f", "signature": "s"},
            {"type": "reasoning.encrypted", "data": "x", "index": 0},
            {"type": "reasoning.encrypted", "data": "y", "index": 0},
            {"type": "reasoning.summary", "summary": "z", "index": 0},
        ]
    }


def test_pieces_of_thinking_keep_what_is_no_text() -> None:
    """References inside thinking stay between the joined texts; empty texts vanish."""
    pieces = [
        [{"type": "text", "text": "a"}],
        [{"type": "text", "text": "b"}, {"type": "reference", "reference_ids": [1]}],
        [{"type": "text", "text": ""}, {"type": "text", "text": "c"}],
    ]
    chunks = [
        delta(None) | {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": p}]}}]} for p in pieces
    ]

    part = run(*chunks, DONE)[0].result().message.parts[0]

    assert isinstance(part, Reasoning)
    assert part.native is not None
    assert part.native.value()["thinking"] == [
        {"type": "text", "text": "ab"},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "c"},
    ]


@pytest.mark.parametrize("cut", [["UklG", "Rg=="], ["Uk", "lGRg=="], ["UklGRg==", "UklGRg=="]])
def test_sound_in_pieces(cut: list[str]) -> None:
    """Sound is joined wherever its base64 was cut; it may end after the finish reason."""
    decoder, events = run(
        delta(None, audio={"id": "audio_1", "transcript": "h"}),
        *(delta(None, audio={"data": piece}) for piece in cut),
        delta(None, "stop", audio={"transcript": "i"}),
        {"choices": [{"index": 0, "delta": {"audio": {"expires_at": 1}}}]},
        DONE,
    )

    part = decoder.result().message.parts[0]

    assert isinstance(part, Audio)
    assert part.transcript == "hi"
    assert part.data in (b"RIFF", b"RIFFRIFF")
    assert "content-part" in [event.type for event in events]


def test_finish_reason_may_be_repeated() -> None:
    """A finish reason that comes twice ends calls once."""
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    _, events = run(delta(None, "tool_calls", tool_calls=[call]), delta("", "tool_calls"), delta("", "stop"), DONE)

    assert [event.type for event in events].count("tool-call-end") == 1
    assert events[-1].finish_reason == "tool_calls"  # type: ignore[union-attr]


def test_a_model_that_is_named_late_is_known() -> None:
    """Some servers name it in the last chunk only."""
    chunk = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    end = {"model": "late", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    frames = [chunk, chunk, {**chunk, "model": "late"}, chunk, end]

    decoder = ADAPTER.stream_decoder(HTTPHead(200), Target(provider="acme", model="asked", base_url="http://a.example"))
    decoder.feed(b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames) + b"data: [DONE]\n\n")

    assert (decoder.error, decoder.result().model, decoder.result().text) == (None, "late", "aaaa")
