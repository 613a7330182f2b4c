"""The transport of our own, in its three worlds."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest

from fiber import (
    Fiber,
    FiberConnectionError,
    FiberTimeoutError,
    FiberValidationError,
    Timeouts,
    openai_compatible,
)
from fiber._engine import run_sync
from fiber.transports import direct, network, pool
from fiber.transports.base import DeadlineReached
from fiber.transports.blocking import Threads
from fiber.transports.direct import DirectTransport, Home
from fiber.transports.loops import Loops
from fiber.transports.origin import Origin
from fiber.transports.proxy import no_proxy
from fiber.types.http import HTTPRequest
from tests.tls import NAME, TLSLoopback, trusting
from tests.transports import tunnels
from tests.transports.cases import CANARY, LIMITS, Serve, fetch, get, hello
from tests.transports.conftest import PATIENCE, Answer, Exchange, Loopback
from tests.transports.sockets import black_hole, names, open_to
from tests.transports.steps import WAYS

Work = Callable[[DirectTransport], Awaitable[Any]]
Run = Callable[..., Any]
ServeTLS = Callable[[Answer], Loopback]

FAST = Timeouts(connect=0.03, read=5)


@pytest.fixture(params=["asyncio", "trio", "blocking"])
def world(request: pytest.FixtureRequest) -> str:
    """Where the sockets live."""
    return str(request.param)


@pytest.fixture
def run(world: str) -> Run:
    """Run a coroutine function over a transport of its own."""

    def finish(work: Work, proxy: str = "") -> Any:
        def proxy_for(scheme: str, host: str) -> str:
            return proxy

        if world == "blocking":
            blocking = DirectTransport(Threads(), proxy_for if proxy else no_proxy)
            try:
                return run_sync(work(blocking))
            finally:
                run_sync(blocking.shutdown())

        async def main() -> Any:
            transport = DirectTransport(Loops(), proxy_for if proxy else no_proxy)
            try:
                return await work(transport)
            finally:
                await transport.shutdown()

        return anyio.run(main, backend=world)

    return finish


@pytest.fixture
def serve_tls(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServeTLS]:
    """Start servers that speak TLS as `NAME`, and trust them."""
    context = trusting()
    monkeypatch.setattr("fiber.transports.direct.tls_context", lambda: context)
    monkeypatch.setattr("fiber.transports.proxy.tls_context", lambda: context)
    servers: list[Loopback] = []

    def start(answer: Answer) -> Loopback:
        servers.append(TLSLoopback(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def secure(server: Loopback, host: str = NAME) -> HTTPRequest:
    """Make a request to a server that speaks TLS."""
    return msgspec.structs.replace(get(url=f"https://{host}:{server.port}/x"), address="127.0.0.1")


async def well(transport: DirectTransport) -> bool:
    """Say whether the pools count what is there, and nobody uses or awaits anything."""
    home = await transport._network.home()
    pools = home._pools.values()
    return not home.active and all(one.count == len(one._idle) and not one._waiting for one in pools)


async def closed(transport: DirectTransport, port: int, count: int = 0) -> int:
    """Wait until no more than *count* sockets to *port* are open, and return how many there are."""
    for _ in range(1000):
        if open_to(port) <= count:
            break
        await transport.sleep(0.001)
    return open_to(port)


# -- connections that went stale ----------------------------------------------------------------------------------


def leaving(first: Callable[[Exchange], object]) -> tuple[Answer, list[int]]:
    """Answer well on each new connection; what comes second on one is handled by *first*."""
    seen: list[int] = []
    known: set[int] = set()

    def answer(exchange: Exchange) -> object:
        key = id(exchange.connection)
        seen.append(key)
        if key in known:
            return first(exchange)
        known.add(key)
        kept.append(exchange.connection)
        return hello(exchange)

    kept: list[socket.socket] = []  # so that no id is used twice
    return answer, seen


def hang_up(exchange: Exchange) -> None:
    """Close without a word."""
    raise OSError


def reset(exchange: Exchange) -> None:
    """Close with a reset."""
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    exchange.connection.close()
    raise OSError


def say_half(exchange: Exchange) -> None:
    """Begin to answer, and close."""
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    raise OSError


def test_a_connection_that_was_closed_while_idle_is_replaced(run: Run, serve: Serve) -> None:
    """It is seen before anything is sent."""

    def answer(exchange: Exchange) -> None:
        hello(exchange)
        raise OSError

    server = serve(answer)

    async def work(transport: DirectTransport) -> bool:
        for _ in range(3):
            assert await fetch(transport, get(server)) == b"hello"
            await transport.sleep(0.01)
        return await well(transport)

    assert run(work)
    assert (server.connections, len(server.exchanges)) == (3, 3)


@pytest.mark.parametrize("leave", [hang_up, reset])
def test_a_connection_that_closes_under_a_request_is_replaced_once(
    run: Run, serve: Serve, leave: Callable[[Exchange], object]
) -> None:
    """Exactly one more request, over a new connection; the other idle ones, which are as old, are not even tried."""
    answer, seen = leaving(leave)
    server = serve(answer)

    async def work(transport: DirectTransport) -> bool:
        two = [await transport.open(get(server), LIMITS, None) for _ in range(2)]
        for response in two:
            await transport.read(response, None)
        assert await fetch(transport, get(server)) == b"hello"
        return await well(transport) and idle(await transport._network.home()) == 1

    assert run(work)
    assert (len(seen), server.connections) == (4, 3)


@pytest.mark.parametrize("leave", [hang_up, reset])
def test_what_must_not_be_repeated_is_not(run: Run, serve: Serve, leave: Callable[[Exchange], object]) -> None:
    """It may have been received: the caller must decide."""
    answer, seen = leaving(leave)
    server = serve(answer)
    once = msgspec.structs.replace(get(server), repeatable=False)

    async def work(transport: DirectTransport) -> bool:
        await fetch(transport, once)
        with pytest.raises(FiberConnectionError) as caught:
            await fetch(transport, once)
        assert caught.value.outcome == "unknown"
        return await well(transport)

    assert run(work)
    assert len(seen) == 2


def test_an_answer_that_has_begun_is_never_asked_for_again(run: Run, serve: Serve) -> None:
    """Even if it was but a word."""
    answer, seen = leaving(say_half)
    server = serve(answer)

    async def work(transport: DirectTransport) -> bool:
        await fetch(transport, get(server))
        with pytest.raises(FiberConnectionError):
            await fetch(transport, get(server))
        return await well(transport)

    assert run(work)
    assert len(seen) == 2


def test_a_new_connection_that_closes_is_not_replaced(run: Run, serve: Serve) -> None:
    """That is a failure, and whether to try again is decided above."""
    server = serve(hang_up)

    async def work(transport: DirectTransport) -> bool:
        with pytest.raises(FiberConnectionError):
            await fetch(transport, get(server))
        return await well(transport)

    assert run(work)
    assert len(server.exchanges) == 1


@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("GET", 2)])
def test_a_raw_request_that_creates_something_is_sent_once(serve: Serve, method: str, times: int) -> None:
    """Reading may be repeated."""
    answer, seen = leaving(hang_up)
    server = serve(answer)
    fiber = Fiber(providers=[openai_compatible("local", server.url)], transport="direct")
    fiber.sync.request("GET", "/x", provider="local")

    if times == 1:
        with pytest.raises(FiberConnectionError, match="lost"):
            fiber.sync.request(method, "/x", provider="local")
    else:
        fiber.sync.request(method, "/x", provider="local")
    fiber.sync.close()

    assert len(seen) - 1 == times


# -- early answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stays", [False, True])
def test_an_answer_may_come_while_the_request_is_being_written(run: Run, stays: bool) -> None:
    """It is what the caller gets; the connection, which would carry the rest of the request, is not used again."""
    done = Event()
    answers = [0]

    def serve_one(listener: socket.socket) -> None:
        for _ in range(2):
            peer, _ = listener.accept()
            with peer:
                peer.recv(100)
                answers[0] += 1
                peer.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
                done.wait(PATIENCE if stays else 0.01)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve_one, args=(listener,), daemon=True)
        thread.start()
        request = HTTPRequest("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/", (), b"x" * 5_000_000)

        async def work(transport: DirectTransport) -> list[object]:
            said: list[object] = []
            for _ in range(2):
                response = await transport.open(request, Timeouts(read=PATIENCE), None)
                said += [response.head.status, await transport.read(response, None)]
                if stays:
                    done.set()
                    await transport.sleep(0.01)
                    done.clear()
            return [*said, await well(transport)]

        said = run(work)
        done.set()
        thread.join(PATIENCE)

    assert said == [413, b"big", 413, b"big", True]
    assert answers == [2]


# -- connecting ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeouts", "seconds", "kind"),
    [(FAST, None, FiberTimeoutError), (FAST, 5, FiberTimeoutError), (LIMITS, 0.03, DeadlineReached)],
)
def test_an_origin_that_never_answers_reaches_the_sooner_limit(
    run: Run, timeouts: Timeouts, seconds: float | None, kind: type[Exception]
) -> None:
    """The connect timer says so, and where; nothing stays open."""

    async def work(transport: DirectTransport) -> tuple[Any, bool, int]:
        with pytest.raises(kind) as caught:
            await fetch(transport, get(url=f"http://127.0.0.1:{port}/"), timeouts, seconds)
        return caught.value, await well(transport), await closed(transport, port, before)

    with black_hole() as port:
        before, start = open_to(port), time.monotonic()
        error, is_well, after = run(work)

    assert (is_well, after) == (True, before)
    assert time.monotonic() - start > 0.027
    if kind is FiberTimeoutError:
        assert (error.timer, error.seconds, error.outcome) == ("connect", 0.03, "not_sent")
        assert f"127.0.0.1:{port}" in error.message


def test_tls_is_spoken_with_whom_the_url_names(run: Run, serve_tls: ServeTLS) -> None:
    """And the connection is used again."""
    server = serve_tls(hello)

    async def work(transport: DirectTransport) -> list[bytes]:
        return [await fetch(transport, secure(server)) for _ in range(3)]

    assert run(work) == [b"hello"] * 3
    assert server.connections == 1


@pytest.mark.parametrize("whom", ["another name", "nobody trusted", "no TLS"])
def test_tls_with_the_wrong_one_is_final(
    run: Run, serve: Serve, serve_tls: ServeTLS, monkeypatch: pytest.MonkeyPatch, whom: str
) -> None:
    """The host is named; nothing was sent, and nothing is tried again."""
    server = serve(hello) if whom == "no TLS" else serve_tls(hello)
    if whom == "nobody trusted":
        monkeypatch.setattr(direct, "tls_context", ssl.create_default_context)
    host = "other.example.com" if whom == "another name" else NAME

    async def work(transport: DirectTransport) -> tuple[Any, bool, int]:
        with pytest.raises(FiberConnectionError, match=f"TLS failed with {host}:{server.port}") as caught:
            await fetch(transport, secure(server, host))
        return caught.value, await well(transport), await closed(transport, server.port)

    if whom == "no TLS":
        with _talker(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            server.port, real = port, server.port
            error, is_well, count = run(work)
            server.port = real
    else:
        error, is_well, count = run(work)

    assert (error.outcome, error.is_retryable, error.__context__) == ("not_sent", False, None)
    assert (is_well, count, server.exchanges) == (True, 0, [])


class _talker:
    """A server that says one thing to whoever connects."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = Thread(target=self._talk, daemon=True)

    def _talk(self) -> None:
        peer, _ = self._listener.accept()
        peer.settimeout(PATIENCE)
        with peer:
            try:
                peer.sendall(self._said)
                while peer.recv(65536):
                    pass
            except OSError:
                pass

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._thread.join(PATIENCE)
        self._listener.close()


def test_plain_http_with_a_server_that_speaks_tls_is_an_error(run: Run, serve_tls: ServeTLS) -> None:
    """What came back is no HTTP, or nothing."""
    server = serve_tls(hello)

    async def work(transport: DirectTransport) -> bool:
        with pytest.raises(FiberConnectionError):
            await fetch(transport, get(url=f"http://127.0.0.1:{server.port}/"))
        return await well(transport)

    assert run(work)
    assert server.exchanges == []


def test_a_handshake_that_hangs_reaches_the_connect_timer(run: Run, serve_tls: ServeTLS) -> None:
    """The server sees that it was given up."""

    async def work(transport: DirectTransport) -> tuple[Any, bool, int]:
        with pytest.raises(FiberTimeoutError) as caught:
            await fetch(
                transport, msgspec.structs.replace(get(url=f"https://{NAME}:{port}/"), address="127.0.0.1"), FAST
            )
        return caught.value, await well(transport), await closed(transport, port)

    with _talker(b"") as port:
        error, is_well, count = run(work)

    assert (error.timer, error.outcome, is_well, count) == ("connect", "not_sent", True, 0)


# -- proxies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("through_tls", [False, True])
@pytest.mark.parametrize("to_tls", [False, True])
def test_an_origin_is_reached_through_a_proxy(
    run: Run, serve: Serve, serve_tls: ServeTLS, monkeypatch: pytest.MonkeyPatch, through_tls: bool, to_tls: bool
) -> None:
    """Both may speak TLS; the proxy is told where to, and its password, and nothing else; the tunnel is used again."""
    names(monkeypatch, NAME, "127.0.0.1")
    origin = (serve_tls if to_tls else serve)(hello)
    proxy = (serve_tls if through_tls else serve)(tunnels.to(origin.port))
    request = secure(origin) if to_tls else get(origin)
    url = f"http{'s' * through_tls}://user:word@{NAME}:{proxy.port}"

    async def work(transport: DirectTransport) -> list[bytes]:
        return [await fetch(transport, request) for _ in range(2)]

    assert run(work, url) == [b"hello"] * 2
    assert proxy.exchanges[0].line == f"CONNECT 127.0.0.1:{origin.port} HTTP/1.1"
    assert proxy.exchanges[0].headers["proxy-authorization"] == "Basic dXNlcjp3b3Jk"
    assert "authorization" not in proxy.exchanges[0].headers
    assert (proxy.connections, origin.connections, len(origin.exchanges)) == (1, 1, 2)
    assert origin.exchanges[0].headers["authorization"] == f"Bearer {CANARY}"


@pytest.mark.parametrize(
    ("said", "words", "retried"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407", False),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502", True),
        (b"garbage\r\n\r\n", "HTTP", True),
        (b"", "ended", True),
    ],
)
def test_a_proxy_that_refuses_is_an_error(run: Run, serve: Serve, said: bytes, words: str, retried: bool) -> None:
    """Without its password; nothing was sent to anybody."""

    def answer(exchange: Exchange) -> None:
        exchange.send(said)
        raise OSError

    proxy = serve(answer)

    async def work(transport: DirectTransport) -> tuple[Any, bool, int]:
        with pytest.raises(FiberConnectionError, match=words) as caught:
            await fetch(transport, get(url="http://a.example/"))
        return caught.value, await well(transport), await closed(transport, proxy.port)

    error, is_well, count = run(work, f"http://user:{CANARY}@127.0.0.1:{proxy.port}")

    assert (error.outcome, error.is_retryable, is_well, count) == ("not_sent", retried, True, 0)
    assert CANARY not in f"{error!r} {vars(error)}"


def test_a_proxy_that_hangs_reaches_the_connect_timer(run: Run, serve: Serve) -> None:
    """And is named as what does not answer."""
    proxy = serve(lambda exchange: "hold")

    async def work(transport: DirectTransport) -> tuple[Any, bool, int]:
        with pytest.raises(FiberTimeoutError, match=r"a\.example:80 through its proxy") as caught:
            await fetch(transport, get(url="http://a.example/"), FAST)
        return caught.value, await well(transport), await closed(transport, proxy.port)

    error, is_well, count = run(work, f"http://user:{CANARY}@127.0.0.1:{proxy.port}")

    assert (error.timer, is_well, count) == ("connect", True, 0)
    assert CANARY not in f"{error!r} {vars(error)}"


def test_a_proxy_of_another_kind_is_refused(run: Run) -> None:
    """Before anything is connected."""

    async def work(transport: DirectTransport) -> bool:
        with pytest.raises(FiberValidationError, match="socks5"):
            await fetch(transport, get(url="http://a.example/"))
        return await well(transport)

    assert run(work, f"socks5://user:{CANARY}@127.0.0.1:1")


def test_a_client_reads_its_proxy_from_the_environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """And which hosts need none."""
    origin = serve(hello)
    proxy = serve(tunnels.to(origin.port))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    said = []
    for base in ("http://a.example", origin.url):
        fiber = Fiber(providers=[openai_compatible("local", base, allow_http=True)], transport="direct")
        said.append(fiber.sync.request("GET", "/x", provider="local").body)
        fiber.sync.close()

    assert said == [b"hello"] * 2
    assert [exchange.line for exchange in proxy.exchanges] == ["CONNECT a.example:80 HTTP/1.1"]


# -- the pool -----------------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be one connection to each origin."""
    monkeypatch.setattr(network, "Pool", lambda now: pool.Pool(now, 1))


@pytest.mark.usefixtures("narrow")
def test_a_hundred_calls_share_one_connection(run: Run, serve: Serve) -> None:
    """Each gets its own answer."""
    server = serve(lambda exchange: exchange.answer(exchange.body))

    async def work(transport: DirectTransport) -> tuple[list[int], bool]:
        right: list[int] = []

        async def one(number: int) -> None:
            said = await fetch(transport, HTTPRequest("POST", f"{server.url}/x", (), str(number).encode()))
            right.append(number if said == str(number).encode() else -1)

        async with transport.crew(one, range(100), 20) as crew:
            assert [outcome async for outcome in crew] == [None] * 100
        return right, await well(transport)

    right, is_well = run(work)

    assert (sorted(right), is_well, server.connections) == (list(range(100)), True, 1)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.usefixtures("narrow")
def test_who_comes_first_gets_the_connection_first(serve: Serve, backend: str) -> None:
    """In the order in which they began to wait, over one connection."""
    server = serve(hello)
    order: list[int] = []

    async def main() -> None:
        transport = DirectTransport(Loops())

        async def one(number: int) -> None:
            await fetch(transport, get(server))
            order.append(number)

        async with anyio.create_task_group() as group:
            first = await transport.open(get(server), LIMITS, None)
            for number in range(20):
                group.start_soon(one, number)
                await anyio.lowlevel.checkpoint()  # a task group of trio begins its tasks in no order
            await transport.read(first, None)
        await transport.shutdown()

    anyio.run(main, backend=backend)

    assert order == list(range(20))
    assert server.connections == 1


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(
    ("timeouts", "seconds", "kind"),
    [(FAST, None, FiberTimeoutError), (FAST, 5, FiberTimeoutError), (LIMITS, 0.03, DeadlineReached)],
)
def test_waiting_for_a_connection_reaches_the_sooner_limit(
    run: Run, serve: Serve, timeouts: Timeouts, seconds: float | None, kind: type[Exception]
) -> None:
    """It says what is wrong; later there is a connection again."""
    server = serve(hello)

    async def work(transport: DirectTransport) -> tuple[Any, bytes, bool]:
        first = await transport.open(get(server), LIMITS, None)
        with pytest.raises(kind) as caught:
            await fetch(transport, get(server), timeouts, seconds)
        await transport.close(first)
        return caught.value, await fetch(transport, get(server)), await well(transport)

    error, said, is_well = run(work)

    assert (said, is_well) == (b"hello", True)
    if kind is FiberTimeoutError:
        assert (error.timer, error.seconds, error.outcome) == ("connect", 0.03, "not_sent")
        assert "in use" in error.message


def test_many_origins_do_not_stay_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pools without a connection are forgotten, idle connections closed; those in use stay."""
    monkeypatch.setattr(network, "MANY_ORIGINS", 3)
    home = Home(lambda: 0.0)
    origins = [Origin("http", f"{number}.example", 80) for number in range(4)]
    pools = [home.pool(origin) for origin in origins[:3]]
    pools[0].take(lambda: None)  # type: ignore[arg-type, return-value]

    fourth = home.pool(origins[3])

    assert home._pools == {origins[0]: pools[0], origins[3]: fourth}
    assert home.pool(origins[0]) is pools[0]


# -- closing ------------------------------------------------------------------------------------------------------


def test_closing_an_answer_after_its_end_does_nothing_to_the_next_one(run: Run, serve: Serve) -> None:
    """Its connection serves somebody else by then."""
    server = serve(hello)

    async def work(transport: DirectTransport) -> tuple[bytes, bytes, bool]:
        first = await transport.open(get(server), LIMITS, None)
        await transport.read(first, None)
        second = await transport.open(get(server), LIMITS, None)
        for _ in range(2):
            await transport.close(first)
            transport.discard(first)
        again = await transport.next_chunk(first, None)
        return again, await transport.read(second, None), await well(transport)

    assert run(work) == (b"", b"hello", True)
    assert server.connections == 1


def test_what_was_received_before_a_close_may_still_be_read(run: Run, serve: Serve) -> None:
    """Its end gives back a connection that is closed already: once, not twice."""
    server = serve(hello)

    async def work(transport: DirectTransport) -> tuple[list[bytes], bool]:
        response = await transport.open(get(server), LIMITS, None)
        connection, received = response.handle.connection, b""
        wire = connection._wire
        while received != b"hello":
            while (piece := wire.next()) is None:
                wire.receive(await connection._stream.read(None))
            received += piece
        connection._wire = SimpleNamespace(next=iter([b"hello", b""]).__next__, again=wire.again)
        await transport.close(response)
        said = [await transport.next_chunk(response, None) for _ in range(3)]
        return said, await well(transport)

    assert run(work) == ([b"hello", b"", b""], True)


def test_a_body_without_length_that_is_closed_here_has_no_end(run: Run, serve: Serve) -> None:
    """A reader that is cut off by a shutdown does not take what it got for the whole."""

    def answer(exchange: Exchange) -> str:
        exchange.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        return "hold"

    server = serve(answer)

    async def work(transport: DirectTransport) -> tuple[bytes, bool]:
        response = await transport.open(get(server), LIMITS, None)
        half = await transport.next_chunk(response, None)
        home = await transport._network.home()
        await transport.shutdown()
        with pytest.raises(FiberConnectionError, match="closed on this side"):
            await transport.next_chunk(response, None)
        return half, not home.active

    assert run(work) == (b"half", True)


def test_a_call_that_is_cut_off_by_a_shutdown_is_not_begun_again(run: Run, serve: Serve, world: str) -> None:
    """Its connection was idle once, and the server said nothing: but it was not the server who closed it."""
    entered = Event()
    answer, seen = leaving(lambda exchange: (entered.set(), "hold")[1])
    server = serve(answer)

    async def work(transport: DirectTransport) -> None:
        await fetch(transport, get(server))
        if world == "blocking":
            closer = Thread(target=lambda: (entered.wait(PATIENCE), run_sync(transport.shutdown())))
            closer.start()
            try:
                await fetch(transport, get(server))
            finally:
                closer.join(PATIENCE)
            return

        async def close() -> None:
            await anyio.to_thread.run_sync(entered.wait)
            await transport.shutdown()

        failures: list[Exception] = []
        async with anyio.create_task_group() as group:
            group.start_soon(close)
            try:
                await fetch(transport, get(server))
            except FiberConnectionError as error:
                failures.append(error)
        raise failures[0]

    with pytest.raises(FiberConnectionError, match="closed on this side"):
        run(work)
    assert len(seen) == 2


def test_what_is_connected_after_a_shutdown_is_closed_after_use(run: Run, serve: Serve, world: str) -> None:
    """The call that was on its way ends well, and leaves no connection that nobody would ever close."""
    server = serve(hello)

    async def work(transport: DirectTransport) -> tuple[bytes, int]:
        response = await transport.open(get(server), LIMITS, None)
        home = await transport._network.home()
        home.active.clear()  # as if it were only now being connected
        await transport.shutdown()
        said = await transport.read(response, None)
        return said, await closed(transport, server.port)

    assert run(work) == (b"hello", 0)


# -- cancellation -------------------------------------------------------------------------------------------------


def slow_hello(exchange: Exchange) -> None:
    """Answer in pieces, so that there is something to wait for."""
    exchange.begin("content-type: text/plain")
    for piece in (b"hel", b"lo", b""):
        time.sleep(0.002)
        exchange.chunk(piece)


SCENES = ("address", "name", "addresses", "tls", "proxy", "proxy to tls", "turn", "long body", "again")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_read_closes_by_itself(serve: Serve, backend: str) -> None:
    """Whoever cancels a reader need not close the answer: half of a chunk may be lost."""
    server = serve(lambda exchange: (exchange.begin(), exchange.chunk(b"one"), "hold")[2])

    async def main() -> tuple[bool, int]:
        transport = DirectTransport(Loops())
        response = await transport.open(get(server), LIMITS, None)
        assert await transport.next_chunk(response, None) == b"one"
        with anyio.move_on_after(0.01):
            await transport.next_chunk(response, None)
        end = await well(transport), await closed(transport, server.port)
        await transport.shutdown()
        return end

    assert anyio.run(main, backend=backend) == (True, 0)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_call_may_be_cancelled_at_each_of_its_steps(
    serve: Serve, serve_tls: ServeTLS, monkeypatch: pytest.MonkeyPatch, scene: str, way: str
) -> None:
    """No socket stays open, no place in the pool is lost, and the next call is good."""
    backend, cancelled = WAYS[way]
    over_tls = scene.endswith("tls")
    server = (serve_tls if over_tls else serve)(slow_hello)
    proxy = serve(tunnels.to(server.port)) if scene.startswith("proxy") else None
    near = proxy or server
    names(monkeypatch, "named.example", "127.0.0.1", *["127.0.0.2"] * (scene == "addresses"))
    monkeypatch.setattr("fiber.transports.asyncio_stream._NEXT_ADDRESS_SECONDS", 0.0)
    host = "127.0.0.1" if scene in ("address", "turn", "long body", "again", "proxy") else "named.example"
    request = secure(server) if over_tls else get(url=f"http://{host}:{server.port}/x")
    if scene == "long body":
        request = msgspec.structs.replace(request, body=b"x" * 1_500_000)
    if scene == "turn":
        monkeypatch.setattr(network, "Pool", lambda now: pool.Pool(now, 1))

    async def call(transport: DirectTransport) -> None:
        if scene == "turn":
            first = await transport.open(request, LIMITS, None)
            async with anyio.create_task_group() as group:
                group.start_soon(transport.read, first, None)
                assert await fetch(transport, request) == b"hello"
            return
        for _ in range(2 if scene == "again" else 1):
            assert await fetch(transport, request) == b"hello"

    async def main() -> int:
        for step in range(1, 200):
            transport = DirectTransport(Loops(), lambda *_: f"http://127.0.0.1:{proxy.port}" if proxy else "")
            was_over = await cancelled(lambda: call(transport), step)  # noqa: B023
            for _ in range(1000):
                if open_to(near.port) == idle(await transport._network.home()):
                    break
                await anyio.sleep(0.001)
            home = await transport._network.home()
            assert open_to(near.port) == idle(home), step
            assert await well(transport), step
            if step % 5 == 1:
                assert await fetch(transport, request) == b"hello"
            await transport.shutdown()
            assert await closed(transport, near.port) == 0, step
            if was_over:
                return step
        raise AssertionError("it never came to an end")

    steps = anyio.run(main, backend=backend)

    assert steps > 3


def idle(home: Home) -> int:
    """Return how many connections wait for a request."""
    return sum(len(one._idle) for one in home._pools.values())


@pytest.mark.parametrize(
    ("says", "connections"), [("", 1), ("keep-alive: timeout=10\r\n", 1), ("keep-alive: timeout=0\r\n", 3)]
)
def test_a_connection_is_idle_no_longer_than_the_server_says(
    run: Run, serve: Serve, says: str, connections: int
) -> None:
    """One that the server is about to close is not used again."""

    def answer(exchange: Exchange) -> None:
        exchange.send(f"HTTP/1.1 200 OK\r\n{says}content-length: 5\r\n\r\nhello".encode())

    server = serve(answer)

    async def work(transport: DirectTransport) -> tuple[list[bytes], bool]:
        return [await fetch(transport, get(server)) for _ in range(3)], await well(transport)

    said, is_well = run(work)

    assert (said, is_well) == ([b"hello"] * 3, True)
    assert server.connections == connections


# -- the connect timer ----------------------------------------------------------------------------------------------


class Slow(Threads):
    """
    A network whose clock moves when somebody waits; nobody ever connects.

    Attributes:
        clock: The time.
        connects: When the connect timer expires, for each attempt to connect.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = 100.0
        self.connects: list[float | None] = []
        self.now = lambda: self.clock  # type: ignore[method-assign]

    async def connect(self, host: str, port: int, due: float | None) -> Any:
        """Wait for nothing, up to the end."""
        self.connects.append(due)
        raise TimeoutError


class Stale:
    """A connection that the server has closed; it takes *seconds* until that is known."""

    def __init__(self, network: Slow, seconds: float) -> None:
        self.network, self.seconds = network, seconds

    async def send(self, *_: object) -> Any:
        """Fail."""
        self.network.clock += self.seconds
        raise FiberConnectionError("lost", outcome="unknown")

    def was_stale(self, *_: object) -> bool:
        """It was."""
        return True

    def is_dead(self) -> bool:
        """It does not look so."""
        return False

    def abort(self) -> None:
        """Close it."""


@pytest.mark.parametrize("connect", [5.0, None])
@pytest.mark.parametrize("stands", [0.0, 60.0])
def test_one_connect_timer_bounds_the_waiting_and_the_connecting(
    monkeypatch: pytest.MonkeyPatch, connect: float | None, stands: float
) -> None:
    """What a turn in the pool took is not there for connecting any more, but what a stale connection took is."""
    monkeypatch.setattr(pool.Pool.__init__, "__defaults__", (1,))
    slow = Slow()
    transport = DirectTransport(slow)
    home = run_sync(slow.home())
    one = home.pool(Origin("http", "h", 80))
    assert one.take(slow.waiter) is None  # somebody has the only place

    class Waiter:
        async def wait(self, due: float | None) -> None:
            waited.append(due)
            slow.clock += 3.0
            one.give(Stale(slow, stands))

        def wake(self) -> None:
            pass

    waited: list[float | None] = []
    monkeypatch.setattr(slow, "waiter", Waiter)
    with pytest.raises(FiberTimeoutError) as caught:
        run_sync(transport.open(get(url="http://h/"), Timeouts(connect=connect), None))

    assert waited == [connect and 105.0]
    assert slow.connects == [connect and 105.0 + stands]
    assert (caught.value.timer, caught.value.seconds, caught.value.outcome) == ("connect", connect, "not_sent")
    assert one.count == 0
