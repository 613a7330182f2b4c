"""
HTTP/1.1 on one connection, by h11: requests to bytes, bytes to heads and body pieces. No I/O.

What is refused here before anything is sent is named but never quoted: a header may hold a key.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import h11

from fiber._errors import FiberConnectionError, FiberValidationError
from fiber.types.http import HTTPHead, HTTPRequest, Secret

MAX_HEAD_BYTES = 64 * 1024
"""Longest status line and header block, and longest head of one chunk."""

MAX_INTERIM_ANSWERS = 1024
"""Most answers of status 1xx before the real one."""

_URL = re.compile(r"(https?)://(?:\[([0-9a-fA-F:.]+)\]|([^/?#@\s:\[\]]+))(?::([0-9]{1,5}))?([/?][^\s#]*)?")
_TARGET = re.compile(r"[!-~]*")


class Origin(NamedTuple):
    """Where a request goes: scheme, host as a name server knows it, port; and `address`, when the host is not asked."""

    scheme: str
    host: str
    port: int
    address: str = ""

    @property
    def netloc(self) -> str:
        """The value of the `host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=1024)
def split_url(url: str) -> tuple[Origin, str]:
    """
    Return the origin of *url*, and its path with the query.

    Raises:
        FiberValidationError: It is not an http or https URL, has a password in it, or characters that no URL has.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise _odd_url()
    scheme, literal, name, port, target = match.groups()
    host = literal or name
    target = target or "/"
    target = target if target.startswith("/") else f"/{target}"
    number = int(port) if port else _PORTS[scheme]
    try:
        host = (host if host.isascii() else host.encode("idna").decode()).lower()
    except ValueError:
        raise _odd_url() from None
    if not 0 < number < 65536 or not _TARGET.fullmatch(target):
        raise _odd_url()
    return Origin(scheme, host, number), target


class Wire:
    """One connection's side of the protocol."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._interim = 0

    def request(self, request: HTTPRequest, origin: Origin, target: str) -> bytes:
        """
        Return the bytes of *request*, head and body in one. This is the one place where a secret is revealed.

        Raises:
            FiberConnectionError: A header cannot be written; nothing was sent.
        """
        given = [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in request.headers]
        names = {name.lower() for name, _ in given}
        headers = [] if "host" in names else [("host", origin.netloc)]
        headers += given
        if request.body or request.method not in ("GET", "HEAD"):
            headers.append(("content-length", str(len(request.body))))
        try:
            encoded = [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers]
            begin = h11.Request(method=request.method, target=target, headers=encoded)
            events = (begin, h11.Data(request.body), h11.EndOfMessage())
            return b"".join(self._h11.send(event) or b"" for event in events)
        except (ValueError, h11.LocalProtocolError) as error:
            what = type(error).__name__
        # Neither quoted nor chained: the text of that error may repeat a header, key included.
        raise FiberConnectionError(
            f"The request cannot be written ({what}): check the key and the headers for odd characters.",
            outcome="not_sent",
            should_retry=False,
        )

    def receive(self, data: bytes) -> None:
        """Take what the peer sent; empty bytes say that it sends no more."""
        self._h11.receive_data(data)

    def next(self) -> HTTPHead | bytes | None:
        """
        Return the head of the answer, then pieces of its body, then empty bytes; None when more must be received.

        Raises:
            FiberConnectionError: The peer broke the protocol, or ended the connection too early.
        """
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
        # Who ends too early may answer the next time; who does not speak HTTP will not.
        ended = self._h11.trailing_data[1]
        what = "lost" if ended else "closed, for the server broke HTTP"
        raise FiberConnectionError(
            f"The connection was {what}: {why[:200]}.", outcome="unknown", should_retry=None if ended else False
        )

    def again(self) -> bool:
        """Begin anew, when the answer was read to its end and nothing follows it; say whether that is so."""
        machine = self._h11
        if machine.our_state is h11.DONE and machine.their_state is h11.DONE and not machine.trailing_data[0]:
            machine.start_next_cycle()
            return True
        return False


def _head(event: h11.Response) -> HTTPHead:
    headers: dict[str, str] = {}
    for raw_name, raw_value in event.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return HTTPHead(event.status_code, headers)


def _odd_url() -> FiberValidationError:
    return FiberValidationError(
        "The URL of a request is not valid: it must be http(s)://host[:port]/path, without a password, and with"
        " everything outside ASCII percent-encoded.",
        parameter="base_url",
        outcome="not_sent",
    )
