"""What the tests of the Cohere adapter share."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fiber.adapters.cohere import ADAPTER
from fiber.adapters.cohere.stream import CohereDecoder
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

HEAD = HTTPHead(200, {"x-debug-trace-id": "trace"})
TARGET = Target(provider="cohere", model="command-x", base_url="https://api.cohere.com")


class Tools:
    """What the tests do again and again."""

    head = HEAD
    target = TARGET

    def build(self, *messages: ChatMessage, stream: bool = False, **fields: Any) -> HTTPRequest:
        said = messages or (ChatMessage.user("Hi"),)
        return ADAPTER.build_request(ChatRequest(messages=said, **fields), TARGET, stream=stream)

    def body(self, *messages: ChatMessage, **fields: Any) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.build(*messages, **fields).body)
        return decoded

    def sent(self, *messages: ChatMessage, **fields: Any) -> Any:
        """Return the messages that are sent."""
        return self.body(*messages, **fields)["messages"]

    def notes(self, *messages: ChatMessage, **fields: Any) -> list[tuple[str, str]]:
        return [(note.kind, note.subject) for note in self.build(*messages, **fields).notes]

    def parse(self, reply: Any) -> ChatResult:
        body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        return ADAPTER.parse_response(HEAD, body, TARGET)

    def answer(self, finish_reason: str = "COMPLETE", **message: Any) -> dict[str, Any]:
        return {"id": "r1", "message": {"role": "assistant", **message}, "finish_reason": finish_reason}

    def sse(self, *events: Any) -> bytes:
        return b"".join(b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events)

    def event(self, kind: str, index: int = 0, **message: Any) -> dict[str, Any]:
        return {"type": kind, "index": index, "delta": {"message": message}}

    def ending(self, reason: str | None = "COMPLETE", **delta: Any) -> dict[str, Any]:
        return {"type": "message-end", "delta": {"finish_reason": reason, **delta}}

    def stream(self, *chunks: bytes) -> tuple[CohereDecoder, list[StreamEvent]]:
        decoder = CohereDecoder(HEAD, TARGET)
        events = [event for chunk in chunks for event in decoder.feed(chunk)]
        return decoder, events + decoder.finish()


@pytest.fixture
def tools() -> Tools:
    return Tools()
