"""Sockets of asyncio: what a test with a server cannot show for certain."""

from __future__ import annotations

import asyncio
import time

import pytest

from fiber.transports.asyncio_stream import AsyncioStream


def test_a_peer_that_never_pauses_does_not_pass_the_deadline() -> None:
    """There is always something to read, so nothing waits and no timer rings; the moment counts all the same."""

    async def work() -> bytes:
        stream = AsyncioStream()
        stream.data_received(b"more")
        with pytest.raises(TimeoutError):
            await stream.read(time.monotonic())
        return await stream.read(time.monotonic() + 60)

    assert asyncio.run(work()) == b"more"
