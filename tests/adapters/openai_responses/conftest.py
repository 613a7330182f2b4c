"""What the tests of the Responses adapter share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fiber.adapters.openai_responses import ADAPTER
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Quirks, Target

Ask = Callable[..., HTTPRequest]


SHORT = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
"""An output item."""


@pytest.fixture
def target() -> Target:
    """OpenAI with a model that nothing is known about, so that everything may be sent."""
    return Target(provider="openai", model="new-model", base_url="https://api.openai.com/v1")


@pytest.fixture
def head() -> HTTPHead:
    """The head of a good answer."""
    return HTTPHead(200, {"x-request-id": "req_1", "content-type": "application/json"})


@pytest.fixture
def ask(target: Target) -> Ask:
    """Build a request: messages, a model, quirks, a base URL, and any parameter."""

    def build(
        *messages: ChatMessage,
        model: str = target.model,
        base_url: str = target.base_url,
        quirks: Quirks = target.quirks,
        stream: bool = False,
        **parameters: Any,
    ) -> HTTPRequest:
        request = ChatRequest(messages=messages or (ChatMessage.user("Hi"),), **parameters)
        place = msgspec.structs.replace(target, model=model, base_url=base_url, quirks=quirks)
        return ADAPTER.build_request(request, place, stream=stream)

    return build


@pytest.fixture
def body(ask: Ask) -> Callable[..., Any]:
    """Build a request and decode its body."""
    return lambda *messages, **options: msgspec.json.decode(ask(*messages, **options).body)


@pytest.fixture
def items(body: Callable[..., Any]) -> Callable[..., Any]:
    """Build a request and give its input items."""
    return lambda *messages, **options: body(*messages, **options)["input"]


@pytest.fixture
def notes(ask: Ask) -> Callable[..., list[str]]:
    """Build a request and give its notes as `kind subject`."""
    return lambda *messages, **options: [f"{note.kind} {note.subject}" for note in ask(*messages, **options).notes]


@pytest.fixture
def parse(head: HTTPHead, target: Target) -> Callable[..., ChatResult]:
    """Parse a whole reply given by its output, a short message if by none, and whatever else it says."""

    def parsed(*output: Any, **members: Any) -> ChatResult:
        reply = {"id": "resp_1", "model": "m", "status": "completed", "output": list(output) or [SHORT]}
        return ADAPTER.parse_response(head, msgspec.json.encode(reply | members), target)

    return parsed
