"""Undoing the content encoding of a body."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberParsingError
from fiber._engine import run_sync
from fiber.transports.decoding import PIECE_BYTES, next_plain, unpacker_of
from tests.strategies import chunkings

PLAIN = b"Hello, world! " * 50


def bare(data: bytes) -> bytes:
    """Pack without any wrapping."""
    machine = zlib.compressobj(wbits=-15)
    return machine.compress(data) + machine.flush()


def unpacked(encoding: str, pieces: list[bytes]) -> list[bytes]:
    """Return the plain pieces of a body that comes in *pieces*."""
    waiting = iter([*filter(None, pieces), b""])
    unpacker = unpacker_of(encoding)

    async def packed() -> bytes:
        return next(waiting, b"")

    async def read() -> list[bytes]:
        plain = []
        while piece := await next_plain(unpacker, packed):
            plain.append(piece)
        return plain

    return run_sync(read())


BODIES = {
    "gzip": ("gzip", gzip.compress(PLAIN)),
    "its old name": (" X-GZIP ", gzip.compress(PLAIN)),
    "members": ("gzip", gzip.compress(PLAIN[:99]) + gzip.compress(PLAIN[99:])),
    "padding": ("gzip", gzip.compress(PLAIN) + b"\0\0\0\0"),
    "deflate": ("deflate", zlib.compress(PLAIN)),
    "bare deflate": ("deflate", bare(PLAIN)),
    "nothing to undo": ("", PLAIN),
    "identity": ("Identity", PLAIN),
}


@pytest.mark.parametrize(("encoding", "body"), BODIES.values(), ids=BODIES)
@given(data=st.data())
def test_a_body_is_the_same_however_it_is_cut(encoding: str, body: bytes, data: st.DataObject) -> None:
    """Whole, in pieces, byte by byte."""
    assert b"".join(unpacked(encoding, data.draw(chunkings(body)))) == PLAIN


def test_pieces_are_bounded() -> None:
    """A little that unpacks to a lot comes a piece at a time."""
    body = gzip.compress(bytes(10 * PIECE_BYTES))

    sizes = [len(piece) for piece in unpacked("gzip", [body])]

    assert sum(sizes) == 10 * PIECE_BYTES
    assert max(sizes) <= PIECE_BYTES


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("br", b"x", "only gzip was asked for"),
        ("gzip, gzip", b"x", "only gzip was asked for"),
        ("gzip", b"not gzip", "incorrect header"),
        ("gzip", gzip.compress(PLAIN)[:-4], "too early"),
        ("gzip", gzip.compress(PLAIN)[:30] + b"\xff" * 30, "invalid"),
        ("gzip", b"", "too early"),
        ("deflate", b"", "too early"),
    ],
)
def test_what_cannot_be_unpacked_is_an_error_of_ours(encoding: str, body: bytes, why: str) -> None:
    """It says which encoding and why, and is not retried."""
    with pytest.raises(FiberParsingError, match=why) as caught:
        unpacked(encoding, [body])

    assert (caught.value.is_retryable, caught.value.outcome) == (False, "unknown")
    assert encoding in caught.value.message
