"""Which transport serves: sockets of our own (`direct`), or an HTTP library (`httpx`)."""

from __future__ import annotations

from collections.abc import Callable

from fiber._errors import FiberValidationError
from fiber.transports.base import Transport
from fiber.transports.direct import DirectTransport
from fiber.transports.proxy import ProxyFor

_NAMES = ("direct", "httpx")


def for_loops(named: Callable[[], str], library: Callable[[], str], proxy_for: ProxyFor) -> Transport:
    """
    Return the transport of coroutines.

    Args:
        named: Returns `direct`, `httpx` or an empty string.
        library: Returns the name of the HTTP library; empty for the best one installed.
        proxy_for: Returns the proxy to an origin.

    Raises:
        FiberValidationError: There is no transport of that name.
    """
    if _is_direct(named()):
        from fiber.transports.loops import Loops

        return DirectTransport(Loops(), proxy_for)
    from fiber.transports.httpx_loops import LoopTransport

    return LoopTransport(library)


def for_threads(named: Callable[[], str], library: Callable[[], str], proxy_for: ProxyFor) -> Transport:
    """Return the transport of blocking code; see `for_loops`."""
    if _is_direct(named()):
        from fiber.transports.blocking import Threads

        return DirectTransport(Threads(), proxy_for)
    from fiber.transports.httpx_blocking import BlockingTransport

    return BlockingTransport(library)


def _is_direct(name: str) -> bool:
    if name and name not in _NAMES:
        raise FiberValidationError(
            f"FIBER_TRANSPORT is {name!r}: use {' or '.join(_NAMES)}.", parameter="transport", outcome="not_sent"
        )
    return name != "httpx"
