"""Connections of an HTTP library in blocking code: what only they have."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import FiberConnectionError
from fiber._engine import run_sync
from fiber.transports import library
from fiber.transports.httpx_blocking import BlockingConnection
from fiber.transports.origin import Origin
from fiber.types.http import HTTPRequest
from tests.transports.cases import Serve
from tests.transports.conftest import LIBRARY, Exchange


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


@pytest.mark.parametrize(
    ("due", "until", "expected"), [(None, None, 5.0), (103.0, None, 3.0), (103.0, 102.0, 2.0), (99.0, None, 0.001)]
)
def test_the_first_request_connects_in_what_is_left(
    monkeypatch: pytest.MonkeyPatch, due: float | None, until: float | None, expected: float
) -> None:
    """A later one, when the library connects anew, has the whole timer again."""
    monkeypatch.setattr(library, "now", lambda: 100.0)
    made = BlockingConnection(library.load(LIBRARY), "", 5.0, due)
    asked: list[float] = []

    def handle(message: Any) -> None:
        asked.append(message.extensions["timeout"]["connect"])
        raise OSError

    monkeypatch.setattr(made._transport, "handle_request", handle)
    for limit in (until, None):
        with pytest.raises(FiberConnectionError):
            run_sync(made.send(HTTPRequest("GET", "http://h/"), Origin("http", "h", 80), "/", None, limit))

    assert asked == [expected, 5.0]


@pytest.mark.parametrize(("header", "again"), [("connection: close", False), ("connection: keep-alive", True)])
def test_a_connection_whose_end_is_announced_is_not_used_again(serve: Serve, header: str, again: bool) -> None:
    """The library would connect anew, and a failure there look like that of a connection gone stale."""

    def answer(exchange: Exchange) -> None:
        exchange.answer(b"", header)

    port = serve(answer).port
    made = connection()

    run_sync(
        made.send(HTTPRequest("GET", f"http://127.0.0.1:{port}/"), Origin("http", "127.0.0.1", port), "/", 5, None)
    )
    rest = run_sync(made.next_piece(5, None))
    reusable = made.is_reusable()
    made.abort()

    assert (rest, reusable) == (b"", again)
