"""What the tests of the Replicate adapter share."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fiber.adapters.replicate import ADAPTER
from fiber.adapters.replicate.stream import ReplicateDecoder
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

HEAD = HTTPHead(200, {"content-type": "application/json"})
BASE = "https://api.replicate.com/v1"
LLAMA = "meta/meta-llama-3-8b-instruct"
GPT = "openai/gpt-5"


def target(model: str = LLAMA) -> Target:
    """Make the place of *model*."""
    return Target(provider="replicate", model=model, base_url=BASE)


class Tools:
    """What the tests do again and again."""

    def build(self, *messages: ChatMessage, model: str = LLAMA, stream: bool = False, **fields: Any) -> HTTPRequest:
        said = messages or (ChatMessage.user("Hi"),)
        return ADAPTER.build_request(ChatRequest(messages=said, **fields), target(model), stream=stream)

    def body(self, *messages: ChatMessage, **fields: Any) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.build(*messages, **fields).body)
        return decoded

    def sent(self, *messages: ChatMessage, **fields: Any) -> Any:
        """Return the input that is sent."""
        return self.body(*messages, **fields)["input"]

    def notes(self, *messages: ChatMessage, **fields: Any) -> list[tuple[str, str]]:
        return [(note.kind, note.subject) for note in self.build(*messages, **fields).notes]

    def prediction(self, status: str = "succeeded", **members: Any) -> bytes:
        return json.dumps({"id": "p1", "model": LLAMA, "status": status, "output": None, **members}).encode()

    def parse(self, body: bytes) -> ChatResult:
        return ADAPTER.parse_response(HEAD, body, target())

    def event(self, event: str, data: str) -> bytes:
        lines = "".join(f"data: {line}\n" for line in data.split("\n"))
        return f"event: {event}\nid: 1:0\n{lines}\n".encode()

    def stream(self, *chunks: bytes) -> tuple[ReplicateDecoder, list[StreamEvent]]:
        decoder = ReplicateDecoder(HEAD, target())
        events = [event for chunk in chunks for event in decoder.feed(chunk)]
        return decoder, events + decoder.finish()

    def encode(self, value: Any) -> bytes:
        return msgspec.json.encode(value)


@pytest.fixture
def tools() -> Tools:
    return Tools()
