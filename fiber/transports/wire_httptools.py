"""
HTTP/1.1 by llhttp, the parser of Node.js, through httptools: a tenth of h11's cost.

llhttp does not know what was asked, nor that the connection ended, and looks ahead beyond the answer: what follows
from that is decided here.
"""

from __future__ import annotations

from functools import lru_cache

import httptools

from fiber._errors import FiberConnectionError
from fiber.transports.origin import Origin
from fiber.transports.wire import MAX_HEAD_BYTES, MAX_INTERIM_ANSWERS, Writer, broken, ended
from fiber.types.http import HTTPHead, HTTPRequest

_BODILESS = (204, 304)


class HTTPToolsWire:
    """One connection's side of the protocol; see `fiber.transports.wire.Wire`."""

    def __init__(self) -> None:
        self._writer = Writer()
        self._parser = httptools.HttpResponseParser(self)
        self._is_begun = False  # the parser is in the middle of something
        self._begin("")

    def _begin(self, method: str) -> None:
        if self._is_begun:
            self._parser = httptools.HttpResponseParser(self)
        self._is_begun = False
        self._method = method
        self._head: HTTPHead | None = None
        self._names: list[bytes] = []
        self._values: list[bytes] = []
        self._pieces: list[bytes] = []
        self._uncounted = 0  # bytes of heads since the last bytes of a body
        self._interim = 0
        self._has_length = True  # the end of the body is told by something other than the end of the connection
        self._has_head = self._is_over = self._is_reusable = self._has_ended = False
        self._failure: FiberConnectionError | None = None

    def request(self, request: HTTPRequest, origin: Origin, target: str) -> bytes:
        """Return the bytes of *request*."""
        self._begin(request.method)
        return self._writer.written(request, origin, target)

    def receive(self, data: bytes) -> None:
        """Take what the peer sent; empty bytes say that it sends no more."""
        if not data:
            self._end()
        elif self._is_over:
            self._is_reusable = False
        elif self._failure is None and (why := self._fed(data)):
            self._fail(why)

    def _fed(self, data: bytes) -> str:
        """Have the parser read *data*; return what is wrong with it, in words."""
        self._uncounted += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return "it goes over to another protocol"
        except httptools.HttpParserError as error:
            return str(error.__context__ or error)  # what a method below raised, or what the parser says
        return f"a head is longer than {MAX_HEAD_BYTES} bytes" if self._uncounted > MAX_HEAD_BYTES else ""

    def _fail(self, why: str) -> None:
        if self._is_over:  # the answer itself was well
            self._is_reusable = False
        else:
            self._failure = broken(why)

    def next(self) -> HTTPHead | bytes | None:
        """Return the head of the answer, then what there is of its body, then empty bytes; None for more."""
        if self._head is not None:
            head, self._head = self._head, None
            return head
        if self._pieces:
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces = []
            return body
        if self._is_over:
            return b""
        if self._failure is not None:
            raise self._failure
        return None

    def rest(self) -> bytes | None:
        """Return the rest of the body, if all of it has come."""
        if self._head is not None or not self._is_over:
            return None
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

    def again(self) -> bool:
        """Begin anew, when the answer was read to its end and nothing follows it; say whether that is so."""
        return self._is_over and self._is_reusable and not self._has_ended

    def _end(self) -> None:
        self._has_ended = True
        if self._has_head and not self._has_length:
            self._is_over = True
        elif not self._is_over and self._failure is None:
            self._failure = ended("the server ended it in the middle of an answer" if self._is_begun else "no answer")

    # -- what the parser tells: their names are httptools' -----------------------------------------------------------

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody asked for makes the connection useless."""
        self._is_begun = True
        if self._is_over:
            self._is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or behind the body a trailer, of which nobody wants to know."""
        if not self._has_head:
            self._names.append(name)
            self._values.append(value)

    def on_headers_complete(self) -> None:
        """A head is complete."""
        if self._has_head:
            return
        status = self._parser.get_status_code()
        names, values = self._names, self._values
        self._names, self._values = [], []
        if status < 200:
            self._interim += 1
            if self._interim > MAX_INTERIM_ANSWERS:
                raise ValueError("it sends interim answers without end")
            self._uncounted = 0
            return
        headers = _headers(names, values)
        coding = headers.get("transfer-encoding")
        if coding is not None and coding.lower() != "chunked":
            raise ValueError("a transfer encoding that nobody asked for")
        self._has_head = True
        self._head = HTTPHead(status, headers)
        self._has_length = coding is not None or "content-length" in headers or status in _BODILESS
        if self._method == "HEAD":  # its length is that of a body that does not come
            self._is_over = self._is_reusable = True

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._uncounted = 0
        if self._is_over:
            self._is_reusable = False
        else:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """An answer is complete."""
        if self._has_head and not self._is_over:
            self._is_over = True
            self._is_reusable = self._parser.should_keep_alive()
            self._is_begun = False
            self._uncounted = 0


def _headers(names: list[bytes], raw: list[bytes]) -> dict[str, str]:
    # Decoded in one go, for a call of `decode` costs more than what it does; no header holds the end of a line.
    values = b"\n".join(raw).decode("latin-1").split("\n") if raw else []
    headers = dict(zip(map(_name, names), values, strict=True))
    if len(headers) == len(names):
        return headers
    joined: dict[str, list[str]] = {}
    for name, value in zip(names, values, strict=True):
        joined.setdefault(_name(name), []).append(value)
    return {name: ", ".join(said) for name, said in joined.items()}


@lru_cache(maxsize=1024)
def _name(raw: bytes) -> str:
    return raw.decode("latin-1").lower()
