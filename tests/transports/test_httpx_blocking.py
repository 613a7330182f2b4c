"""Connections of an HTTP library in blocking code: what only they have."""

from __future__ import annotations

import pytest

from fiber.transports import httpx_blocking, library
from fiber.transports.httpx_blocking import BlockingConnection
from tests.transports.conftest import LIBRARY


class Stream:
    """A socket of the library."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Remember the timeout."""
        self.timeouts.append(timeout)
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Remember the timeout."""
        self.timeouts.append(timeout)

    def get_extra_info(self, name: str) -> str:
        """Name what was asked for."""
        return name


def connection() -> BlockingConnection:
    """Make one that was never used."""
    return BlockingConnection(library.load(LIBRARY), "", 1.0)


def test_a_connection_that_was_never_used_is_closed() -> None:
    """Nothing is open yet."""
    unused = connection()

    unused.abort()

    assert not unused.is_dead()


@pytest.mark.parametrize("step", ["read", "write"])
def test_every_step_keeps_to_the_sooner_limit(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Of what the library asks for and the moment at which the step must be over."""
    more = {"read": 10, "write": b"x"}[step]
    monkeypatch.setattr(library, "now", lambda: 100.0)
    made, stream = connection(), Stream()
    made._hear("connection.connect_tcp.complete", {"return_value": stream})

    getattr(stream, step)(more, timeout=7.0)
    for until in (103.0, 200.0, 99.0):
        made._until = until
        getattr(stream, step)(more, timeout=7.0)

    assert stream.timeouts == [7.0, 3.0, 7.0, 0.001]
    assert made._socket == "socket"


def test_only_new_sockets_are_heard_of() -> None:
    """The library tells much more."""
    made = connection()

    made._hear("http11.receive_response_body.started", {})

    assert made._socket is None
    assert httpx_blocking._within(None, None) is None
