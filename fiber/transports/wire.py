"""
HTTP/1.1 on one connection: requests to bytes, bytes to heads and body pieces. No I/O.

Requests are written here; answers are read by a parser that others keep: h11 (`wire_h11.py`) or llhttp
(`wire_httptools.py`). What is refused before anything is sent is named but never quoted: a header may hold a key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol, TypeAlias

from fiber._errors import FiberConnectionError
from fiber.transports.origin import Origin
from fiber.types.http import HTTPHead, HTTPRequest, Secret

MAX_HEAD_BYTES = 64 * 1024
"""Longest status line and header block, and longest head of one chunk."""

MAX_INTERIM_ANSWERS = 1024
"""Most answers of status 1xx before the real one."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A method, or the name of a header (RFC 9110, section 5.6.2)."""


class Wire(Protocol):
    """One connection's side of the protocol."""

    def request(self, request: HTTPRequest, origin: Origin, target: str) -> bytes:
        """
        Return the bytes of *request*, head and body in one.

        Raises:
            FiberConnectionError: A header cannot be written; nothing was sent.
        """
        ...

    def receive(self, data: bytes) -> None:
        """Take what the peer sent; empty bytes say that it sends no more."""
        ...

    def next(self) -> HTTPHead | bytes | None:
        """
        Return the head of the answer, then what there is of its body, then empty bytes; None when more must come.

        Raises:
            FiberConnectionError: The peer broke the protocol, or ended the connection too early.
        """
        ...

    def rest(self) -> bytes | None:
        """Return the rest of the body, if it is known that all of it has come; None else, and nothing is taken."""
        ...

    def again(self) -> bool:
        """Begin anew, when the answer was read to its end and nothing follows it; say whether that is so."""
        ...


MakeWire: TypeAlias = Callable[[], Wire]


class Writer:
    """
    Writes the requests of one connection.

    Most of them differ in their bodies only: a head like the last one is not written anew, but for the length.
    """

    __slots__ = ("_head", "_like")

    def __init__(self) -> None:
        self._like: tuple[object, ...] | None = None
        self._head: bytes | None = None

    def written(self, request: HTTPRequest, origin: Origin, target: str) -> bytes:
        """
        Return the bytes of *request*.

        Raises:
            FiberConnectionError: A header cannot be written.
        """
        like = (request.method, target, origin, request.headers)
        if like != self._like:
            self._like, self._head = like, _head(request, origin, target)
        if self._head is None:
            # Nothing is quoted, and no variable of this frame holds it: it may be the key that is odd.
            raise FiberConnectionError(
                "The request cannot be written: check the key and the headers for odd characters.",
                outcome="not_sent",
                should_retry=False,
            )
        body = request.body
        if body or request.method not in ("GET", "HEAD"):
            return b"%bcontent-length: %d\r\n\r\n%b" % (self._head, len(body), body)
        return b"%b\r\n" % self._head


def _head(request: HTTPRequest, origin: Origin, target: str) -> bytes | None:
    """Return request line and headers without length; None where one is odd. Here alone a secret is revealed."""
    lines = [f"{request.method} {target} HTTP/1.1"]
    is_valid, has_host = _is_token(request.method), False
    for name, value in request.headers:
        text = value.reveal() if isinstance(value, Secret) else value
        is_valid = is_valid and _is_token(name) and text == text.strip()
        has_host = has_host or name.lower() == "host"
        lines.append(f"{name}: {text}")
    if not has_host:
        lines.insert(1, f"host: {origin.netloc}")
    if not (is_valid and "".join(lines).replace("\t", " ").isprintable()):
        return None
    return "\r\n".join([*lines, ""]).encode()


@lru_cache(maxsize=1024)
def _is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def broken(why: str) -> FiberConnectionError:
    """Make the error of a peer that does not speak HTTP; it will not the next time."""
    return FiberConnectionError(
        f"The connection was closed, for the server broke HTTP: {why[:200]}.", outcome="unknown", should_retry=False
    )


def ended(why: str) -> FiberConnectionError:
    """Make the error of a peer that ended the connection too early; it may answer the next time."""
    return FiberConnectionError(f"The connection was lost: {why[:200]}.", outcome="unknown")
