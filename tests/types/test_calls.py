"""The keywords of a chat call."""

from __future__ import annotations

from fiber.types.calls import CALL_OPTIONS, KNOWN, ChatOptions, RequestOptions
from fiber.types.request import ChatRequest


def test_request_keywords_are_the_members_of_a_request() -> None:
    """Every member of a request is a keyword, but for the conversation itself."""
    assert set(RequestOptions.__annotations__) == set(ChatRequest.__struct_fields__) - {"messages"}


def test_call_keywords_are_the_rest() -> None:
    """What is no member of the request is listed as an option of the call."""
    assert KNOWN - set(RequestOptions.__annotations__) == set(CALL_OPTIONS)
    assert set(ChatOptions.__annotations__) == KNOWN


def test_every_keyword_may_be_left_out() -> None:
    """No keyword is required."""
    assert ChatOptions.__required_keys__ == frozenset()
