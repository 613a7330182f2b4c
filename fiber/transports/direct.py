"""
The transport of our own: a pool for each origin, connections over sockets, nothing in between.

Written once as coroutines. What differs between event loops and blocking sockets is a `Network`.
"""

from __future__ import annotations

from fiber._errors import FiberError, FiberTimeoutError
from fiber.transports.base import DeadlineReached, HTTPResponse, read_whole
from fiber.transports.connection import Connection
from fiber.transports.decoding import Unpacker, next_plain, unpacker_of
from fiber.transports.network import Home, Link, Network
from fiber.transports.origin import Origin, split_url
from fiber.transports.pool import Pool, Turn, idle_seconds
from fiber.transports.proxy import ProxyFor, no_proxy, through
from fiber.transports.streams import Stream, has_expired, tls_context, unconnected
from fiber.transports.wire import MakeWire
from fiber.transports.wires import wire_of
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest


class _Answer:
    """
    An answer that is being read; the connection is owned by whoever takes it out of `owned` first.

    Attributes:
        seconds: The read timer.
    """

    __slots__ = ("_network", "_place", "connection", "ended", "home", "owned", "pool", "seconds", "unpacker")

    def __init__(self, network: Network, connection: Link, home: Home, pool: Pool[Link], seconds: float | None) -> None:
        self._network = network
        self._place = network.here()
        self.connection = connection
        self.home = home
        self.pool = pool
        self.seconds = seconds
        self.owned = [True]
        self.ended = False
        self.unpacker: Unpacker | None = None

    async def next_piece(self, until: float | None) -> bytes:
        """Return the next bytes as they were sent; give the connection back at their end."""
        piece = await self.connection.next_piece(self.seconds, until)
        if not piece:
            self.give_back()
        return piece

    def rest(self) -> bytes | None:
        """Return the body and give the connection back, when all of it has come; None else, and nothing is taken."""
        body = None if self.ended or self.unpacker is not None else self.connection.rest()
        if body is not None:
            self.give_back()
        return body

    def discard(self) -> None:
        """Close it, from any thread."""
        self._network.soon(self._place, self.drop)

    def drop(self) -> None:
        """Close the connection without waiting, unless it was given back."""
        if self.release():
            self.pool.gone()

    def release(self) -> bool:
        """Close the connection but keep its place in the pool; say whether it was this answer's."""
        is_ours = self._own()
        if is_ours:
            self.connection.abort()
        return is_ours

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
        make_wire: Makes what speaks HTTP on a connection; by default the fastest that is installed.
    """

    def __init__(self, network: Network, proxy_for: ProxyFor = no_proxy, make_wire: MakeWire | None = None) -> None:
        self._network = network
        self._make_wire = make_wire or wire_of()
        self.proxy_for = proxy_for
        self.now = network.now
        self.sleep = network.sleep
        self.resolve = network.resolve
        self.crew = network.crew
        self.bounded = network.bounded
        self.aside = network.aside
        self.detach = network.detach
        self.later = network.later
        self.race = network.race
        self.shutdown = network.shutdown

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Send *request* and read the head of the answer."""
        origin, target = split_url(request.url)
        if request.address:
            origin = origin._replace(address=request.address)
        home = await self._network.home()
        pool = home.pool(origin)
        # One budget for waiting, connecting and connecting anew; while a connection stands it is not spent.
        due = None if timeouts.connect is None else self.now() + timeouts.connect
        taken = pool.take(self._network.waiter)
        connection = await self._wait(pool, taken, timeouts, due, until) if isinstance(taken, Turn) else taken
        while True:
            is_fresh = connection is None
            if connection is None:
                connection = await self._make(pool, origin, timeouts, due, until)
            stood = self.now()
            answer = _Answer(self._network, connection, home, pool, timeouts.read)
            home.active.add(connection)
            try:
                if request.on_open is not None:
                    request.on_open(answer.discard)
                head = await connection.send(request, origin, target, timeouts.read, until)
                answer.unpacker = unpacker_of(head.headers.get("content-encoding", ""))
                if said := head.headers.get("keep-alive"):  # of one server, so it holds for all its connections
                    pool.idle_seconds = idle_seconds(said)
            except BaseException as error:
                if is_fresh or home.is_over or not answer.owned or not connection.was_stale(error, request):
                    await answer.close()
                    raise
                # The server closed it while it was idle; the others are as old. Its place is kept for a new one.
                answer.release()
                for idle in pool.drain():
                    idle.abort()
                connection = None
                due = None if due is None else due + self.now() - stood
            else:
                return HTTPResponse(head, answer)

    async def read(self, response: HTTPResponse, until: float | None) -> bytes:
        """Read the body to its end and close."""
        answer: _Answer = response.handle
        body = answer.rest()  # most are short, and came with the head
        return await read_whole(self, response, until) if body is None else body

    async def next_chunk(self, response: HTTPResponse, until: float | None) -> bytes:
        """Return the next bytes of the body, decoded; empty at its end."""
        answer: _Answer = response.handle
        if answer.ended:
            return b""
        try:
            if answer.unpacker is None:
                return await answer.next_piece(until)
            return await next_plain(answer.unpacker, lambda: answer.next_piece(until))
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

    async def _make(
        self, pool: Pool[Link], origin: Origin, timeouts: Timeouts, due: float | None, until: float | None
    ) -> Link:
        try:
            return await self.connect(origin, timeouts, due, until)
        except BaseException:
            pool.gone()
            raise

    async def _wait(
        self, pool: Pool[Link], turn: Turn[Link], timeouts: Timeouts, due: float | None, until: float | None
    ) -> Link | None:
        """Return a connection, or None for the right to make one; the caller owes the pool a `give` or `gone`."""
        seconds = timeouts.connect
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

    async def connect(self, origin: Origin, timeouts: Timeouts, due: float | None, until: float | None) -> Link:
        """Make a connection to *origin*; *due* is when the connect timer expires."""
        seconds = timeouts.connect
        is_last = until is not None and (due is None or until <= due)
        proxy = ""
        failure: Exception
        try:
            proxy = self.proxy_for(origin.scheme, origin.netloc)
            return Connection(await self._stream(origin, proxy, until if is_last else due), self._make_wire())
        except BaseException as error:
            if isinstance(error, FiberError) or not isinstance(error, Exception):
                raise
            where = f"{origin.host}:{origin.port}{' through its proxy' if proxy else ''}"
            failure = DeadlineReached() if is_last and has_expired(error) else unconnected(error, where, seconds)
        raise failure

    async def _stream(self, origin: Origin, proxy: str, due: float | None) -> Stream:
        if proxy:
            return await through(self._network.connect, proxy, origin, due)
        stream = await self._network.connect(origin.address or origin.host, origin.port, due)
        if origin.scheme == "https":
            await stream.start_tls(tls_context(), origin.host, due)
        return stream
