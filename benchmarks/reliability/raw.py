"""
A server on the loopback interface that behaves as `ways` says, in a process of its own.

The first segment of a request's path is the way. `/_/report` tells what the server saw, and forgets it. It ends with
the process that started it.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

NONCE = re.compile(rb"nonce-[0-9a-z]+")


class RawServer:
    """
    The server, as those who ask it see it.

    Attributes:
        url: Its address, without a path.
    """

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def base_url(self, way: str) -> str:
        """Return the base URL under which the server behaves in this way."""
        return f"{self.url}/{way}/v1"

    def report(self) -> dict[str, Any]:
        """
        Return what the server saw since the last report: `gone`, by nonce the moment (`time.monotonic`) at which a
        client left, and `counts`.
        """
        with urlopen(f"{self.url}/_/report") as response:
            report: dict[str, Any] = json.load(response)
        return report


@contextmanager
def mute() -> Iterator[int]:
    """Yield a port that accepts connections and never says a word, not even for TLS."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        yield listening.getsockname()[1]


@contextmanager
def full() -> Iterator[int]:
    """Yield a port whose queue is full, so that no connection to it is ever made."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listening.getsockname())
            yield listening.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


class _State:
    def __init__(self) -> None:
        self.gone: dict[str, float] = {}
        self.counts: Counter[str] = Counter()

    def taken(self) -> bytes:
        report = json.dumps({"gone": self.gone, "counts": self.counts}).encode()
        self.gone.clear()
        self.counts = Counter({"held": self.counts["held"]})
        return report


async def serve(state: _State, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection."""
    from ways import UNENDED, Exchange
    from wire import JSON, full

    exchange = None
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"(?i)content-length: *(\d+)", head)
            body = await reader.readexactly(int(found[1]) if found else 0)
            way = head.split(b" ", 2)[1].split(b"/")[1].decode()
            if way == "_":
                writer.write(full(JSON, state.taken()))
                continue
            nonce = NONCE.search(body)
            streams = re.search(rb'"stream": ?true', body) is not None
            exchange = Exchange(writer, streams, nonce[0].decode() if nonce else "nonce", state.counts)
            if not await behaved(way, exchange, reader):
                state.gone[exchange.nonce] = time.monotonic()
                return
            if way in UNENDED:
                return
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.transport.abort()


async def behaved(way: str, exchange: Any, reader: asyncio.StreamReader) -> bool:
    """Behave; False when the client left before the end."""
    from ways import WAYS

    acting = asyncio.ensure_future(WAYS[way](exchange))
    watching = asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait((acting, watching), return_when=asyncio.FIRST_COMPLETED)
        if not watching.done():
            return acting.exception() is None
        acting.cancel()
        await asyncio.wait((acting,))
        return False
    finally:
        watching.cancel()
        await asyncio.wait((watching,))
        for task in (acting, watching):
            if not task.cancelled():
                task.exception()


async def main() -> None:
    """Listen, tell the port, and end when standard input does."""
    state = _State()
    server = await asyncio.start_server(lambda *ends: serve(state, *ends), "127.0.0.1", 0, backlog=1024, limit=2**20)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        sys.stdout.close()


if __name__ == "__main__":
    asyncio.run(main())
