"""
The other floor: a socket, with an HTTP parser of few lines.

It knows as much HTTP as the server of the benchmarks speaks and handles no fault, so it is not a client that anybody
should use; but nothing in Python that parses these answers is much cheaper.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from client import Messages, Turns
from wire import WIRES

_READ_BYTES = 256 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)").search


class Line(Protocol):
    """A connection: `write` sends, `read` returns what has come, `close` ends it."""

    def write(self, data: bytes) -> object: ...

    async def read(self) -> bytes: ...

    def close(self) -> object: ...


class BareSocket:
    """Calls over connections of an event loop; the last one used is used first."""

    def __init__(self, url: str, format: str) -> None:
        self._wire = WIRES[format]
        _, _, self._netloc, self._options = url.split("/", 3)
        host, _, port = self._netloc.partition(":")
        self._address = (host, int(port))
        self._head = self._request_head(self._wire.path)
        self._stream_head = self._request_head(self._wire.stream_path)
        self._idle: list[Any] = []

    def history(self, turns: Turns) -> Messages:
        """Return dicts in the wire's shape, which are encoded at every call."""
        return self._wire.history(turns)

    async def call(self, messages: Messages) -> str:
        """Write a request, read until its length is there, and decode the text."""
        line = self._idle.pop() if self._idle else await self._opened()
        body = self._wire.body(messages, stream=False)
        line.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        data = await line.read()
        while (start := data.find(b"\r\n\r\n") + 4) < 4:
            data += await line.read()
        found = _LENGTH(data, 0, start)
        assert found is not None
        end = start + int(found[1])
        while len(data) < end:
            data += await line.read()
        self._idle.append(line)
        return self._wire.text(data[start:])

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Write a request, and decode events as they come."""
        line = self._idle.pop() if self._idle else await self._opened()
        body, delta, count = self._wire.body(messages, stream=True), self._wire.delta, 0
        line.write(b"%b%d\r\n\r\n%b" % (self._stream_head, len(body), body))
        data = await line.read()
        while (start := data.find(b"\r\n\r\n") + 4) < 4:
            data += await line.read()
        cutter = Cutter()
        data = data[start:]
        while True:
            for event in cutter.cut(data):
                if event != b"[DONE]" and delta(event):
                    count += 1
                    if count == 1:
                        first()
            if cutter.is_over:
                break
            data = await line.read()
        self._idle.append(line)
        return count

    async def close(self) -> None:
        """Close the connections."""
        for line in self._idle:
            line.close()

    async def _opened(self) -> Line:
        from loop_line import opened

        return await opened(*self._address)

    def _request_head(self, path: str) -> bytes:
        fields = {"host": self._netloc, **self._wire.headers}
        lines = (f"POST /{self._options}{path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()))
        return "\r\n".join((*lines, "content-length: ")).encode()


class BlockingSocket(BareSocket):
    """The same without an event loop: its coroutines never suspend."""

    async def _opened(self) -> Line:
        return BlockingLine(self._address)


class BlockingLine:
    """A connection that blocks."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.write = self._socket.sendall
        self.close = self._socket.close

    async def read(self) -> bytes:
        """Return what has come, and wait for something."""
        return self._socket.recv(_READ_BYTES)


class Cutter:
    """
    Bytes of a chunked body to the data of its events.

    Attributes:
        is_over: The last chunk was seen.
    """

    def __init__(self) -> None:
        self._raw = b""
        self._rest = b""
        self.is_over = False

    def cut(self, data: bytes) -> Sequence[bytes]:
        """Return what events are whole with *data*."""
        raw = self._raw + data if self._raw else data
        pieces, start = [self._rest], 0
        while (end := raw.find(b"\r\n", start)) >= 0:
            size = int(raw[start:end], 16)
            if len(raw) < end + 4 + size:
                break
            if not size:
                self.is_over = True
            pieces.append(raw[end + 2 : end + 2 + size])
            start = end + 4 + size
        self._raw = raw[start:]
        *events, self._rest = b"".join(pieces).split(b"\n\n")
        return [event[event.find(b"data: ") + 6 :] for event in events]
