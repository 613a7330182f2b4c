"""Faults of content encodings, and bodies without end."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import cache

from fiber.testing.hostile.actions import Action, Close, End, Head, Part
from fiber.testing.hostile.scene import Fault, Recipe, Scene, half, opened, streamed, whole

_BLOCK = 1024 * 1024
_WINDOWS = {"gzip": 31, "deflate": 15, "raw": -15}


def _gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # without the hour, so that a recipe always gives the same


@cache
def _bomb(size: int, coding: str) -> bytes:
    """Pack *size* spaces: a thousandth of that."""
    pack = zlib.compressobj(9, zlib.DEFLATED, _WINDOWS[coding])
    block = b" " * _BLOCK
    return b"".join([*(pack.compress(block) for _ in range(size // _BLOCK)), pack.flush()])


def packed(pieces: list[bytes], coding: str) -> list[bytes]:
    """Pack each piece so that it can be unpacked as soon as it is there."""
    pack = zlib.compressobj(6, zlib.DEFLATED, _WINDOWS[coding])
    found = [pack.compress(piece) + pack.flush(zlib.Z_SYNC_FLUSH) for piece in pieces]
    return [*found, pack.flush()]


def _pieces(scene: Scene) -> list[bytes]:
    return scene.events() if scene.streams else [scene.body()]


def coded(change: Callable[[list[bytes]], list[bytes]], said: str = "gzip") -> Recipe:
    """Send a good answer in other bytes, under the content encoding *said*."""

    def play(scene: Scene) -> list[Action]:
        pieces, headers = change(_pieces(scene)), {"content-encoding": said}
        return streamed(scene, pieces, headers) if scene.streams else whole(scene, b"".join(pieces), headers=headers)

    return play


def _bombed(coding: str) -> Recipe:
    def play(scene: Scene) -> list[Action]:
        return whole(scene, _bomb(scene.bulk_bytes, coding), headers={"content-encoding": coding})

    return play


def _twice(pieces: list[bytes]) -> list[bytes]:
    return [_gzipped(_gzipped(b"".join(pieces)))]


def _nested(scene: Scene) -> list[Action]:
    body = _gzipped(_bomb(scene.bulk_bytes, "gzip"))
    return whole(scene, body, headers={"content-encoding": "gzip, gzip"})


def _members(pieces: list[bytes]) -> list[bytes]:
    body = b"".join(pieces)
    at = len(body) // 2
    return [_gzipped(body[:at]) + _gzipped(body[at:])]


def _cut(pieces: list[bytes]) -> list[bytes]:
    return [half(_gzipped(b"".join(pieces)))]


def _bad_sum(pieces: list[bytes]) -> list[bytes]:
    return [_gzipped(b"".join(pieces))[:-8] + b"\0" * 8]


def _undeclared(scene: Scene) -> list[Action]:
    return whole(scene, _gzipped(b"".join(_pieces(scene))))


def _endless(scene: Scene) -> Iterator[Action]:
    yield opened(scene)
    yield Part(b'data: {"x": "' if scene.streams else b'{"x": "')
    for _ in range(scene.bulk_bytes // _BLOCK):
        yield Part(b"a" * _BLOCK)
    yield End()


def _endless_length(scene: Scene) -> Iterator[Action]:
    yield Head(headers=scene.headers(), length=1 << 50)
    for _ in range(scene.bulk_bytes // _BLOCK):
        yield Part(b"\n" * _BLOCK)
    yield Close()


FAULTS = (
    Fault("gzip-bomb", "B16", "A little gzip that unpacks to *bulk_bytes*.", _bombed("gzip")),
    Fault("deflate-bomb", "B16", "A little deflate that unpacks to *bulk_bytes*.", _bombed("deflate")),
    Fault("gzip-nested-bomb", "B16", "A little gzip of gzip that unpacks to *bulk_bytes*.", _nested),
    Fault("gzip-twice", "B16", "A good answer, packed twice and saying so.", coded(_twice, "gzip, gzip")),
    Fault("endless-body", "B17", "A string in the JSON of *bulk_bytes*.", _endless),
    Fault("endless-length", "B17", "A petabyte is announced, and *bulk_bytes* of blank lines come.", _endless_length),
    Fault("gzip-broken", "B18", "It says gzip and is not.", coded(lambda pieces: pieces)),
    Fault("gzip-cut", "B18", "Half of the gzip, in an HTTP message that is complete.", coded(_cut)),
    Fault("gzip-bad-sum", "B18", "gzip whose check sum is wrong.", coded(_bad_sum)),
    Fault("gzip", "B18", "A good answer in gzip.", coded(lambda pieces: packed(pieces, "gzip"))),
    Fault("gzip-members", "B18", "A good answer in gzip of two members.", coded(_members)),
    Fault("deflate", "B18", "A good answer in deflate.", coded(lambda pieces: packed(pieces, "deflate"), "deflate")),
    Fault(
        "deflate-raw",
        "B18",
        "A good answer in deflate without its wrapper.",
        coded(lambda p: packed(p, "raw"), "deflate"),
    ),
    Fault(
        "identity", "B18", "A good answer whose encoding is called identity.", coded(lambda pieces: pieces, "identity")
    ),
    Fault(
        "coding-unknown", "B18", "A good answer whose encoding nobody knows.", coded(lambda pieces: pieces, "snappy")
    ),
    Fault("gzip-undeclared", "B18", "gzip that nobody announced.", _undeclared),
)
