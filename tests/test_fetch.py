"""Fetching what a URL names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from fiber import (
    Audio,
    Document,
    FetchPolicy,
    Fiber,
    FiberClosedError,
    FiberConnectionError,
    FiberError,
    FiberTimeoutError,
    FiberValidationError,
    Image,
)
from fiber._engine import run_sync
from fiber._fetch import fetch
from fiber.testing.fake import FakeReply, FakeTransport, lost
from fiber.transports import direct, library
from fiber.transports.base import Transport
from fiber.transports.choice import for_loops, for_threads
from fiber.transports.proxy import no_proxy
from tests.kit import KEY, MODEL, whole
from tests.tls import NAME, TLSLoopback, trusting
from tests.transports.conftest import LIBRARY, Exchange

PNG = b"\x89PNG\r\n\x1a\n rest"
PUBLIC = ["93.184.216.34"]
URL = "https://example.com/a/river.png?key=very-secret"
ANY = FetchPolicy(hosts=("example.com", "*.example.org", "example.com:8443", "93.184.216.34", "127.0.0.1", "[::1]"))
HOSTS = ("example.com", "a.example.org", "93.184.216.34")


def sent(content_type: str, *chunks: Any, status: int = 200, **headers: str) -> FakeReply:
    """Make the answer of a web server."""
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return FakeReply(status, {"content-type": content_type, **names}, chunks)


def web(*script: Any, addresses: list[str] | None = None) -> FakeTransport:
    """Make a transport that knows the hosts of these tests."""
    transport = FakeTransport(*script)
    transport.addresses = dict.fromkeys(HOSTS, PUBLIC if addresses is None else addresses)
    return transport


def fetched(transport: FakeTransport, url: Any = URL, policy: FetchPolicy = ANY) -> Any:
    """Fetch."""
    return run_sync(fetch(transport, policy, url))


# -- what comes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "data", "part"),
    [
        ("image/png", PNG, Image(data=PNG, media_type="image/png")),
        ("text/plain", PNG, Image(data=PNG, media_type="image/png")),
        ("IMAGE/SVG+XML; charset=utf-8", b"<svg/>", Image(data=b"<svg/>", media_type="image/svg+xml")),
        ("audio/mpeg", b"...", Audio(data=b"...", media_type="audio/mpeg")),
        ("text/plain", b"words", Document(data=b"words", media_type="text/plain", filename="river.png")),
    ],
    ids=["both", "bytes before header", "header", "audio", "document"],
)
def test_what_is_fetched_becomes_the_part_it_is(content_type: str, data: bytes, part: object) -> None:
    """As for a file: the first bytes decide, then what the server says."""
    transport = web(sent(content_type, data[:2], data[2:]))

    assert fetched(transport) == part
    assert transport.closed == 1


@pytest.mark.parametrize(
    ("path", "filename"),
    [("", ""), ("/", ""), ("/a/b.txt", "b.txt"), ("/a%20b.txt", "a b.txt"), ("/..%2F..%2Fb.txt", "b.txt"), ("?c", "")],
)
def test_a_document_is_called_as_the_path_ends(path: str, filename: str) -> None:
    """A name, never a path."""
    part = fetched(web(sent("text/plain", b"words")), f"https://example.com{path}")

    assert part.filename == filename


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com:443/a?b=c#d", "https://example.com/a?b=c"),
        ("https://example.com:8443?b", "https://example.com:8443/?b"),
        ("https://a.example.org/a%2Fb", "https://a.example.org/a%2Fb"),
        ("https://93.184.216.34/a", "https://93.184.216.34/a"),
    ],
)
def test_the_request_goes_to_the_address_that_was_checked(url: str, written: str) -> None:
    """Under the name; a fragment stays here."""
    transport = web(sent("image/png", PNG))

    fetched(transport, url)

    assert [(request.method, request.url, request.address, request.body) for request in transport.requests] == [
        ("GET", written, PUBLIC[0], b"")
    ]


def test_nothing_of_the_client_is_sent() -> None:
    """No key, no bound field, no header but these three."""
    transport = web(sent("image/png", PNG))
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport, fetch=ANY)

    fiber.bind(run="r1").sync.fetch_part(URL)

    assert transport.requests[0].headers == {
        "accept": "image/*, audio/*, application/pdf, text/plain",
        "accept-encoding": "identity",
        "user-agent": "fiber-llm",
    }


# -- what may be asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/a", "Only https"),
        ("file:///etc/passwd", "Only https"),
        ("gopher://example.com/", "Only https"),
        ("data:text/plain,a", "Only https"),
        ("//example.com/a", "without a scheme"),
        ("example.com/a", "without a scheme"),
        ("https://user@example.com/", "user name"),
        ("https://user:very-secret@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com@evil.test/", "user name"),
        ("https://evil.test/", "does not list"),
        ("https://example.org/", "does not list"),
        ("https://example.com./", "does not list"),
        ("https://.example.org/", "does not list"),
        ("https://*.example.org/", "does not list"),
        ("https://example.com:80/", "does not list"),
        ("https://example.com:0/", "does not list"),
        ("https://example.com%2eevil.test/", "does not list"),
        ("https://2130706433/", "does not list"),
        ("https://[::ffff:127.0.0.1]/", "does not list"),
        ("https://[::1%25lo]/", "does not list"),
        ("https:///a", "does not list"),
        ("https:example.com", "does not list"),
        ("https://example.com:99999/", "cannot be read"),
        ("https://example.com:a/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://evil.test\\@example.com/", "visible ASCII"),
        ("https://example.com\t.evil.test/", "visible ASCII"),
        ("https://example.com/\r\nx-evil: 1", "visible ASCII"),
        (" https://example.com/", "visible ASCII"),
        ("https://exämple.com/", "visible ASCII"),
        ("", "visible ASCII"),
        (None, "visible ASCII"),
        (b"https://example.com/", "visible ASCII"),
    ],
)
def test_a_url_that_is_not_allowed_is_refused_before_anything(url: Any, words: str) -> None:
    """Nobody is asked for its name, nothing is sent, and no password is repeated."""

    class Deaf(FakeTransport):
        async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
            raise AssertionError(host)

    with pytest.raises(FiberValidationError, match=words) as caught:
        fetched(Deaf(), url)
    assert (caught.value.parameter, caught.value.outcome) == ("url", "not_sent")
    assert "very-secret" not in str(caught.value)


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["::ffff:10.1.2.3"], [*PUBLIC, "10.1.2.3"], ["name"]],
)
def test_a_host_with_an_address_that_is_not_public_is_refused(addresses: list[str]) -> None:
    """One is enough, nothing is sent, and the address is not told."""
    transport = web(addresses=addresses)

    with pytest.raises(FiberValidationError, match="not public") as caught:
        fetched(transport)
    assert (caught.value.parameter, caught.value.outcome) == ("url", "not_sent")
    assert (transport.requests, addresses[-1] in str(caught.value)) == ([], False)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_listing_a_private_address_does_not_make_it_reachable(host: str) -> None:
    """Nothing public weakens the check."""
    transport = FakeTransport()
    transport.addresses = {"127.0.0.1": ["127.0.0.1"], "::1": ["::1"]}

    with pytest.raises(FiberValidationError, match="not public"):
        fetched(transport, f"https://{host}/")


def test_a_name_is_looked_up_once() -> None:
    """A second answer of the name server could be another one, and would not be checked."""

    class Rebinding(FakeTransport):
        lookups = 0

        async def resolve(self, host: str, port: int, until: float | None) -> list[str]:
            self.lookups += 1
            return PUBLIC if self.lookups == 1 else ["127.0.0.1"]

    transport = Rebinding(sent("image/png", PNG))

    fetched(transport)

    assert (transport.lookups, transport.requests[0].address) == (1, PUBLIC[0])


# -- connecting ---------------------------------------------------------------------------------------------------


def refused(**facts: Any) -> FiberConnectionError:
    """Make the error of an address that nobody listens at."""
    return FiberConnectionError("No connection.", **{"outcome": "not_sent", **facts})


def test_the_next_address_is_tried_when_one_cannot_be_connected_to() -> None:
    """Refused, or too slow."""
    slow = FiberTimeoutError("Too slow.", timer="connect", outcome="not_sent")
    transport = web(refused(), slow, sent("image/png", PNG), addresses=["1.1.1.1", "1.1.1.2", "1.1.1.3"])

    assert isinstance(fetched(transport), Image)
    assert [request.address for request in transport.requests] == ["1.1.1.1", "1.1.1.2", "1.1.1.3"]


@pytest.mark.parametrize(
    ("script", "addresses", "requests"),
    [
        ([refused(), refused()], ["1.1.1.1", "1.1.1.2"], 2),
        ([refused(should_retry=False)], ["1.1.1.1", "1.1.1.2"], 1),
        ([lost()], ["1.1.1.1", "1.1.1.2"], 1),
        ([], [], 0),
    ],
    ids=["all refused", "TLS", "lost after sending", "no address"],
)
def test_no_connection_is_an_error(script: list[Any], addresses: list[str], requests: int) -> None:
    """What was sent, or is final, is not tried elsewhere."""
    transport = web(*script, addresses=addresses)

    with pytest.raises(FiberConnectionError):
        fetched(transport)
    assert (len(transport.requests), transport.closed) == (requests, 0)


def test_an_unknown_host_is_an_error() -> None:
    """That of the transport."""
    with pytest.raises(FiberConnectionError, match="No address") as caught:
        fetched(FakeTransport())
    assert caught.value.outcome == "not_sent"


# -- what is not taken --------------------------------------------------------------------------------------------

UNREAD = AssertionError("the body was read")


@pytest.mark.parametrize(
    ("reply", "words", "status", "retryable"),
    [
        (sent("image/png", UNREAD, status=301, location="https://example.com/b"), "redirect", 301, False),
        (sent("image/png", UNREAD, status=302, location="http://127.0.0.1/"), "redirect", 302, False),
        (sent("image/png", UNREAD, status=204), "status 204", 204, False),
        (sent("image/png", UNREAD, status=206), "status 206", 206, False),
        (sent("image/png", UNREAD, status=404), "status 404", 404, False),
        (sent("image/png", UNREAD, status=429), "status 429", 429, True),
        (sent("image/png", UNREAD, status=503), "status 503", 503, True),
        (sent("text/html", UNREAD), "sent text/html", None, False),
        (sent("", UNREAD), "does not name", None, False),
        (FakeReply(200, {}, (UNREAD,)), "does not name", None, False),
        (sent("x/" + "x" * 500, UNREAD), "sent x/x{98}, which", None, False),
        (sent("image/png", UNREAD, content_encoding="gzip"), "encoded", None, False),
        (sent("image/png", UNREAD, content_encoding="identity, br"), "encoded", None, False),
        (sent("image/png"), "sent nothing", None, False),
        (sent("image/png", b"x" * 6, b"x" * 5, UNREAD), r"more than the 10 bytes", None, False),
    ],
)
def test_what_is_not_allowed_is_not_read(reply: FakeReply, words: str, status: int | None, retryable: bool) -> None:
    """The answer is closed; the error names the host, and neither path nor query."""
    transport = web(reply)

    with pytest.raises(FiberConnectionError, match=words) as caught:
        fetched(transport, policy=FetchPolicy(hosts=("example.com",), max_bytes=10))
    assert (caught.value.status_code, caught.value.is_retryable, caught.value.outcome) == (
        status,
        retryable,
        "rejected",
    )
    assert "'example.com'" in str(caught.value)
    assert "river" not in str(caught.value)
    assert "very-secret" not in str(caught.value)
    assert (len(transport.requests), transport.closed) == (1, 1)


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    """The limit is the longest, not the first too long; an encoding called identity is none."""
    transport = web(sent("text/plain", b"x" * 6, b"x" * 4, content_encoding="identity"))

    assert fetched(transport, policy=FetchPolicy(hosts=("example.com",), max_bytes=10)).data == b"x" * 10


def test_bytes_that_tell_another_type_must_be_allowed_too() -> None:
    """A server that calls a PDF text does not smuggle it in."""
    transport = web(sent("text/plain", b"%PDF-1.7"))

    with pytest.raises(FiberConnectionError, match="sent application/pdf"):
        fetched(transport, policy=FetchPolicy(hosts=("example.com",), media_types=("text/plain",)))
    assert transport.closed == 1


@pytest.mark.parametrize(
    "reply",
    [
        FakeReply(200, {"content-type": "image/png"}, (PNG,), delay_seconds=3),
        sent("image/png", PNG, 3.0, b"more"),
        sent("image/png", *[PNG, 1.0] * 3),
    ],
    ids=["late head", "silence", "trickle"],
)
def test_the_time_is_bounded_over_everything(reply: FakeReply) -> None:
    """However it is spent."""
    transport = web(reply)

    with pytest.raises(FiberTimeoutError, match=r"'example\.com' took longer than 2 s") as caught:
        fetched(transport, policy=FetchPolicy(hosts=("example.com",), timeout=2))
    assert (caught.value.timer, caught.value.seconds, caught.value.outcome) == ("total", 2, "unknown")
    assert (caught.value.is_retryable, transport.now()) == (False, 2)


def test_a_lost_connection_closes_the_answer() -> None:
    """The error is the transport's."""
    transport = web(sent("image/png", PNG, lost()))

    with pytest.raises(FiberConnectionError, match="lost"):
        fetched(transport)
    assert transport.closed == 1


# -- of a client --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [None, True, "example.com", ("example.com",)])
def test_a_client_fetches_nothing_unless_told(policy: Any) -> None:
    """The error says how; anything but a policy is none."""
    transport = web(sent("image/png", PNG))

    with pytest.raises(FiberValidationError, match=r"Fiber\(fetch=FetchPolicy\(hosts=") as caught:
        Fiber(transport=transport, fetch=policy).sync.fetch_part(URL)
    assert (caught.value.parameter, transport.requests) == ("fetch", [])


def test_a_closed_client_fetches_nothing() -> None:
    """As it calls nobody."""
    fiber = Fiber(transport=web(), fetch=ANY)
    fiber.sync.close()

    with pytest.raises(FiberClosedError):
        fiber.sync.fetch_part(URL)


def test_views_fetch_by_the_policy_of_their_client() -> None:
    """Bound or with other defaults, also from the environment."""
    transport = web(*[sent("image/png", PNG)] * 3)
    fiber = Fiber.from_env(api_keys={"openai": KEY}, transport=transport, fetch=ANY)

    for view in (fiber, fiber.bind(run="r1"), fiber.with_options(temperature=0)):
        assert view.sync.fetch_part(URL) == Image(data=PNG, media_type="image/png")


def test_a_chat_never_fetches() -> None:
    """A URL in a message is handed to the provider, also by a client that may fetch."""
    transport = web(whole("A river."))
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport, fetch=ANY)

    fiber.sync.chat([("user", [Image(url=URL)])])

    assert [request.url for request in transport.requests] == ["https://api.openai.com/v1/chat/completions"]
    assert URL.encode() in transport.requests[0].body


# -- over real sockets --------------------------------------------------------------------------------------------

Work = Callable[[Transport], Awaitable[Any]]


async def _local(host: str, port: int, until: float | None) -> list[str]:
    return ["127.0.0.1"]


def on_loop(work: Work, which: str, backend: str) -> Any:
    """Run *work* on a loop, over a transport that takes every name for this machine."""

    async def main() -> Any:
        transport: Any = for_loops(lambda: which, lambda: LIBRARY, no_proxy)
        transport.resolve = _local
        try:
            return await work(transport)
        finally:
            await transport.shutdown()

    return anyio.run(main, backend=backend)


def blocking(work: Any, which: str) -> Any:
    """Run *work* without a loop, likewise."""
    transport: Any = for_threads(lambda: which, lambda: LIBRARY, no_proxy)
    transport.resolve = _local
    try:
        return run_sync(work(transport))
    finally:
        run_sync(transport.shutdown())


WORLDS: dict[str, Callable[[Work, str], Any]] = {
    "asyncio": lambda work, which: on_loop(work, which, "asyncio"),
    "trio": lambda work, which: on_loop(work, which, "trio"),
    "blocking": blocking,
}


@pytest.fixture(params=[f"{world} {which}" for world in WORLDS for which in ("direct", "httpx")])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], Any]:
    """Each world and transport in turn, trusting the server of these tests."""
    name, which = request.param.split()
    context = trusting()
    monkeypatch.setattr(library, "tls_context", lambda: context)
    monkeypatch.setattr(direct, "tls_context", lambda: context)
    return lambda work: WORLDS[name](work, which)


def locally(server: TLSLoopback, *names: str) -> Work:
    """Fetch from each of *names* at *server*, where loopback counts as public; errors are returned."""
    policy = FetchPolicy(hosts=tuple(f"{name}:{server.port}" for name in (NAME, "other.example.com")), timeout=10)

    async def one(transport: Transport, name: str) -> Any:
        try:
            return await fetch(
                transport, policy, f"https://{name}:{server.port}/river.png", allowed=lambda address: True
            )
        except FiberError as error:
            return error

    async def work(transport: Transport) -> list[Any]:
        return [await one(transport, name) for name in names]

    return work


def cookie(exchange: Exchange) -> None:
    """Answer with a picture and a cookie."""
    exchange.answer(PNG, "content-type: image/png", "set-cookie: seen=1; Path=/")


def test_the_certificate_is_checked_against_the_name(world: Callable[[Work], Any]) -> None:
    """Though the connection goes to an address; and a name gets no connection that was checked for another."""
    server = TLSLoopback(cookie)
    try:
        first, other, again = world(locally(server, NAME, "other.example.com", NAME))
    finally:
        server.close()

    assert first == again == Image(data=PNG, media_type="image/png")
    assert isinstance(other, FiberConnectionError)
    assert "TLS failed" in other.message
    assert (other.outcome, other.is_retryable) == ("not_sent", False)
    assert server.connections >= 2
    assert [exchange.line for exchange in server.exchanges] == ["GET /river.png HTTP/1.1"] * 2


def test_no_cookie_comes_back(world: Callable[[Work], Any]) -> None:
    """And the server sees the name, and nothing of the client."""
    server = TLSLoopback(cookie)
    try:
        world(locally(server, NAME, NAME))
    finally:
        server.close()

    assert [set(exchange.headers) - {"connection"} for exchange in server.exchanges] == [
        {"accept", "accept-encoding", "host", "user-agent"}
    ] * 2
    assert server.exchanges[1].headers["host"] == f"{NAME}:{server.port}"


def test_a_redirect_is_not_followed_on_the_wire(world: Callable[[Work], Any]) -> None:
    """The server is asked once."""
    server = TLSLoopback(
        lambda exchange: exchange.answer(b"", "location: /b", "content-type: image/png", status="302 Found")
    )
    try:
        (said,) = world(locally(server, NAME))
    finally:
        server.close()

    assert (said.status_code, len(server.exchanges), server.connections) == (302, 1, 1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_makes_no_connection_to_its_own_machine(host: str) -> None:
    """Real look-ups, real sockets, and nobody knocks."""
    server = TLSLoopback(cookie)
    fiber = Fiber(fetch=FetchPolicy(hosts=(f"{host}:{server.port}",)))
    url = f"https://{host}:{server.port}/"

    async def asynchronously() -> None:
        async with fiber:
            with pytest.raises(FiberValidationError, match="not public"):
                await fiber.fetch_part(url)

    try:
        with pytest.raises(FiberValidationError, match="not public"):
            fiber.sync.fetch_part(url)
        anyio.run(asynchronously, backend="asyncio")
    finally:
        server.close()

    assert server.connections == 0
