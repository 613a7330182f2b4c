"""The floor of every ratio: httpx with msgspec, as a careful user would write it; no fault is handled."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from client import Messages, Turns
from wire import WIRES


class BareHTTPX:
    """`httpx.AsyncClient`, without limits on connections."""

    def __init__(self, url: str, format: str) -> None:
        self._wire = WIRES[format]
        self._url = url + self._wire.path
        self._stream_url = url + self._wire.stream_path
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = httpx.AsyncClient(timeout=60, limits=limits)

    def history(self, turns: Turns) -> Messages:
        """Return dicts in the wire's shape, which are encoded at every call."""
        return self._wire.history(turns)

    async def call(self, messages: Messages) -> str:
        """Post, and decode the text."""
        body = self._wire.body(messages, stream=False)
        response = await self._http.post(self._url, content=body, headers=self._wire.headers)
        response.raise_for_status()
        return self._wire.text(response.content)

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Post, and decode line by line."""
        body, delta, count = self._wire.body(messages, stream=True), self._wire.delta, 0
        async with self._http.stream("POST", self._stream_url, content=body, headers=self._wire.headers) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]" and delta(line[6:]):
                    count += 1
                    if count == 1:
                        first()
        return count

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class BlockingHTTPX:
    """`httpx.Client`."""

    def __init__(self, url: str, format: str) -> None:
        self._wire = WIRES[format]
        self._url = url + self._wire.path
        self._stream_url = url + self._wire.stream_path
        self._http = httpx.Client(timeout=60)

    def history(self, turns: Turns) -> Messages:
        """Return dicts in the wire's shape, which are encoded at every call."""
        return self._wire.history(turns)

    async def call(self, messages: Messages) -> str:
        """Post, and decode the text."""
        body = self._wire.body(messages, stream=False)
        response = self._http.post(self._url, content=body, headers=self._wire.headers)
        response.raise_for_status()
        return self._wire.text(response.content)

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Post, and decode line by line."""
        body, delta, count = self._wire.body(messages, stream=True), self._wire.delta, 0
        with self._http.stream("POST", self._stream_url, content=body, headers=self._wire.headers) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]" and delta(line[6:]):
                    count += 1
                    if count == 1:
                        first()
        return count

    async def close(self) -> None:
        """Close the connections."""
        self._http.close()
