"""Faults of HTTP itself: heads that are none, too long, too many, or at odds with the body."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fiber.testing.hostile.actions import Action, Close, End, Head, Part, Send
from fiber.testing.hostile.scene import Fault, Mode, Scene, good, opened, whole
from fiber.testing.http1 import chunk
from fiber.testing.script import Reply

_HUGE_HEADER_BYTES = 2_000_000
_MANY_HEADERS = 100_000
_ENDLESS_HEAD_BYTES = 64 * 1024 * 1024
_BLOCK_BYTES = 64 * 1024
_WHOLE: frozenset[Mode] = frozenset({"whole"})
_STREAM: frozenset[Mode] = frozenset({"stream"})


def _said(data: bytes) -> Callable[[Scene], list[Action]]:
    """Say this instead of an answer."""
    return lambda scene: [Send(data), Close()]


def _before(data: bytes) -> Callable[[Scene], list[Action]]:
    """Say this before a good answer."""
    return lambda scene: [Send(data), *good(scene)]


def _body(scene: Scene) -> bytes:
    return b"".join(scene.events()) if scene.streams else scene.body()


def _version_1_0(*, length: bool) -> Callable[[Scene], list[Action]]:
    def play(scene: Scene) -> list[Action]:
        body = _body(scene)
        said = b"content-length: %d\r\n" % len(body) if length else b""
        kind = scene.headers()["content-type"].encode()
        head = b"HTTP/1.0 200 OK\r\ncontent-type: %b\r\n%b\r\n" % (kind, said)
        return [Send(head), Send(body), Close()]

    return play


def _endless_head(scene: Scene) -> Iterator[Action]:
    yield Send(b"HTTP/1.1 200 OK\r\n")
    line = b"x-more: %b\r\n" % (b"a" * 1000)
    block = line * (_BLOCK_BYTES // len(line))
    for _ in range(_ENDLESS_HEAD_BYTES // len(block)):
        yield Send(block)
    yield Close()


def _many_headers(scene: Scene) -> list[Action]:
    lines = b"".join(b"x-%d: a\r\n" % place for place in range(_MANY_HEADERS))
    return [Send(b"HTTP/1.1 200 OK\r\n" + lines + b"content-length: 2\r\n\r\n{}"), Close()]


def _lengths(*lines: str, then: bytes = b"") -> Callable[[Scene], list[Action]]:
    """Send a whole body under these header lines; `{n}` is its length, `{less}` ten bytes less, `{more}` ten more."""

    def play(scene: Scene) -> list[Action]:
        body = _body(scene)
        sizes = {"n": len(body), "less": len(body) - 10, "more": len(body) + 10}
        kind = f"content-type: {scene.headers()['content-type']}"
        head = "\r\n".join(["HTTP/1.1 200 OK", kind, *(line.format(**sizes) for line in lines), "", ""])
        return [Send(head.encode()), Send(body + then), Close()]

    return play


def _too_short(scene: Scene) -> list[Action]:
    # The connection stays open: what is left over lies in front of the next answer.
    body = _body(scene)
    return [Head(headers=scene.headers(), length=len(body) - 10), Part(body)]


def _bad_chunk(size: bytes) -> Callable[[Scene], list[Action]]:
    def play(scene: Scene) -> list[Action]:
        first = scene.events()[0] if scene.streams else scene.body()
        return [opened(scene), Send(size + b"\r\n" + first + b"\r\n"), Close()]

    return play


def _surplus_after_chunks(scene: Scene) -> list[Action]:
    return [*good(scene), Send(b"0\r\n\r\n")]


def _unasked(scene: Scene) -> list[Action]:
    # A client that keeps it takes it for the answer to its next request. It comes in one piece with the end of the good
    # one: what comes later might as well be the answer to a next request that is already on its way.
    body = scene.body(Reply("Nobody asked for this."))
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    *before, last, _ = good(scene)
    data = last.data if isinstance(last, Part) else b""
    end = chunk(data) + chunk(b"") if scene.streams else data
    return [*before, Send(end + head + body)]


def _chunked_whole(scene: Scene) -> list[Action]:
    body = scene.body()
    return [Head(headers=scene.headers()), Part(body[:10]), Part(body[10:]), End()]


FAULTS = (
    Fault("not-http", "C17", "The banner of another protocol.", _said(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    Fault(
        "tls-alert",
        "C5",
        "The alert of a TLS server that was spoken to in plain text.",
        _said(b"\x15\x03\x01\0\2\2\x46"),
    ),
    Fault(
        "bad-status-line",
        "C17",
        "A status line without a number.",
        _said(b"HTTP/1.1 OK\r\ncontent-length: 2\r\n\r\n{}"),
    ),
    Fault("bad-status", "C17", "A status of two digits.", _said(b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\n{}")),
    Fault("bad-header", "C17", "A header line without a colon.", _said(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}")),
    Fault("bare-body", "C17", "A good body without any head.", lambda scene: [Send(_body(scene)), Close()]),
    Fault("cut-head", "C17", "Half a head, then a close.", _said(b"HTTP/1.1 200 OK\r\ncontent-ty")),
    Fault(
        "huge-header",
        "C18",
        "A header of 2 MB.",
        lambda scene: whole(scene, scene.body(), headers={"x-big": "a" * _HUGE_HEADER_BYTES}),
    ),
    Fault("many-headers", "C18", "100,000 headers.", _many_headers),
    Fault("endless-head", "C18", "64 MB of headers without an end.", _endless_head),
    Fault(
        "early-hints",
        "C19",
        "103 and 100 before the answer.",
        _before(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"),
    ),
    Fault(
        "many-early-hints",
        "C19",
        "A thousand times 103 before the answer.",
        _before(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n" * 1000),
    ),
    Fault("length-too-long", "C20", "Ten bytes more are announced than come.", _lengths("content-length: {more}")),
    Fault("length-too-short", "C20", "Ten bytes more come than are announced; the connection stays open.", _too_short),
    Fault("length-negative", "C20", "A content length of -1.", _lengths("content-length: -1")),
    Fault("length-text", "C20", "A content length that is no number.", _lengths("content-length: many")),
    Fault("lengths-differ", "C20", "Two content lengths.", _lengths("content-length: {n}", "content-length: {less}")),
    Fault(
        "lengths-equal",
        "C20",
        "The right content length twice.",
        _lengths("content-length: {n}", "content-length: {n}"),
    ),
    Fault(
        "length-and-chunked",
        "C20",
        "Chunks under a content length: the chunks count.",
        lambda scene: [
            Head(headers={**scene.headers(), "content-length": "7"}),
            *(Part(part) for part in (scene.events() if scene.streams else [scene.body()])),
            End(),
            Close(),
        ],
    ),
    Fault("bad-chunk-size", "C20", "A chunk whose length is no number.", _bad_chunk(b"zz")),
    Fault("huge-chunk-size", "C20", "A chunk that is said to have 16 EiB.", _bad_chunk(b"f" * 16)),
    Fault(
        "surplus-after-end", "C20", "The last chunk twice; the connection stays open.", _surplus_after_chunks, _STREAM
    ),
    Fault("unasked-answer", "C20", "Another answer right behind the good one; the connection stays open.", _unasked),
    Fault("chunked-whole", "C20", "A whole answer in chunks.", _chunked_whole, _WHOLE),
    Fault("http10", "C22", "A good answer in HTTP/1.0, until the connection closes.", _version_1_0(length=False)),
    Fault("http10-length", "C22", "A good answer in HTTP/1.0 with its length.", _version_1_0(length=True)),
)
