"""Tests of the faults of the connection, over bare sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fiber.testing import HostileServer
from fiber.testing.hostile.actions import Close, End, Part, Pause, Reset, Stall
from tests.testing.hostile.wire import FORMATS, NONCE, body, connected, everything, exchange, played, request, unchunked


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """Run a server for one test."""
    with HostileServer(slow_seconds=0.02, tick_seconds=0.005, limit_seconds=0.05) as server:
        yield server


@pytest.mark.parametrize("fault", ["rst-before-headers", "rst-after-headers", "rst-mid-body"])
def test_reset_reaches_the_client(server: HostileServer, fault: str) -> None:
    """The client reads what was sent, then a reset."""
    with connected(server) as client:
        client.sendall(request(fault, stream=True))
        with pytest.raises(ConnectionResetError):
            everything(client)


def test_close_before_headers_sends_nothing(server: HostileServer) -> None:
    """An orderly close without a byte."""
    assert exchange(server, "fin-before-headers") == b""


@pytest.mark.parametrize("format", FORMATS)
def test_body_is_cut(server: HostileServer, format: str) -> None:
    """Half of the body comes, less than its length; half of the events, without the last chunk."""
    whole = exchange(server, "fin-mid-body", format)
    stream = exchange(server, "fin-mid-body", format, stream=True)
    length = int(whole.partition(b"content-length: ")[2].partition(b"\r\n")[0])

    assert 0 < len(whole.partition(b"\r\n\r\n")[2]) < length
    assert b"You " in stream
    assert NONCE.encode() not in stream
    assert not stream.endswith(b"0\r\n\r\n")


def test_body_until_close_has_no_length(server: HostileServer) -> None:
    """Nothing but the end of the connection tells that a cut body is short."""
    good, cut = exchange(server, "until-close", stream=True), exchange(server, "until-close-cut", stream=True)

    assert b"[DONE]" in good
    assert b"[DONE]" not in cut
    for answer in (good, cut):
        assert b"content-length" not in answer
        assert b"chunked" not in answer
        assert b"connection: close" in answer


@pytest.mark.parametrize("fault", ["stale-keepalive", "stale-keepalive-fin"])
def test_used_connection_is_stale(server: HostileServer, fault: str) -> None:
    """The second request on a connection gets no answer, one on a new connection does."""
    with connected(server) as client:
        client.sendall(request(fault, close=False))
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        assert server.requests[0].wait_ended(10)
        client.sendall(request(fault))
        try:
            rest = everything(client)
        except ConnectionResetError:
            rest = b""

    assert b"HTTP/1.1" not in rest
    assert [found.connection for found in server.requests] == [1, 1]
    assert exchange(server, fault).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("fault", ["idle-close", "half-close"])
def test_connection_ends_unannounced(server: HostileServer, fault: str) -> None:
    """A good answer does not say that the connection ends, and it does."""
    with connected(server) as client:
        client.sendall(request(fault, close=False))
        answer = everything(client)

    assert NONCE.encode() in answer
    assert b"connection: close" not in answer


def test_signs_of_life_are_no_content(server: HostileServer) -> None:
    """Pings follow half of the stream until the limit, in the format's own words."""
    chat = unchunked(exchange(server, "pings", stream=True).removesuffix(b"0\r\n\r\n"))
    anthropic = unchunked(exchange(server, "pings", "anthropic", stream=True))
    ollama = unchunked(exchange(server, "pings", "ollama", stream=True))

    assert chat.count(b": keep-alive\n\n") > 2
    assert anthropic.count(b"event: ping\n") > 3
    assert ollama.endswith(b"\n" * 5)
    assert NONCE.encode() not in chat + anthropic + ollama


def test_white_space_is_all_that_comes(server: HostileServer) -> None:
    """A whole answer that never begins sends spaces."""
    found = unchunked(exchange(server, "spaces"))

    assert found.strip() == b""
    assert len(found) > 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["drip", "drip-head", "slow-headers", "slow-mid-body"])
def test_slow_answer_is_whole(server: HostileServer, fault: str, *, stream: bool) -> None:
    """However slowly it comes, nothing is missing."""
    answer = exchange(server, fault, stream=stream)
    said = answer.partition(b"\r\n\r\n")[2] if b"chunked" not in answer else unchunked(answer)

    assert said.endswith(b"data: [DONE]\n\n" if stream else b"}")


def test_recipes_are_lists_of_actions() -> None:
    """A fault is data: what it does can be read without a socket."""
    assert played("rst-before-headers") == [Reset()]
    assert played("never-headers") == [Stall()]
    assert played("fin-after-headers")[1:] == [Close()]
    assert played("slow-headers", slow_seconds=3.0)[0] == Pause(3.0)
    drip = played("drip")
    assert all(isinstance(action, Part) and len(action.data) == 1 for action in drip[1:-1])
    assert drip[-1] == End()
    assert body(played("endless-tokens", stream=True)).count(b"said") > 2
