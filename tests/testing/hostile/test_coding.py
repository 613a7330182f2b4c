"""Tests of the faults of content encodings."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.testing.hostile.wire import body, head, played

BOTH = pytest.mark.parametrize("stream", [False, True])


@BOTH
@pytest.mark.parametrize(
    ("fault", "window"), [("gzip", 31), ("deflate", 15), ("deflate-raw", -15)], ids=["gzip", "deflate", "raw"]
)
def test_packed_answer_is_good(fault: str, window: int, *, stream: bool) -> None:
    """Unpacked, the answer is the good one, and the header says how it is packed."""
    actions = played(fault, stream=stream)

    assert zlib.decompress(body(actions), window) == body(played("ok", stream=stream))
    assert head(actions).headers["content-encoding"] == fault.removesuffix("-raw")


@BOTH
def test_odd_packing_is_good(*, stream: bool) -> None:
    """Two members, packing twice, and gzip that nobody announced hold the good answer."""
    good = body(played("ok", stream=stream))

    assert gzip.decompress(body(played("gzip-members", stream=stream))) == good
    assert gzip.decompress(gzip.decompress(body(played("gzip-twice", stream=stream)))) == good
    assert gzip.decompress(body(played("gzip-undeclared", stream=stream))) == good
    assert body(played("gzip-broken", stream=stream)) == body(played("coding-unknown", stream=stream)) == good


@pytest.mark.parametrize("fault", ["gzip-cut", "gzip-bad-sum", "gzip-broken"])
def test_packing_is_broken(fault: str) -> None:
    """What is broken cannot be unpacked."""
    with pytest.raises((EOFError, OSError)):
        gzip.decompress(body(played(fault)))


def test_bombs_are_small() -> None:
    """A little that unpacks to much."""
    packed, nested = body(played("gzip-bomb")), body(played("gzip-nested-bomb"))

    assert len(nested) < len(packed) < 2000
    assert len(gzip.decompress(packed)) == len(gzip.decompress(gzip.decompress(nested))) == 1 << 20
    assert len(zlib.decompress(body(played("deflate-bomb")))) == 1 << 20


@BOTH
def test_endless_bodies_are_bounded(*, stream: bool) -> None:
    """What has no end is no longer than what is huge."""
    assert len(body(played("endless-body", stream=stream))) < (1 << 20) + 100
    assert len(body(played("endless-length", stream=stream))) == 1 << 20
    assert head(played("endless-length")).length == 1 << 50
