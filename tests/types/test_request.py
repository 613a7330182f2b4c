"""Chat requests as values."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from fiber.types.messages import ChatMessage
from fiber.types.request import PARAMETERS, ChatRequest
from tests.strategies import chat_messages


@given(chat_messages())
def test_request_survives_json(message: ChatMessage) -> None:
    """A request, written as JSON and read again, is equal to itself."""
    request = ChatRequest(messages=(message,), temperature=0, stop=("a",), store=False)

    assert msgspec.json.decode(msgspec.json.encode(request), type=ChatRequest) == request


def test_what_was_not_said_is_none() -> None:
    """Every parameter that was not said is None, and the policy is to raise."""
    request = ChatRequest(messages=())

    assert {getattr(request, name) for name in PARAMETERS} == {None}
    assert (request.model, request.on_unsupported) == ("", "raise")


def test_parameters_are_what_adapters_must_place() -> None:
    """Every member is a parameter, but for the conversation, the model, the extras and the policy."""
    others = {"messages", "model", "extra_body", "extra_headers", "extra_query", "on_unsupported"}

    assert set(PARAMETERS) == set(ChatRequest.__struct_fields__) - others


def test_request_is_frozen() -> None:
    """A request cannot be changed."""
    with pytest.raises(AttributeError):
        ChatRequest(messages=()).model = "m"  # type: ignore[misc]
