"""
HTTP/1.1 by h11, which is exact and written in Python.

h11 reads answers; what it is told of a request is only what an answer depends on.
"""

from __future__ import annotations

from functools import lru_cache

import h11

from fiber._errors import FiberConnectionError
from fiber.transports.origin import Origin
from fiber.transports.wire import MAX_HEAD_BYTES, MAX_INTERIM_ANSWERS, Writer, broken, ended
from fiber.types.http import HTTPHead, HTTPRequest


class H11Wire:
    """One connection's side of the protocol; see `fiber.transports.wire.Wire`."""

    def __init__(self) -> None:
        self._writer = Writer()
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._interim = 0
        # What came behind the last pieces of a body, which are given out first.
        self._is_over = False
        self._failure: FiberConnectionError | None = None

    def request(self, request: HTTPRequest, origin: Origin, target: str) -> bytes:
        """Return the bytes of *request*."""
        data = self._writer.written(request, origin, target)
        self._h11.send(_said(request.method))
        self._h11.send(_END)
        return data

    def receive(self, data: bytes) -> None:
        """Take what the peer sent; empty bytes say that it sends no more."""
        self._h11.receive_data(data)

    def next(self) -> HTTPHead | bytes | None:
        """Return the head of the answer, then what there is of its body, then empty bytes; None for more."""
        if self._is_over:
            return b""
        if self._failure is not None:
            raise self._failure
        pieces: list[bytes] = []
        said: HTTPHead | bytes | None = None
        try:
            while said := self._event():
                if isinstance(said, HTTPHead):
                    return said
                pieces.append(said)
            self._is_over = said == b""
        except FiberConnectionError as error:
            if not pieces:
                raise
            self._failure = error
        return b"".join(pieces) if pieces else said

    def rest(self) -> None:
        """Say nothing: h11 knows what has come when it is asked for it."""

    def again(self) -> bool:
        """Begin anew, when the answer was read to its end and nothing follows it; say whether that is so."""
        machine = self._h11
        is_done = machine.our_state is h11.DONE and machine.their_state is h11.DONE
        if is_done and machine.trailing_data == (b"", False):
            machine.start_next_cycle()
            self._is_over = False
            return True
        return False

    def _event(self) -> HTTPHead | bytes | None:
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                why = str(error)
                break
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Data):
                return bytes(event.data)
            if isinstance(event, h11.Response):
                self._interim = 0
                return _head(event)
            if not isinstance(event, h11.InformationalResponse):
                return b""
            self._interim += 1
            if self._interim > MAX_INTERIM_ANSWERS:
                why = "it sends interim answers without end"
                break
        raise ended(why) if self._h11.trailing_data[1] else broken(why)


@lru_cache(maxsize=16)
def _said(method: str) -> h11.Request:
    return h11.Request(method=method, target="/", headers=[("host", "localhost")])


_END = h11.EndOfMessage()


def _head(event: h11.Response) -> HTTPHead:
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return HTTPHead(event.status_code, headers)
