"""Streams of Cohere: what the fixtures do not show."""

from __future__ import annotations

import pytest

from fiber._errors import (
    FiberBadRequestError,
    FiberParsingError,
    FiberProviderError,
    FiberStreamInterruptedError,
)
from fiber.types.content import Opaque, Reasoning, ToolCall
from fiber.types.events import ContentPart, MessageEnd, TextDelta
from tests.adapters.cohere.conftest import Tools

START = {"id": "r1", "type": "message-start", "delta": {"message": {"role": "assistant"}}}


def test_message_end_is_the_end(tools: Tools) -> None:
    """The answer is whole without the end mark behind it, and what follows says nothing."""
    text = tools.event("content-delta", content={"text": "Hi"})
    decoder, events = tools.stream(tools.sse(START, text, tools.ending()), tools.sse(text))

    assert (decoder.done, decoder.error, decoder.result().text) == (True, None, "Hi")
    assert isinstance(events[-1], MessageEnd)


def test_delta_without_a_start_begins_a_block(tools: Tools) -> None:
    """What it holds says of which kind."""
    decoder, events = tools.stream(
        tools.sse(
            tools.event("content-delta", content={"thinking": "Hm."}),
            tools.event("content-end"),
            tools.event("content-delta", content={"text": "Hi"}),
            tools.ending(),
        )
    )

    assert (decoder.result().reasoning, decoder.result().text) == ("Hm.", "Hi")
    assert [type(event) for event in events].count(TextDelta) == 1
    assert sum(isinstance(event, ContentPart) and isinstance(event.part, Reasoning) for event in events) == 1


def test_unknown_block_grows_and_is_carried(tools: Tools) -> None:
    """Texts are joined, other values replaced."""
    decoder, _ = tools.stream(
        tools.sse(
            tools.event("content-start", content={"type": "new", "words": "a", "n": 1}),
            tools.event("content-delta", content={"words": "b", "n": 2}),
            tools.ending(),
        )
    )
    (part,) = decoder.result().message.parts

    assert isinstance(part, Opaque)
    assert part.value() == {"type": "new", "words": "ab", "n": 2}


def test_call_that_never_ends_ends_with_the_answer(tools: Tools) -> None:
    """And one of the same index ends the one before; a piece for no call is passed over."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    decoder, _ = tools.stream(
        tools.sse(
            tools.event("tool-call-start", 0, tool_calls=call),
            tools.event("tool-call-start", 0, tool_calls={**call, "id": "b"}),
            tools.event("tool-call-delta", 9, tool_calls=call),
            tools.event("tool-call-end", 9),
            tools.ending("TOOL_CALL"),
        )
    )

    assert decoder.result().tool_calls == (ToolCall("a", "f", '{"x":1}'), ToolCall("b", "f", '{"x":1}'))


def test_stream_that_is_cut_is_interrupted(tools: Tools) -> None:
    """Its part is kept, and nothing in it can be sent back."""
    thinking = tools.event("content-delta", content={"thinking": "Hm."})
    decoder, _ = tools.stream(tools.sse(START, thinking))

    assert isinstance(decoder.error, FiberStreamInterruptedError)
    assert decoder.error.partial.message.parts == (Reasoning("Hm."),)


@pytest.mark.parametrize("body", [b"data: [DONE]\n\n", b"", b'data: {"type":"message-end","delta":{}}\n\n'])
def test_end_without_an_answer_is_an_interruption(tools: Tools, body: bytes) -> None:
    """An end mark alone is no answer."""
    decoder, _ = tools.stream(body)

    assert isinstance(decoder.error, FiberStreamInterruptedError)
    assert not decoder.done


def test_failed_answer_is_an_error_with_its_part(tools: Tools) -> None:
    """Finish reason ERROR under a 200."""
    plan = {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will"}}}
    ending = tools.ending("ERROR", usage={}, error="No valid response generated. Try updating messages")
    decoder, _ = tools.stream(tools.sse(START, plan, ending) + b"data: [DONE]\n\n")

    assert type(decoder.error) is FiberBadRequestError
    assert decoder.error.partial.reasoning == "I will"
    assert decoder.error.status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b'event: error\ndata: {"message":"no"}\n\n',
        b'data: {"type":"error","message":"no"}\n\n',
        b'data: {"id":"e1","message":"no"}\n\n',
        b'{"id":"e1","message":"no"}\n',
    ],
)
def test_error_in_a_stream(tools: Tools, body: bytes) -> None:
    """In whichever way it comes."""
    decoder, _ = tools.stream(body)

    assert type(decoder.error) is FiberProviderError
    assert "no" in str(decoder.error)


@pytest.mark.parametrize("body", [b"<html></html>\n", b'{"x":1}\n'])
def test_body_that_is_no_stream_cannot_be_read(tools: Tools, body: bytes) -> None:
    """It is another format, and no error of this one."""
    decoder, _ = tools.stream(body)

    assert type(decoder.error) is FiberParsingError


def test_unknown_event_of_another_shape_is_passed_over(tools: Tools) -> None:
    """A known one is not."""
    odd = b'data: {"type":"new-kind","delta":"text"}\n\n'
    wrong = b'data: {"type":"content-delta","delta":"text"}\n\n'
    text = tools.sse(tools.event("content-delta", content={"text": "Hi"}), tools.ending())

    assert tools.stream(odd, text)[0].result().text == "Hi"
    assert type(tools.stream(wrong, text)[0].error) is FiberParsingError
    assert type(tools.stream(b"data: upstream timed out\n\n", text)[0].error) is FiberParsingError
