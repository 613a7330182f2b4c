"""Whole replies that are one text and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters.openai_chat import response
from fiber.adapters.openai_chat.schema import CHUNK
from fiber.adapters.openai_chat.words import in_words
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target

HEAD = HTTPHead(200, {"x-request-id": "r1", "set-cookie": "c"})
TARGET = Target(provider="openai", model="asked", base_url="http://x")
MESSAGE: dict[str, Any] = {"role": "assistant", "content": "Hello.", "refusal": None, "annotations": []}
REPLY: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "model": "gpt-test",
    "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    "service_tier": "default",
}
ODD: tuple[Any, ...] = (None, "", "x", 0, 7, [], {}, [{"type": "text", "text": "T"}], {"content": "C"})
PLACES = {
    "reply": ("id", "model", "choices", "usage", "service_tier", "request_id", "citations", "object"),
    "choice": ("index", "delta", "message", "finish_reason", "logprobs"),
    "message": ("content", "reasoning", "reasoning_details", "refusal", "tool_calls", "audio", "annotations"),
}


def changed(place: str, name: str, value: object) -> dict[str, Any]:
    """Return the reply with one member changed."""
    if place == "reply":
        return {**REPLY, name: value}
    choice = REPLY["choices"][0]
    inner = {**choice, name: value} if place == "choice" else {**choice, "message": {**MESSAGE, name: value}}
    return {**REPLY, "choices": [inner]}


def read(reply: dict[str, Any]) -> ChatResult | None:
    """Return what is read of *reply* as words alone."""
    body = msgspec.json.encode(reply)
    return in_words(CHUNK.decode(body), HEAD, body, TARGET)


def both_ways(reply: dict[str, Any]) -> list[Any]:
    """Return what becomes of *reply*, and what becomes of it when everything is put together."""
    body = msgspec.json.encode(reply)
    found: list[Any] = []
    for short in (in_words, lambda *_: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(response, "in_words", short)
            try:
                found.append(response.parse_response(HEAD, body, TARGET))
            except Exception as error:
                found.append((type(error), str(error)))
    return found


def test_a_reply_of_words_is_read_at_once() -> None:
    """Text, reason, usage, names; the cookie is no part of it."""
    result = read(REPLY)

    assert result is not None
    assert (result.text, result.finish_reason, result.usage.total_tokens) == ("Hello.", "stop", 12)
    assert (result.model, result.response_id, result.request_id) == ("gpt-test", "c1", "r1")
    assert result.headers == {"x-request-id": "r1"}


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("reply", "choices", None),
        ("reply", "choices", [{}, {}]),
        ("reply", "citations", ["http://x"]),
        ("reply", "usage", None),
        ("reply", "id", 7),
        ("choice", "message", None),
        ("choice", "finish_reason", None),
        ("message", "content", ""),
        ("message", "reasoning", "Hm."),
        ("message", "annotations", [{}]),
    ],
)
def test_a_reply_that_says_more_or_less_is_not(place: str, name: str, value: object) -> None:
    """It is put together, which knows all that may be said."""
    assert read(changed(place, name, value)) is None


@given(st.sampled_from([(place, name) for place, names in PLACES.items() for name in names]), st.sampled_from(ODD))
def test_the_result_is_the_same_either_way(where: tuple[str, str], value: object) -> None:
    """Whatever a server puts in the place of one member."""
    short, long = both_ways(changed(*where, value))

    assert short == long


@given(st.sampled_from(["stop", "length", "content_filter", "eos", "strange"]), st.text(min_size=1))
def test_words_and_reasons_are_the_same_either_way(reason: str, text: str) -> None:
    """Of any text, with any reason."""
    reply = changed("message", "content", text)
    reply["choices"][0]["finish_reason"] = reason

    short, long = both_ways(reply)

    assert short == long
    assert short.text == text
