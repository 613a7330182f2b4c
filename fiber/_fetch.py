"""
Fetching what a URL names, when the caller asks for it; nothing else in the library follows a URL.

The URL may come from a stranger who would like this machine to ask its own network for him. So the host must stand on
the caller's list, its name is looked up once, every address found must be public, the connection goes to one of these
very addresses, and wherever the answer points, nobody goes there. What is sent is the same for every caller: no key,
no cookie, nothing bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from fiber._errors import FiberConnectionError, FiberTimeoutError, FiberValidationError, Outcome
from fiber._files import part_of
from fiber.transports.base import DeadlineReached, HTTPResponse, Transport
from fiber.types.addresses import is_public
from fiber.types.config import Timeouts
from fiber.types.content import Audio, Document, Image, sniffed
from fiber.types.fetch import HOST, HTTPS_PORT, FetchPolicy
from fiber.types.http import HTTPHead, HTTPRequest

CONNECT_SECONDS = 5.0
"""Bound on connecting to one address; there may be another."""

_VISIBLE = re.compile(r"[!-\[\]-~]+")
"""No blank, no control character, and no backslash, which some readers of URLs take for a slash."""


class _Place(NamedTuple):
    host: str
    port: int
    request: HTTPRequest
    filename: str


async def fetch(
    transport: Transport, policy: FetchPolicy, url: str, *, allowed: Callable[[str], bool] = is_public
) -> Image | Audio | Document:
    """Fetch *url* and make the part it is; arguments and errors are those of `download`."""
    data, told, filename = await download(transport, policy, url, allowed=allowed)
    kind = sniffed(data) or told
    _check_type(policy, _checked(policy, url), kind)
    return part_of(data, kind, filename)


async def download(
    transport: Transport, policy: FetchPolicy, url: str, *, allowed: Callable[[str], bool] = is_public
) -> tuple[bytes, str, str]:
    """
    Fetch *url*; return the body, its media type and the last word of the path.

    Args:
        allowed: Whether an address may be connected to; another one only in tests, which have nothing but loopback.

    Raises:
        FiberValidationError: *policy* does not allow it; nothing was sent.
        FiberConnectionError: There was no answer, or none that *policy* allows.
        FiberTimeoutError: It took longer than *policy* allows.
    """
    place = _checked(policy, url)
    until = transport.now() + policy.timeout
    try:
        addresses = await transport.resolve(place.host, place.port, until)
        if not all(allowed(address) for address in addresses):
            # Which one is not said: whoever may choose names below a `*.` would learn the addresses of a network.
            raise _refused(f"{place.host!r} has an address that is not public, and such hosts are never asked.")
        response = await _answer(transport, policy, place, addresses, until)
        try:
            told = _told(policy, place, response.head)
            data = await _body(transport, policy, place, response, until)
        finally:
            await transport.close(response)
    except DeadlineReached:
        raise FiberTimeoutError(
            f"Fetching from {place.host!r} took longer than {policy.timeout:g} s: raise FetchPolicy(timeout=...).",
            timer="total",
            seconds=policy.timeout,
            outcome="unknown",
        ) from None
    return data, told, place.filename


def _checked(policy: FetchPolicy, url: object) -> _Place:
    if not isinstance(url, str) or not _VISIBLE.fullmatch(url):
        raise _refused("A URL to fetch is text of visible ASCII characters without backslash: percent-encode the rest.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", HTTPS_PORT if parts.port is None else parts.port
    except ValueError:
        raise _refused("The URL to fetch cannot be read: check its host and port.") from None
    if parts.scheme != "https":
        raise _refused(f"Only https:// URLs are fetched, not {parts.scheme or 'those without a scheme'}.")
    if "@" in parts.netloc:
        raise _refused("A URL to fetch has no user name or password in it.")
    if not HOST.fullmatch(host) or not policy.allows_host(host, port):
        raise _refused(f"Nothing is fetched from {host!r} at port {port}: FetchPolicy(hosts=...) does not list it.")
    name = f"[{host}]" if ":" in host else host
    authority = name if port == HTTPS_PORT else f"{name}:{port}"
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    request = HTTPRequest(
        "GET",
        f"https://{authority}{target}",
        # A body that is not encoded is as long as it looks, so that the cap holds for what is kept in memory.
        (("accept", _accepted(policy)), ("accept-encoding", "identity"), ("user-agent", "fiber-llm")),
    )
    return _Place(host, port, request, unquote(parts.path).rpartition("/")[2])


def _accepted(policy: FetchPolicy) -> str:
    return ", ".join(f"{entry}*" if entry.endswith("/") else entry for entry in policy.media_types)


async def _answer(
    transport: Transport, policy: FetchPolicy, place: _Place, addresses: list[str], until: float
) -> HTTPResponse:
    """Connect to the first address that can be connected to."""
    timeouts = Timeouts(connect=min(CONNECT_SECONDS, policy.timeout), read=policy.timeout, total=policy.timeout)
    failure: FiberConnectionError | FiberTimeoutError = _unusable(place, "has no address", outcome="not_sent")
    for address in addresses:
        try:
            return await transport.open(msgspec.structs.replace(place.request, address=address), timeouts, until)
        except (FiberConnectionError, FiberTimeoutError) as error:
            if error.outcome != "not_sent" or not error.is_retryable:
                raise
            failure = error
    raise failure


def _told(policy: FetchPolicy, place: _Place, head: HTTPHead) -> str:
    """Return the media type that *head* tells, when the body behind it may be read."""
    if 300 <= head.status < 400:
        raise _unusable(place, f"answered with a redirect ({head.status}), which is not followed", head.status)
    if head.status != 200:
        raise _unusable(place, f"answered with status {head.status}", head.status)
    if head.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise _unusable(place, "encoded its answer, although it was asked not to")
    _check_type(policy, place, head.content_type)
    return head.content_type


def _check_type(policy: FetchPolicy, place: _Place, media_type: str) -> None:
    if not policy.allows_type(media_type):
        kind = media_type[:100] or "something that it does not name"
        raise _unusable(place, f"sent {kind}, which FetchPolicy(media_types=...) does not list")


async def _body(
    transport: Transport, policy: FetchPolicy, place: _Place, response: HTTPResponse, until: float
) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while piece := await transport.next_chunk(response, until):
        size += len(piece)
        if size > policy.max_bytes:
            raise _unusable(place, f"sent more than the {policy.max_bytes} bytes of FetchPolicy(max_bytes=...)")
        pieces.append(piece)
    if not pieces:
        raise _unusable(place, "sent nothing")
    return b"".join(pieces)


def _refused(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="url", outcome="not_sent")


def _unusable(
    place: _Place, what: str, status: int | None = None, *, outcome: Outcome = "rejected"
) -> FiberConnectionError:
    # The URL is not quoted: its path and query may be what gives access.
    return FiberConnectionError(
        f"Nothing usable was fetched: {place.host!r} {what}.",
        status_code=status,
        outcome=outcome,
        should_retry=status is not None and (status >= 500 or status in (408, 425, 429)),
    )
