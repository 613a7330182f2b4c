"""Tests of the mock server's wire: streams, faults, delays, disconnects and bad bytes."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import time
from contextlib import closing
from typing import Any

import pytest

from fiber.testing import Failure, MockServer, Reply

CHAT = "/v1/chat/completions"


def connect(server: MockServer) -> http.client.HTTPConnection:
    """Open a client of the server."""
    return http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)


def ask(text: str = "Hi", model: str = "gpt-mock", **more: Any) -> dict[str, Any]:
    """Make the body of a chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def post(server: MockServer, path: str, body: Any, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request on a connection of its own."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with closing(connect(server)) as client:
        client.request("POST", path, data, {key.replace("_", "-"): headers[key] for key in headers})
        response = client.getresponse()
        return response, response.read()


def events(body: bytes) -> list[Any]:
    """Decode the data of server-sent events, the last marker left out."""
    found = [line.removeprefix("data: ") for line in body.decode().split("\n") if line[:5] == "data:"]
    return [json.loads(data) for data in found if data != "[DONE]"]


def stream_head(server: MockServer, **more: Any) -> socket.socket:
    """Open a stream on a bare socket and read its first bytes."""
    data = json.dumps(ask(stream=True, **more)).encode()
    host, port = server.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=5)
    client.sendall(b"POST %b HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % (CHAT.encode(), len(data)))
    client.sendall(data)
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    return client


def test_connection_is_kept_alive(server: MockServer) -> None:
    """Whole, streamed and failed answers all leave the connection usable."""
    server.enqueue("a", Reply("b"), Failure(429), "d")
    bodies = []
    with closing(connect(server)) as client:
        client.connect()
        first = client.sock
        for stream in (False, True, False, False):
            client.request("POST", CHAT, json.dumps(ask(stream=stream)))
            bodies.append(client.getresponse().read())
            assert client.sock is first

    assert [b'"a"' in bodies[0], b'"b"' in bodies[1], b"rate_limit" in bodies[2]] == [True] * 3


def test_stream_is_chunked_one_event_a_chunk(server: MockServer) -> None:
    """Every event leaves on its own, in its own chunk, and an empty chunk ends the answer."""
    server.enqueue(Reply("a b c", words_per_event=1))
    with stream_head(server) as client:
        received = b""
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received += client.recv(65536)

    chunks = received.split(b"\r\n\r\n", 1)[1].split(b"\r\n")[1::2]
    assert b"transfer-encoding: chunked" in received
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in chunks[:-1])
    assert server.requests[0].events_sent == len(chunks) - 1 == 6


def test_delays_are_kept_before_the_answer_and_between_events() -> None:
    """The server's delays hold."""
    with MockServer(delay_seconds=0.02, event_delay_seconds=0.005) as server:
        server.enqueue(Reply("a b", words_per_event=1))
        start = time.monotonic()
        post(server, CHAT, ask(stream=True))
        seconds = time.monotonic() - start

    assert seconds >= 0.02 + 4 * 0.005


def test_a_reply_may_have_delays_of_its_own() -> None:
    """The server's delays, which no client would wait for, hold only for replies that do not say otherwise."""
    with MockServer(delay_seconds=3600, event_delay_seconds=3600) as server:
        server.enqueue(Reply("fast", delay_seconds=0.0, event_delay_seconds=0.0))

        answer, _ = post(server, CHAT, ask(stream=True))

    assert answer.status == 200


def test_dropped_stream_ends_without_its_last_chunk(server: MockServer) -> None:
    """A cut stream closes the connection in mid-answer."""
    with closing(connect(server)) as client:
        client.request("POST", CHAT, json.dumps(ask(model="gpt-cut", stream=True)))
        response = client.getresponse()
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()

    assert 0 < len(events(caught.value.partial)) < 5


def test_cut_can_be_set_to_the_event(server: MockServer) -> None:
    """`cut_after_events` counts events, from the end when negative; alone it means a drop."""
    server.enqueue(Reply("a b c", cut_after_events=0), Reply("a", end="clean", cut_after_events=-1))
    with stream_head(server) as client:
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    _, body = post(server, CHAT, ask(stream=True))

    assert received.endswith(b"\r\n\r\n")
    assert b"data:" not in received
    assert b"finish_reason" in body
    assert b"[DONE]" not in body


def test_clean_end_is_valid_http_with_half_an_answer(server: MockServer) -> None:
    """A clean end is a complete HTTP message without the rest of the answer."""
    server.enqueue(Reply("a b c d", end="clean"), Reply("a b c d", end="clean"))

    _, streamed = post(server, CHAT, ask(stream=True))
    _, whole = post(server, CHAT, ask())

    assert events(streamed)
    assert b"[DONE]" not in streamed
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(whole)


def test_error_inside_an_answer_follows_status_200(server: MockServer) -> None:
    """A late error comes in the provider's shape inside an answer that began well."""
    late = Reply("a b c", end="error", error=Failure(code="server_error"))
    server.enqueue(late, late, Reply("x", end="error"))

    streamed, body = post(server, CHAT, ask(stream=True))
    whole, data = post(server, CHAT, ask())
    _, default = post(server, CHAT, ask())

    assert (streamed.status, whole.status) == (200, 200)
    assert events(body)[-1]["error"]["type"] == "server_error"
    assert json.loads(data)["error"]["type"] == "server_error"
    assert json.loads(default)["error"]["code"] == "server_is_overloaded"


def test_dropped_whole_answer_is_shorter_than_it_said(server: MockServer) -> None:
    """A whole answer that is dropped ends before its content length."""
    server.enqueue(Reply("some words", end="drop"))
    with closing(connect(server)) as client:
        client.request("POST", CHAT, json.dumps(ask()))
        with pytest.raises(http.client.IncompleteRead):
            client.getresponse().read()


def test_stalled_stream_stays_open_until_the_client_leaves(server: MockServer) -> None:
    """A stall sends nothing more, and the client's leaving is recorded."""
    server.enqueue(Reply("a b c d", end="stall"))
    with stream_head(server) as client:
        client.settimeout(0.03)
        with pytest.raises(TimeoutError):
            while client.recv(65536):
                pass
        request = server.requests[0]
        assert request.disconnected is None

    assert request.wait_ended(10)
    assert request.disconnected is not None
    assert request.disconnected > 0.02


def test_disconnect_between_events_is_noticed(server: MockServer) -> None:
    """A client that leaves during a stream is noticed at once, not at the next event."""
    server.enqueue(Reply("a b c d", event_delay_seconds=3600))
    stream_head(server).close()

    request = server.requests[0]
    assert request.wait_ended(10)
    assert request.disconnected is not None
    assert request.events_sent == 1


def test_reset_connection_is_a_disconnect(server: MockServer) -> None:
    """A client that leaves rudely is noticed like a polite one."""
    server.enqueue(Reply("a b c d", event_delay_seconds=3600))
    client = stream_head(server)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()

    assert server.requests[0].wait_ended(10)
    assert server.requests[0].disconnected is not None


def test_client_that_leaves_a_long_answer_is_noticed(server: MockServer) -> None:
    """A server that cannot get rid of its bytes notices that nobody takes them."""
    server.enqueue(Reply("x" * 20_000_000))
    stream_head(server).close()

    assert server.requests[0].wait_ended(10)
    assert server.requests[0].disconnected is not None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (CHAT, "text/event-stream"),
        ("/v1/responses", "text/event-stream"),
        ("/v1/messages", "text/event-stream"),
        ("/v1/models/m:streamGenerateContent?alt=sse", "text/event-stream"),
        ("/v1beta/models/m:streamGenerateContent", "application/json"),
    ],
)
def test_every_format_streams(server: MockServer, path: str, kind: str) -> None:
    """Each path streams, with the content type of its provider."""
    turns = [{"role": "user", "parts": [{"text": "Hi"}]}]
    body = ask(stream=True, input="Hi", max_tokens=9, contents=turns)

    response, data = post(server, path, body, anthropic_version="1")

    assert response.status == 200
    assert response.headers["content-type"].startswith(kind)
    assert b"You said" in data


def test_answer_that_is_heard_out_has_no_disconnect(server: MockServer) -> None:
    """A client that leaves after the end did not disconnect."""
    post(server, CHAT, ask(stream=True))

    assert server.requests[0].wait_ended(10)
    assert server.requests[0].disconnected is None


def test_next_request_sent_early_is_no_disconnect(server: MockServer) -> None:
    """A client may send its next request while it waits; both are answered."""
    server.enqueue(Reply("first", delay_seconds=0.02), "second")
    data = json.dumps(ask()).encode()
    one = b"POST %b HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (CHAT.encode(), len(data), data)
    last = one.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(one)
        time.sleep(0.005)
        client.sendall(last)
        received = b""
        while chunk := client.recv(65536):
            received += chunk

    assert received.index(b'"first"') < received.index(b'"second"')
    assert [request.disconnected for request in server.requests] == [None, None]
