"""Tests of the mock server over real sockets, with nothing but the standard library as client."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

import fiber.testing
from fiber.testing import MockCall, MockRequest, MockServer, Reply

CHAT = "/v1/chat/completions"
VERSION = {"anthropic-version": "2023-06-01"}


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


def chat(server: MockServer, **more: Any) -> Any:
    """Ask for a whole OpenAI chat completion and return its JSON."""
    return json.loads(post(server, CHAT, ask(**more))[1])


def content(answer: Any) -> str:
    """Return the text of a chat completion."""
    return str(answer["choices"][0]["message"]["content"])


def stream_head(server: MockServer, **more: Any) -> socket.socket:
    """Open a stream on a bare socket and read its first bytes."""
    data = json.dumps(ask(stream=True, **more)).encode()
    host, port = server.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=5)
    client.sendall(b"POST %b HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % (CHAT.encode(), len(data)))
    client.sendall(data)
    assert client.recv(15) == b"HTTP/1.1 200 OK"
    return client


def test_default_reply_repeats_the_user(server: MockServer) -> None:
    """Without any set-up the server says what it was told."""
    assert content(chat(server, text="good morning")) == "You said: good morning"


def test_base_urls_are_what_clients_expect(server: MockServer) -> None:
    """OpenAI clients want the version in the base URL, the others do not."""
    assert server.base_url("openai") == f"{server.url}/v1"
    assert server.base_url("anthropic") == server.base_url("gemini") == server.url
    assert server.url.startswith("http://127.0.0.1:")


def test_names_are_imported_when_used() -> None:
    """Every public name is there, and no other."""
    assert all(getattr(fiber.testing, name) for name in fiber.testing.__all__)
    assert sorted(fiber.testing.__all__) == fiber.testing.__all__
    with pytest.raises(AttributeError, match="nothing"):
        _ = fiber.testing.nothing


def test_queue_is_used_first_and_in_order(server: MockServer) -> None:
    """Queued answers come in order, then the default one; a text stands for a reply."""
    server.enqueue(Reply("one"), "two")
    server.reply("three", times=2)
    assert server.pending == 4

    said = [content(chat(server)) for _ in range(5)]

    assert said == ["one", "two", "three", "three", "You said: Hi"]
    assert server.pending == 0


def test_queue_for_one_format_waits_for_it(server: MockServer) -> None:
    """An answer queued for a format is passed over by requests in another."""
    server.enqueue("for messages", format="anthropic")
    server.enqueue("for chat")

    assert content(chat(server)) == "for chat"
    _, body = post(server, "/v1/messages", ask(max_tokens=9), **VERSION)
    assert json.loads(body)["content"][0]["text"] == "for messages"


def test_queue_refuses_an_unknown_format(server: MockServer) -> None:
    """A misspelt format is an error at once."""
    with pytest.raises(ValueError, match="No format 'openai'"):
        server.enqueue("x", format="openai")


def test_handler_answers_and_may_decline() -> None:
    """A handler sees the request; when it returns None, the default answer is given."""

    def handler(request: MockRequest) -> str | None:
        assert request.view is not None
        return "handled" if request.view.last_text == "mine" else None

    with MockServer(handler=handler) as server:
        assert content(chat(server, text="mine")) == "handled"
        assert content(chat(server, text="yours")) == "You said: yours"


def test_handler_that_raises_becomes_status_500_and_is_kept() -> None:
    """A mistake in a handler is shown to the client and kept in `errors`."""
    with MockServer(handler=lambda request: Reply(str(1 // 0))) as server:
        response, body = post(server, CHAT, ask())

        assert response.status == 500
        assert "ZeroDivisionError" in json.loads(body)["error"]["message"]
        assert isinstance(server.errors[0], ZeroDivisionError)


def test_reply_that_a_format_cannot_express_becomes_status_500(server: MockServer) -> None:
    """Broken JSON cannot be an argument object, so Anthropic's whole answer fails loudly."""
    server.enqueue(Reply(tool_calls=[MockCall("f", "[1]")]))

    response, body = post(server, "/v1/messages", ask(max_tokens=9), **VERSION)

    assert response.status == 500
    assert "not a JSON object" in json.loads(body)["error"]["message"]
    assert len(server.errors) == 1


def test_requests_are_recorded_whole(server: MockServer) -> None:
    """Method, path, query, headers, JSON and format of each request are kept, the key not shown."""
    post(server, f"{CHAT}?a=1", ask(), authorization="Bearer secret", x_extra="1")

    (request,) = server.requests
    assert (request.method, request.path, request.query) == ("POST", CHAT, {"a": "1"})
    assert request.headers["x-extra"] == "1"
    assert request.api_key == "secret"
    assert request.json == ask()
    assert (request.format, request.model, request.status) == ("openai_chat", "gpt-mock", 200)
    assert "secret" not in repr(request)


@pytest.mark.parametrize("model", ["gpt-rate-limited", "gpt-flaky"])
def test_fault_once_per_model_then_success(server: MockServer, model: str) -> None:
    """Some models fail once for each name, and then answer."""
    statuses = [post(server, CHAT, ask(model=name))[0].status for name in (model, model, model + "-b")]

    assert statuses == [429 if "rate" in model else 500, 200, statuses[0]]


def test_rate_limit_says_when_to_return(server: MockServer) -> None:
    """A refusal for speed carries `retry-after` in whole seconds, and milliseconds where known."""
    response, _ = post(server, CHAT, ask(model="gpt-throttled"))

    assert response.headers["retry-after"] == "1"
    assert response.headers["retry-after-ms"] == "200"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
def test_body_that_is_no_json_object_is_400(server: MockServer, body: bytes) -> None:
    """What is not a JSON object is refused, and takes nothing from the queue."""
    server.enqueue("kept")

    assert post(server, CHAT, body)[0].status == 400
    assert server.pending == 1


def test_many_connections_are_served_at_once() -> None:
    """Connections do not wait for each other: none of these is answered before all have asked."""
    all_have_asked = threading.Barrier(60)

    def answer(request: MockRequest) -> str:
        all_have_asked.wait(30)
        return "together"

    with MockServer(handler=answer) as server, ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(lambda _: content(chat(server)), range(60)))

    assert answers == ["together"] * 60
    assert sorted(request.number for request in server.requests) == list(range(1, 61))


def test_close_ends_stalled_streams_and_leaves_no_thread() -> None:
    """Closing waits for no connection, be it idle, waiting or stalled, and every thread is gone."""
    before = set(threading.enumerate())
    server = MockServer()
    server.start()
    server.start()
    server.enqueue(Reply("a b", end="stall"), Reply("a b", event_delay_seconds=3600))
    clients = [stream_head(server), stream_head(server), connect(server)]
    clients[-1].connect()

    server.close()
    server.close()

    assert set(threading.enumerate()) <= before
    for client in clients:
        client.close()


def test_server_can_be_started_again_on_its_port() -> None:
    """A server keeps its port over a restart, and a taken port is an error."""
    server = MockServer()
    with server:
        url = server.url
        with pytest.raises(OSError, match="in use"):
            MockServer(port=int(url.rpartition(":")[2])).start()
    with server:
        assert server.url == url
        assert content(chat(server)) == "You said: Hi"


def test_only_the_loopback_address_is_accepted() -> None:
    """A mock server is never reachable from elsewhere."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 only"):
        MockServer(host="0.0.0.0")
