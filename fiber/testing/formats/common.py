"""Parts that the formats share: cutting text into pieces, server-sent events, counts, arguments, conversations."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import msgspec

from fiber.testing.script import Failure, MockCall, Reply, Tokens
from fiber.testing.view import ChatView, OfferedTool, count_words, items, mapping, refuse, text_of

CREATED = 1_767_225_600
"""2026-01-01T00:00:00Z: when every mock answer was made, so that answers stay the same."""


class Asked(NamedTuple):
    """
    A chat request as received.

    Attributes:
        json: The body.
        headers: By lower-case name.
        model, verb: From the path, where the format puts them there.
        query: Query parameters.
    """

    json: Mapping[str, Any]
    headers: Mapping[str, str]
    model: str = ""
    verb: str = ""
    query: Mapping[str, str] = {}

    @property
    def body(self) -> Mapping[str, Any]:
        """The body with the model in it, wherever that stood."""
        return {**self.json, "model": self.model} if self.model else self.json


class Refusal(NamedTuple):
    """A failure as the provider sends it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Promise(Refusal):
    """No failure: it says where the answer will be."""


def encode(value: object) -> bytes:
    """Encode as compact JSON."""
    return msgspec.json.encode(value)


def sse(payload: object, event: str = "") -> bytes:
    """Frame one server-sent event."""
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + encode(payload) + b"\n\n"


def pieces(text: str, words: int) -> list[str]:
    """Cut *text* into pieces of so many words; joined, they are the text again."""
    found = re.findall(r"\s*\S+\s*", text) or ([text] if text else [])
    step = max(1, words)
    return ["".join(found[at : at + step]) for at in range(0, len(found), step)]


def fragments(text: str, size: int = 9) -> list[str]:
    """Cut the JSON of arguments into pieces that respect nothing."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def arguments_text(call: MockCall) -> str:
    """Return the arguments as the text of JSON."""
    if isinstance(call.arguments, str):
        return call.arguments
    return encode(call.arguments).decode()


def arguments_object(call: MockCall) -> Mapping[str, Any]:
    """
    Return the arguments as an object.

    Raises:
        ValueError: They are a text that holds no JSON object; this format cannot carry it.
    """
    if not isinstance(call.arguments, str):
        return call.arguments
    try:
        value = msgspec.json.decode(call.arguments)
    except msgspec.DecodeError:
        value = None
    if not isinstance(value, dict):
        raise ValueError(f"The arguments of {call.name} are not a JSON object: {call.arguments}")
    return value


def tokens(view: ChatView, reply: Reply) -> Tokens:
    """Return the counts of the reply, or count words."""
    if reply.usage is not None:
        return Tokens(*reply.usage)
    said = count_words(reply.text)
    called = sum(1 + count_words(arguments_text(call)) for call in reply.tool_calls)
    thought = count_words(reply.reasoning)
    return Tokens(view.words, said + called + thought, 0, thought)


def last_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the user's last message, where messages have a role and content."""
    users = [message for message in messages if message.get("role") == "user"]
    return text_of(users[-1].get("content")) if users else ""


def tool_results(messages: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the texts of the tool messages at the end of the conversation."""
    last = takewhile(lambda message: message["role"] == "tool", reversed(messages))
    return tuple(text_of(message.get("content")) for message in last)[::-1]


def function_tools(body: Mapping[str, Any], complaint: str) -> tuple[OfferedTool, ...]:
    """
    Read tools of the shape `{"function": {"name", "parameters"}}`.

    Args:
        complaint: What is answered to a tool without a name; `{}` in it becomes the tool's place.

    Raises:
        RefusedError: A tool has no name.
    """
    tools = []
    for index, tool in enumerate(items(body.get("tools"))):
        function = mapping(tool.get("function"))
        if not isinstance(function.get("name"), str):
            raise refuse(complaint.format(index))
        tools.append(OfferedTool(function["name"], mapping(function.get("parameters"))))
    return tuple(tools)


def whole_seconds(seconds: float) -> str:
    """Write a `retry-after` header, which knows whole seconds only."""
    return str(math.ceil(seconds))


def masked(key: str) -> str:
    """Write a key as the providers do in their messages."""
    return f"{key[:4]}***{key[-4:]}" if len(key) > 12 else "***"


def message_of(failure: Failure, usual: str) -> str:
    """Return the failure's words, or the provider's usual ones."""
    return usual if failure.message is None else failure.message
