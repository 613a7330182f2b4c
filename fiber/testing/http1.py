"""
One HTTP/1.1 connection of the mock server, on a plain blocking socket.

Reads requests, writes whole and chunked answers, and notices while it waits that the client
is gone. It can speak TLS.
Rules: RFC 9112. Not met: trailers, upgrades, request bodies in another encoding than chunked.
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ssl

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 256 * 1024 * 1024
_READ_BYTES = 64 * 1024
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""Value of SO_LINGER that makes closing a reset."""
_REASONS: dict[int, str] = {status: status.phrase for status in HTTPStatus}


class GoneError(Exception):
    """The client closed the connection, or the server is closing."""


class BadRequestError(Exception):
    """The bytes are not HTTP/1.1 as this server reads it; `status` is the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class RawRequest(NamedTuple):
    """
    A request as it came.

    Header names are lower-case, and repeated ones are joined by a comma; *modern* means that the
    client knows chunked answers (HTTP/1.1).
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool
    modern: bool


class Connection:
    """
    One accepted socket, used by one thread; only `abort` may be called from another.

    Attributes:
        number: Counts the connections of the server from 1.

    Raises:
        GoneError: From every method, when the peer is gone.
    """

    def __init__(self, sock: socket.socket, number: int = 1) -> None:
        self.number = number
        self._socket = sock
        self._buffer = bytearray()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, selectors.EVENT_READ)
        self._unwrap: Callable[[], object] | None = None

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Answer the client's TLS handshake, and go on encrypted."""
        self._selector.unregister(self._socket)
        try:
            secured = context.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
            self._socket = secured
            self._selector.register(secured, selectors.EVENT_READ)
            secured.do_handshake()
        except OSError as error:
            raise GoneError from error
        self._unwrap = secured.unwrap

    def hear(self) -> None:
        """Wait until the client has said something."""
        self._more()

    def abort(self) -> None:
        """Wake the thread of this connection; what it does next raises GoneError."""
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS's own would end the encryption too
        except OSError:  # pragma: no cover - a race: its own thread closed it first
            pass

    def reset(self) -> None:
        """Close the socket with a reset: the client's next read or write fails."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.cut()

    def half_close(self) -> None:
        """Tell the client that nothing more comes, and go on reading."""
        self._say_farewell()
        try:
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
        except OSError as error:
            raise GoneError from error

    def close(self) -> None:
        """Close the socket, under TLS with a farewell."""
        self._say_farewell()
        self.cut()

    def cut(self) -> None:
        """Close the socket."""
        self._unwrap = None
        self._selector.close()
        self._socket.close()

    def _say_farewell(self) -> None:
        unwrap, self._unwrap = self._unwrap, None
        if unwrap is not None:
            try:
                self._socket.settimeout(0)  # the client's farewell is not waited for
                unwrap()
            except OSError:
                pass  # that of the missing answer, or a client that is gone
            self._socket.settimeout(None)

    def read(self) -> RawRequest | None:
        """
        Read the next request; None when the client closed between two.

        Raises:
            BadRequestError: It cannot be read; the connection must be closed after the answer.
        """
        head = self._head()
        if head is None:
            return None
        first, *lines = head.split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadRequestError(400, "The request line is not HTTP/1.1.")
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip():
                raise BadRequestError(400, "A header line has no name.")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        modern = words[2] != "HTTP/1.0"
        wish = headers.get("connection", "").lower()
        keep_alive = "close" not in wish and (modern or "keep-alive" in wish)
        if headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers)
        return RawRequest(words[0], words[1], headers, body, keep_alive, modern)

    def _head(self) -> str | None:
        end = self._buffer.find(b"\r\n\r\n")
        while end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise BadRequestError(431, "The head of the request is too long.")
            seen = max(0, len(self._buffer) - 3)
            if not self._fill():
                if self._buffer.strip():
                    raise GoneError
                return None
            end = self._buffer.find(b"\r\n\r\n", seen)
        return self._take(end + 4)[:-4].decode("latin-1").lstrip("\r\n")

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return b"".join(self._chunks())
        text = headers.get("content-length", "0")
        if not text.isdecimal():
            raise BadRequestError(400, "The content length is not a number.")
        return self._exactly(int(text))

    def _chunks(self) -> Iterator[bytes]:
        total = 0
        while True:
            try:
                size = int(self._line().split(b";")[0], 16)
            except ValueError:
                raise BadRequestError(400, "A chunk has no length.") from None
            if size == 0:
                break
            total += size
            yield self._exactly(size, total)
            self._line()
        while self._line():
            pass  # trailers

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise BadRequestError(400, "A line of a chunk is too long.")
            self._more()
        return self._take(end + 2)[:-2]

    def _exactly(self, size: int, total: int = 0) -> bytes:
        if max(size, total) > MAX_BODY_BYTES:
            raise BadRequestError(413, "The body is too long.")
        while len(self._buffer) < size:
            self._more()
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _more(self) -> None:
        if not self._fill():
            raise GoneError

    def _fill(self) -> bool:
        try:
            data = self._socket.recv(_READ_BYTES)
        except OSError as error:
            raise GoneError from error
        self._buffer += data
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send all of *data* now."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise GoneError from error

    def send_beneath(self, data: bytes) -> None:
        """Send *data* as it is, though the connection is encrypted."""
        try:
            socket.socket.sendall(self._socket, data)
        except OSError as error:
            raise GoneError from error

    def wait(self, seconds: float | None) -> None:
        """
        Wait, for ever when None, and notice at once when the client closes.

        A client that sends its next request early is not gone; what it sends is kept.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not self._selector.select(left):
                return
            if not self._fill() or len(self._buffer) > MAX_BODY_BYTES:
                raise GoneError


def head(status: int, headers: Mapping[str, str], *, length: int | None, chunked: bool) -> bytes:
    """
    Return the head of an answer.

    Args:
        length: Bytes of the body; None for a stream.
        chunked: A stream is chunked; one that is not ends when the connection closes (HTTP/1.0).
    """
    reason = _REASONS.get(status, "Unknown")
    told = {"date": formatdate(usegmt=True), **headers}
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in told.items())]
    if length is not None:
        lines.append(f"content-length: {length}")
    elif chunked:
        lines.append("transfer-encoding: chunked")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Frame one chunk; an empty one ends the answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)
