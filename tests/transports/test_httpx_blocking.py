"""Connections of an HTTP library in blocking code: what only they have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fiber.transports import httpx_blocking, library
from fiber.transports.httpx_blocking import BlockingConnection, Reads, limited
from tests.transports.conftest import LIBRARY


class Stream:
    """A socket of the library."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Remember the timeout."""
        self.timeouts.append(timeout)
        return b"x"


def test_a_connection_that_was_never_used_is_closed() -> None:
    """Nothing is open yet."""
    unused = BlockingConnection(library.load(LIBRARY), "", 1.0)

    unused.abort()

    assert not unused.is_dead()


def test_reads_keep_to_the_sooner_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the read timer and the moment that was set; with none set, to what the library asks for."""
    monkeypatch.setattr(library, "now", lambda: 100.0)
    stream: Any = Stream()
    reads = limited(SimpleNamespace(extensions={"network_stream": stream}), 5.0)

    stream.read(10, timeout=7.0)
    for until in (103.0, 200.0, 99.0):
        reads.until = until
        stream.read(10, timeout=7.0)

    assert stream.timeouts == [7.0, 3.0, 5.0, 0.001]


def test_a_connection_that_is_used_again_keeps_one_limit() -> None:
    """It is not wrapped once for each request."""
    stream: Any = Stream()
    answer = SimpleNamespace(extensions={"network_stream": stream})

    first, second = limited(answer, 5.0), limited(answer, 6.0)

    assert first is second
    assert second.limit == 6.0


def test_a_library_that_does_not_show_its_sockets_is_read_all_the_same() -> None:
    """The limit of single reads is an extra."""
    reads = limited(SimpleNamespace(extensions={}), 1.0)

    assert isinstance(reads, Reads)
    assert httpx_blocking._within(None, None) is None
