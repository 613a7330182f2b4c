"""Streams of Gemini."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import (
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberStreamInterruptedError,
)
from fiber.adapters.gemini import stream as module
from fiber.types.events import (
    ContentPart,
    MessageEnd,
    MessageStart,
    TextDelta,
    UsageUpdate,
)


def text(piece: str, **members: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": piece}]}, **members}]}


def call(**members: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"functionCall": members}]}}]}


STOP = {"candidates": [{"finishReason": "STOP"}]}


def test_fixture_is_decoded_as_expected(tools: Any, case: str) -> None:
    """Every stream gives the expected result, whole and byte by byte."""
    body = tools.fixture(case, "stream.sse")

    decoder, events = tools.stream(body)
    bytewise, same = tools.stream(*(body[n : n + 1] for n in range(len(body))))

    assert decoder.done
    assert decoder.error is None
    tools.check(case, decoder.result())
    assert same == events
    assert bytewise.result() == decoder.result()
    assert isinstance(events[-1], MessageEnd)
    assert isinstance(events[0], MessageStart)


def test_stream_and_whole_reply_are_one_result(tools: Any, whole_case: str) -> None:
    """The whole reply of the same answer gives the same parts, usage and citations."""
    whole = tools.parse(tools.fixture(whole_case, "response.json"))
    decoder, _ = tools.stream(tools.fixture(whole_case, "stream.sse"))

    streamed = decoder.result()
    assert tools.natives(streamed) == tools.natives(whole)
    assert streamed.usage == whole.usage
    assert streamed.citations == whole.citations
    assert (streamed.text, streamed.reasoning) == (whole.text, whole.reasoning)
    assert streamed.warnings == whole.warnings
    assert (streamed.model, streamed.response_id) == (whole.model, whole.response_id)


@given(data=st.data())
def test_any_chunking_gives_the_same_events(data: st.DataObject) -> None:
    """However the bytes are cut, events and result are the same."""
    from fiber.adapters.gemini import ADAPTER
    from fiber.types.http import HTTPHead
    from fiber.types.target import Target

    target = Target(provider="gemini", model="gemini-3-flash", base_url="https://g.example")
    replies = [text("Grüße 🎉"), call(name="f", args={"a": 1}), text("", finishReason="STOP")]
    body = "".join(f"data: {json.dumps(r, ensure_ascii=False)}\r\n\r\n" for r in replies).encode()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(body) - 1), max_size=40)))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    runs = []
    for pieces in ([body], chunks):
        decoder = ADAPTER.stream_decoder(HTTPHead(200), target)
        events = [event for piece in pieces for event in decoder.feed(piece)]
        runs.append((events + decoder.finish(), decoder.result()))

    assert runs[0] == runs[1]


def test_deltas_are_given_as_they_come(tools: Any) -> None:
    """Each piece of text is an event, and the end carries reason and usage."""
    usage = {"promptTokenCount": 2, "candidatesTokenCount": 1, "totalTokenCount": 3}

    _, events = tools.stream(tools.sse(text("a"), text("b", finishReason="STOP"), {"usageMetadata": usage}))

    assert events[1:3] == [TextDelta("a"), TextDelta("b")]
    end = events[-1]
    assert isinstance(end, MessageEnd)
    assert (end.finish_reason, end.raw_finish_reason, end.usage.input_tokens) == ("stop", "STOP", 2)
    assert isinstance(events[-2], UsageUpdate)


def test_signed_reasoning_is_given_as_a_part(tools: Any) -> None:
    """A signed thought is an event of its own, so that it can be replayed."""
    part = {"text": "hm", "thought": True, "thoughtSignature": "cw=="}

    _, events = tools.stream(tools.sse({"candidates": [{"content": {"parts": [part]}}]}, STOP))

    assert [event for event in events if isinstance(event, ContentPart)]


def test_cut_stream_is_interrupted(tools: Any) -> None:
    """Without a finish reason the answer is not whole, and what came cannot be replayed."""
    usage = {"promptTokenCount": 2, "totalTokenCount": 2}
    signed = {"text": "b", "thoughtSignature": "cw=="}
    first = {**text("a"), "usageMetadata": usage}

    decoder, _ = tools.stream(tools.sse(first, {"candidates": [{"content": {"parts": [signed]}}]}))

    error = decoder.error
    assert isinstance(error, FiberStreamInterruptedError)
    assert error.partial is not None
    assert (error.partial.text, error.partial.usage.input_tokens) == ("ab", 2)
    assert all(part.native is None for part in error.partial.message.parts)


@pytest.mark.parametrize("body", [b"", b": ping\n\n", b"data: \n\n", b"data: {}\n\n"])
def test_stream_without_content_is_interrupted(tools: Any, body: bytes) -> None:
    """An empty stream is no answer."""
    decoder, events = tools.stream(body)

    assert isinstance(decoder.error, FiberStreamInterruptedError)
    assert events == []


@pytest.mark.parametrize("tail", [b'data: {"candi', b"data: ", b"data:", b"data", b"d", b'{"error'])
def test_cut_off_event_is_no_end(tools: Any, tail: bytes) -> None:
    """Old models say STOP in every event, so a cut event behind one is an early end."""
    decoder, _ = tools.stream(tools.sse(text("a", finishReason="STOP")), tail)

    assert isinstance(decoder.error, FiberStreamInterruptedError)
    assert "cut off" in str(decoder.error)


def test_every_candidate_must_have_ended(tools: Any) -> None:
    """One finish reason is not enough when two candidates spoke."""
    both = {
        "candidates": [
            {"index": 0, "content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"},
            {"index": 1, "content": {"parts": [{"text": "b"}]}},
        ]
    }

    cut, _ = tools.stream(tools.sse(both))
    whole, _ = tools.stream(tools.sse(both, {"candidates": [{"index": 1, "finishReason": "STOP"}]}))

    assert isinstance(cut.error, FiberStreamInterruptedError)
    assert [choice.text for choice in whole.result().choices] == ["a", "b"]


def test_row_may_accept_the_end_of_the_body(tools: Any) -> None:
    """A row whose server never says why it ended takes the end of the body, with a warning."""
    decoder, _ = tools.stream(tools.sse(text("a")), to=tools.target(terminal="eof"))

    assert decoder.done
    assert decoder.result().warnings


def test_done_mark_and_heartbeats_of_a_proxy_mean_nothing(tools: Any) -> None:
    """`[DONE]`, empty data, comments and unknown fields neither end nor break a stream."""
    body = b"data:\n\n: ping\n\nx-note: 1\n\n" + tools.sse(text("a"), STOP) + b"data: [DONE]\n\n"

    decoder, _ = tools.stream(body)

    assert decoder.done
    assert decoder.result().text == "a"


def test_invalid_json_is_an_error_after_the_good_events(tools: Any) -> None:
    """An event that is no JSON is a parsing error that keeps what came before."""
    decoder, events = tools.stream(tools.sse(text("a")) + b"data: {oops}\n\n" + tools.sse(STOP))

    assert isinstance(decoder.error, FiberParsingError)
    assert events[-1] == TextDelta("a")
    assert decoder.feed(b"data: {}\n\n") == []


@pytest.mark.parametrize(
    "tail",
    [
        b'data: {"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}}\n\n',
        b'data: [{"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}}]\n\n',
        b'event: error\ndata: {"error": {"message": "Busy", "status": "UNAVAILABLE"}}\n\n',
        b'{\n "error": {\n  "code": 503,\n  "message": "Busy",\n  "status": "UNAVAILABLE"\n }\n}\n',
        b'[{"error": {"code": 503, "message": "Busy", "status": "UNAVAILABLE"}}]',
    ],
)
def test_error_in_the_stream_is_typed(tools: Any, tail: bytes) -> None:
    """An error in the stream or bare behind it has its class, status and the partial result."""
    usage = {"usageMetadata": {"promptTokenCount": 2}}

    decoder, events = tools.stream(tools.sse({**text("a", finishReason="STOP"), **usage}) + tail)

    assert isinstance(decoder.error, FiberOverloadedError)
    assert decoder.error.status_code == 503
    assert decoder.error.partial is not None
    assert decoder.error.partial.text == "a"
    assert decoder.error.partial.usage.input_tokens == 2
    assert not any(isinstance(event, MessageEnd) for event in events)


def test_bare_json_behind_the_events_may_be_a_reply(tools: Any) -> None:
    """A reply without `data:` is read like any other."""
    decoder, _ = tools.stream(tools.sse(text("a")) + json.dumps(text("b", finishReason="STOP")).encode())

    assert decoder.done
    assert decoder.result().text == "ab"


@pytest.mark.parametrize("gap", [b"", b"\n "])
def test_json_array_instead_of_events_is_read(tools: Any, gap: bytes) -> None:
    """Without alt=sse the stream is one JSON array, read when it is whole."""
    body = gap + json.dumps([text("a"), text("b", finishReason="STOP")]).encode()

    decoder, events = tools.stream(body[:1], body[1:9], body[9:])

    assert decoder.done
    assert decoder.result().text == "ab"
    assert isinstance(events[-1], MessageEnd)
    assert decoder.finish() == []


def test_cut_json_array_is_interrupted(tools: Any) -> None:
    """An array that is cut off is an early end."""
    decoder, _ = tools.stream(json.dumps([text("a"), STOP]).encode()[:-9])

    assert isinstance(decoder.error, FiberStreamInterruptedError)


def test_bare_error_instead_of_events_is_typed(tools: Any) -> None:
    """A body that is only an error object is that error."""
    decoder, _ = tools.stream(b'{"error": {"code": 500, "message": "x", "status": "INTERNAL"}}')

    assert type(decoder.error) is FiberProviderError
    assert decoder.finish() == []


def test_bare_body_has_a_limit(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bare JSON is kept in memory, up to a limit."""
    monkeypatch.setattr(module, "MAX_EVENT_BYTES", 10)

    decoder, _ = tools.stream(b"[", b" " * 20, b" ")

    assert isinstance(decoder.error, FiberParsingError)


def test_large_picture_passes(tools: Any) -> None:
    """A picture of more than 4 MiB in one event is read."""
    data = "AAAA" * (1024 * 1024 + 1024)
    part = {"inlineData": {"mimeType": "image/png", "data": data}}

    decoder, _ = tools.stream(tools.sse({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}))

    assert decoder.done


def test_block_behind_the_first_event_ends_the_answer(tools: Any) -> None:
    """A prompt that is found to be blocked late ends the answer as filtered."""
    late = {"promptFeedback": {"blockReason": "SAFETY"}}

    decoder, _ = tools.stream(tools.sse(text("a"), late))

    assert decoder.result().finish_reason == "content_filter"
