"""A host that tests with pytest-httpx sees our requests, in its strict default."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from fiber import NO_RETRY, Fiber, FiberConnectionError, FiberTimeoutError
from tests.kit import KEY, MODEL, answer
from tests.transports.conftest import LIBRARY

pytestmark = [
    pytest.mark.skipif(LIBRARY == "httpx2", reason="pytest-httpx stands in for httpx only"),
    pytest.mark.skipif(not importlib.util.find_spec("pytest_httpx"), reason="pytest-httpx is not installed"),
]


@pytest.fixture(autouse=True)
def stock(same_library: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the library that is stood in for."""
    monkeypatch.setenv("FIBER_HTTP", "httpx")


@pytest.fixture
def fiber() -> Fiber:
    """A client without retries."""
    return Fiber(api_keys={"openai": KEY}, default_model=MODEL)


URL = "https://api.openai.com/v1/chat/completions"


def test_blocking_calls_are_seen(httpx_mock: Any, fiber: Fiber) -> None:
    """URL, method and key."""
    httpx_mock.add_response(url=URL, method="POST", json=answer("A"), match_headers={"authorization": f"Bearer {KEY}"})

    assert fiber.sync.ask("Hi") == "A"
    fiber.sync.close()


@pytest.mark.anyio
async def test_asynchronous_calls_are_seen(httpx_mock: Any, fiber: Fiber) -> None:
    """On both loops; a refusal is retried."""
    httpx_mock.add_response(url=URL, status_code=503, json={"error": {"message": "busy"}}, headers={"retry-after": "0"})
    httpx_mock.add_response(url=URL, json=answer("A"))

    async with fiber:
        assert await fiber.ask("Hi") == "A"


@pytest.mark.anyio
async def test_streams_are_seen(httpx_mock: Any, fiber: Fiber) -> None:
    """Event by event."""
    body = b'data: {"choices":[{"index":0,"delta":{"content":"A"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    httpx_mock.add_response(url=URL, content=body, headers={"content-type": "text/event-stream"})

    async with fiber:
        assert [text async for text in fiber.ask_stream("Hi")] == ["A"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("ConnectError", FiberConnectionError, "scripted"), ("PoolTimeout", FiberTimeoutError, "connect timer")],
)
async def test_its_exceptions_become_ours(
    httpx_mock: Any, fiber: Fiber, name: str, kind: type[Exception], words: str
) -> None:
    """As if they came from a socket."""
    import httpx

    httpx_mock.add_exception(getattr(httpx, name)("scripted"))

    with pytest.raises(kind, match=words):
        async with fiber:
            await fiber.with_options(retry=NO_RETRY).chat("Hi")
