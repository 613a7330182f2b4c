"""Reach an origin through an HTTP proxy: a tunnel for https, the proxy itself as peer for http."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from fiber._errors import FiberConnectionError, FiberValidationError
from fiber.transports.origin import Origin
from fiber.transports.streams import Stream, tls_context

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
        FiberValidationError: The proxy's URL cannot be used; it is not quoted, for it may hold a password.
        FiberConnectionError: The proxy refuses; its password is never quoted.
        OSError, TimeoutError: As for any connection.
    """
    scheme, host, port, authorization = _read(proxy)
    stream = await connect(host, port, due)
    try:
        if scheme == "https":
            await stream.start_tls(tls_context(), host, due)
        await _tunnel(stream, authorization, origin, due)
        if origin.scheme == "https":
            await stream.start_tls(tls_context(), origin.host, due)
    except BaseException:
        stream.abort()
        raise
    return stream


def _read(proxy: str) -> tuple[str, str, int, str]:
    """Return scheme, host, port and the header for its password; `host:3128` alone is an http proxy."""
    why = "it cannot be read"
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        port = parts.port or usual
        if usual and port and parts.hostname:
            return parts.scheme, parts.hostname, port, _authorization(parts.username, parts.password)
        why = why if usual else f"its kind is {parts.scheme!r}"
    except ValueError:
        pass  # its text repeats what stands between the slashes, password included
    raise FiberValidationError(
        f"The URL of the proxy cannot be used, {why}: give an http:// or https:// URL, with everything odd in user and"
        ' password percent-encoded, or take transport="httpx", which knows other kinds with the right extra.',
        parameter="proxy",
        outcome="not_sent",
    )


async def _tunnel(stream: Stream, authorization: str, origin: Origin, due: float | None) -> None:
    host = origin.address or origin.host  # an address was checked: the proxy must not look the name up again
    host = f"[{host}]" if ":" in host else host
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
