"""What the tests of the Ollama adapter share."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fiber.adapters.ollama import ADAPTER
from fiber.adapters.ollama.stream import OllamaDecoder
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

HEAD = HTTPHead(200, {"content-type": "application/x-ndjson"})
TARGET = Target(provider="ollama", model="qwen3:4b", base_url="http://localhost:11434")


class Tools:
    """What the tests do again and again."""

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

    def line(self, done: bool = False, **message: Any) -> dict[str, Any]:
        said = {"model": "qwen3:4b", "message": {"role": "assistant", **message}, "done": done}
        return {**said, "done_reason": "stop"} if done else said

    def lines(self, *lines: Any) -> bytes:
        return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)

    def stream(self, *chunks: bytes) -> tuple[OllamaDecoder, list[StreamEvent]]:
        decoder = OllamaDecoder(HEAD, TARGET)
        events = [event for chunk in chunks for event in decoder.feed(chunk)]
        return decoder, events + decoder.finish()


@pytest.fixture
def tools() -> Tools:
    return Tools()
