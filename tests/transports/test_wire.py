"""HTTP/1.1 on one connection."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberConnectionError, FiberValidationError, Secret
from fiber.transports.wire import MAX_HEAD_BYTES, MAX_INTERIM_ANSWERS, Origin, Wire, split_url
from fiber.types.http import HTTPHead, HTTPRequest
from tests.strategies import chunkings

ORIGIN = Origin("http", "a.example", 80)
CANARY = "sk-canary-0123456789"
POST = HTTPRequest("POST", "http://a.example/x", (("Authorization", Secret(CANARY)),), b"{}")


def sent(request: HTTPRequest = POST, origin: Origin = ORIGIN) -> bytes:
    """Return the bytes of a request."""
    return Wire().request(request, origin, "/x?y=1")


def heard(answer: list[bytes], request: HTTPRequest = POST) -> list[Any]:
    """Return what a wire says about an answer that comes in pieces."""
    wire = Wire()
    wire.request(request, ORIGIN, "/x")
    said: list[Any] = []
    for data in answer:
        wire.receive(data)
        while (event := wire.next()) is not None:
            said.append(event)
            if event == b"":
                return [*said, wire.again()]
    return said


# -- requests -----------------------------------------------------------------------------------------------------


def test_a_request_is_one_piece_of_bytes() -> None:
    """Host, the headers given, the length, the body; here the secret is revealed."""
    assert sent() == (
        b"POST /x?y=1 HTTP/1.1\r\nhost: a.example\r\nAuthorization: " + CANARY.encode() + b"\r\n"
        b"content-length: 2\r\n\r\n{}"
    )


def test_a_request_without_a_body_has_no_length_where_none_is_expected() -> None:
    """GET has none, POST says zero; a host that is given stays."""
    assert sent(HTTPRequest("GET", "", (("Host", "b.example"),))) == b"GET /x?y=1 HTTP/1.1\r\nHost: b.example\r\n\r\n"
    assert sent(HTTPRequest("POST", "")).endswith(b"\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize(
    "header", [("x-bad", f"{CANARY}\r\nx: y"), ("x-bad\n", CANARY), ("x-é", CANARY), ("x-bad", f"{CANARY}\ud800")]
)
def test_a_header_that_cannot_be_written_is_not_quoted(header: tuple[str, str]) -> None:
    """Nor is the error that says so chained: it may hold the key."""
    with pytest.raises(FiberConnectionError, match="odd characters") as caught:
        sent(HTTPRequest("POST", "", (header,)))

    error = caught.value
    assert (error.outcome, error.is_retryable, error.__cause__, error.__context__) == ("not_sent", False, None, None)
    assert CANARY not in f"{error!r} {vars(error)}"


# -- answers ------------------------------------------------------------------------------------------------------

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-trailer: t\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LENGTH
OLD = b"HTTP/1.0 200 OK\r\n\r\nhello"


@given(answer=st.sampled_from([LENGTH, CHUNKED, INTERIM]), data=st.data())
def test_an_answer_says_the_same_however_it_is_cut(answer: bytes, data: st.DataObject) -> None:
    """Head, body, end; then the connection is ready for the next request."""
    said = heard(list(filter(None, data.draw(chunkings(answer)))))

    assert isinstance(said[0], HTTPHead)
    assert said[0].status == 200
    assert b"".join(said[1:-1]) == b"hello"
    assert said[-1] is True


def test_headers_are_lower_case_and_joined() -> None:
    """As adapters expect them."""
    assert heard([LENGTH])[0].headers == {"content-length": "5", "x-a": "1, 2"}


def test_a_body_that_ends_with_the_connection_ends_well_and_alone() -> None:
    """HTTP/1.0, and servers that say no length; the connection is not used again."""
    assert heard([OLD, b""])[1:] == [b"hello", b"", False]


def test_what_follows_an_answer_makes_the_connection_useless() -> None:
    """It would be taken for the beginning of the next answer."""
    assert heard([LENGTH + b"H"])[-1] is False


@pytest.mark.parametrize(
    ("answer", "words", "retried"),
    [
        ([b""], "lost", True),
        ([LENGTH[:-1], b""], "lost", True),
        ([CHUNKED[:-3], b""], "lost", True),
        ([b"SSH-2.0-OpenSSH_9.2\r\n\r\n"], "broke HTTP", False),
        ([b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"], "broke HTTP", False),
        ([b"HTTP/1.1 200 OK\r\nx: " + b"a" * MAX_HEAD_BYTES], "broke HTTP", False),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"], "broke HTTP", False),
        ([b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_INTERIM_ANSWERS + 1)], "interim", False),
    ],
)
def test_what_is_no_answer_is_an_error_of_ours(answer: list[bytes], words: str, retried: bool) -> None:
    """Who ends too early may do better the next time; who does not speak HTTP will not."""
    with pytest.raises(FiberConnectionError, match=words) as caught:
        heard(answer)

    error = caught.value
    assert (error.outcome, error.is_retryable, error.__context__) == ("unknown", retried, None)


# -- URLs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin", "target", "netloc"),
    [
        ("https://a.example", ("https", "a.example", 443), "/", "a.example"),
        ("http://A.example:8080/v1/x?y=%20", ("http", "a.example", 8080), "/v1/x?y=%20", "a.example:8080"),
        ("http://127.0.0.1:80/", ("http", "127.0.0.1", 80), "/", "127.0.0.1"),
        ("https://[::1]:8443/x", ("https", "::1", 8443), "/x", "[::1]:8443"),
        ("https://[::1]/x", ("https", "::1", 443), "/x", "[::1]"),
        ("https://bücher.example?q", ("https", "xn--bcher-kva.example", 443), "/?q", "xn--bcher-kva.example"),
    ],
)
def test_a_url_is_split(url: str, origin: tuple[str, str, int], target: str, netloc: str) -> None:
    """Into where to go and what to ask there."""
    found, rest = split_url(url)

    assert (found[:3], rest, found.netloc) == (origin, target, netloc)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "http://",
        "http://a.example:999999/",
        "http://a.example:0/",
        "http://a.example:x/",
        "http://user:word@a.example/",
        "http://[::1/",
        "http://a.example/a b",
        "http://a.example/é",
        "http://a.example/#x",
        f"http://{'a' * 70}é.example/",
        "http://:80/",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(FiberValidationError) as caught:
        split_url(url)

    assert (caught.value.parameter, caught.value.outcome) == ("base_url", "not_sent")
