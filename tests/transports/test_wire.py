"""HTTP/1.1 on one connection, whoever parses it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberConnectionError, Secret
from fiber.transports.origin import Origin
from fiber.transports.wire import MAX_HEAD_BYTES, MAX_INTERIM_ANSWERS, MakeWire, Wire, Writer
from fiber.transports.wire_h11 import H11Wire
from fiber.transports.wire_httptools import HTTPToolsWire
from fiber.types.http import HTTPHead, HTTPRequest
from tests.strategies import chunkings

ORIGIN = Origin("http", "a.example", 80)
CANARY = "sk-canary-0123456789"
POST = HTTPRequest("POST", "http://a.example/x", (("Authorization", Secret(CANARY)),), b"{}")


WIRES = pytest.mark.parametrize("make", [H11Wire, HTTPToolsWire])


def sent(request: HTTPRequest = POST, origin: Origin = ORIGIN) -> bytes:
    """Return the bytes of a request."""
    return Writer().written(request, origin, "/x?y=1")


def heard(make: MakeWire, answer: list[bytes], request: HTTPRequest = POST, wire: Wire | None = None) -> list[Any]:
    """Return what a wire says about an answer that comes in pieces."""
    wire = wire or make()
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
    "header",
    [
        ("x-bad", f"{CANARY}\r\nx: y"),
        ("x-bad\n", CANARY),
        ("x-é", CANARY),
        ("x: y", CANARY),
        ("x-bad", f"{CANARY}\ud800"),
        ("x-bad", f"{CANARY} "),
        ("x-bad", f"{CANARY}\0"),
    ],
)
def test_a_header_that_cannot_be_written_is_not_quoted(header: tuple[str, str]) -> None:
    """Nor is the error that says so chained: it may hold the key."""
    with pytest.raises(FiberConnectionError, match="odd characters") as caught:
        sent(HTTPRequest("POST", "", (header,)))

    error = caught.value
    assert (error.outcome, error.is_retryable, error.__cause__, error.__context__) == ("not_sent", False, None, None)
    assert CANARY not in f"{error!r} {vars(error)}"


def test_what_cannot_be_written_stays_so() -> None:
    """The second time too, and what comes after it is written."""
    writer = Writer()
    odd = HTTPRequest("POST", "", (("x-bad", f"{CANARY}\0"),))
    refused = 0

    for _ in range(2):
        try:
            writer.written(odd, ORIGIN, "/")
        except FiberConnectionError:
            refused += 1
    data = writer.written(POST, ORIGIN, "/")

    assert refused == 2
    assert data == Writer().written(POST, ORIGIN, "/")


def test_a_value_may_hold_what_no_key_does() -> None:
    """Letters of any kind, and a tab in the middle."""
    assert b"\r\nx: \xc3\xa9\t1\r\n" in sent(HTTPRequest("POST", "", (("x", "é\t1"),)))


def test_a_head_like_the_last_is_the_same_and_another_is_not() -> None:
    """Whatever differs is written: the length, the key, a header, the path, the host, the method."""
    writer = Writer()
    key = (("authorization", Secret("a")),)
    requests = [
        (HTTPRequest("POST", "", key, b"{}"), ORIGIN, "/"),
        (HTTPRequest("POST", "", key, b"{} "), ORIGIN, "/"),
        (HTTPRequest("POST", "", (("authorization", Secret("b")),), b"{}"), ORIGIN, "/"),
        (HTTPRequest("POST", "", (*key, ("x", "y")), b"{}"), ORIGIN, "/"),
        (HTTPRequest("POST", "", key, b"{}"), ORIGIN, "/z"),
        (HTTPRequest("POST", "", key, b"{}"), Origin("http", "b.example", 80), "/z"),
        (HTTPRequest("GET", "", key), Origin("http", "b.example", 80), "/z"),
    ]

    written = [writer.written(*request) for request in requests]

    assert written == [Writer().written(*request) for request in requests]
    assert len(set(written)) == len(requests)


def test_a_method_is_a_word() -> None:
    """Not two."""
    with pytest.raises(FiberConnectionError, match="odd characters"):
        sent(HTTPRequest("GET /y HTTP/1.1", ""))


# -- answers ------------------------------------------------------------------------------------------------------

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-trailer: t\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LENGTH
NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"
OLD = b"HTTP/1.0 200 OK\r\n\r\nhello"


@WIRES
@given(answer=st.sampled_from([LENGTH, CHUNKED, INTERIM]), data=st.data())
def test_an_answer_says_the_same_however_it_is_cut(make: MakeWire, answer: bytes, data: st.DataObject) -> None:
    """Head, body, end; then the connection is ready for the next request."""
    said = heard(make, list(filter(None, data.draw(chunkings(answer)))))

    assert isinstance(said[0], HTTPHead)
    assert said[0].status == 200
    assert b"".join(said[1:-1]) == b"hello"
    assert said[-1] is True


@WIRES
def test_headers_are_lower_case_and_joined(make: MakeWire) -> None:
    """As adapters expect them."""
    assert heard(make, [LENGTH])[0].headers == {"content-length": "5", "x-a": "1, 2"}


@WIRES
def test_a_body_that_ends_with_the_connection_ends_well_and_alone(make: MakeWire) -> None:
    """HTTP/1.0, and servers that say no length; the connection is not used again."""
    assert heard(make, [OLD, b""])[1:] == [b"hello", b"", False]


@WIRES
def test_what_follows_an_answer_makes_the_connection_useless(make: MakeWire) -> None:
    """It would be taken for the beginning of the next answer."""
    assert heard(make, [LENGTH + b"H"])[-1] is False


@WIRES
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
def test_what_is_no_answer_is_an_error_of_ours(make: MakeWire, answer: list[bytes], words: str, retried: bool) -> None:
    """Who ends too early may do better the next time; who does not speak HTTP will not."""
    with pytest.raises(FiberConnectionError, match=words) as caught:
        heard(make, answer)

    error = caught.value
    assert (error.outcome, error.is_retryable, error.__context__) == ("unknown", retried, None)


def test_a_piece_is_all_that_came() -> None:
    """However many chunks that were: what follows costs by the piece."""
    for make in (H11Wire, HTTPToolsWire):
        assert heard(make, [CHUNKED])[1:] == [b"hello", b"", True]


@WIRES
def test_what_came_before_a_fault_is_given_out(make: MakeWire) -> None:
    """The fault follows, as often as one asks."""
    wire = make()
    wire.request(POST, ORIGIN, "/x")
    wire.receive(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\nzz\r\n")

    assert isinstance(wire.next(), HTTPHead)
    assert wire.next() == b"he"
    for _ in range(2):
        with pytest.raises(FiberConnectionError, match="broke HTTP"):
            wire.next()


@WIRES
@given(data=st.data())
def test_a_connection_serves_one_request_after_another(make: MakeWire, data: st.DataObject) -> None:
    """Whatever kinds of answers there are, and however they are cut."""
    wire = make()
    for answer in data.draw(st.lists(st.sampled_from([LENGTH, CHUNKED, INTERIM, NOTHING]), max_size=4)):
        said = heard(make, list(filter(None, data.draw(chunkings(answer)))), wire=wire)

        assert said[0].status == (204 if answer is NOTHING else 200)
        assert b"".join(said[1:-1]) == (b"" if answer is NOTHING else b"hello")
        assert said[-1] is True


@WIRES
def test_an_answer_to_head_has_a_length_and_no_body(make: MakeWire) -> None:
    """The connection is used again; the next answer has a body again."""
    wire = make()
    head = LENGTH.removesuffix(b"hello")

    assert heard(make, [head], HTTPRequest("HEAD", ""), wire)[1:] == [b"", True]
    assert heard(make, [LENGTH], wire=wire)[1:] == [b"hello", b"", True]


@WIRES
@pytest.mark.parametrize(
    "answer",
    [
        LENGTH.replace(b"X-A: 1", b"connection: close"),
        LENGTH.replace(b"X-A: 1", b"connection: close") + b"more",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_a_connection_that_cannot_go_on_says_so(make: MakeWire, answer: bytes) -> None:
    """It is to be closed, or said too much."""
    assert heard(make, [answer])[-1] is False


@WIRES
def test_what_is_said_after_the_answer_makes_the_connection_useless(make: MakeWire) -> None:
    """Also when it comes later, and when the end comes."""
    for late in (b"HTTP/1.1 200 OK\r\n\r\n", b""):
        wire = make()
        wire.request(POST, ORIGIN, "/x")
        wire.receive(LENGTH)
        wire.receive(late)
        said = [wire.next(), wire.next(), wire.next()]

        assert said[1:] == [b"hello", b""]
        assert wire.again() is False


@WIRES
def test_a_body_for_head_makes_the_connection_useless(make: MakeWire) -> None:
    """Nobody asked for it."""
    assert heard(make, [LENGTH], HTTPRequest("HEAD", ""))[1:] == [b"", False]


@WIRES
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;" + b"a" * MAX_HEAD_BYTES,
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"a" * MAX_HEAD_BYTES,
    ],
)
def test_what_nobody_asked_for_is_refused(make: MakeWire, answer: bytes) -> None:
    """Another protocol, another coding, a head or trailer without end."""
    with pytest.raises(FiberConnectionError, match="broke HTTP"):
        heard(make, [answer])


def test_a_trailer_is_not_a_header() -> None:
    """The head was given out before it came."""
    for make in (H11Wire, HTTPToolsWire):
        assert heard(make, [CHUNKED])[0].headers == {"transfer-encoding": "chunked"}
