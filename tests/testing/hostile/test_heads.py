"""Tests of the faults of HTTP heads, over bare sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fiber.testing import HostileServer
from tests.testing.hostile.wire import NONCE, connected, everything, exchange, request


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """Run a server for one test."""
    with HostileServer() as server:
        yield server


def parts(answer: bytes) -> tuple[bytes, bytes]:
    """Return head and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize(
    ("fault", "start"),
    [
        ("not-http", b"SSH-2.0-"),
        ("tls-alert", b"\x15\x03"),
        ("bad-status-line", b"HTTP/1.1 OK\r\n"),
        ("bad-status", b"HTTP/1.1 20 OK\r\n"),
        ("bad-header", b"HTTP/1.1 200 OK\r\nno colon\r\n"),
        ("bare-body", b'{"id"'),
        ("cut-head", b"HTTP/1.1 200 OK\r\ncontent-ty"),
        ("early-hints", b"HTTP/1.1 103 Early Hints\r\n"),
        ("many-early-hints", b"HTTP/1.1 103 Early Hints\r\n"),
        ("http10", b"HTTP/1.0 200 OK\r\n"),
        ("http10-length", b"HTTP/1.0 200 OK\r\n"),
    ],
)
def test_answer_begins_like_this(server: HostileServer, fault: str, start: bytes) -> None:
    """The first bytes are those of the fault."""
    assert exchange(server, fault).startswith(start)


@pytest.mark.parametrize("fault", ["early-hints", "many-early-hints", "http10", "http10-length", "lengths-equal"])
@pytest.mark.parametrize("stream", [False, True])
def test_odd_answer_is_whole(server: HostileServer, fault: str, *, stream: bool) -> None:
    """What is odd but allowed has a good body."""
    answer = exchange(server, fault, stream=stream)

    assert NONCE.encode() in answer
    assert (b"[DONE]" in answer) is stream


def test_heads_are_huge(server: HostileServer) -> None:
    """One header of 2 MB, and 100,000 small ones."""
    assert len(parts(exchange(server, "huge-header"))[0]) > 2_000_000
    assert parts(exchange(server, "many-headers"))[0].count(b"\r\nx-") == 100_000


def test_endless_head_ends_at_last(server: HostileServer) -> None:
    """A head without an end is 64 MB long, for whoever reads it."""
    received = 0
    with connected(server) as client:
        client.sendall(request("endless-head"))
        while data := client.recv(1 << 20):
            received += len(data)

    assert 60_000_000 < received < 70_000_000


@pytest.mark.parametrize(("fault", "more"), [("length-too-long", 10), ("length-too-short", -10)])
def test_length_is_wrong(server: HostileServer, fault: str, more: int) -> None:
    """The length is ten bytes more or less than what comes."""
    head, body = parts(exchange(server, fault))
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])

    assert length == len(body) + more


def test_surplus_stays_on_the_connection(server: HostileServer) -> None:
    """An answer that nobody asked for lies in front of the next one."""
    with connected(server) as client:
        client.sendall(request("unasked-answer", close=False) + request("ok"))
        answer = everything(client)

    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.count(NONCE.encode()) == 2


def test_framings_contradict_each_other(server: HostileServer) -> None:
    """Two lengths, or a length and chunks."""
    two = parts(exchange(server, "lengths-differ"))[0]
    both = parts(exchange(server, "length-and-chunked", stream=True))[0]

    assert two.count(b"content-length: ") == 2
    assert b"content-length: 7\r\n" in both
    assert b"chunked" in both


@pytest.mark.parametrize(("fault", "size"), [("bad-chunk-size", b"zz\r\n"), ("huge-chunk-size", b"f" * 16 + b"\r\n")])
@pytest.mark.parametrize("stream", [False, True])
def test_chunk_size_is_no_size(server: HostileServer, fault: str, size: bytes, *, stream: bool) -> None:
    """The first chunk has a length that nobody can believe."""
    assert parts(exchange(server, fault, stream=stream))[1].startswith(size)


def test_last_chunk_comes_twice(server: HostileServer) -> None:
    """A second end follows the first."""
    assert exchange(server, "surplus-after-end", stream=True).endswith(b"0\r\n\r\n0\r\n\r\n")


def test_whole_answer_in_chunks(server: HostileServer) -> None:
    """A whole answer may come in chunks."""
    head, body = parts(exchange(server, "chunked-whole"))

    assert b"chunked" in head
    assert body.startswith(b"a\r\n")
