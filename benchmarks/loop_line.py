"""A connection of an event loop; a file of its own because blocking code needs no asyncio."""

from __future__ import annotations

import asyncio
from typing import Any


class LoopLine(asyncio.Protocol):
    """A connection of an event loop."""

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self.write = transport.write
        self.close = transport.close
        self._data = b""
        self._waiter: asyncio.Future[bytes] | None = None
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        """Hand over to who waits, or keep."""
        if self._waiter is None:
            self._data += data
        else:
            waiter, self._waiter = self._waiter, None
            waiter.set_result(data)

    async def read(self) -> bytes:
        """Return what has come, and wait for something."""
        if self._data:
            data, self._data = self._data, b""
            return data
        self._waiter = self._loop.create_future()
        return await self._waiter


async def opened(host: str, port: int) -> LoopLine:
    """Open a connection."""
    _, line = await asyncio.get_running_loop().create_connection(LoopLine, host, port)
    return line
