"""Servers that speak the chat format, and clients of them."""

from __future__ import annotations

from typing import Any

import msgspec

from fiber import Fiber, openai_compatible
from tests.kit import START, answer, piece
from tests.transports.conftest import Exchange, Loopback


def client(server: Loopback, **options: Any) -> Fiber:
    """Make a client of *server*, over real sockets."""
    return Fiber(providers=[openai_compatible("local", server.url)], default_model="local:m", **options)


def event(value: Any) -> bytes:
    """Write a server-sent event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def echo(exchange: Exchange) -> None:
    """Answer with the prompt."""
    prompt = msgspec.json.decode(exchange.body)["messages"][0]["content"]
    exchange.answer(msgspec.json.encode(answer(prompt)), "content-type: application/json")


def endless(exchange: Exchange) -> str:
    """Begin to talk and never end."""
    exchange.begin("content-type: text/event-stream")
    exchange.chunk(event(START) + event(piece("Hi")))
    return "hold"
