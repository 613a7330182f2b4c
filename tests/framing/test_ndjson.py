"""
Lines of JSON from bytes.

The cases are written from the rules of https://github.com/ndjson/ndjson-spec.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberParsingError
from fiber.framing.ndjson import NDJSONDecoder
from fiber.framing.sse import Frame
from tests.strategies import chunkings


def lines(*values: bytes) -> list[Frame]:
    """Make frames without names."""
    return [Frame("", value) for value in values]


CASES = {
    "one line": (b'{"a":1}\n', lines(b'{"a":1}')),
    "two lines": (b"{}\n[]\n", lines(b"{}", b"[]")),
    "crlf": (b"{}\r\n[]\r\n", lines(b"{}", b"[]")),
    "cr is no end": (b'{"a"\r:1}\n', lines(b'{"a"\r:1}')),
    "empty lines": (b"\n\n{}\n\r\n\n[]\n\n", lines(b"{}", b"[]")),
    "white space around": (b"  {} \t\n", lines(b"{}")),
    "last line without an end": (b"{}\n[]", lines(b"{}", b"[]")),
    "half a line": (b'{}\n{"a', lines(b"{}", b'{"a')),
    "bom": (b"\xef\xbb\xbf{}\n[]\n", lines(b"{}", b"[]")),
    "bom only at the start": (b"{}\n\xef\xbb\xbf[]\n", lines(b"{}", b"\xef\xbb\xbf[]")),
    "line separators of unicode": ('"\u2028\u2029\u0085"\n'.encode(), lines('"\u2028\u2029\u0085"'.encode())),
    "four-byte character": ('"🌧"\n'.encode(), lines('"🌧"'.encode())),
    "no json": (b"oops\n", lines(b"oops")),
    "nothing": (b"", []),
    "bom behind an empty line": (b"\n\xef\xbb\xbf{}\n", lines(b"\xef\xbb\xbf{}")),
    "only empty lines": (b"\n\r\n \n", []),
}


def decode(chunks: list[bytes], limit: int = 100) -> list[Frame]:
    """Feed all chunks, and finish."""
    decoder = NDJSONDecoder(limit)
    return [frame for chunk in chunks for frame in decoder.feed(chunk)] + decoder.finish()


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES)
def test_body_becomes_lines(data: bytes, expected: list[Frame]) -> None:
    """At once, byte by byte, and with empty chunks between."""
    pieces = [data[at : at + 1] for at in range(len(data))]

    assert decode([data]) == expected
    assert decode(pieces) == expected
    assert decode([part for piece in pieces for part in (piece, b"")]) == expected


@given(data=st.data())
def test_chunks_do_not_matter(data: st.DataObject) -> None:
    """Any bytes, cut anywhere, become the same lines."""
    said = data.draw(
        st.lists(st.sampled_from([b"\n", b"\r", b" ", b"{}", b"a", "é".encode(), b"\xef\xbb\xbf"]), max_size=20)
    )
    body = b"".join(said)

    assert decode(data.draw(chunkings(body))) == decode([body])


def test_line_is_given_out_when_it_ends() -> None:
    """And not later."""
    decoder = NDJSONDecoder()

    assert decoder.feed(b'{"a"') == []
    assert decoder.feed(b":1}\n{") == lines(b'{"a":1}')
    assert decoder.stray == b""


@pytest.mark.parametrize(
    "chunks",
    [
        [b" " * 11],
        [b"\r" * 6, b"\r" * 5],
        [b"x" * 11],
        [b"x" * 6, b"x" * 5],
        [b"{}\n" + b"x" * 11 + b"\n{}\n"],
        [b"{}\n" + b"x" * 11],
    ],
)
def test_line_that_is_too_long_is_an_error(chunks: list[bytes]) -> None:
    """Ended or not, in one chunk or in several."""
    with pytest.raises(FiberParsingError, match="longer than 10 bytes") as caught:
        decode(chunks, 10)

    assert caught.value.outcome == "unknown"


def test_limit_is_for_each_line() -> None:
    """Many lines may be longer together."""
    assert decode([b"0123456789\n" * 9], 10) == lines(*[b"0123456789"] * 9)
