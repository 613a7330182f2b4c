"""What every transport must do on a real socket; each mirror runs all of it over its own."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar, copy_context
from traceback import walk_tb
from typing import Any

import pytest

from fiber import FiberConnectionError, FiberError, FiberParsingError, FiberTimeoutError, Secret, Timeouts
from fiber.transports.base import DeadlineReached, HTTPResponse, Transport, aside, detach, later
from fiber.types.http import HTTPRequest
from tests.transports.conftest import Answer, Exchange, Loopback

Serve = Callable[[Answer], Loopback]
Run = Callable[[Callable[[Transport], Awaitable[Any]]], Any]

CANARY = "sk-canary-0123456789"
LIMITS = Timeouts(connect=5, read=5)
SHORT = Timeouts(connect=5, read=0.03)


def get(server: Loopback | None = None, url: str = "", **headers: Any) -> HTTPRequest:
    """Make a request with a key."""
    given = tuple(headers.items())
    return HTTPRequest("POST", url or f"{server.url}/x", (("authorization", Secret(f"Bearer {CANARY}")), *given), b"{}")  # type: ignore[union-attr]


def until(transport: Transport, seconds: float | None) -> float | None:
    """Return the moment that is *seconds* ahead."""
    return None if seconds is None else transport.now() + seconds


async def fetch(
    transport: Transport, request: HTTPRequest, timeouts: Timeouts = LIMITS, seconds: float | None = 5
) -> bytes:
    """Send and read everything."""
    due = until(transport, seconds)
    return await transport.read(await transport.open(request, timeouts, due), due)


async def chunks(transport: Transport, response: HTTPResponse, seconds: float | None = 5) -> list[bytes]:
    """Read chunk by chunk."""
    found = []
    while chunk := await transport.next_chunk(response, until(transport, seconds)):
        found.append(chunk)
    return found


def hello(exchange: Exchange) -> None:
    """Answer."""
    exchange.answer(b"hello", "x-request-id: r1", "X-Two: a", "x-two: b")


class Cases:
    """Tests that need `run`: a fixture that runs a coroutine function with a transport of the mirror's kind."""

    def test_a_whole_answer_is_read(self, run: Run, serve: Serve) -> None:
        """Status, lower-case headers joined by a comma, body; the key was sent and the body too."""
        server = serve(hello)

        async def work(transport: Transport) -> Any:
            response = await transport.open(get(server), LIMITS, None)
            return response.head, await transport.read(response, None)

        head, body = run(work)

        assert (head.status, head.headers["x-request-id"], head.headers["x-two"], body) == (200, "r1", "a, b", b"hello")
        assert server.exchanges[0].headers["authorization"] == f"Bearer {CANARY}"
        assert (server.exchanges[0].line, server.exchanges[0].body) == ("POST /v1/x HTTP/1.1", b"{}")

    def test_a_connection_is_used_again(self, run: Run, serve: Serve) -> None:
        """After a body that was read to its end, also by chunks and after a deadline of the call before."""
        server = serve(hello)

        async def work(transport: Transport) -> None:
            await fetch(transport, get(server), seconds=5)
            await chunks(transport, await transport.open(get(server), LIMITS, None), 5)
            await transport.sleep(0.01)
            await fetch(transport, get(server), seconds=None)

        run(work)

        assert (server.connections, len(server.exchanges)) == (1, 3)

    def test_a_chunked_answer_comes_as_it_is_sent(self, run: Run, serve: Serve) -> None:
        """The first chunk is there before the second is sent."""
        import threading

        go = threading.Event()

        def answer(exchange: Exchange) -> None:
            exchange.begin()
            exchange.chunk(b"one")
            go.wait(5)
            exchange.chunk(b"two")
            exchange.chunk(b"")

        server = serve(answer)

        async def work(transport: Transport) -> list[bytes]:
            response = await transport.open(get(server), LIMITS, None)
            first = await transport.next_chunk(response, None)
            go.set()
            rest = await chunks(transport, response)
            await transport.close(response)
            return [first, *rest]

        assert run(work) == [b"one", b"two"]

    def test_an_encoded_answer_is_decoded(self, run: Run, serve: Serve) -> None:
        """The encoding is undone."""
        server = serve(lambda exchange: exchange.answer(gzip.compress(b"hello" * 99), "content-encoding: gzip"))

        assert run(lambda transport: fetch(transport, get(server))) == b"hello" * 99

    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", b"not gzip"),
            ("gzip", gzip.compress(b"hello" * 99, mtime=0)[:-9]),
            ("br", b"x"),
            ("gzip, gzip", b""),
        ],
    )
    def test_a_bad_encoding_is_an_error_of_ours(self, run: Run, serve: Serve, encoding: str, body: bytes) -> None:
        """What came cannot be read: not gzip, cut, or packed in a way that nobody asked for."""
        server = serve(lambda exchange: exchange.answer(body, f"content-encoding: {encoding}"))

        with pytest.raises(FiberParsingError, match="unpacked"):
            run(lambda transport: fetch(transport, get(server)))

    def test_a_connection_lost_in_the_body_is_of_unknown_outcome(self, run: Run, serve: Serve) -> None:
        """The provider may have done the work."""

        def answer(exchange: Exchange) -> None:
            exchange.begin()
            exchange.chunk(b"one")
            raise OSError

        server = serve(answer)

        with pytest.raises(FiberConnectionError, match="lost") as caught:
            run(lambda transport: fetch(transport, get(server)))
        assert caught.value.outcome == "unknown"
        assert caught.value.__cause__ is caught.value.__context__ is None

    @pytest.mark.parametrize("head", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"])
    def test_a_head_that_is_none_is_a_lost_connection(self, run: Run, serve: Serve, head: bytes) -> None:
        """Closed without a word, or with the wrong words."""

        def answer(exchange: Exchange) -> None:
            exchange.send(head)
            raise OSError

        server = serve(answer)

        with pytest.raises(FiberConnectionError) as caught:
            run(lambda transport: fetch(transport, get(server)))
        assert caught.value.outcome == "unknown"

    def test_a_head_that_does_not_come_reaches_the_deadline(self, run: Run, serve: Serve) -> None:
        """The engine says which timer that was; the connection is closed."""
        server = serve(lambda exchange: hello(exchange) if len(server.exchanges) == 1 else "hold")

        async def work(transport: Transport) -> bytes:
            await fetch(transport, get(server))  # so that nothing has to be imported or connected any more
            return await fetch(transport, get(server), seconds=0.03)

        with pytest.raises(DeadlineReached):
            run(work)
        assert server.wait_until_gone()

    def test_a_head_that_does_not_come_reaches_the_read_timer(self, run: Run, serve: Serve) -> None:
        """It names itself and its limit."""
        server = serve(lambda exchange: "hold")

        with pytest.raises(FiberTimeoutError, match=r"0\.03") as caught:
            run(lambda transport: fetch(transport, get(server), SHORT, None))
        assert (caught.value.timer, caught.value.seconds, caught.value.outcome) == ("read", 0.03, "unknown")
        assert server.wait_until_gone()

    @pytest.mark.parametrize("seconds", [None, 0.03, -1.0], ids=["read timer", "deadline", "deadline before"])
    def test_no_frame_of_an_error_has_the_key(self, run: Run, serve: Serve, seconds: float | None) -> None:
        """A traceback may be printed with its variables."""
        server = serve(lambda exchange: "hold")

        async def work(transport: Transport) -> list[str]:
            with pytest.raises((FiberTimeoutError, DeadlineReached)) as caught:
                await transport.open(get(server), SHORT, until(transport, seconds))
            ours = (frame for frame, _ in walk_tb(caught.tb) if "/tests/" not in frame.f_code.co_filename)
            return [
                f"{frame.f_code.co_name}: {name} = {value!r}"
                for frame in ours
                for name, value in frame.f_locals.items()
            ]

        shown = run(work)

        assert shown
        assert [line for line in shown if CANARY in line] == []

    @pytest.mark.parametrize(
        ("timeouts", "seconds", "kind"),
        [(SHORT, None, FiberTimeoutError), (SHORT, 5, FiberTimeoutError), (LIMITS, 0.03, DeadlineReached)],
    )
    def test_silence_in_the_body_reaches_the_sooner_limit(
        self, run: Run, serve: Serve, timeouts: Timeouts, seconds: float | None, kind: type[Exception]
    ) -> None:
        """Either the read timer or the moment given for this chunk, which may come after a later one."""

        def answer(exchange: Exchange) -> str:
            exchange.begin()
            exchange.chunk(b"one")
            return "hold"

        server = serve(answer)

        async def work(transport: Transport) -> None:
            response = await transport.open(get(server), timeouts, until(transport, 5))
            try:
                assert await transport.next_chunk(response, until(transport, 5)) == b"one"
                await transport.next_chunk(response, until(transport, seconds))
            finally:
                await transport.close(response)

        with pytest.raises(kind):
            run(work)
        assert server.wait_until_gone()

    def test_a_trickle_does_not_pass_the_deadline(self, run: Run, serve: Serve) -> None:
        """Every byte feeds the read timer, none the deadline."""
        import time

        def answer(exchange: Exchange) -> None:
            exchange.begin()
            while True:
                exchange.chunk(b"x")
                time.sleep(0.005)

        server = serve(answer)

        with pytest.raises(DeadlineReached):
            run(lambda transport: fetch(transport, get(server), seconds=0.06))
        assert server.wait_until_gone()

    @pytest.mark.parametrize("is_used", [False, True], ids=["new", "used"])
    def test_a_head_that_trickles_does_not_pass_the_deadline(self, run: Run, serve: Serve, is_used: bool) -> None:
        """The same before the body has begun, on a new connection and on a used one."""
        import time

        def answer(exchange: Exchange) -> None:
            if is_used and server.exchanges == [exchange]:
                hello(exchange)
                return
            exchange.send(b"HTTP/1.1 200 OK\r\nx-slow: ")
            while True:
                exchange.send(b"x")
                time.sleep(0.005)

        server = serve(answer)

        async def work(transport: Transport) -> None:
            if is_used:
                await fetch(transport, get(server))
            await fetch(transport, get(server), seconds=0.06)

        with pytest.raises(DeadlineReached):
            run(work)
        assert server.wait_until_gone()
        assert server.connections == 1

    def test_a_body_over_the_limit_is_not_read_on(
        self, run: Run, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is an error that is not retried, and the connection is closed."""
        monkeypatch.setattr("fiber.transports.base.MAX_BODY_BYTES", 10)

        def answer(exchange: Exchange) -> str:
            exchange.begin()
            exchange.chunk(b"x" * 11)
            return "hold"

        server = serve(answer)

        with pytest.raises(FiberConnectionError, match="longer than 10 bytes") as caught:
            run(lambda transport: fetch(transport, get(server)))
        assert not caught.value.is_retryable
        assert server.wait_until_gone()

    def test_redirects_are_not_followed(self, run: Run, serve: Serve) -> None:
        """The answer is the redirect itself."""
        server = serve(lambda exchange: exchange.answer(b"", "location: /elsewhere", status="307 Temporary Redirect"))

        async def work(transport: Transport) -> int:
            response = await transport.open(get(server), LIMITS, None)
            await transport.read(response, None)
            return response.head.status

        assert run(work) == 307
        assert len(server.exchanges) == 1

    def test_a_refused_connection_was_not_sent(self, run: Run) -> None:
        """Nobody listens there."""
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]

            with pytest.raises(FiberConnectionError, match="No connection") as caught:
                run(lambda transport: fetch(transport, get(url=f"http://127.0.0.1:{port}/")))
        assert caught.value.outcome == "not_sent"

    @pytest.mark.parametrize(
        ("url", "headers"),
        [
            ("http://127.0.0.1:999999/", {}),
            ("http://[::bad/", {}),
            ("http://" + "a" * 70 + ".example/", {}),
            ("", {"x-bad": f"{CANARY}\r\nx: y"}),
            ("", {"x-bad\n": CANARY}),
            ("", {"x-é": CANARY}),
            ("", {"x-bad": f"{CANARY}\ud800"}),
        ],
    )
    def test_what_cannot_be_written_is_an_error_of_ours(
        self, run: Run, serve: Serve, url: str, headers: dict[str, str]
    ) -> None:
        """Nothing is sent, nothing is retried, and no text holds the key."""
        server = serve(hello)

        with pytest.raises(FiberError) as caught:
            run(lambda transport: fetch(transport, get(server, url, **headers)))
        assert caught.value.outcome == "not_sent"
        assert CANARY not in f"{caught.value!r} {vars(caught.value)}"
        assert server.exchanges == []

    @pytest.mark.parametrize("how", ["close", "discard"])
    def test_an_answer_that_is_not_read_is_closed_with_its_connection(self, run: Run, serve: Serve, how: str) -> None:
        """The server sees it; closing again does no harm, and the next request gets a new connection."""

        def answer(exchange: Exchange) -> object:
            if len(server.exchanges) > 1:
                return hello(exchange)
            exchange.begin()
            exchange.chunk(b"one")
            return "hold"

        server = serve(answer)

        async def work(transport: Transport) -> bytes:
            response = await transport.open(get(server), LIMITS, None)
            await transport.next_chunk(response, None)
            if how == "close":
                await transport.close(response)
            else:
                transport.discard(response)
                await transport.sleep(0.01)
            await transport.close(response)
            transport.discard(response)
            return await fetch(transport, get(server))

        assert run(work) == b"hello"
        assert server.wait_until_gone()
        assert server.connections == 2

    def test_a_transport_that_was_shut_down_opens_again(self, run: Run, serve: Serve) -> None:
        """Whether a client may still call is decided above."""
        server = serve(hello)

        async def work(transport: Transport) -> list[bytes]:
            await transport.shutdown()
            first = await fetch(transport, get(server))
            await transport.shutdown()
            await transport.shutdown()
            return [first, await fetch(transport, get(server))]

        assert run(work) == [b"hello", b"hello"]
        assert server.connections == 2

    def test_a_name_is_looked_up(self, run: Run) -> None:
        """Every address comes once, however often the system lists it; an address is its own."""

        async def work(transport: Transport) -> list[list[str]]:
            return [
                await transport.resolve("localhost", 443, until(transport, 5)),
                await transport.resolve("127.0.0.1", 443, None),
            ]

        named, numeric = run(work)

        assert set(named) & {"127.0.0.1", "::1"}
        assert len(set(named)) == len(named)
        assert numeric == ["127.0.0.1"]

    @pytest.mark.parametrize("host", ["unknown.example", "a" * 70 + ".example", "nul\0.example"])
    def test_a_name_without_an_address_was_not_sent(self, run: Run, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
        """The name server does not know it, or it cannot be one."""

        def unknown(*args: object, **options: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        if host.startswith("unknown"):
            monkeypatch.setattr(socket, "getaddrinfo", unknown)

        with pytest.raises(FiberConnectionError, match="No address for") as caught:
            run(lambda transport: transport.resolve(host, 443, None))
        assert caught.value.outcome == "not_sent"

    def test_a_look_up_does_not_pass_the_deadline(self, run: Run) -> None:
        """Whoever asked for an address in time gets none late."""
        with pytest.raises(DeadlineReached):
            run(lambda transport: transport.resolve("127.0.0.1", 443, transport.now()))

    def test_an_address_is_connected_to_instead_of_the_host(self, run: Run, serve: Serve) -> None:
        """The server is told the name; nobody looks it up, and no request for another name gets the connection."""
        server = serve(hello)
        names = [f"{name}.invalid:{server.port}" for name in ("one", "two")]

        async def work(transport: Transport) -> list[bytes]:
            requests = [HTTPRequest("GET", f"http://{name}/x", address="127.0.0.1") for name in names]
            return [await fetch(transport, request) for request in requests]

        assert run(work) == [b"hello", b"hello"]
        assert [exchange.headers["host"] for exchange in server.exchanges] == names
        assert server.connections == 2

    @pytest.mark.parametrize("concurrency", [1, 2, 9])
    def test_a_crew_hands_out_every_outcome(self, run: Run, concurrency: int) -> None:
        """Whatever the number at a time; none of nothing, and none after the last."""

        async def work(transport: Transport) -> list[list[int]]:
            async def one(item: int) -> int:
                return item * 10

            async with transport.crew(one, iter(range(5)), concurrency) as crew:
                found = [outcome async for outcome in crew]
                after = [outcome async for outcome in crew]
            async with transport.crew(one, [], concurrency) as crew:
                return [sorted(found), after, [outcome async for outcome in crew]]

        assert run(work) == [[0, 10, 20, 30, 40], [], []]

    @pytest.mark.parametrize("concurrency", [1, 3])
    def test_a_crew_takes_items_when_outcomes_are_asked_for(self, run: Run, concurrency: int) -> None:
        """Never more than fit, however slow the caller is."""
        taken: list[int] = []
        ahead: list[int] = []

        def items() -> Iterator[int]:
            for item in range(20):
                taken.append(item)
                yield item

        async def work(transport: Transport) -> None:
            async def one(item: int) -> None:
                pass

            async with transport.crew(one, items(), concurrency) as crew:
                async for _ in crew:
                    await transport.sleep(0)
                    ahead.append(len(taken) - len(ahead))

        run(work)

        assert (len(taken), max(ahead)) == (20, concurrency)

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_a_crew_raises_what_its_work_raises(self, run: Run, concurrency: int) -> None:
        """As it is, not in a group; what comes later is not begun."""
        done: list[int] = []

        async def work(transport: Transport) -> None:
            async def one(item: int) -> None:
                done.append(item)
                if item == 0:
                    raise LookupError(item)
                await transport.sleep(0.01)

            async with transport.crew(one, range(50), concurrency) as crew:
                async for _ in crew:
                    pass

        with pytest.raises(LookupError, match="0"):
            run(work)
        assert len(done) <= concurrency + 1

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_a_crew_raises_what_its_items_raise(self, run: Run, concurrency: int) -> None:
        """The iterator of the caller may fail too."""

        def items() -> Iterator[int]:
            yield 1
            raise LookupError("items")

        async def work(transport: Transport) -> None:
            async def one(item: int) -> None:
                pass

            async with transport.crew(one, items(), concurrency) as crew:
                async for _ in crew:
                    pass

        with pytest.raises(LookupError, match="items"):
            run(work)

    @pytest.mark.parametrize("concurrency", [1, 2])
    def test_leaving_a_crew_waits_for_what_is_in_flight(self, run: Run, concurrency: int) -> None:
        """Whatever the block raises comes out as it is, and nothing runs on."""
        begun: list[int] = []
        ended: list[int] = []

        async def work(transport: Transport) -> None:
            async def one(item: int) -> None:
                begun.append(item)
                try:
                    await transport.sleep(0.01 * item)
                finally:
                    ended.append(item)

            async with transport.crew(one, range(9), concurrency) as crew:
                async for _ in crew:
                    raise LookupError("block")

        with pytest.raises(LookupError, match="block"):
            run(work)
        assert sorted(begun) == sorted(ended) != []

    def test_work_beside_has_the_context_of_the_caller(self, run: Run) -> None:
        """What the application has bound is at hand in its threads and tasks, for logs and spans."""
        bound: ContextVar[str] = ContextVar("bound", default="nothing")
        seen: dict[str, str] = {}

        def see(where: str) -> None:
            seen[where] = bound.get()

        async def work(transport: Transport) -> None:
            bound.set("something")

            async def see_later() -> None:
                see("later")

            await aside(transport, lambda: see("aside"))
            detach(transport, lambda: see("detach"))
            await later(transport, see_later)
            due = transport.now() + 10
            while len(seen) < 3 and transport.now() < due:
                await transport.sleep(0.001)

        copy_context().run(run, work)

        assert seen == dict.fromkeys(("aside", "detach", "later"), "something")

    def test_time_goes_on(self, run: Run) -> None:
        """The clock is monotonic and `sleep` waits on it."""

        async def work(transport: Transport) -> float:
            before = transport.now()
            await transport.sleep(0.01)
            return transport.now() - before

        assert run(work) >= 0.009
