"""Blocking code over an HTTP library: what only that has."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from fiber import FiberConnectionError, FiberError
from fiber._engine import run_sync
from fiber.transports import httpx_blocking as blocking
from fiber.transports.base import HTTPResponse, Transport
from fiber.transports.httpx_blocking import BlockingTransport
from fiber.types.http import HTTPHead
from tests.transports.cases import LIMITS, Run, Serve, fetch, get, hello
from tests.transports.conftest import LIBRARY


@pytest.fixture
def run() -> Run:
    """Finish a coroutine function in one step over a transport of its own."""

    def finish(work: Any) -> Any:
        transport = BlockingTransport(lambda: LIBRARY)
        try:
            return run_sync(work(transport))
        finally:
            run_sync(transport.shutdown())

    return finish


def test_a_parent_that_closed_does_not_reach_into_a_child(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    """A child that never called has nothing to close."""
    transport = BlockingTransport(lambda: LIBRARY)
    run_sync(fetch(transport, get(serve(hello))))
    used = transport._client
    monkeypatch.setattr(os, "getpid", lambda: -1)

    run_sync(transport.shutdown())

    assert not used.is_closed
    used.close()


def test_a_client_closed_under_a_call_is_an_error_of_ours(serve: Serve) -> None:
    """A race between `close` and a call in another thread."""
    transport = BlockingTransport(lambda: LIBRARY)
    run_sync(fetch(transport, get(serve(hello))))
    transport._client.close()

    with pytest.raises(FiberError):
        run_sync(fetch(transport, get(url="http://127.0.0.1:1/")))


def test_a_close_that_fails_is_quiet(run: Run, serve: Serve) -> None:
    """There is nobody to tell."""

    class Broken:
        is_closed = True

        def close(self) -> None:
            raise LookupError

    async def work(transport: Transport) -> None:
        response = await transport.open(get(serve(hello)), LIMITS, None)
        await transport.read(response, None)
        response.handle.response = Broken()
        await transport.close(response)

    run(work)


def test_an_answer_whose_socket_is_not_known_is_closed_all_the_same() -> None:
    """Waking its reader is an extra."""

    class Answer:
        is_closed = False
        extensions: dict[str, Any] = {}  # noqa: RUF012

        def iter_raw(self) -> object:
            return iter(())

        def close(self) -> None:
            self.is_closed = True

    answer = Answer()
    handle = blocking._Handle(answer)

    BlockingTransport().discard(HTTPResponse(HTTPHead(200), handle))

    assert answer.is_closed


def test_an_answer_is_not_closed_under_its_reader() -> None:
    """Its socket is shut down, which wakes the reader; the reader closes it, so that no number is freed under it."""
    ours, peer = socket.socketpair()
    seen: list[object] = []

    class Stream:
        def get_extra_info(self, name: str) -> socket.socket:
            return ours

    class Answer:
        is_closed = False
        extensions: dict[str, Any] = {"network_stream": Stream()}  # noqa: RUF012

        def iter_raw(self) -> Iterator[bytes]:
            closer.start()
            data = ours.recv(1)
            closer.join()
            seen.append((data, self.is_closed))
            yield b"late"

        def close(self) -> None:
            self.is_closed = True

    answer = Answer()
    handle = blocking._Handle(answer)
    closer = Thread(target=handle.drop)
    with ours, peer:
        with handle.read():
            next(handle.chunks)

    assert seen == [(b"", False)]
    assert answer.is_closed
    with pytest.raises(FiberConnectionError):
        with handle.read():
            raise AssertionError
