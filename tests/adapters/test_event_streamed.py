"""Decoders over the binary event stream of AWS."""

from __future__ import annotations

import base64
import json

import pytest

from fiber._errors import FiberParsingError, FiberRateLimitError, FiberStreamInterruptedError
from fiber.adapters.event_streamed import Chunked, EventStreamed
from fiber.testing.formats.event_stream import event, exception
from fiber.types.events import StreamEvent, TextDelta
from fiber.types.http import HTTPHead
from fiber.types.target import Target

HEAD = HTTPHead(200, {"content-type": "application/vnd.amazon.eventstream"})
TARGET = Target(provider="bedrock", model="m", base_url="https://h")


class Words(EventStreamed):
    """Events `say` hold a word, `end` ends, `odd` cannot be read."""

    def read(self, event: str, data: bytes) -> None:
        """Take one frame."""
        match event:
            case "say":
                self.assembly.text(json.loads(data))
            case "end":
                self.complete()
            case "odd":
                raise FiberParsingError("It does not fit.")


class Packed(Chunked):
    """Chunks hold a word."""

    def read(self, event: str, data: bytes) -> None:
        """Take one frame."""
        self.assembly.text(event + json.loads(data))


def words(events: list[StreamEvent]) -> list[str]:
    """Return what was said."""
    return [event.text for event in events if isinstance(event, TextDelta)]


def say(word: str) -> bytes:
    """Frame a word."""
    return event("say", json.dumps(word).encode())


END = event("end", b"{}")


def test_events_are_read_by_type_until_the_end() -> None:
    """Every event is a frame of its type; behind the end nothing is read."""
    decoder = Words(HEAD, TARGET)

    events = decoder.feed(say("a") + say("b") + END + say("c"))

    assert words(events) == ["a", "b"]
    assert decoder.done
    assert decoder.error is None
    assert decoder.feed(say("d")) == decoder.finish() == []


def test_character_that_was_cut_in_two_is_joined() -> None:
    """The two halves of an emoji in two events are one character."""
    decoder = Words(HEAD, TARGET)

    decoder.feed(event("say", rb'"x\ud83d"') + event("say", rb'"\ude00y"') + END)

    assert decoder.result().text == "x\U0001f600y"


def test_exception_is_the_error_and_keeps_what_came() -> None:
    """What was said before an exception is in its partial, and what was held back is read first."""
    decoder = Words(HEAD, TARGET)

    events = decoder.feed(say("a") + event("say", rb'"b\ud83d"') + exception("throttlingException", b"{}") + say("c"))

    assert words(events)[0] == "a"
    assert type(decoder.error) is FiberRateLimitError
    assert decoder.error.partial is not None
    assert decoder.error.partial.text.startswith("ab")
    assert decoder.finish() == []


def test_event_that_does_not_fit_is_the_error() -> None:
    """A failure of the format's reader names the provider and ends the stream."""
    decoder = Words(HEAD, TARGET)

    decoder.feed(say("a") + event("odd", b"{}") + say("b"))

    assert type(decoder.error) is FiberParsingError
    assert (decoder.error.provider, decoder.error.model) == ("bedrock", "m")
    assert decoder.result().text == "a"


def test_end_that_was_held_back_comes_before_an_exception() -> None:
    """An answer that is whole stays whole, whatever follows."""
    decoder = Words(HEAD, TARGET)

    decoder.feed(event("end", rb'"\ud83d"') + exception("throttlingException", b"{}"))

    assert decoder.done
    assert decoder.error is None


def test_damage_is_the_error_behind_what_was_good() -> None:
    """A wrong checksum ends the stream with a parsing error and all that came before it."""
    decoder = Words(HEAD, TARGET)

    events = decoder.feed(say("a") + say("b")[:-1] + b"X")

    assert words(events) == ["a"]
    assert type(decoder.error) is FiberParsingError
    assert decoder.error.partial is not None
    assert decoder.error.partial.text == "a"


def test_body_of_another_format_is_told() -> None:
    """A page instead of a stream is an error that shows it."""
    decoder = Words(HEAD, TARGET)

    decoder.feed(b"<html>please log in</html>")

    assert type(decoder.error) is FiberParsingError
    assert "no event stream" in decoder.error.message
    assert decoder.error.raw_response == "<html>please log in</html>"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it was empty"),
        (say("a"), "no finish reason"),
        (say("a") + END[:-1], "within a message"),
        (say("a")[:5], "within a message"),
    ],
)
def test_body_that_ends_early_is_interrupted(data: bytes, words: str) -> None:
    """Without its end a stream is interrupted, and says where it broke off."""
    decoder = Words(HEAD, TARGET)

    decoder.feed(data)
    decoder.finish()

    assert type(decoder.error) is FiberStreamInterruptedError
    assert words in decoder.error.message


def test_end_held_back_at_a_cut_counts() -> None:
    """The end of an answer that was held back is read although the body ends within another message."""
    decoder = Words(HEAD, TARGET)

    decoder.feed(event("end", rb'"\ud83d"') + say("a")[:5])
    decoder.finish()

    assert decoder.done
    assert decoder.error is None


def test_chunks_are_unpacked() -> None:
    """A chunk holds the vendor's own event as base64; its type says nothing."""
    decoder = Packed(HEAD, TARGET)
    packed = json.dumps({"bytes": base64.b64encode(b'"hello"').decode(), "p": "abc"}).encode()

    events = decoder.feed(event("chunk", packed))

    assert words(events) == ["hello"]


@pytest.mark.parametrize("payload", [b"{", b'{"bytes": 1}', b'{"bytes": "%%%"}'])
def test_chunk_that_does_not_fit_is_the_error(payload: bytes) -> None:
    """A chunk that is no base64 in JSON ends the stream."""
    decoder = Packed(HEAD, TARGET)

    decoder.feed(event("chunk", payload))

    assert type(decoder.error) is FiberParsingError
    assert "chunk" in decoder.error.message
