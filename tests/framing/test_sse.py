"""
Server-sent events from bytes.

The cases are written from the rules of https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberParsingError
from fiber.framing import sse
from fiber.framing.sse import Frame, SSEDecoder
from tests.strategies import chunkings, pieces

NEXT = b"data: next\n\n"


def data(*values: bytes) -> list[Frame]:
    """Frames without names."""
    return [Frame("", value) for value in values]


COMPLETE = {
    "one event": (b"data: a\n\n", data(b"a")),
    "two events": (b"data: a\n\ndata: b\n\n", data(b"a", b"b")),
    "no space": (b"data:a\n\n", data(b"a")),
    "two spaces": (b"data:  a\n\n", data(b" a")),
    "space behind": (b"data: a \n\n", data(b"a ")),
    "tab is no space": (b"data:\ta\n\n", data(b"\ta")),
    "colons in the value": (b"data: a:b: c\n\n", data(b"a:b: c")),
    "many lines": (b"data: a\ndata:b\ndata: c\n\n", data(b"a\nb\nc")),
    "empty data": (b"data:\n\n", data(b"")),
    "empty data with a space": (b"data: \n\n", data(b"")),
    "field without a colon": (b"data\n\n", data(b"")),
    "empty lines of data": (b"data\ndata\n\n", data(b"\n")),
    "empty line between lines of data": (b"data: a\ndata:\ndata: b\n\n", data(b"a\n\nb")),
    "lf": (b"data: a\ndata: b\n\n", data(b"a\nb")),
    "cr": (b"data: a\rdata: b\r\r", data(b"a\nb")),
    "crlf": (b"data: a\r\ndata: b\r\n\r\n", data(b"a\nb")),
    "mixed ends": (b"data: a\r\ndata: b\rdata: c\n\r\n", data(b"a\nb\nc")),
    "cr then lf is one end": (b"data: a\r\ndata: b\r\n\r\n", data(b"a\nb")),
    "lf then cr is two ends": (b"data: a\n\rdata: b\n\r", data(b"a", b"b")),
    "bom": (b"\xef\xbb\xbfdata: a\n\n", data(b"a")),
    "half a bom is a field": (b"\xef\xbbdata: a\n\ndata: b\n\n", data(b"b")),
    "bom only at the start": (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", data(b"a")),
    "two boms": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    "name": (b"event: ping\ndata: a\n\n", [Frame("ping", b"a")]),
    "name behind": (b"data: a\nevent: ping\n\n", [Frame("ping", b"a")]),
    "name without a space": (b"event:ping\ndata:a\n\n", [Frame("ping", b"a")]),
    "last name wins": (b"event: a\nevent: b\ndata: c\n\n", [Frame("b", b"c")]),
    "empty name": (b"event: a\nevent\ndata: c\n\n", data(b"c")),
    "name is not kept": (b"event: a\ndata: b\n\ndata: c\n\n", [Frame("a", b"b"), Frame("", b"c")]),
    "name without data": (b"event: a\n\ndata: b\n\n", data(b"b")),
    "name in utf-8": ("event: straße\ndata: a\n\n".encode(), [Frame("straße", b"a")]),
    "name in something else": (b"event: \xff\ndata: a\n\n", [Frame("\ufffd", b"a")]),
    "comment": (b": hi\n\ndata: a\n\n", data(b"a")),
    "empty comment": (b":\n\ndata: a\n\n", data(b"a")),
    "comment inside": (b"data: a\n:data: x\ndata: b\n\n", data(b"a\nb")),
    "comment like data": (b":data: a\n\n", []),
    "id and retry": (b"id: 1\nretry: 5\ndata: a\n\n", data(b"a")),
    "id alone": (b"id: 1\n\n", []),
    "unknown field": (b"foo: 1\ndata: a\n\n", data(b"a")),
    "names are exact": (b"Data: x\n data: y\ndata : z\ndata: a\n\n", data(b"a")),
    "only empty lines": (b"\n\n\n\n\n", []),
    "empty lines first": (b"\n\ndata: a\n\n", data(b"a")),
    "odd empty lines first": (b"\n\n\ndata: a\n\n", data(b"a")),
    "empty lines between": (b"data: a\n\n\n\n\ndata: b\n\n", data(b"a", b"b")),
    "nul": (b"data: a\0b\n\n", data(b"a\0b")),
    "line separators of unicode": (
        "data: a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\n\n".encode(),
        data("a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg".encode()),
    ),
    "invalid utf-8": (b"data: \xff\xfe\n\n", data(b"\xff\xfe")),
    "four-byte character": ("data: 🌧\n\n".encode(), data("🌧".encode())),
    "nothing": (b"", []),
}
"""Streams whose last event is complete."""

OPEN = {
    "no empty line": (b"data: a", data(b"a")),
    "no empty line, one end": (b"data: a\n", data(b"a")),
    "no empty line, cr": (b"data: a\r", data(b"a")),
    "no empty line, crlf": (b"data: a\r\n", data(b"a")),
    "no empty line behind another": (b"data: a\n\nevent: x\ndata: b\ndata: c", [Frame("", b"a"), Frame("x", b"b\nc")]),
    "cut in the field": (b"data: a\n\ndat", data(b"a")),
    "name without data": (b"event: a", []),
    "comment": (b": a", []),
    "bom": (b"\xef\xbb\xbf", []),
    "half a bom": (b"\xef\xbb", []),
    "data behind a bom": (b"\xef\xbb\xbfdata: a", data(b"a")),
}
"""Streams that end before the empty line."""


def decoded(chunks: list[bytes]) -> list[Frame]:
    """All frames of *chunks*, and of the end."""
    decoder = SSEDecoder()
    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]
    return frames + decoder.finish()


def bytewise(stream: bytes) -> list[bytes]:
    """Cut *stream* into single bytes."""
    return [stream[position : position + 1] for position in range(len(stream))]


@pytest.mark.parametrize(("stream", "frames"), COMPLETE.values(), ids=COMPLETE)
def test_events_are_complete_when_whole(stream: bytes, frames: list[Frame]) -> None:
    """A stream in one chunk gives all its events at once, and none at its end."""
    decoder = SSEDecoder()

    assert decoder.feed(stream) == frames
    assert decoder.finish() == []


@pytest.mark.parametrize(("stream", "frames"), (COMPLETE | OPEN).values(), ids=COMPLETE | OPEN)
def test_events_are_equal_byte_by_byte(stream: bytes, frames: list[Frame]) -> None:
    """A stream that comes byte by byte gives the same events."""
    assert decoded([stream]) == frames
    assert decoded(bytewise(stream)) == frames


@pytest.mark.parametrize(("stream", "frames"), COMPLETE.values(), ids=COMPLETE)
def test_events_are_equal_with_the_next_behind(stream: bytes, frames: list[Frame]) -> None:
    """The bytes of a further event, in the same chunk or split anywhere, change nothing before it."""
    for cut in range(len(NEXT) + 1):
        assert decoded([stream + NEXT[:cut], NEXT[cut:]]) == [*frames, Frame("", b"next")]


@pytest.mark.parametrize(("stream", "frames"), (COMPLETE | OPEN).values(), ids=COMPLETE | OPEN)
def test_events_are_equal_with_one_cut(stream: bytes, frames: list[Frame]) -> None:
    """A cut at any byte, inside an end of line or a character too, changes nothing."""
    for cut in range(len(stream) + 1):
        assert decoded([stream[:cut], b"", stream[cut:]]) == frames


@given(st.data())
def test_events_are_equal_for_any_chunking(draw: st.DataObject) -> None:
    """However the bytes are cut, the events are those of the whole."""
    lines = st.sampled_from(
        [b"data: a", b"data:", b"data", b"event: x", b": c", b"id: 1", b"what", b"", b"", "data: ü🌧\u2028".encode()]
    )
    ends = st.sampled_from([b"\n", b"\r", b"\r\n"])
    start = draw.draw(st.sampled_from([b"", b"\xef\xbb\xbf", b"\xef\xbb"]))
    stream = start + b"".join(draw.draw(st.lists(st.tuples(lines, ends).map(b"".join), max_size=12)))
    stream = stream[: draw.draw(st.integers(0, len(stream)))]

    assert decoded(draw.draw(chunkings(stream))) == decoded([stream])


@given(st.binary(max_size=60), st.data())
def test_any_bytes_are_survived(stream: bytes, draw: st.DataObject) -> None:
    """No bytes at all make the decoder fail, and their cutting never matters."""
    assert decoded(draw.draw(chunkings(stream))) == decoded([stream])


def test_events_come_as_soon_as_they_are_complete() -> None:
    """An event is given out with the byte that completes it, and not before."""
    decoder = SSEDecoder()

    assert [decoder.feed(byte) for byte in bytewise(b"data: a\r\n\r")][-2:] == [[], data(b"a")]
    assert decoder.feed(b"\n") == []
    assert decoder.finish() == []


def test_finish_is_final() -> None:
    """A second end has nothing to say."""
    decoder = SSEDecoder()
    decoder.feed(b"data: a")

    assert decoder.finish() == data(b"a")
    assert decoder.finish() == []


# -- stray lines --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "stray"),
    [
        pytest.param(b'{"error": "x"}', b'{"error": "x"}\n', id="json at the end"),
        pytest.param(b'data: a\n\n{\n  "error": 1\n}\n', b'{\n  "error": 1\n}\n', id="json in lines"),
        pytest.param(b"data: a\nfoo: 1\n\nbar\n\n", b"foo: 1\nbar\n", id="fields"),
        pytest.param(b"data: a\nevent: b\nid: 1\nretry: 2\n: c\n\n", b"", id="none"),
    ],
)
def test_stray_lines_are_kept(stream: bytes, stray: bytes) -> None:
    """Lines outside the format are kept as they came, for whoever can read them."""
    for chunks in ([stream], bytewise(stream)):
        decoder = SSEDecoder()
        for chunk in chunks:
            decoder.feed(chunk)
        decoder.finish()

        assert decoder.stray == stray


def test_stray_lines_are_limited() -> None:
    """At most 64 KiB of stray lines are kept, of one line or of many."""
    decoder = SSEDecoder()

    decoder.feed(b"x" * 100_000 + b"\n\n" + b"y\n\n" * 1000)

    assert decoder.stray == b"x" * 65_536


# -- limits and cost ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 1000], ids="chunks of {}".format)
def test_event_over_the_limit_is_refused(size: int) -> None:
    """An event that is too long is an error, however it comes; the provider may have done its work."""
    stream = b"data: a\n\ndata: " + b"x" * 100 + b"\n\n"
    decoder = SSEDecoder(max_event_bytes=100)

    with pytest.raises(FiberParsingError, match="One event of the stream is longer than 100 bytes") as caught:
        for chunk in pieces(stream, list(range(0, len(stream), size))):
            decoder.feed(chunk)

    assert caught.value.outcome == "unknown"


@pytest.mark.parametrize("size", [1, 7, 1000], ids="chunks of {}".format)
def test_event_at_the_limit_is_read(size: int) -> None:
    """The limit counts one event and not the stream."""
    stream = (b"data: " + b"x" * 90 + b"\n\n") * 50
    decoder = SSEDecoder(max_event_bytes=100)

    frames = [frame for chunk in pieces(stream, list(range(0, len(stream), size))) for frame in decoder.feed(chunk)]

    assert frames == data(b"x" * 90) * 50


@pytest.mark.parametrize("start", [b"", b"data: a\n", b"event: x\ndata: a\n"], ids=["first", "data", "named"])
def test_flood_of_comments_is_no_long_event(start: bytes) -> None:
    """Comments without empty lines may go on for ever, before an event and inside it."""
    decoder = SSEDecoder(max_event_bytes=200_000)
    decoder.feed(start)

    for _ in range(500):
        assert decoder.feed(b": still here\n" * 100) == []

    expected = Frame("x" if b"event" in start else "", b"a\nb" if start else b"b")
    assert decoder.feed(b"data: b\n\n") == [expected]


@pytest.mark.parametrize("size", [500, 10**6], ids=["pieces", "whole"])
@pytest.mark.parametrize(
    "stream",
    [
        b": still here\n" * 20_000 + b"data: " + b"a" * 900 + b"\n\n",
        b"data: " + b"a" * 900 + b"\n" + b": still here\n" * 20_000 + b"\n",
        b"data: " + b"a" * 900 + b"\n: " + b"here " * 40_000 + b"\n\n",
    ],
    ids=["before", "behind", "one long comment"],
)
def test_comments_do_not_count_however_they_come(stream: bytes, size: int) -> None:
    """Only what is not a comment counts towards the limit, in a body that comes whole, too."""
    decoder = SSEDecoder(max_event_bytes=250_000 if b"here " * 3 in stream else 1000)
    chunks = [stream[start : start + size] for start in range(0, len(stream), size)]

    frames = [frame for chunk in chunks for frame in decoder.feed(chunk)]

    assert frames == data(b"a" * 900)


def test_long_event_among_comments_is_refused() -> None:
    """Comments hide nothing."""
    decoder = SSEDecoder(max_event_bytes=1000)

    with pytest.raises(FiberParsingError, match="longer than 1000 bytes"):
        decoder.feed(b": still here\n" * 100 + b"data: " + b"a" * 1001 + b"\n\n")


def test_event_in_pieces_is_not_joined_before_it_is_whole() -> None:
    """Without comments there is nothing to drop, so an event up to its limit is held once and not copied."""
    decoder = SSEDecoder()
    decoder.feed(b"data: ")

    for _ in range(63):
        decoder.feed(b"x" * 65_536)

    assert len(decoder._pieces) == 64


def test_flood_that_ends_in_an_empty_line_is_nothing() -> None:
    """Comments followed by their empty line leave nothing behind."""
    decoder = SSEDecoder()
    decoder.feed(b": still here\n" * 10_000)

    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"data: a\n\n") == data(b"a")


def test_one_endless_comment_is_refused() -> None:
    """A comment that is one line without end counts like any other line."""
    decoder = SSEDecoder(max_event_bytes=100_000)

    with pytest.raises(FiberParsingError, match="longer than 100000 bytes"):
        for _ in range(200):
            decoder.feed(b":" * 1000)


class Counted(bytes):
    """Bytes that count how often they are searched."""

    searched = 0

    def __contains__(self, key: object) -> bool:
        Counted.searched += len(self)
        return super().__contains__(key)  # type: ignore[arg-type]


def test_chunk_is_searched_once_whatever_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long event in small chunks costs the same for each chunk: nothing is searched or joined again."""
    drops = itertools.count()
    monkeypatch.setattr(sse.SSEDecoder, "_drop_comments", counting(sse.SSEDecoder._drop_comments, drops))
    decoder = SSEDecoder()
    chunk = Counted(b"x" * 64)
    decoder.feed(b"data: ")
    costs = []

    for _ in range(16_000):
        before = Counted.searched
        decoder.feed(chunk)
        costs.append(Counted.searched - before)

    assert max(costs) <= 4 * len(chunk)
    assert next(drops) <= 6  # at 64 KiB and at every doubling up to 1 MB
    assert decoder.feed(b"\n\n") == data(b"x" * 64 * 16_000)


def counting(method: object, counter: itertools.count[int]) -> object:
    """Count the calls of *method*."""

    def counted(self: SSEDecoder) -> None:
        next(counter)
        method(self)  # type: ignore[operator]

    return counted
