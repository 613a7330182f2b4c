"""Tests of playing actions on a real connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from fiber.testing.hostile.actions import (
    Action,
    Beneath,
    Close,
    Cut,
    End,
    HalfClose,
    Head,
    Part,
    Pause,
    Reset,
    Send,
    Stall,
)
from fiber.testing.hostile.play import play
from fiber.testing.http1 import Connection, GoneError, RawRequest
from fiber.testing.recorded import MockRequest
from tests.testing.hostile.wire import everything


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """Make the two ends of a TCP connection: the server's and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname(), timeout=5) as client:
            connection = Connection(listener.accept()[0])
            yield connection, client
            connection.close()


def run(connection: Connection, *actions: Action, modern: bool = True) -> tuple[bool, MockRequest]:
    """Play actions; return whether the connection lives, and the request."""
    raw = RawRequest("POST", "/", {}, b"", keep_alive=True, modern=modern)
    request = MockRequest(
        number=1, connection=1, method="POST", path="/", query={}, headers={}, body=b"", format="openai_chat"
    )
    return play(connection, raw, request, actions, 0.01), request


def sent(ends: tuple[Connection, socket.socket], *actions: Action, modern: bool = True) -> bytes:
    """Play actions and return what the client received."""
    run(ends[0], *actions, modern=modern)
    ends[0].close()
    return everything(ends[1])


def test_parts_are_chunks(ends: tuple[Connection, socket.socket]) -> None:
    """Without a length the body comes in chunks, and an empty part sends nothing."""
    answer = sent(ends, Head(), Part(b"ab"), Part(b""), Part(b"c"), End())

    assert b"transfer-encoding: chunked\r\n" in answer
    assert answer.endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")


def test_parts_under_a_length_are_bare(ends: tuple[Connection, socket.socket]) -> None:
    """With a length the body comes as it is."""
    answer = sent(ends, Head(418, {"x-a": "b"}, length=3), Part(b"ab"), Part(b"c"), End())

    assert answer.startswith(b"HTTP/1.1 418 ")
    assert b"x-a: b\r\ncontent-length: 3\r\n\r\nabc" in answer


@pytest.mark.parametrize(("head", "modern"), [(Head(chunked=False), True), (Head(), False)])
def test_body_may_end_with_the_connection(ends: tuple[Connection, socket.socket], head: Head, *, modern: bool) -> None:
    """A body without chunks and length ends with the connection, and the head says so."""
    lives, request = run(ends[0], head, Part(b"ab"), End(), modern=modern)
    ends[0].close()
    answer = everything(ends[1])

    assert (lives, request.status, request.events_sent) == (False, 200, 1)
    assert b"connection: close\r\n\r\nab" in answer


def test_connection_lives_after_a_whole_answer(ends: tuple[Connection, socket.socket]) -> None:
    """A delimited answer leaves the connection to the next request."""
    assert run(ends[0], Head(length=0), End(), Pause(0.0))[0] is True


def test_raw_bytes_are_sent_as_they_are(ends: tuple[Connection, socket.socket]) -> None:
    """Bytes need no head, and a close ends the play."""
    assert sent(ends, Send(b"SSH\n"), Close(), Send(b"never")) == b"SSH\n"


def test_without_tls_a_cut_is_a_close(ends: tuple[Connection, socket.socket]) -> None:
    """There is no farewell to leave out, and nothing beneath."""
    assert sent(ends, Beneath(b"SSH\n"), Cut(), Send(b"never")) == b"SSH\n"


def test_reset_is_a_reset(ends: tuple[Connection, socket.socket]) -> None:
    """The client sees that the connection was reset, not closed."""
    assert run(ends[0], Reset(), Send(b"never"))[0] is False
    with pytest.raises(ConnectionResetError):
        ends[1].recv(1)


def test_half_close_goes_on_reading(ends: tuple[Connection, socket.socket]) -> None:
    """The client reads the end, and may still send without a reset."""
    assert run(ends[0], HalfClose())[0] is False
    assert ends[1].recv(1) == b""
    ends[1].sendall(b"still here")
    ends[1].sendall(b"and here")


def test_stall_ends_at_the_limit(ends: tuple[Connection, socket.socket]) -> None:
    """A stall sends nothing, and lasts no longer than the limit."""
    assert run(ends[0], Stall())[0] is False


@pytest.mark.parametrize(
    "action", [Stall(), Pause(5), HalfClose(), Send(b"x" * 20_000_000), Beneath(b"x" * 20_000_000)]
)
def test_client_that_left_is_noticed(ends: tuple[Connection, socket.socket], action: Action) -> None:
    """Every wait ends when the client leaves."""
    ends[1].close()
    with pytest.raises(GoneError):
        run(ends[0], action)
