"""The frame of every stream decoder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import (
    FiberError,
    FiberOverloadedError,
    FiberParsingError,
    FiberStreamInterruptedError,
)
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.adapters.jsons import decode_any
from fiber.adapters.keeping import COUNTED_BYTES, MAX_STREAM_BYTES
from fiber.types.events import MessageEnd, MessageStart, StreamEvent, TextDelta
from fiber.types.http import HTTPHead
from fiber.types.receipt import Usage
from fiber.types.target import Quirks, Target
from tests.strategies import chunkings

HEAD = HTTPHead(200, {"x-request-id": "r1"})
TARGET = Target(provider="acme", model="m", base_url="https://acme.test")
START = MessageStart("m", "acme", "r1")
QUIET = Usage(cost_status="no_usage")
WHOLE = b'data: {"text":"Hallo "}\n\ndata: {"text":"W\xc3\xa4lt"}\n\ndata: {"stop":"end"}\n\nevent: done\ndata: {}\n\n'
EVENTS = [START, TextDelta("Hallo "), TextDelta("Wält"), MessageEnd("stop", "end", QUIET)]


class Words(SSEStreamDecoder):
    """A small format: `text`, `stop` and `error` members, and an event `done` as terminal marker."""

    def read(self, event: str, data: bytes) -> None:
        """Take one frame."""
        if event == "done":
            self.complete()
            return
        value = decode_any(data)
        if "error" in value:
            raise FiberOverloadedError(value["error"], request_id=value.get("id"))
        if "text" in value:
            self.assembly.text(value["text"])
        if "stop" in value:
            self.assembly.finish("stop", value["stop"])


class Blunt(Words):
    """The same, for a server that ends a broken stream with bare JSON."""

    def stray(self, data: bytes) -> FiberError | None:
        """Read the bare JSON."""
        return FiberOverloadedError("busy") if b'"error"' in data else None


class Narrow(Words):
    """The same, with little room for one event."""

    max_event_bytes = 40


def decoder(kind: type[SSEStreamDecoder] = Words, *, eof: bool = False) -> SSEStreamDecoder:
    """A new decoder; with *eof*, for a server without terminal marker."""
    quirks = Quirks(terminal="eof" if eof else "marker")
    return kind(HEAD, Target(provider="acme", model="m", base_url="https://acme.test", quirks=quirks))


def run(made: SSEStreamDecoder, chunks: list[bytes]) -> list[StreamEvent]:
    """All events of *chunks* and of the end."""
    return [event for chunk in chunks for event in made.feed(chunk)] + made.finish()


def joined(events: list[StreamEvent]) -> str:
    """The text of *events*."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_whole_stream_gives_events_and_result() -> None:
    """A stream that ends with its marker is done, without error, and has its result."""
    made = decoder()

    assert run(made, [WHOLE]) == EVENTS
    assert (made.done, made.error) == (True, None)
    result = made.result()
    assert (result.text, result.finish_reason, result.warnings) == ("Hallo Wält", "stop", ())


@given(chunkings(WHOLE))
def test_chunking_does_not_matter(chunks: list[bytes]) -> None:
    """However the bytes are cut, events and result are the same."""
    made = decoder()

    assert run(made, chunks) == EVENTS
    assert made.result().text == "Hallo Wält"


def test_events_come_with_the_bytes_that_complete_them() -> None:
    """An event is given out as soon as its frame is complete."""
    made = decoder()

    assert made.feed(WHOLE[:24]) == []
    assert made.feed(WHOLE[24:25]) == [START, TextDelta("Hallo ")]
    assert not made.done


def test_bytes_behind_the_marker_say_nothing() -> None:
    """After the terminal marker nothing is read, not even an error."""
    made = decoder()

    assert made.feed(WHOLE + b'data: {"error":"x"}\n\n') == EVENTS
    assert made.feed(WHOLE) == []
    assert made.finish() == []
    assert made.error is None


# -- errors -------------------------------------------------------------------------------------------------------


def test_error_in_the_stream_ends_it() -> None:
    """An in-band error keeps what came before it, and nothing is read after it."""
    made = decoder()

    events = made.feed(b'data: {"text":"Hal"}\n\ndata: {"error":"busy"}\n\ndata: {"text":"lo"}\n\n')

    assert events == [START, TextDelta("Hal")]
    assert isinstance(made.error, FiberOverloadedError)
    assert (made.error.provider, made.error.model, made.error.request_id) == ("acme", "m", "r1")
    assert made.error.partial is not None
    assert made.error.partial.text == "Hal"
    assert made.feed(WHOLE) == []
    assert made.finish() == []
    assert not made.done


def test_error_keeps_its_own_facts() -> None:
    """What the error knows itself is not overwritten."""
    made = decoder()
    made.feed(b'data: {"error":"busy","id":"r2"}\n\n')

    assert made.error is not None
    assert made.error.request_id == "r2"


def test_frame_that_cannot_be_read_ends_the_stream() -> None:
    """A frame that is not the format is a parsing error with what came before it."""
    made = decoder()

    assert made.feed(b'data: {"text":"Hal"}\n\ndata: {"text"\n\n') == [START, TextDelta("Hal")]
    assert isinstance(made.error, FiberParsingError)
    assert not isinstance(made.error, FiberStreamInterruptedError)
    assert made.error.provider == "acme"
    assert made.error.partial is not None
    assert made.error.partial.text == "Hal"


def test_event_that_is_too_long_ends_the_stream() -> None:
    """The limit of the framing is a parsing error like any other."""
    made = decoder(Narrow)
    made.feed(b'data: {"text":"Hal"}\n\n')

    assert made.feed(b"data: " + b"x" * 50) == []
    assert isinstance(made.error, FiberParsingError)
    assert (made.error.provider, made.error.request_id) == ("acme", "r1")
    assert made.error.partial is not None
    assert made.error.partial.text == "Hal"


# -- the end of the body ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b": comment\n\n", id="only comments"),
        pytest.param(b"dat", id="the beginning of a field"),
    ],
)
def test_empty_stream_is_interrupted(stream: bytes) -> None:
    """A stream in which nothing was said did not end well."""
    made = decoder()

    assert run(made, [stream]) == []
    assert isinstance(made.error, FiberStreamInterruptedError)
    assert "it was empty" in made.error.message
    assert not made.done


@pytest.mark.parametrize("stream", [b"<html>", b"OK", b"SSH-2.0-x\r\n"])
def test_another_format_is_no_stream_that_was_cut(stream: bytes) -> None:
    """A page or a text in its place: asking again does not help."""
    made = decoder()

    assert run(made, [stream]) == []
    assert isinstance(made.error, FiberParsingError)
    assert not isinstance(made.error, FiberStreamInterruptedError)
    assert "no event stream" in made.error.message


def test_an_event_without_data_is_a_sign_of_life() -> None:
    """Whatever its name: nothing is read of it."""
    made = decoder()

    assert run(made, [b'data:\n\nevent: x\ndata: \n\ndata: {"text":"Hal"}\n\n']) == [START, TextDelta("Hal")]


def test_stream_without_marker_is_interrupted() -> None:
    """A stream that ends in the middle did not end well, and its error has what arrived."""
    made = decoder()

    assert run(made, [b'data: {"text":"Hal"}\n\n']) == [START, TextDelta("Hal")]
    assert isinstance(made.error, FiberStreamInterruptedError)
    assert "no finish reason and no terminal marker came" in made.error.message
    assert made.error.partial == made.result()
    assert made.result().text == "Hal"


def test_finish_reason_is_taken_as_the_end() -> None:
    """A stream that lost only its marker is whole, and says so."""
    made = decoder()

    assert run(made, [WHOLE[: WHOLE.index(b"event: done")]]) == EVENTS
    assert made.done
    assert made.result().warnings == ("The stream had no terminal marker; its finish reason was taken as the end.",)


def test_server_without_marker_may_just_stop() -> None:
    """Where the row says so, the end of the body is the end of the answer, unless nothing came."""
    made = decoder(eof=True)
    empty = decoder(eof=True)

    assert run(made, [b'data: {"text":"Hal"}\n\n'])[-1] == MessageEnd(None, None, QUIET)
    assert made.done
    assert made.result().warnings == (
        "This server sends no terminal marker; the end of the body was taken as the end.",
    )
    assert run(empty, [b""]) == []
    assert isinstance(empty.error, FiberStreamInterruptedError)


def test_last_event_may_lack_its_empty_line() -> None:
    """A marker whose empty line is missing is still the marker."""
    made = decoder()

    assert run(made, [WHOLE.removesuffix(b"\n\n")]) == EVENTS
    assert made.done


def test_last_event_may_be_an_error() -> None:
    """An in-band error whose empty line is missing is still that error."""
    made = decoder()

    assert run(made, [b'data: {"text":"Hal"}\n\ndata: {"error":"busy"}']) == [START, TextDelta("Hal")]
    assert isinstance(made.error, FiberOverloadedError)


@pytest.mark.parametrize("cut", range(1, 22))
def test_last_event_cut_in_half_is_an_interruption(cut: int) -> None:
    """A frame that the end of the body cut off is an early end, not a parsing error."""
    made = decoder()

    run(made, [b'data: {"text":"Hal"}\n\n', b'data: {"text":"cut"}'[:-1][:cut]])

    assert isinstance(made.error, FiberStreamInterruptedError)
    assert made.result().text == "Hal"


@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_ends_well_or_is_told(cut: int) -> None:
    """Wherever the body breaks off, the text is a beginning of the whole and the end is never silent."""
    made = decoder()

    events = run(made, [WHOLE[:cut]])

    assert "Hallo Wält".startswith(joined(events))
    assert made.done is (made.error is None)
    assert not made.done or joined(events) == "Hallo Wält"


def test_bare_json_at_the_end_is_read() -> None:
    """A server that breaks off with bare JSON is understood where the format knows it, and ignored elsewhere."""
    stream = b'data: {"text":"Hal"}\n\n{"error": "busy"}\n'
    known, unknown = decoder(Blunt), decoder()
    run(known, [stream])
    run(unknown, [stream])

    assert isinstance(known.error, FiberOverloadedError)
    assert known.error.partial is not None
    assert known.error.partial.text == "Hal"
    assert isinstance(unknown.error, FiberStreamInterruptedError)


def test_stray_line_that_says_nothing_is_ignored() -> None:
    """A line outside the format that is no error does not change the end."""
    made = decoder(Blunt)

    run(made, [b'nonsense\n\ndata: {"text":"a"}\n\ndata: {"stop":"end"}\n\n'])

    assert made.done


LONG = b'data: {"text":"' + b"x" * (COUNTED_BYTES // 4) + b'"}\n\n'


def test_stream_that_adds_up_to_too_much_is_an_error() -> None:
    """Good events without end end in an error that has what came; the events are given out all the same."""
    made = decoder()
    events: list[StreamEvent] = []

    while made.error is None:
        events += made.feed(LONG)

    assert isinstance(made.error, FiberParsingError)
    assert (made.error.is_retryable, made.error.provider, made.error.request_id) == (False, "acme", "r1")
    assert made.error.partial is not None
    assert made.error.partial.text == joined(events)
    assert abs(len(joined(events)) - MAX_STREAM_BYTES // 4) <= COUNTED_BYTES
    assert made.feed(LONG) == []


def test_stream_below_the_limit_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted is what is kept, and not the frames around it."""
    monkeypatch.setattr("fiber.adapters.decoder.MAX_STREAM_BYTES", 64 * 1024)
    monkeypatch.setattr("fiber.adapters.decoder.COUNTED_BYTES", 1024)
    made = decoder()
    frame = b'data: {"text":"ab"}\n' + b": nothing\n" * 1000 + b"\n"

    run(made, [frame] * 100 + [WHOLE])

    assert (made.error, made.done) == (None, True)
    assert made.result().text == "ab" * 100 + "Hallo W\u00e4lt"


def test_what_is_whole_already_is_never_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer whose end came with the same bytes, or an error, stays what it is."""
    monkeypatch.setattr("fiber.adapters.decoder.MAX_STREAM_BYTES", 0)
    monkeypatch.setattr("fiber.adapters.decoder.COUNTED_BYTES", 1)
    whole, refused, long = decoder(), decoder(), decoder()

    whole.feed(WHOLE)
    refused.feed(b'data: {"error":"busy"}\n\n')
    long.feed(WHOLE[:40])

    assert (whole.done, whole.error) == (True, None)
    assert isinstance(refused.error, FiberOverloadedError)
    assert isinstance(long.error, FiberParsingError)
