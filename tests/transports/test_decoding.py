"""The content encoding of a body."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberParsingError
from fiber._engine import run_sync
from fiber.transports import decoding
from fiber.transports.decoding import PIECE_BYTES, Unpacker, next_plain, unpacker_of
from tests.strategies import chunkings

WORDS = b"The quick brown fox. " * 20
ONE = gzip.compress(WORDS, mtime=0)


def unpacked(chunks: list[bytes], encoding: str = "gzip") -> list[bytes]:
    """Return the plain pieces of a body that comes in chunks."""
    rest = [chunk for chunk in chunks if chunk]

    async def next_packed() -> bytes:
        return rest.pop(0) if rest else b""

    async def work() -> list[bytes]:
        unpacker = unpacker_of(encoding)
        assert unpacker is not None
        pieces = []
        while piece := await next_plain(unpacker, next_packed):
            pieces.append(piece)
        return pieces

    return run_sync(work())


@given(
    body=st.sampled_from([ONE, ONE + ONE, ONE + b"\0" * 9, ONE + b"\x1f", ONE + b"\0" + ONE, ONE + ONE + b"\x1f\x1f"]),
    data=st.data(),
)
def test_a_body_says_the_same_however_it_is_cut(body: bytes, data: st.DataObject) -> None:
    """Several members are one body; what follows the last one is padding, also when a member stands in it."""
    whole = b"".join(unpacked([body]))

    cut = b"".join(unpacked(data.draw(chunkings(body))))

    assert cut == whole == WORDS * (2 if body.startswith(ONE + ONE) else 1)


@pytest.mark.parametrize("body", [ONE + ONE, ONE + b"\0\0" + ONE], ids=["two", "padded"])
def test_a_body_may_come_byte_by_byte(body: bytes) -> None:
    """The mark of a further member too, whose two bytes then come alone."""
    assert b"".join(unpacked([bytes([byte]) for byte in body])) == b"".join(unpacked([body]))


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZip "])
def test_gzip_has_several_names(encoding: str) -> None:
    """In any case."""
    assert unpacked([ONE], encoding) == [WORDS]


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_what_is_not_encoded_needs_no_unpacker(encoding: str) -> None:
    """It comes as it is, chunk by chunk."""
    assert unpacker_of(encoding) is None


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "x" * 500])
def test_what_was_not_asked_for_is_refused(encoding: str) -> None:
    """The name is quoted, up to a length."""
    with pytest.raises(FiberParsingError, match="only gzip") as caught:
        unpacker_of(encoding)

    assert len(caught.value.message) < 200
    assert (caught.value.outcome, caught.value.is_retryable) == ("unknown", False)


@pytest.mark.parametrize("body", [ONE[:1], ONE[:-1], ONE + ONE[:2], ONE + ONE[:-1]], ids=len)
def test_a_body_that_is_cut_off_is_an_error(body: bytes) -> None:
    """In its first member or in a later one."""
    with pytest.raises(FiberParsingError, match="too early"):
        unpacked([body])


@pytest.mark.parametrize("body", [b"not gzip", ONE[:-8] + b"\0" * 8, ONE[:20] + b"\xff" * 40], ids=len)
def test_what_is_no_gzip_is_an_error(body: bytes) -> None:
    """A false checksum too; the error of zlib is told and not chained."""
    with pytest.raises(FiberParsingError, match="cannot be unpacked") as caught:
        unpacked([body])

    assert caught.value.__cause__ is None


def test_a_body_of_no_bytes_lacks_nothing() -> None:
    """A HEAD request is answered with the encoding that a body would have."""
    assert unpacked([]) == []


def test_a_small_body_that_unpacks_to_much_comes_in_pieces() -> None:
    """None of them long, and none unpacked before it is asked for."""
    much = gzip.compress(b"\0" * (PIECE_BYTES * 3 + 17))
    unpacker = Unpacker("gzip")
    unpacker.feed(much)

    pieces = []
    while piece := unpacker.piece():
        pieces.append(len(piece))
    unpacker.finish()

    assert sum(pieces) == PIECE_BYTES * 3 + 17
    assert max(pieces) <= PIECE_BYTES


@given(data=st.data(), level=st.integers(0, 9))
def test_an_event_that_was_flushed_is_there(data: st.DataObject, level: int) -> None:
    """Whatever the length of a piece, the end of an event never waits for the next one."""
    events = data.draw(st.lists(st.binary(min_size=1, max_size=600), min_size=1, max_size=5))
    packer = zlib.compressobj(level, wbits=31)
    unpacker = Unpacker("gzip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "PIECE_BYTES", data.draw(st.integers(1, 700)))

        for event in events:
            unpacker.feed(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH))
            said = b""
            while piece := unpacker.piece():
                said += piece
            assert said == event


@given(data=st.data())
@pytest.mark.parametrize("wbits", [15, -15], ids=["wrapped", "bare"])
def test_deflate_is_undone_in_both_its_forms(wbits: int, data: st.DataObject) -> None:
    """Nobody asks for it, and some servers send it all the same."""
    plain = b"Hello, world! " * 50
    machine = zlib.compressobj(wbits=wbits)
    body = machine.compress(plain) + machine.flush()

    pieces = [piece for piece in data.draw(chunkings(body)) if piece]

    assert b"".join(unpacked(pieces, "deflate")) == plain


def test_padding_behind_a_body_is_passed_over() -> None:
    """However much of it comes."""
    assert b"".join(unpacked([ONE, b"\0\0", b"\0" * 9])) == b"".join(unpacked([ONE]))
