"""Reach an origin through an HTTP proxy: a tunnel for https, the proxy itself as peer for http."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from fiber._errors import FiberConnectionError, FiberValidationError
from fiber.transports.streams import Stream, tls_context
from fiber.transports.wire import Origin

ProxyFor: TypeAlias = Callable[[str, str], str]
"""From scheme and host (with port) of an origin to the URL of its proxy; empty for none."""

Connect: TypeAlias = Callable[[str, int, float | None], Awaitable[Stream]]

_MOST_HEAD_BYTES = 16 * 1024


def no_proxy(scheme: str, host: str) -> str:
    """Return an empty string: no origin has a proxy."""
    return ""


async def through(connect: Connect, proxy: str, origin: Origin, due: float | None) -> Stream:
    """
    Return a stream to *origin* through *proxy*, encrypted when the origin is.

    Every origin is reached through a tunnel (`CONNECT`), so that a proxy never sees a key.

    Raises:
        FiberValidationError: The proxy's URL is not http or https.
        FiberConnectionError: The proxy refuses; its password is never quoted.
        OSError, TimeoutError: As for any connection.
    """
    parts = urlsplit(proxy)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FiberValidationError(
            f"A proxy of the kind {parts.scheme or 'without a scheme'!r} cannot be used: give an http:// or https://"
            ' URL, or take transport="httpx", which knows others with the right extra.',
            parameter="proxy",
            outcome="not_sent",
        )
    stream = await connect(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), due)
    try:
        if parts.scheme == "https":
            await stream.start_tls(tls_context(), parts.hostname, due)
        await _tunnel(stream, _authorization(parts.username, parts.password), origin, due)
        if origin.scheme == "https":
            await stream.start_tls(tls_context(), origin.host, due)
    except BaseException:
        stream.abort()
        raise
    return stream


async def _tunnel(stream: Stream, authorization: str, origin: Origin, due: float | None) -> None:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    where = f"{host}:{origin.port}"
    await stream.write(f"CONNECT {where} HTTP/1.1\r\nhost: {where}\r\n{authorization}\r\n".encode("latin-1"), due)
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await stream.read(due)
        head += piece
        if not piece or len(head) > _MOST_HEAD_BYTES:
            raise _refused("it ended the connection" if not piece else "its answer has no end", None)
    line, _, _ = head.partition(b"\r\n")
    version, _, rest = line.decode("latin-1").partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdecimal():
        raise _refused("it does not speak HTTP", None)
    if not status.startswith("2"):
        raise _refused(f"status {rest[:80]}", int(status))
    if not head.endswith(b"\r\n\r\n"):
        raise _refused("it sent more than its answer", None)


def _authorization(user: str | None, password: str | None) -> str:
    if user is None:
        return ""
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return f"proxy-authorization: Basic {base64.b64encode(pair).decode()}\r\n"


def _refused(why: str, status: int | None) -> FiberConnectionError:
    return FiberConnectionError(
        f"The proxy did not let the connection through: {why}. Check the proxy's address, user and password.",
        outcome="not_sent",
        should_retry=None if status is None or status >= 500 else False,
    )
