"""Answers as they are to be read."""

from __future__ import annotations

import pytest

from fiber._errors import FiberError, FiberOverloadedError, FiberStreamInterruptedError
from fiber.adapters import load
from fiber.adapters.reading import ReadingDecoder, as_read
from fiber.testing.fake import sse_reply
from fiber.types.content import Text, ToolCall
from fiber.types.events import MessageStart, StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.reading import Reading
from fiber.types.result import ChatResult, Choice
from fiber.types.target import Target
from tests.kit import frames, piece

HEAD = HTTPHead(200)
TARGET = Target(provider="openai", model="m", base_url="https://h")
READING = Reading("value")


class Bare:
    """A decoder with nothing but what every one has."""

    error: FiberError | None = None
    done = False

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Take bytes."""
        return []

    def finish(self) -> list[StreamEvent]:
        """The body ended."""
        return []

    def result(self) -> ChatResult:
        """Return nothing."""
        return ChatResult()


def decoder() -> ReadingDecoder:
    """Make a decoder over that of a format."""
    return ReadingDecoder(load("openai_chat").stream_decoder(HEAD, TARGET), READING)


def body(*said: object) -> bytes:
    """Make the bytes of a stream."""
    return b"".join(chunk for chunk in sse_reply(*said).chunks if isinstance(chunk, bytes))


def test_result_says_how_it_is_read() -> None:
    """The member is on the result, and nothing else changes."""
    assert as_read(ChatResult(model="m"), READING) == ChatResult(model="m", json_member="value")


def test_events_and_result_of_a_stream_say_so() -> None:
    """The first event and every result have the member; the end is that of the stream."""
    made = decoder()

    events = made.feed(body(*frames("{}"))) + made.finish()

    assert isinstance(events[0], MessageStart)
    assert (events[0].json_member, made.result().json_member) == ("value", "value")
    assert (made.result().text, made.done, made.error, made.holds) == ("{}", True, None, False)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ((piece("{"),), FiberStreamInterruptedError),
        ((piece("{"), {"error": {"message": "no", "code": 503}}), FiberOverloadedError),
    ],
)
def test_failure_has_a_part_that_says_so(said: tuple[object, ...], kind: type[Exception]) -> None:
    """What came before an error has the member too."""
    made = decoder()
    made.feed(body(*said))
    made.finish()

    assert isinstance(made.error, kind)
    assert made.error.partial is not None
    assert made.error.partial.json_member == "value"


def test_failure_without_a_part_is_passed_on() -> None:
    """An error that came before any answer stays as it is."""
    made = decoder()
    made.feed(b"<html>")
    made.finish()

    assert made.error is not None
    assert made.error.partial is None


def test_text_is_forgotten_where_the_format_can() -> None:
    """The wish goes to the decoder below; one that cannot is left alone."""
    made, bare = decoder(), ReadingDecoder(Bare(), READING)
    made.forget_text()
    bare.forget_text()

    made.feed(body(*frames("{}")))

    assert made.result().text == ""
    assert bare.feed(b"") == []


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string"}}}


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("look", '{"city": "Rome", "unit": null}', ("/unit",)),
        ("look", '{"city": "Rome", "unit": "null"}', ()),
        ("look", '{"city": null', ()),
        ("look", "{}", ()),
        ("other", '{"unit": null}', ()),
    ],
)
def test_calls_know_what_was_left_out(name: str, arguments: str, expected: tuple[str, ...]) -> None:
    """Only of tools whose optional members were made nullable, and only what is JSON; all else stays."""
    parts = (Text("Well."), ToolCall("c", name, arguments))
    result = ChatResult(choices=(Choice(message=ChatMessage("assistant", parts)), Choice(index=1)))

    read = as_read(result, Reading("", {"look": SCHEMA}))

    assert read.tool_calls == (ToolCall("c", name, arguments, left_out=expected),)
    assert (read.text, read.choices[1]) == ("Well.", result.choices[1])
