"""Tests of the hostile server over bare sockets."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import closing

import pytest

from fiber import Fiber, FiberStreamInterruptedError
from fiber.testing import FAULTS, HostileServer
from tests.testing.hostile.wire import FORMATS, NONCE, connected, everything, exchange, request


@pytest.fixture
def server() -> Iterator[HostileServer]:
    """Run a server for one test."""
    with HostileServer(slow_seconds=0.05, tick_seconds=0.005, limit_seconds=5, bulk_bytes=1 << 20) as server:
        yield server


def wait_disconnected(server: HostileServer) -> float:
    """Return the seconds from the only request to its disconnect; the faults themselves end after five."""
    while not server.requests:
        pass
    assert server.requests[0].wait_ended(10)
    seconds = server.requests[0].disconnected
    assert seconds is not None
    return seconds


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("format", FORMATS)
def test_good_answer_repeats_the_request(server: HostileServer, format: str, *, stream: bool) -> None:
    """Without a fault the answer holds what was said, in every format."""
    answer = exchange(server, "ok", format, stream=stream)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert NONCE.encode() in answer
    assert (server.requests[0].format, server.requests[0].fault) == (format, "ok")


def test_url_says_the_fault(server: HostileServer) -> None:
    """The fault stands in front of what the family's clients expect."""
    assert server.base_url("openai", "html") == f"{server.url}/html/v1"
    assert server.base_url("anthropic", "html") == server.base_url("gemini", "html") == f"{server.url}/html"
    assert server.base_url("openai") == f"{server.url}/ok/v1"
    assert server.faults == tuple(FAULTS)


def test_unknown_fault_is_a_mistake(server: HostileServer) -> None:
    """A fault that is not in the table has no URL, and a request to it is refused."""
    with pytest.raises(ValueError, match="No fault 'meteor'"):
        server.base_url("openai", "meteor")

    assert exchange(server, "meteor").startswith(b"HTTP/1.1 404 ")


def test_fault_of_the_first_request_is_played_once(server: HostileServer) -> None:
    """Later requests are answered, until the server is told to forget."""
    statuses = [exchange(server, "rate-limit-once")[9:12] for _ in range(3)]
    count = server.count("rate-limit-once")
    server.reset()

    assert statuses == [b"429", b"200", b"200"]
    assert count == 3
    assert (server.requests, server.count("rate-limit-once")) == ((), 0)
    assert exchange(server, "rate-limit-once")[9:12] == b"429"


def test_requests_know_their_connection(server: HostileServer) -> None:
    """Requests on one connection share its number."""
    with connected(server) as client:
        client.sendall(request("ok", close=False) + request("ok"))
        answer = everything(client)
    exchange(server, "ok")

    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert [request.connection for request in server.requests] == [1, 1, 2]


@pytest.mark.parametrize("fault", ["stall-mid-body", "never-headers", "pings", "half-close"])
def test_leaving_is_noticed_in_a_stall(server: HostileServer, fault: str) -> None:
    """A client that leaves while nothing comes is noticed at once."""
    with connected(server) as client:
        client.sendall(request(fault, stream=True, close=False))
        if fault != "never-headers":
            client.recv(1)

    assert wait_disconnected(server) < 4


def test_close_ends_every_wait() -> None:
    """A server that closes does not wait for stalls."""
    with HostileServer() as server:
        with connected(server) as client:
            client.sendall(request("stall-mid-body", stream=True))
            client.recv(1)
            server.close()
            rest = everything(client)

    assert NONCE.encode() not in rest
    assert server.requests[0].ended.is_set()


def test_other_mode_gets_a_good_answer(server: HostileServer) -> None:
    """A fault of streams leaves whole answers alone, and the other way about."""
    assert NONCE.encode() in exchange(server, "stream-cut")
    assert b"[DONE]" in exchange(server, "missing-choices", stream=True)


def test_fault_of_another_format_gets_a_good_answer(server: HostileServer) -> None:
    """A fault that a format cannot have leaves it alone."""
    assert b"[DONE]" in exchange(server, "stream-json-array", stream=True)


def test_model_list_meets_faults_too(server: HostileServer) -> None:
    """A list of models is a whole answer like others."""
    replies = []
    for fault in ("ok", "html"):
        with closing(http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)) as client:
            client.request("GET", f"/{fault}/v1/models")
            replies.append(client.getresponse().read())

    assert b'"mock"' in replies[0]
    assert b"log in" in replies[1]


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"model": "m"}'])
def test_request_that_makes_no_sense_is_refused(server: HostileServer, body: bytes) -> None:
    """A request that the provider would refuse meets no fault."""
    with closing(http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)) as client:
        client.request("POST", "/html/v1/chat/completions", body)
        response = client.getresponse()

        assert response.status == 400
        assert b"error" in response.read()


def test_user_tests_a_truncated_stream() -> None:
    """A stream that ends half-way is an error for the client, in less than ten lines."""
    with HostileServer() as server:
        fiber = Fiber(api_keys={"openai": "x"}, base_urls={"openai": server.base_url("openai", "stream-cut")})
        with pytest.raises(FiberStreamInterruptedError) as caught:
            fiber.sync.chat_stream("Hello", model="openai:gpt-x").collect()
        fiber.sync.close()

    assert caught.value.partial is not None
    assert caught.value.partial.text == "You said: "


def sent(server: HostileServer, line: str) -> bytes:
    """Send a request without a body, and read what comes."""
    with connected(server) as client:
        client.sendall(f"{line} HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        return everything(client)


def test_promised_stream_meets_the_fault_at_its_own_address(server: HostileServer) -> None:
    """What leads there is a good answer that counts for nothing; only the stream is cut."""
    promise = exchange(server, "stream-cut", "replicate", stream=True)
    number = server.requests[0].number
    counted = server.count("stream-cut")

    stream = sent(server, f"GET /stream-cut/v1/streams/mock{number}")

    assert promise.startswith(b"HTTP/1.1 201 ")
    assert f"{server.url}/stream-cut/v1/streams/mock{number}".encode() in promise
    assert b"event: output" in stream
    assert b"event: done" not in stream
    assert (counted, server.count("stream-cut")) == (0, 1)


def test_promised_answer_is_looked_at_and_ended(server: HostileServer) -> None:
    """It is whole at once where it is looked at, and who ends the work hears that it has ended."""
    exchange(server, "ok", "replicate", stream=True)
    itself = f"/ok/v1/predictions/mock{server.requests[0].number}"

    assert NONCE.encode() in sent(server, f"GET {itself}")
    assert b'"status":"canceled"' in sent(server, f"POST {itself}/cancel")
    assert server.count("ok") == 1


def test_whole_answer_is_not_promised(server: HostileServer) -> None:
    """It is over when it comes, or refused when nothing is asked."""
    good = exchange(server, "ok", "replicate")
    with connected(server) as client:
        client.sendall(request("ok", "replicate").replace(b'"version"', b'"nothing"'))
        refused = everything(client)

    assert b'"status":"succeeded"' in good
    assert NONCE.encode() in good
    assert refused.startswith(b"HTTP/1.1 422 ")
