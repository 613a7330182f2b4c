"""The seam to the HTTP library."""

from __future__ import annotations

import importlib.util
import inspect
import pickle
import ssl
from typing import Any

import pytest

from fiber import FiberConnectionError, FiberError, FiberTimeoutError, FiberValidationError, Secret, Timeouts
from fiber.transports import library as seam
from fiber.types.http import HTTPRequest

INSTALLED = [name for name in seam.LIBRARIES if importlib.util.find_spec(name)]
LIMITS = Timeouts(connect=3, read=4)
SENTINEL = "sk-canary-0123456789"


@pytest.fixture(params=INSTALLED)
def http(request: pytest.FixtureRequest) -> Any:
    """Every HTTP library that is installed."""
    return seam.load(request.param)


# -- which one ----------------------------------------------------------------------------------------------------


def test_the_best_installed_is_taken() -> None:
    """Unless one is named."""
    assert seam.load().__name__ == INSTALLED[0]
    assert [seam.load(name).__name__ for name in INSTALLED] == INSTALLED


def test_an_unknown_library_is_refused() -> None:
    """The message says which are known."""
    with pytest.raises(FiberValidationError, match="httpx2 or httpx"):
        seam.load("requests")


def test_a_library_that_is_not_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where none is."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    for name in ("httpx2", ""):
        with pytest.raises(FiberValidationError, match="not installed"):
            seam.load.__wrapped__(name)


# -- what it is told ----------------------------------------------------------------------------------------------


def test_connections_share_one_tls_context(http: Any) -> None:
    """Certificates are read once and checked always; the environment is read by us."""
    one, two = seam.transport_options(http, ""), seam.transport_options(http, "http://127.0.0.1:9")

    assert one["verify"] is two["verify"]
    assert one["verify"].verify_mode is ssl.CERT_REQUIRED
    assert (one["proxy"], str(two["proxy"].url), one["trust_env"]) == (None, "http://127.0.0.1:9", False)


def test_a_request_has_the_revealed_key_and_the_timers(http: Any) -> None:
    """The one place where a secret is revealed."""
    request = HTTPRequest("POST", "http://x/y", (("authorization", Secret(SENTINEL)), ("x-a", "ü")), b"body")

    made = seam.outgoing(http, request, LIMITS)

    assert (made.method, str(made.url), made.read()) == ("POST", "http://x/y", b"body")
    assert made.headers["authorization"] == SENTINEL
    assert (b"x-a", "ü".encode()) in made.headers.raw
    assert made.extensions["timeout"] == {"connect": 3, "read": 4, "write": 4, "pool": 3}
    assert SENTINEL not in repr(made)


@pytest.mark.parametrize(
    "header",
    [("x-key", "a\n"), ("x-key", "a\r\nb: c"), ("x-key", " a"), ("x-key", "a\0"), ("x key", "a"), ("x-ü", "a")],
    ids=["newline at the end", "newline inside", "space", "nul", "space in the name", "name"],
)
def test_a_header_that_cannot_be_written_never_reaches_the_library(http: Any, header: tuple[str, str]) -> None:
    """The library would quote it in its logs."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text must not matter
        seam.outgoing(http, HTTPRequest("POST", "http://x", (header,)), LIMITS)

    assert isinstance(caught.value, seam.failures(http))
    assert seam.translate(http, caught.value).should_retry is False


def test_a_request_without_body_has_none(http: Any) -> None:
    """No length is sent with a GET."""
    made = seam.outgoing(http, HTTPRequest("GET", "http://x"), LIMITS)

    assert made.read() == b""
    assert "content-length" not in made.headers


@pytest.mark.parametrize(
    ("host", "address", "url", "name"),
    [
        ("Files.example.com", "192.0.2.1", "https://192.0.2.1/a?b=c", "files.example.com"),
        ("files.example.com:8443", "2001:db8::1", "https://[2001:db8::1]:8443/a?b=c", "files.example.com"),
        ("xn--bcher-kva.example", "192.0.2.1", "https://192.0.2.1/a?b=c", "xn--bcher-kva.example"),
        ("[2001:db8::2]", "2001:db8::2", "https://[2001:db8::2]/a?b=c", "2001:db8::2"),
    ],
)
def test_a_request_with_an_address_keeps_the_name(http: Any, host: str, address: str, url: str, name: str) -> None:
    """It goes to the address; certificate and server go by the name, and the connection serves nothing else."""
    made = seam.outgoing(http, HTTPRequest("GET", f"https://{host}/a?b=c", address=address), LIMITS)

    assert str(made.url) == url
    assert made.extensions["sni_hostname"] == name
    assert made.headers.get_list("host") == [host.lower()]
    assert made.headers["connection"] == "close"


def test_a_request_without_an_address_is_left_alone(http: Any) -> None:
    """Its connection may be kept."""
    made = seam.outgoing(http, HTTPRequest("GET", "https://files.example.com/a"), LIMITS)

    assert list(made.extensions) == ["timeout"]
    assert "connection" not in made.headers


def test_a_head_has_lower_case_names_and_joins_what_repeats(http: Any) -> None:
    """As adapters expect it."""
    head = seam.head_of(http.Response(201, headers=[("X-A", "1"), ("x-a", "2"), ("Content-Type", "a/b")]))

    assert (head.status, head.headers) == (201, {"x-a": "1, 2", "content-type": "a/b"})


# -- exceptions ---------------------------------------------------------------------------------------------------

EXPECTED: dict[str, tuple[type[FiberError], str, Any]] = {
    # Name: class, outcome, timer of a timeout or whether it may be retried.
    "CloseError": (FiberConnectionError, "unknown", True),
    "ConnectError": (FiberConnectionError, "not_sent", True),
    "ConnectTimeout": (FiberTimeoutError, "not_sent", "connect"),
    "DecodingError": (FiberConnectionError, "unknown", True),
    "HTTPStatusError": (FiberConnectionError, "unknown", True),
    "InvalidURL": (FiberConnectionError, "not_sent", False),
    "LocalProtocolError": (FiberConnectionError, "not_sent", False),
    "NetworkError": (FiberConnectionError, "unknown", True),
    "PoolTimeout": (FiberTimeoutError, "not_sent", "connect"),
    "ProtocolError": (FiberConnectionError, "unknown", True),
    "ProxyError": (FiberConnectionError, "not_sent", True),
    "ReadError": (FiberConnectionError, "unknown", True),
    "ReadTimeout": (FiberTimeoutError, "unknown", "read"),
    "RemoteProtocolError": (FiberConnectionError, "unknown", True),
    "RequestError": (FiberConnectionError, "unknown", True),
    "RequestNotRead": (FiberConnectionError, "unknown", True),
    "ResponseNotRead": (FiberConnectionError, "unknown", True),
    "StreamClosed": (FiberConnectionError, "unknown", True),
    "StreamConsumed": (FiberConnectionError, "unknown", True),
    "StreamError": (FiberConnectionError, "unknown", True),
    "TimeoutException": (FiberTimeoutError, "unknown", "read"),
    "TooManyRedirects": (FiberConnectionError, "unknown", True),
    "TransportError": (FiberConnectionError, "unknown", True),
    "UnsupportedProtocol": (FiberConnectionError, "not_sent", False),
    "WriteError": (FiberConnectionError, "unknown", True),
    "WriteTimeout": (FiberTimeoutError, "unknown", "read"),
    "HTTPError": (FiberConnectionError, "unknown", True),
    "CookieConflict": (FiberConnectionError, "unknown", True),
}


def made(kind: type[Exception], text: str) -> Exception:
    """Make an exception of the library, whatever its constructor wants."""
    error = kind.__new__(kind, text)
    error.args = (text,)
    return error


def kinds(http: Any) -> dict[str, type[Exception]]:
    """Return every exception that the library exports."""
    return {name: kind for name, kind in vars(http).items() if inspect.isclass(kind) and issubclass(kind, Exception)}


def test_every_exception_of_the_library_becomes_ours(http: Any) -> None:
    """With what is known about the provider's side; the original is not chained."""
    for name, kind in kinds(http).items():
        expected, outcome, more = EXPECTED.get(name, (FiberError, None, None))
        error = seam.translate(http, made(kind, "words"), LIMITS)

        assert isinstance(error, expected), name
        assert outcome in (None, error.outcome), name
        assert error.__cause__ is error.__context__ is None
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        if isinstance(error, FiberTimeoutError):
            assert (error.timer, error.seconds) == (more, getattr(LIMITS, more)), name
        elif more is not None:
            assert error.is_retryable is more, name


def test_every_exception_of_httpx_is_in_the_table() -> None:
    """A new one must be thought about."""
    if "httpx" not in INSTALLED:
        pytest.skip("httpx is not installed")

    assert set(kinds(seam.load("httpx"))) <= set(EXPECTED)


@pytest.mark.parametrize("error", [UnicodeError(SENTINEL), ValueError(SENTINEL), OverflowError(SENTINEL)])
def test_what_cannot_be_written_is_not_quoted(http: Any, error: Exception) -> None:
    """It may be the key."""
    ours = seam.translate(http, error)

    assert (ours.outcome, ours.is_retryable) == ("not_sent", False)
    assert SENTINEL not in str(ours)


def test_local_protocol_errors_are_not_quoted(http: Any) -> None:
    """The library repeats the header there."""
    assert SENTINEL not in str(seam.translate(http, http.LocalProtocolError(f"Illegal header value b'{SENTINEL}'")))


def test_a_group_stands_for_its_first(http: Any) -> None:
    """The race of addresses may end in one."""
    group = ExceptionGroup("x", [ExceptionGroup("y", [OverflowError("port")])])

    assert seam.translate(http, group).outcome == "not_sent"


def test_others_are_lost_exchanges(http: Any) -> None:
    """A closed client, a stray system error."""
    for error in (RuntimeError("closed"), OSError(9, "Bad file descriptor")):
        ours = seam.translate(http, error)

        assert isinstance(ours, FiberConnectionError)
        assert type(error).__name__ in ours.message
        assert isinstance(error, seam.failures(http))


@pytest.mark.parametrize("chain", ["cause", "context", "itself"])
def test_tls_failures_are_final(http: Any, chain: str) -> None:
    """Trying again does not mend a certificate."""
    error = http.ConnectError("CERTIFICATE_VERIFY_FAILED" if chain == "itself" else "all attempts failed")
    if chain != "itself":
        setattr(error, f"__{chain}__", ssl.SSLError("bad"))

    ours = seam.translate(http, error)

    assert (ours.is_retryable, ours.outcome) == (False, "not_sent")
    assert "TLS" in ours.message
    assert "SSLError: ('bad',)" in ours.message or "CERTIFICATE" in ours.message


def test_who_hangs_up_in_the_handshake_may_not_the_next_time(http: Any) -> None:
    """That says nothing about a certificate."""
    error = http.ConnectError("")
    error.__context__ = ssl.SSLEOFError(8, "unexpected end")

    ours = seam.translate(http, error)

    assert (ours.is_retryable, ours.outcome) == (True, "not_sent")
    assert "unexpected end" in ours.message


def test_a_timeout_without_known_limits_has_no_number(http: Any) -> None:
    """The call fills it in."""
    error = seam.translate(http, http.ReadTimeout("x"))

    assert isinstance(error, FiberTimeoutError)
    assert error.seconds is None


@pytest.mark.parametrize(
    ("seconds", "until", "expected"),
    [
        (None, None, None),
        (5.0, None, 5.0),
        (None, 103.0, 3.0),
        (5.0, 103.0, 3.0),
        (2.0, 103.0, 2.0),
        (5.0, 99.0, 0.001),
    ],
)
def test_what_is_left_is_the_sooner_limit(
    monkeypatch: pytest.MonkeyPatch, seconds: float | None, until: float | None, expected: float | None
) -> None:
    """It is never nothing, which the library would not take."""
    monkeypatch.setattr(seam, "now", lambda: 100.0)

    assert seam.within(seconds, until) == expected
