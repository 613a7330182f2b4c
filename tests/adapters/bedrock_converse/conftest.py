"""What the tests of the Converse adapter share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fiber.adapters.bedrock_converse import ADAPTER
from fiber.testing.formats.event_stream import event
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
CLAUDE = "anthropic.claude-sonnet-4-6-v1:0"


@pytest.fixture
def target() -> Target:
    """Claude on Bedrock."""
    return Target(provider="bedrock", model=CLAUDE, base_url=HOST)


@pytest.fixture
def head() -> HTTPHead:
    """The head of a good answer."""
    return HTTPHead(200, {"x-amzn-requestid": "req_1", "content-type": "application/json"})


@pytest.fixture
def ask(target: Target) -> Callable[..., HTTPRequest]:
    """Build a request: messages, a model, and any parameter."""

    def build(
        *messages: ChatMessage, model: str = target.model, stream: bool = False, **parameters: Any
    ) -> HTTPRequest:
        request = ChatRequest(messages=messages or (ChatMessage.user("Hi"),), **parameters)
        return ADAPTER.build_request(request, msgspec.structs.replace(target, model=model), stream=stream)

    return build


@pytest.fixture
def body(ask: Callable[..., HTTPRequest]) -> Callable[..., Any]:
    """Build a request and decode its body."""
    return lambda *messages, **options: msgspec.json.decode(ask(*messages, **options).body)


@pytest.fixture
def notes(ask: Callable[..., HTTPRequest]) -> Callable[..., list[str]]:
    """Build a request and give its notes as `kind subject`."""
    return lambda *messages, **options: [f"{note.kind} {note.subject}" for note in ask(*messages, **options).notes]


@pytest.fixture
def parse(head: HTTPHead, target: Target) -> Callable[..., ChatResult]:
    """Decode a whole answer with these content blocks."""

    def read(*content: Any, **members: Any) -> ChatResult:
        answer = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn", **members}
        return ADAPTER.parse_response(head, msgspec.json.encode(answer), target)

    return read


class Streamed:
    """What came of a stream."""

    def __init__(self, target: Target, *said: tuple[str, Any]) -> None:
        decoder = ADAPTER.stream_decoder(HTTPHead(200), target)
        frames = [event(kind, msgspec.json.encode(payload)) for kind, payload in said]
        self.events: list[StreamEvent] = [one for frame in frames for one in decoder.feed(frame)]
        self.early = decoder.done
        self.events += decoder.finish()
        self.done, self.error, self.result = decoder.done, decoder.error, decoder.result()


@pytest.fixture
def stream(target: Target) -> Callable[..., Streamed]:
    """Decode a stream of events, given as type and payload."""
    return lambda *said: Streamed(target, *said)


@pytest.fixture
def blocks(stream: Callable[..., Streamed]) -> Callable[..., Streamed]:
    """Decode a stream of one block: its start, if any, and its deltas."""

    def read(start: Any, *deltas: Any, stop: bool = True) -> Streamed:
        said: list[tuple[str, Any]] = [("messageStart", {"role": "assistant", "p": "ab"})]
        if start is not None:
            said.append(("contentBlockStart", {"contentBlockIndex": 0, "start": start}))
        said += [("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}) for delta in deltas]
        if stop:
            said.append(("contentBlockStop", {"contentBlockIndex": 0}))
        said += [("messageStop", {"stopReason": "end_turn"}), ("metadata", {"usage": {"inputTokens": 1}})]
        return stream(*said)

    return read
