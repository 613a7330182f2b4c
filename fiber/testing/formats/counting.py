"""
The questions how many tokens an input is, at the formats that have an endpoint for it.

Each is a chat in its format's own words, or has one in it; the answer is the count that the chat's usage would have.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from fiber.testing.formats import anthropic, bedrock_converse, bedrock_invoke, gemini, openai_responses
from fiber.testing.formats.common import Asked, encode
from fiber.testing.view import ChatView, mapping, refuse


class Counting(NamedTuple):
    """
    One endpoint.

    Attributes:
        read: Reads the chat out of the question, or raises RefusedError.
        member: Of the answer, for the number.
        beside: What the answer further says.
    """

    read: Callable[[Asked], ChatView]
    member: str
    beside: Mapping[str, Any] = {}

    def answer(self, tokens: int) -> bytes:
        """Return the body of the answer."""
        return encode({**self.beside, self.member: tokens})


def _anthropic(asked: Asked) -> ChatView:
    # A question has no limit, and a chat needs one.
    return anthropic.read(asked._replace(json={"max_tokens": 1, **asked.json}))


def _gemini(asked: Asked) -> ChatView:
    # Vertex AI, and the shorter form of the Gemini API, have the members themselves.
    return gemini.read(asked._replace(json=mapping(asked.json.get("generateContentRequest")) or asked.json))


def _bedrock(asked: Asked) -> ChatView:
    said = mapping(asked.json.get("input"))
    if "converse" in said:
        return bedrock_converse.read(asked._replace(json=mapping(said["converse"])))
    try:
        body = msgspec.json.decode(b64decode(str(mapping(said.get("invokeModel")).get("body")), validate=True))
    except (binascii.Error, msgspec.DecodeError):
        raise refuse("1 validation error detected: Value at 'input' failed to satisfy constraint") from None
    return bedrock_invoke.read(asked._replace(json=mapping(body)))


COUNTING: Mapping[str, Counting] = {
    openai_responses.name: Counting(openai_responses.read, "input_tokens", {"object": "response.input_tokens"}),
    anthropic.name: Counting(_anthropic, "input_tokens"),
    gemini.name: Counting(_gemini, "totalTokens"),
    bedrock_converse.name: Counting(_bedrock, "inputTokens"),
}
"""By the name of the format that is asked."""
