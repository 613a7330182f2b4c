"""
The seam to the HTTP library: which one, its exceptions as ours, one TLS context for all.

httpx 0.28 is the declared dependency; httpx2, its maintained continuation with the same API, is used where
installed, or as told.
"""

from __future__ import annotations

import importlib.util
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Self

from fiber._errors import FiberConnectionError, FiberError, FiberTimeoutError, FiberValidationError
from fiber.transports.streams import tls_context
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest, Secret

LIBRARIES = ("httpx2", "httpx")

# RFC 9110, section 5, as h11 reads it.
_NAME = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_VALUE = re.compile(rb"(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?")


@cache
def load(name: str = "") -> Any:
    """
    Import the HTTP library called *name*, or the best one installed.

    Raises:
        FiberValidationError: *name* is not known or not installed.
    """
    if name and name not in LIBRARIES:
        raise FiberValidationError(
            f"The environment variable FIBER_HTTP is {name!r}: set it to {' or '.join(LIBRARIES)}, or unset it.",
            parameter="FIBER_HTTP",
        )
    for candidate in (name,) if name else LIBRARIES:
        if importlib.util.find_spec(candidate) is not None:
            return import_module(candidate)
    raise FiberValidationError(f"{name} is not installed: pip install 'fiber-llm[{name}]'.", parameter="FIBER_HTTP")


def transport_options(library: Any, proxy: str) -> dict[str, Any]:
    """Return the arguments of a transport that may have one connection, through *proxy* unless it is empty."""
    return {
        "verify": tls_context(),
        "trust_env": False,
        "proxy": library.Proxy(proxy) if proxy else None,
        "limits": library.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=None),
    }


def now() -> float:
    """Return monotonic seconds."""
    return time.monotonic()


def within(seconds: float | None, until: float | None) -> float | None:
    """Return *seconds*, or what is left until the moment *until* when that is less; never nothing."""
    if until is None:
        return seconds
    left = max(0.001, until - now())
    return left if seconds is None else min(left, seconds)


def outgoing(library: Any, request: HTTPRequest, timeouts: Timeouts) -> Any:
    """
    Make the library's request. This is the one place where a secret is revealed.

    Raises:
        ValueError: A header cannot be written. The library would find out too, but quote it in its logs.
    """
    headers = [
        (name.encode("ascii"), (value.reveal() if isinstance(value, Secret) else value).encode("utf-8"))
        for name, value in request.headers
    ]
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers):
        raise ValueError
    limits = {
        "connect": timeouts.connect,
        "read": timeouts.read,
        "write": timeouts.read,
        "pool": timeouts.connect,
    }
    url: Any = request.url
    extensions: dict[str, Any] = {"timeout": limits}
    if request.address:
        named = library.URL(url)
        url = named.copy_with(host=request.address)
        extensions["sni_hostname"] = named.raw_host.decode("ascii")
        # The pool knows its connections by address alone: one that was checked for this name must serve no other.
        headers += [(b"host", named.netloc), (b"connection", b"close")]
    made = library.Request(
        request.method,
        url,
        headers=headers,
        content=request.body or None,
        extensions=extensions,
    )
    made.stream = _body_type(library)(request.body)
    return made


@cache
def _body_type(library: Any) -> Any:
    """
    Make the type of request bodies.

    The library's own is an async generator; one that is left halfway, by a cancelled call, makes trio warn when it is
    collected. This one is a plain iterator.
    """

    class Body(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, content: bytes) -> None:
            self._content = content

        def __iter__(self) -> Iterator[bytes]:
            return iter((self._content,) if self._content else ())

        def __aiter__(self) -> AsyncIterator[bytes]:
            return _Pieces(iter(self))

    return Body


class _Pieces:
    """An async iterator over what is there already."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


def head_of(response: Any) -> HTTPHead:
    """Return status and headers of the library's response."""
    return HTTPHead(response.status_code, dict(response.headers.items()))


def lasts(head: HTTPHead) -> bool:
    """Say whether the connection may carry another request after this answer."""
    return "close" not in head.headers.get("connection", "").lower()


def failures(library: Any) -> tuple[type[Exception], ...]:
    """
    Return what the library raises, for `translate`.

    `RuntimeError` is its word for a client that was closed meanwhile, `OSError` for what slips through its own table.
    """
    return (
        library.HTTPError,
        library.InvalidURL,
        library.StreamError,
        *_UNWRITABLE,
        OSError,
        RuntimeError,
        ExceptionGroup,
    )


def translate(library: Any, error: Exception, timeouts: Timeouts | None = None) -> FiberError:
    """
    Turn the library's exception into ours.

    The original is not chained: it carries the request and with it the key.
    """
    while isinstance(error, ExceptionGroup):  # anyio's, from its race of addresses
        error = error.exceptions[0]
    if isinstance(error, _UNWRITABLE):
        return _local(error, timeouts)
    for name, make in _TABLE:
        if isinstance(error, getattr(library, name)):
            return make(error, timeouts)
    return FiberConnectionError(f"The exchange failed: {_words(error)}.", outcome="unknown")


def left_over() -> FiberConnectionError:
    """Make the error of an answer that was there before its request."""
    return FiberConnectionError(
        "The connection was closed: the server sent more than it was asked for, before this request.", outcome="unknown"
    )


def is_lost(error: BaseException) -> bool:
    """Say whether *error* means a connection that broke, with nothing known of the other side."""
    return isinstance(error, FiberConnectionError) and error.outcome == "unknown"


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": .")


def _timeout(timer: str, outcome: Any) -> Callable[[Exception, Timeouts | None], FiberError]:
    def make(error: Exception, timeouts: Timeouts | None) -> FiberError:
        seconds = getattr(timeouts, timer, None)
        said = "" if seconds is None else f" of {seconds:g} s"
        return FiberTimeoutError(
            f"The {timer} timer{said} expired ({type(error).__name__}).",
            timer=timer,
            seconds=seconds,
            outcome=outcome,
        )

    return make


def _connect(error: Exception, timeouts: Timeouts | None) -> FiberError:
    cause: BaseException | None = error
    while cause is not None and "SSL" not in type(cause).__name__ and "CERTIFICATE" not in str(cause).upper():
        cause = cause.__cause__ or cause.__context__
    if cause is None or isinstance(cause, ssl.SSLEOFError):  # who hung up may not the next time
        return FiberConnectionError(f"No connection: {_words(cause or error)}. Check the base URL.", outcome="not_sent")
    return FiberConnectionError(
        f"TLS failed: {_words(cause)}. This is final: check the host name and its certificate.",
        outcome="not_sent",
        should_retry=False,
    )


def _lost(error: Exception, timeouts: Timeouts | None) -> FiberError:
    return FiberConnectionError(f"The connection was lost: {_words(error)}.", outcome="unknown")


def _local(error: Exception, timeouts: Timeouts | None) -> FiberError:
    # The text of this one may repeat a header, key included: it is not quoted.
    return FiberConnectionError(
        f"The request cannot be written ({type(error).__name__}): check the key, headers and URL for odd characters.",
        outcome="not_sent",
        should_retry=False,
    )


_UNWRITABLE = (ValueError, OverflowError)
"""Characters that a header or host cannot carry, ports that do not exist."""

_TABLE: tuple[tuple[str, Callable[[Exception, Timeouts | None], FiberError]], ...] = (
    ("ConnectTimeout", _timeout("connect", "not_sent")),
    ("PoolTimeout", _timeout("connect", "not_sent")),
    ("TimeoutException", _timeout("read", "unknown")),
    ("ConnectError", _connect),
    ("ProxyError", _connect),
    ("LocalProtocolError", _local),
    ("UnsupportedProtocol", _local),
    ("InvalidURL", _local),
    ("TransportError", _lost),
)
