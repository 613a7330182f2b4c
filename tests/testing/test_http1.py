"""Tests of the mock server's HTTP: what it reads, and what it refuses to read."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from fiber.testing import MockServer
from fiber.testing.http1 import Connection, GoneError, head

CHAT = "/v1/chat/completions"


def connect(server: MockServer) -> http.client.HTTPConnection:
    """Open a client of the server."""
    return http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)


def ask(text: str = "Hi", model: str = "gpt-mock", **more: Any) -> dict[str, Any]:
    """Make the body of a chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def raw(server: MockServer, data: bytes) -> bytes:
    """Send bytes and read until the server closes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(data)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
        return received


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """Make the two ends of a connection: the server's and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname(), timeout=5) as client:
            connection = Connection(listener.accept()[0])
            yield connection, client
            connection.close()


def test_reset_is_no_close(ends: tuple[Connection, socket.socket]) -> None:
    """The client of a reset connection gets an error, not an end."""
    ends[0].reset()

    with pytest.raises(ConnectionResetError):
        ends[1].recv(1)


def test_half_closed_connection_still_reads(ends: tuple[Connection, socket.socket]) -> None:
    """The client reads the end, and what it sends arrives."""
    ends[0].half_close()
    assert ends[1].recv(1) == b""
    ends[1].sendall(b"GET / HTTP/1.1\r\n\r\n")
    request = ends[0].read()

    assert request is not None
    assert request.method == "GET"


def test_dead_connection_cannot_be_half_closed(ends: tuple[Connection, socket.socket]) -> None:
    """A connection that is gone says so."""
    ends[0].close()
    with pytest.raises(GoneError):
        ends[0].half_close()


@pytest.mark.parametrize("date", [None, "Thu, 01 Jan 1970 00:00:00 GMT"])
def test_head_has_one_date(date: str | None) -> None:
    """The date of the answer is now, unless another is given."""
    said = head(200, {"date": date} if date else {}, length=0, chunked=False).decode()

    assert said.count("date: ") == 1
    assert ("1970" in said) is (date is not None)


def test_head_has_no_body(server: MockServer) -> None:
    """HEAD gets a head, and the connection lives."""
    with closing(connect(server)) as client:
        client.request("HEAD", "/")
        assert client.getresponse().read() == b""
        client.request("GET", "/v1/models")
        assert client.getresponse().status == 200


def test_chunked_request_and_expectation_are_read(server: MockServer) -> None:
    """A request body may come in chunks, after `100 Continue`."""
    data = json.dumps(ask()).encode()
    head = b"POST %b HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\n" % CHAT.encode()
    body = b"5;x=y\r\n%b\r\n%x\r\n%b\r\n0\r\nTrailer: 1\r\n\r\n" % (
        data[:5],
        len(data) - 5,
        data[5:],
    )

    received = raw(server, head + b"Transfer-Encoding: chunked\r\n\r\n" + body)

    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert b"You said: Hi" in received


def test_old_client_gets_a_stream_without_chunks(server: MockServer) -> None:
    """HTTP/1.0 knows no chunks: the stream ends when the connection closes."""
    data = json.dumps(ask(stream=True)).encode()
    head = b"POST %b HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % (CHAT.encode(), len(data))

    received = raw(server, head + data)

    assert b"chunked" not in received
    assert received.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\ncontent-length: 999999999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n" + b"x" * 70_000, 400),
        (b"x" * 70_000, 431),
    ],
)
def test_bytes_that_are_no_request_are_refused(server: MockServer, data: bytes, status: int) -> None:
    """Bytes that cannot be read get a status, and the connection closes."""
    assert raw(server, data).startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("data", [b"POST / HT", b"POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\n12"])
def test_request_that_breaks_off_is_forgotten(server: MockServer, data: bytes) -> None:
    """A client that leaves in mid-request leaves no trace."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""

    assert server.requests == ()
