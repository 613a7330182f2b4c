"""Tunnels."""

from __future__ import annotations

import base64
import ssl
from typing import Any

import pytest

from fiber import FiberConnectionError, FiberValidationError
from fiber._engine import run_sync
from fiber.transports.origin import Origin
from fiber.transports.proxy import no_proxy, through
from fiber.transports.streams import tls_context

CANARY = "pass-canary"
HTTPS = Origin("https", "a.example", 443)
WELL = b"HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n"


class FakeStream:
    """A stream that says what it is told to say, and keeps what it hears."""

    def __init__(self, *said: bytes) -> None:
        self.said = list(said)
        self.heard = b""
        self.steps: list[Any] = []

    async def read(self, due: float | None) -> bytes:
        """Say the next piece."""
        if not self.said:
            raise TimeoutError
        return self.said.pop(0)

    async def write(self, data: bytes | memoryview, due: float | None) -> bool:
        """Hear."""
        self.heard += data
        self.steps.append("write")
        return True

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float | None) -> None:
        """Keep the name."""
        assert context is tls_context()
        self.steps.append(host)

    def is_dead(self) -> bool:
        """Say no."""
        return False

    def abort(self) -> None:
        """Keep that too."""
        self.steps.append("abort")


def tunnel(stream: FakeStream, proxy: str, origin: Origin = HTTPS) -> tuple[str, int]:
    """Go through *proxy*, and return where it was."""
    places: list[tuple[str, int]] = []

    async def connect(host: str, port: int, due: float | None) -> FakeStream:
        places.append((host, port))
        assert due == 7.0
        return stream

    assert run_sync(through(connect, proxy, origin, 7.0)) is stream
    return places[0]


@pytest.mark.parametrize(
    ("proxy", "place", "names"),
    [
        ("http://p.example:3128", ("p.example", 3128), []),
        ("http://p.example", ("p.example", 80), []),
        ("p.example:3128", ("p.example", 3128), []),
        ("HTTP://[::1]:3128/", ("::1", 3128), []),
        ("https://p.example", ("p.example", 443), ["p.example"]),
    ],
)
def test_a_proxy_is_reached_as_its_url_says(proxy: str, place: tuple[str, int], names: list[str]) -> None:
    """With TLS to it, when it asks for that, and in any case to an https origin behind it."""
    stream = FakeStream(WELL)

    assert tunnel(stream, proxy) == place
    assert stream.heard == b"CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n"
    assert stream.steps == [*names, "write", "a.example"]


@pytest.mark.parametrize(
    ("origin", "where"),
    [
        (Origin("http", "a.example", 80), b"a.example:80"),
        (Origin("http", "::1", 8080), b"[::1]:8080"),
        (Origin("http", "a.example", 80, "192.0.2.1"), b"192.0.2.1:80"),
        (Origin("http", "a.example", 80, "2001:db8::1"), b"[2001:db8::1]:80"),
    ],
)
def test_an_http_origin_is_reached_through_a_tunnel_too(origin: Origin, where: bytes) -> None:
    """So the proxy sees no key; an address that was checked is not looked up by the proxy again."""
    stream = FakeStream(WELL)

    tunnel(stream, "http://p.example", origin)

    assert stream.heard.startswith(b"CONNECT " + where + b" HTTP/1.1\r\nhost: " + where + b"\r\n")
    assert stream.steps == ["write"]


@pytest.mark.parametrize(
    ("user", "pair"),
    [("u:p%40ss", "u:p@ss"), ("u", "u:"), ("u:", "u:"), ("%C3%BC:%C3%A4", "ü:ä"), (":p", ":p")],
)
def test_user_and_password_are_sent(user: str, pair: str) -> None:
    """Decoded, as UTF-8."""
    stream = FakeStream(WELL)

    tunnel(stream, f"http://{user}@p.example")

    header = b"proxy-authorization: Basic " + base64.b64encode(pair.encode())
    assert header in stream.heard.split(b"\r\n")


def test_an_answer_may_come_byte_by_byte() -> None:
    """Its head is all that is read."""
    tunnel(FakeStream(*[bytes([byte]) for byte in WELL]), "http://p.example")


@pytest.mark.parametrize(
    ("said", "words", "retried"),
    [
        ([b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"], "407 Proxy Auth", False),
        ([b"HTTP/1.0 403 No\r\ncontent-length: 5\r\n\r\nhello"], "403 No", False),
        ([b"HTTP/1.1 502 Bad Gateway\r\n\r\n"], "502 Bad", True),
        ([b"HTTP/1.1 301 Moved\r\n\r\n"], "301", False),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], "does not speak HTTP", True),
        ([b"HTTP/1.1 yes\r\n\r\n"], "does not speak HTTP", True),
        ([b"\r\n\r\n"], "does not speak HTTP", True),
        ([b""], "ended the connection", True),
        ([b"HTTP/1.1 200 OK\r\n", b""], "ended the connection", True),
        ([b"x" * 10_000, b"x" * 10_000], "no end", True),
        ([WELL + b"x"], "more than its answer", True),
    ],
)
def test_a_proxy_that_refuses_is_an_error_without_its_password(said: list[bytes], words: str, retried: bool) -> None:
    """Nothing was sent; what the proxy will say again is not asked again; the socket is closed."""
    stream = FakeStream(*said)

    with pytest.raises(FiberConnectionError, match=words) as caught:
        tunnel(stream, f"http://user:{CANARY}@p.example")

    error = caught.value
    assert (error.outcome, error.is_retryable) == ("not_sent", retried)
    assert (error.__cause__, error.__context__) == (None, None)
    assert CANARY not in f"{error!r} {vars(error)}"
    assert stream.steps[-1] == "abort"


def test_a_proxy_that_keeps_silent_reaches_the_limit() -> None:
    """And its socket is closed."""
    stream = FakeStream()

    with pytest.raises(TimeoutError):
        tunnel(stream, "http://p.example")
    assert stream.steps[-1] == "abort"


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        (f"socks5://user:{CANARY}@p.example:1080", "'socks5'.*httpx"),
        (f"http://user:{CANARY}/x@p.example:3128", "cannot be read"),
        (f"http://user:{CANARY}@p.example:port", "cannot be read"),
        (f"http://user:{CANARY}@[::1", "cannot be read"),
        (f"http://user:{CANARY}\u2100@p.example", "cannot be read"),
        ("http://", "cannot be read"),
        ("://p.example", "kind is ''"),
    ],
)
def test_a_url_that_is_no_proxy_is_refused_and_not_quoted(proxy: str, words: str) -> None:
    """Nor is the error chained that says what is wrong with it: its text repeats parts of the URL."""
    with pytest.raises(FiberValidationError, match=words) as caught:
        tunnel(FakeStream(), proxy)

    error = caught.value
    assert (error.parameter, error.outcome) == ("proxy", "not_sent")
    assert (error.__cause__, error.__context__) == (None, None)
    assert CANARY not in f"{error!r} {vars(error)}"


def test_no_proxy_is_none() -> None:
    """For any origin."""
    assert no_proxy("https", "a.example") == ""
