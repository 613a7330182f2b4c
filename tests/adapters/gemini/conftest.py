"""Shared pieces of the Gemini tests: targets, requests, replies, streams and fixtures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fiber.adapters.gemini import ADAPTER
from fiber.adapters.gemini.stream import GeminiStreamDecoder
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Quirks, Target

FIXTURES = Path(__file__).parents[2] / "fixtures" / "gemini"
HEAD = HTTPHead(200, {"content-type": "application/json"})
HOST = "https://generativelanguage.googleapis.com"


class Tools:
    """What the tests do again and again."""

    cases = sorted(path.name for path in FIXTURES.iterdir())
    whole_cases = sorted(path.parent.name for path in FIXTURES.glob("*/response.json"))

    def target(self, model: str = "gemini-3-flash-preview", **quirks: Any) -> Target:
        return Target(provider="gemini", model=model, base_url=HOST, quirks=Quirks(**quirks))

    def build(
        self, *messages: ChatMessage, to: Target | None = None, stream: bool = False, **fields: Any
    ) -> HTTPRequest:
        said = messages or (ChatMessage.user("Hi"),)
        request = ChatRequest(messages=said, **fields)
        return ADAPTER.build_request(request, to or self.target(), stream=stream)

    def body(self, *messages: ChatMessage, **fields: Any) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.build(*messages, **fields).body)
        return decoded

    def notes(self, *messages: ChatMessage, **fields: Any) -> list[tuple[str, str]]:
        return [(note.kind, note.subject) for note in self.build(*messages, **fields).notes]

    def parse(self, reply: Any, to: Target | None = None) -> ChatResult:
        body = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        return ADAPTER.parse_response(HEAD, body, to or self.target())

    def answer(self, *parts: Any, **members: Any) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP"}
        return {"candidates": [{**candidate, **members}]}

    def stream(self, *chunks: bytes, to: Target | None = None) -> tuple[GeminiStreamDecoder, list[StreamEvent]]:
        decoder = ADAPTER.stream_decoder(HTTPHead(200, {}), to or self.target())
        assert isinstance(decoder, GeminiStreamDecoder)
        events: list[StreamEvent] = []
        for chunk in chunks:
            events += decoder.feed(chunk)
        return decoder, events + decoder.finish()

    def sse(self, *replies: Any) -> bytes:
        return b"".join(b"data: " + json.dumps(reply).encode() + b"\r\n\r\n" for reply in replies)

    def fixture(self, case: str, name: str) -> bytes:
        return (FIXTURES / case / name).read_bytes()

    def check(self, case: str, result: ChatResult) -> None:
        """Compare *result* with `expected.json` of *case*."""
        expected = json.loads(self.fixture(case, "expected.json"))
        actual: dict[str, Any] = {
            "tool_calls": [[call.id, call.name, call.arguments] for call in result.tool_calls],
            "parts": [type(part).__name__ for part in result.message.parts],
            "citations": [[c.url, c.title, c.cited_text, c.start, c.end] for c in result.citations],
        }
        for name in expected.keys() - actual.keys():
            holder = result.usage if name in result.usage.__struct_fields__ else result
            actual[name] = getattr(holder, name)
        assert {name: actual[name] for name in expected} == expected

    def natives(self, result: ChatResult) -> list[Any]:
        """Return the natives of all parts as values."""
        made = msgspec.to_builtins(result.message)["content"]
        sealed = [part if part["type"] == "opaque" else part.get("native") for part in made]
        return [native and json.loads(native["data"]) for native in sealed]


@pytest.fixture
def tools() -> Tools:
    return Tools()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", Tools.cases)
    if "whole_case" in metafunc.fixturenames:
        metafunc.parametrize("whole_case", Tools.whole_cases)
