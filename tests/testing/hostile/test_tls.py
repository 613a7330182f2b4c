"""Tests of the hostile server's TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from fiber.testing import FAULTS, HostileServer
from tests.testing.hostile.wire import NONCE, everything, request

CUT = [name for name, fault in FAULTS.items() if fault.tls == "good"]
SPOILED = [name for name, fault in FAULTS.items() if fault.tls not in (None, "good")]


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """Run a server that speaks TLS for one test."""
    with HostileServer(tls=True, limit_seconds=0.05) as server:
        yield server


@contextmanager
def reached(url: str) -> Iterator[socket.socket]:
    """Connect without a word."""
    with socket.create_connection((str(urlsplit(url).hostname), urlsplit(url).port or 0), timeout=5) as client:
        yield client


@contextmanager
def greeted(server: HostileServer, url: str, *, strict: bool = True) -> Iterator[ssl.SSLSocket]:
    """Connect and shake hands; a *strict* client sees an end without farewell as an error."""
    context = ssl.create_default_context(cadata=server.issuer.decode())
    with reached(url) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=not strict) as client:
            yield client


def test_a_server_may_speak_tls(server: HostileServer) -> None:
    """Every answer comes encrypted then, and its connection ends with a farewell."""
    with greeted(server, server.base_url("openai")) as client:
        client.sendall(request("ok"))
        answer = everything(client)

    assert server.base_url("openai").startswith("https://127.0.0.1:")
    assert NONCE.encode() in answer
    assert server.requests[0].fault == "ok"


def test_half_a_close_has_a_farewell_too(server: HostileServer) -> None:
    """The client reads the end, and the server listens still."""
    with greeted(server, server.base_url("openai")) as client:
        client.sendall(request("half-close", close=False))
        answer = everything(client)

    assert NONCE.encode() in answer


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", CUT)
def test_a_cut_connection_has_no_farewell(server: HostileServer, fault: str, *, stream: bool) -> None:
    """Whoever looks for it sees that it is missing, or that a record is broken."""
    with greeted(server, server.base_url("openai", fault)) as client:
        client.sendall(request(fault, stream=stream))
        with pytest.raises(ssl.SSLError, match=r"EOF|MAC"):
            everything(client)

    assert server.count(fault) == 1


@pytest.mark.parametrize("fault", SPOILED)
def test_a_spoiled_handshake_comes_to_nothing(server: HostileServer, fault: str) -> None:
    """It is counted, and no request is seen."""
    url = server.base_url("openai", fault)
    if url.startswith("https"):
        with pytest.raises(OSError, match=r"."):
            with greeted(server, url):
                pass
    else:
        with reached(url) as client:
            client.sendall(request(fault))
            with pytest.raises(OSError, match=r"."):
                everything(client)
                raise ConnectionResetError("closed in an orderly way, which is as good")

    assert server.count(fault) == 1
    assert server.requests == ()
    assert server.base_url("openai", fault) == url


def test_who_takes_any_certificate_gets_an_answer(server: HostileServer) -> None:
    """So a client that does not check shows itself: by a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with reached(server.base_url("openai", "tls-expired")) as plain:
        with context.wrap_socket(plain) as client:
            client.sendall(request("tls-expired"))
            answer = everything(client)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert len(server.requests) == 1


def test_faults_of_tls_need_tls() -> None:
    """A server without it has no URL for them, and trusts in nobody."""
    with HostileServer() as server:
        with pytest.raises(ValueError, match=r"tls=True"):
            server.base_url("openai", "tls-expired")
        assert server.issuer == b""


def test_a_closed_server_closes_every_port(server: HostileServer) -> None:
    """That of a spoiled handshake too."""
    url = server.base_url("openai", "tls-handshake-stall")
    server.close()

    with pytest.raises(ConnectionRefusedError), reached(url):
        pass
