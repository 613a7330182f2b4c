"""Connections of an HTTP library on asyncio and trio: what only they have."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from fiber import FiberConnectionError
from fiber.transports import httpx_loops, library
from fiber.transports.httpx_loops import LoopConnection
from fiber.transports.origin import Origin
from fiber.types.http import HTTPRequest
from tests.transports.cases import Serve
from tests.transports.conftest import LIBRARY, Exchange


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """The event loop."""
    return str(request.param)


def connection() -> LoopConnection:
    """Make one that was never used."""
    return LoopConnection(library.load(LIBRARY), "", 1.0)


def test_a_spawn_on_a_loop_that_is_over_is_quiet() -> None:
    """Its sockets are closed already."""
    spawners: list[Any] = []

    async def main() -> None:
        spawners.append(httpx_loops._spawner()[0])

    anyio.run(main)

    spawners[0](main)


@pytest.mark.parametrize("how", ["close", "abort"])
def test_a_connection_that_was_never_used_is_closed(backend: str, how: str) -> None:
    """Nothing is open yet."""

    async def main() -> None:
        unused = connection()
        if how == "close":
            await unused.close()
        else:
            unused.abort()
            await anyio.sleep(0.01)

    anyio.run(main, backend=backend)
    gc.collect()


def test_a_close_that_fails_is_quiet_and_reads_the_rest_off(backend: str) -> None:
    """There is nobody to tell; trio wants no iterator of the library left halfway, asyncio closes it itself."""
    ended: list[bool] = []

    class Answer:
        async def aclose(self) -> None:
            raise LookupError

    async def buffered() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"
        ended.append(True)

    async def main() -> None:
        half_read = connection()
        half_read._response = Answer()
        half_read._chunks = buffered()
        await anext(half_read._chunks)
        await half_read.close()

    anyio.run(main, backend=backend)
    gc.collect()

    assert ended == ([True] if backend == "trio" else [])


@pytest.mark.parametrize(("due", "expected"), [(None, 5.0), (103.0, 3.0), (99.0, 0.001)])
def test_the_first_request_connects_in_what_is_left(
    backend: str, monkeypatch: pytest.MonkeyPatch, due: float | None, expected: float
) -> None:
    """A later one, when the library connects anew, has the whole timer again."""
    monkeypatch.setattr(library, "now", lambda: 100.0)
    asked: list[float] = []

    async def handle(message: Any) -> None:
        asked.append(message.extensions["timeout"]["connect"])
        raise OSError

    async def main() -> None:
        made = LoopConnection(library.load(LIBRARY), "", 5.0, due)
        monkeypatch.setattr(made._transport, "handle_async_request", handle)
        for _ in range(2):
            with pytest.raises(FiberConnectionError):
                await made.send(HTTPRequest("GET", "http://h/"), Origin("http", "h", 80), "/", None, None)

    anyio.run(main, backend=backend)

    assert asked == [expected, 5.0]


@pytest.mark.parametrize(("header", "again"), [("connection: close", False), ("connection: keep-alive", True)])
def test_a_connection_whose_end_is_announced_is_not_used_again(
    serve: Serve, backend: str, header: str, again: bool
) -> None:
    """The library would connect anew, and a failure there look like that of a connection gone stale."""

    def answer(exchange: Exchange) -> None:
        exchange.answer(b"", header)

    port = serve(answer).port

    async def main() -> tuple[bytes, bool]:
        made = connection()
        request = HTTPRequest("GET", f"http://127.0.0.1:{port}/")
        await made.send(request, Origin("http", "127.0.0.1", port), "/", 5, None)
        rest = await made.next_piece(5, None)
        reusable = made.is_reusable()
        await made.close()
        return rest, reusable

    assert anyio.run(main, backend=backend) == (b"", again)
