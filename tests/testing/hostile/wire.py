"""What the tests of the hostile server share: requests of every format, and a client that is a bare socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fiber.testing import FAULTS, HostileServer
from fiber.testing.formats import FORMATS as BYTES
from fiber.testing.hostile.actions import Action, Head, Part
from fiber.testing.hostile.scene import Scene
from fiber.testing.view import ChatView

NONCE = "nonce-4711"
FORMATS = ("openai_chat", "openai_responses", "anthropic", "gemini", "cohere", "ollama")
EVENTS = tuple(format for format in FORMATS if format != "ollama")
"""Formats whose streams are server-sent events."""
PATHS = {
    "openai_chat": "v1/chat/completions",
    "openai_responses": "v1/responses",
    "anthropic": "v1/messages",
    "cohere": "cohere/v2/chat",
    "ollama": "api/chat",
    "replicate": "v1/predictions",
}


def request(fault: str, format: str = "openai_chat", *, stream: bool = False, close: bool = True) -> bytes:
    """Make the bytes of a chat request that meets *fault*."""
    body: dict[str, object] = {"model": "mock", "stream": stream, "max_tokens": 99}
    path = PATHS.get(format, "v1beta/models/mock:generateContent")
    if format == "gemini":
        path = path.replace(":generate", ":streamGenerate").replace("Content", "Content?alt=sse") if stream else path
        body = {"contents": [{"role": "user", "parts": [{"text": NONCE}]}]}
    elif format == "replicate":
        body = {"version": "mock", "stream": stream, "input": {"prompt": NONCE}}
    elif format == "openai_responses":
        body["input"] = NONCE
    else:
        body["messages"] = [{"role": "user", "content": NONCE}]
    data = json.dumps(body).encode()
    headers = f"authorization: Bearer sk-canary\r\nanthropic-version: 1\r\ncontent-length: {len(data)}\r\n"
    if close:
        headers += "connection: close\r\n"
    return f"POST /{fault}/{path} HTTP/1.1\r\n{headers}\r\n".encode() + data


@contextmanager
def connected(server: HostileServer) -> Iterator[socket.socket]:
    """Open a socket to the server."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        yield client


def everything(client: socket.socket) -> bytes:
    """Read until the server closes."""
    received = b""
    while data := client.recv(65536):
        received += data
    return received


def exchange(server: HostileServer, fault: str, format: str = "openai_chat", *, stream: bool = False) -> bytes:
    """Send one request and read all that comes."""
    with connected(server) as client:
        client.sendall(request(fault, format, stream=stream))
        return everything(client)


def unchunked(answer: bytes) -> bytes:
    """Return the body of a chunked answer, as far as it came."""
    body, rest = b"", answer.partition(b"\r\n\r\n")[2]
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body


def scene(format: str = "openai_chat", *, stream: bool = False, **more: Any) -> Scene:
    """Make what a recipe sees; what is huge is small here."""
    view = ChatView(model="mock", stream=stream, last_text=NONCE)
    usual: dict[str, Any] = {"view": view, "bulk_bytes": 1 << 20, "flood_events": 1000, "limit_seconds": 0.1}
    return Scene(format=BYTES[format], **{**usual, **more})


def played(fault: str, format: str = "openai_chat", *, stream: bool = False, **more: Any) -> list[Action]:
    """Return the actions of a fault."""
    return list(FAULTS[fault].play(scene(format, stream=stream, **more)))


def head(actions: list[Action]) -> Head:
    """Return the head that the actions send."""
    return next(action for action in actions if isinstance(action, Head))


def body(actions: list[Action]) -> bytes:
    """Return the body that the actions send."""
    return b"".join(action.data for action in actions if isinstance(action, Part))


def payloads(data: bytes) -> list[Any]:
    """Return the JSON of the events, or lines, in *data*."""
    if b"data: " not in data:
        return [json.loads(line.decode()) for line in data.split(b"\n") if line]
    found = [line.partition(b"data: ")[2] for line in data.replace(b"\r\n", b"\n").split(b"\n") if b"data: " in line]
    return [json.loads(each.decode()) for each in found if each != b"[DONE]"]
