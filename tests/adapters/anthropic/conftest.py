"""What the tests of the Messages adapter share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fiber.adapters.anthropic import ADAPTER
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Quirks, Target

Ask = Callable[..., HTTPRequest]


@pytest.fixture
def target() -> Target:
    """The Claude API, as its row will say it."""
    return Target(provider="anthropic", model="claude-sonnet-4-6", base_url="https://api.anthropic.com")


@pytest.fixture
def head() -> HTTPHead:
    """The head of a good answer."""
    return HTTPHead(200, {"request-id": "req_1", "content-type": "application/json"})


@pytest.fixture
def ask(target: Target) -> Ask:
    """Build a request: messages, a model, an API version, and any parameter."""

    def build(
        *messages: ChatMessage,
        model: str = target.model,
        version: str = "",
        stream: bool = False,
        **parameters: Any,
    ) -> HTTPRequest:
        request = ChatRequest(messages=messages or (ChatMessage.user("Hi"),), **parameters)
        place = msgspec.structs.replace(target, model=model, quirks=Quirks(api_version=version))
        return ADAPTER.build_request(request, place, stream=stream)

    return build


@pytest.fixture
def body(ask: Ask) -> Callable[..., Any]:
    """Build a request and decode its body."""
    return lambda *messages, **options: msgspec.json.decode(ask(*messages, **options).body)


@pytest.fixture
def notes(ask: Ask) -> Callable[..., list[str]]:
    """Build a request and give its notes as `kind subject`."""
    return lambda *messages, **options: [f"{note.kind} {note.subject}" for note in ask(*messages, **options).notes]
