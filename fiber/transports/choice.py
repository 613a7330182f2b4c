"""
Which transport serves.

`direct`: sockets of our own, read by the fastest parser that is installed; `h11` and `httptools`: the same with that
parser. `httpx`: an HTTP library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fiber._errors import FiberValidationError
from fiber.transports.base import NAMES, Transport
from fiber.transports.direct import DirectTransport
from fiber.transports.library import load
from fiber.transports.network import Link, Network
from fiber.transports.origin import Origin
from fiber.transports.proxy import ProxyFor
from fiber.transports.wires import wire_of
from fiber.types.config import Timeouts


class HTTPXTransport(DirectTransport):
    """
    The same pools, over connections of an HTTP library.

    Args:
        library: Returns the name of the library to use; empty for the best one installed.
        make: Makes a connection of the library, its proxy, the connect timer and the moment when that expires.
    """

    def __init__(
        self,
        network: Network,
        proxy_for: ProxyFor,
        library: Callable[[], str],
        make: Callable[[Any, str, float | None, float | None], Link],
    ) -> None:
        super().__init__(network, proxy_for)
        self._library = library
        self._link = make

    async def connect(self, origin: Origin, timeouts: Timeouts, due: float | None, until: float | None) -> Link:
        """Make a connection to *origin*; it stands when its first request is sent."""
        return self._link(load(self._library()), self.proxy_for(origin.scheme, origin.netloc), timeouts.connect, due)


def for_loops(named: Callable[[], str], library: Callable[[], str], proxy_for: ProxyFor) -> Transport:
    """
    Return the transport of coroutines.

    Args:
        named: Returns one of `base.NAMES`, which the environment may give, or an empty string for the first.
        library: Returns the name of the HTTP library; empty for the best one installed.
        proxy_for: Returns the proxy to an origin.

    Raises:
        FiberValidationError: There is no transport of that name, so it is the environment's: an argument was checked.
    """
    from fiber.transports.loops import Loops

    name = _checked(named())
    if name != "httpx":
        return DirectTransport(Loops(), proxy_for, wire_of(name))
    from fiber.transports.httpx_loops import LoopConnection

    return HTTPXTransport(Loops(), proxy_for, library, LoopConnection)


def for_threads(named: Callable[[], str], library: Callable[[], str], proxy_for: ProxyFor) -> Transport:
    """Return the transport of blocking code; see `for_loops`."""
    from fiber.transports.blocking import Threads

    name = _checked(named())
    if name != "httpx":
        return DirectTransport(Threads(), proxy_for, wire_of(name))
    from fiber.transports.httpx_blocking import BlockingConnection

    return HTTPXTransport(Threads(), proxy_for, library, BlockingConnection)


def _checked(name: str) -> str:
    if name and name not in NAMES:
        raise FiberValidationError(
            f"The environment variable FIBER_TRANSPORT is {name!r}: set it to {', '.join(NAMES[:-1])} or {NAMES[-1]},"
            " or unset it.",
            parameter="FIBER_TRANSPORT",
            outcome="not_sent",
        )
    return name
