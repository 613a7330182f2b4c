"""
The transport of our own: a pool for each origin, connections over sockets, nothing in between.

Written once as coroutines. What differs between event loops and blocking sockets is a `Network`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fiber._errors import FiberConnectionError, FiberError, FiberTimeoutError
from fiber.transports.base import DeadlineReached, HTTPResponse, read_whole
from fiber.transports.connection import Connection
from fiber.transports.decoding import Unpacker, next_plain, unpacker_of
from fiber.transports.network import Home, Link, Network
from fiber.transports.pool import Pool, Turn
from fiber.transports.proxy import ProxyFor, no_proxy, through
from fiber.transports.streams import tls_context, unconnected
from fiber.transports.wire import Origin, split_url
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest


class _Answer:
    """
    An answer that is being read; the connection is owned by whoever takes it out of `owned` first.

    Attributes:
        seconds: The read timer.
        discard: Closes it from any thread.
    """

    __slots__ = ("connection", "discard", "ended", "home", "owned", "pool", "seconds", "unpacker")

    def __init__(self, connection: Link, home: Home, pool: Pool[Link], seconds: float | None) -> None:
        self.connection = connection
        self.home = home
        self.pool = pool
        self.seconds = seconds
        self.owned = [True]
        self.ended = False
        self.unpacker: Unpacker | None = None
        self.discard: Callable[[], None] = self.drop

    def next_piece(self, until: float | None) -> Callable[[], Awaitable[bytes]]:
        """Return a function that reads the next bytes as they were sent, and gives the connection back at their end."""

        async def read() -> bytes:
            piece = await self.connection.next_piece(self.seconds, until)
            if not piece:
                self.give_back()
            return piece

        return read

    def drop(self) -> None:
        """Close the connection without waiting, unless it was given back."""
        if self._own():
            self.connection.abort()
            self.pool.gone()

    async def close(self) -> None:
        """Close the connection, unless it was given back."""
        if self._own():
            self.pool.gone()
            await self.connection.close()

    def give_back(self) -> None:
        """The body was read to its end: the connection may serve another request."""
        self.ended = True
        if self._own():
            if self.connection.is_reusable():
                self.pool.give(self.connection)
            else:
                self.connection.abort()
                self.pool.gone()

    def _own(self) -> bool:
        try:
            self.owned.pop()  # in one step, whatever other threads do
        except IndexError:
            return False
        self.home.active.discard(self.connection)
        return True


class DirectTransport:
    """
    Sends and reads over sockets; another kind of `Link` is made where `connect` is overridden.

    Args:
        network: Where the sockets live.
        proxy_for: Returns the URL of the proxy to an origin, or an empty string.
    """

    def __init__(self, network: Network, proxy_for: ProxyFor = no_proxy) -> None:
        self._network = network
        self.proxy_for = proxy_for
        self.now = network.now
        self.sleep = network.sleep
        self.resolve = network.resolve
        self.map = network.map
        self.shutdown = network.shutdown

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Send *request* and read the head of the answer."""
        origin, target = split_url(request.url)
        if request.address:
            origin = origin._replace(address=request.address)
        home = await self._network.home()
        pool = home.pool(origin)
        while True:
            connection, is_fresh = await self._take(pool, origin, timeouts, until)
            answer = _Answer(connection, home, pool, timeouts.read)
            answer.discard = self._network.soon(answer.drop)
            home.active.add(connection)
            try:
                if request.on_open is not None:
                    request.on_open(answer.discard)
                head = await connection.send(request, origin, target, timeouts.read, until)
                answer.unpacker = unpacker_of(head.headers.get("content-encoding", ""))
            except BaseException as error:
                await answer.close()
                if not is_fresh and _is_stale(error, connection):
                    for idle in pool.drain():
                        idle.abort()
                    continue
                raise
            return HTTPResponse(head, answer)

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Read the body to its end and close."""
        return await read_whole(self, response, until)

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next bytes of the body, decoded; empty at its end."""
        answer: _Answer = response.handle
        if answer.ended:
            return b""
        try:
            return await next_plain(answer.unpacker, answer.next_piece(until))
        except BaseException:
            await answer.close()
            raise

    async def close(self, response: HTTPResponse) -> None:
        """Close the answer and, unless its body was read to the end, its connection."""
        await response.handle.close()

    def discard(self, response: HTTPResponse) -> None:
        """Close without waiting, from any thread."""
        response.handle.discard()

    # -- connections ---------------------------------------------------------------------------------------------------

    async def _take(
        self, pool: Pool[Link], origin: Origin, timeouts: Timeouts, until: float | None
    ) -> tuple[Link, bool]:
        """Return a connection and whether it is new; the caller owes the pool a `give` or `gone`."""
        taken = pool.take(self._network.waiter)
        if isinstance(taken, Turn):
            taken = await self._wait(pool, taken, timeouts, until)
        if taken is not None:
            return taken, False
        try:
            return await self.connect(origin, timeouts, until), True
        except BaseException:
            pool.gone()
            raise

    async def _wait(self, pool: Pool[Link], turn: Turn[Link], timeouts: Timeouts, until: float | None) -> Link | None:
        seconds = timeouts.connect
        due = None if seconds is None else self.now() + seconds
        is_last = until is not None and (due is None or until <= due)
        try:
            await turn.waiter.wait(until if is_last else due)
            return turn.connection
        except TimeoutError:
            pool.leave(turn)
        except BaseException:
            pool.leave(turn)
            raise
        if is_last:
            raise DeadlineReached
        raise FiberTimeoutError(
            f"The connect timer of {seconds:g} s expired: every connection to this server is in use.",
            timer="connect",
            seconds=seconds,
            outcome="not_sent",
        )

    async def connect(self, origin: Origin, timeouts: Timeouts, until: float | None) -> Link:
        """Make a connection to *origin*."""
        seconds = timeouts.connect
        due = None if seconds is None else self.now() + seconds
        is_last = until is not None and (due is None or until <= due)
        due = until if is_last else due
        proxy = self.proxy_for(origin.scheme, origin.netloc)
        failure: Exception
        try:
            if proxy:
                return Connection(await through(self._network.connect, proxy, origin, due))
            stream = await self._network.connect(origin.address or origin.host, origin.port, due)
            if origin.scheme == "https":
                await stream.start_tls(tls_context(), origin.host, due)
            return Connection(stream)
        except FiberError:
            raise
        except Exception as error:
            expired = is_last and isinstance(error, TimeoutError)
            failure = DeadlineReached() if expired else unconnected(error, f"{origin.host}:{origin.port}", seconds)
        raise failure


def _is_stale(error: BaseException, connection: Link) -> bool:
    """
    Say whether a connection that was used before failed for reasons of that time.

    Then the server closed it while it was idle, and said nothing since; or what it says is the rest of what it said
    before, and no answer. The other idle connections are as old.
    """
    if not isinstance(error, FiberConnectionError) or error.outcome != "unknown":
        return False
    return not connection.heard or error.should_retry is False
