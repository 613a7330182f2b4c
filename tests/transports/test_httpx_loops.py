"""asyncio and trio, over an HTTP library: what only that has."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from fiber import FiberError
from fiber.transports import httpx_loops as loops
from fiber.transports.base import HTTPResponse
from fiber.transports.httpx_loops import LoopTransport
from fiber.types.http import HTTPHead
from tests.transports.cases import Run, Serve, fetch, get, hello
from tests.transports.conftest import LIBRARY

BACKENDS = ["asyncio", "trio"]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The event loop."""
    return str(request.param)


@pytest.fixture
def run(backend: str) -> Run:
    """Run a coroutine function on the loop, over a transport of its own."""

    def finish(work: Any) -> Any:
        async def main() -> Any:
            transport = LoopTransport(lambda: LIBRARY)
            try:
                return await work(transport)
            finally:
                await transport.shutdown()

        result = anyio.run(main, backend=backend)
        gc.collect()
        return result

    return finish


def both(backend: str, work: Callable[[], Any]) -> Any:
    """Run *work*, and look for what it left behind."""
    result = anyio.run(work, backend=backend)
    gc.collect()
    return result


def test_a_discard_on_a_loop_that_is_over_is_quiet(backend: str) -> None:
    """Neither loop minds."""
    spawners: list[Any] = []

    async def main() -> None:
        spawners.append(loops._spawner())

    anyio.run(main, backend=backend)

    spawners[0](None)


def test_a_client_that_was_closed_under_a_call_is_an_error_of_ours(serve: Serve, backend: str) -> None:
    """A race between closing and calling."""
    server = serve(hello)

    async def main() -> None:
        transport = LoopTransport(lambda: LIBRARY)
        await fetch(transport, get(server))
        client, _ = await transport._open_client(None)
        await client.aclose()
        with pytest.raises(FiberError):
            await fetch(transport, get(server))

    both(backend, main)


def test_a_close_that_fails_is_quiet(backend: str) -> None:
    """There is nobody to tell."""

    class Broken:
        is_closed = False

        def aiter_raw(self) -> object:
            return object()

        async def aclose(self) -> None:
            raise LookupError

    async def main() -> None:
        handle = loops._Handle(Broken(), print)
        await LoopTransport().close(HTTPResponse(HTTPHead(200), handle))

    both(backend, main)


def test_what_is_left_of_a_body_is_read_off_after_the_close(backend: str) -> None:
    """So that no iterator of the library is left halfway."""
    ended: list[bool] = []

    class Answer:
        async def aiter_raw(self) -> AsyncIterator[bytes]:
            yield b"one"
            yield b"two"
            ended.append(True)

        async def aclose(self) -> None:
            """Close."""

    async def main() -> None:
        handle = loops._Handle(Answer(), print)
        await anext(handle.chunks)
        await LoopTransport().close(HTTPResponse(HTTPHead(200), handle))

    both(backend, main)

    assert ended == [True]
