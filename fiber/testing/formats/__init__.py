"""
The formats that the mock server speaks: pure functions between its neutral values and wire bytes.

A format is a module that fits `Format`. No socket, no clock, no state in here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import unquote

from fiber.testing.formats import (
    anthropic,
    bedrock_converse,
    bedrock_invoke,
    cohere,
    gemini,
    ollama,
    openai_chat,
    openai_responses,
    replicate,
)
from fiber.testing.formats.common import Asked, Promise, Refusal
from fiber.testing.script import Failure, Reply
from fiber.testing.view import ChatView


class Format(Protocol):
    """What a module of a format offers; *number* counts the requests of a server, and makes ids."""

    @property
    def name(self) -> str:
        """Name of the format."""
        ...

    @property
    def content_type(self) -> str:
        """Content type of whole answers and errors."""
        ...

    def stream_type(self, view: ChatView) -> str:
        """Return the content type of a stream."""
        ...

    def read(self, asked: Asked) -> ChatView:
        """Read a request, or raise RefusedError."""
        ...

    def whole(self, view: ChatView, reply: Reply, number: int) -> bytes:
        """Return the body of a complete answer."""
        ...

    def frames(self, view: ChatView, reply: Reply, number: int) -> list[bytes]:
        """Return the events of a streamed answer."""
        ...

    def error(self, failure: Failure, model: str = "", key: str = "") -> Refusal:
        """Return the failure as the provider sends it."""
        ...

    def error_frame(self, failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
        """Return the event that breaks a stream after so many."""
        ...

    def headers(self, number: int) -> dict[str, str]:
        """Return the provider's headers of an answer."""
        ...

    def models(self, names: Sequence[str]) -> bytes:
        """Return the list of models."""
        ...


class Promising(Protocol):
    """What the module of a format further offers whose answer is had by further requests; *address* is the server's."""

    def promise(self, view: ChatView, number: int, address: str) -> Promise:
        """Return the answer that says where the answer will be."""
        ...

    def stopped(self, view: ChatView, number: int, address: str) -> Promise:
        """Return the answer to whoever does not wait for it any more."""
        ...


_MODULES: tuple[Format, ...] = (
    *(openai_chat, openai_responses, anthropic, gemini),
    *(bedrock_converse, bedrock_invoke, cohere, ollama, replicate),
)
FORMATS: Mapping[str, Format] = {format.name: format for format in _MODULES}
PROMISED = frozenset(("answer", "stream", "stop"))
"""Kinds of routes to what was promised."""
PROMISING: Mapping[str, Promising] = {replicate.name: replicate}
"""The formats whose answer may be had by further requests."""


class Route(NamedTuple):
    """
    Where a request goes.

    Attributes:
        kind: `chat`, `models`; `count` of a chat's tokens; `answer`, `stream` or `stop` of what was promised to request
            number *verb*; `unknown` for other paths.
    """

    format: Format
    kind: str
    model: str = ""
    verb: str = ""


_CHAT: Mapping[str, Format] = {
    "/v1/chat/completions": openai_chat,
    "/v1/responses": openai_responses,
    "/v1/messages": anthropic,
    "/v2/chat": cohere,
    "/api/chat": ollama,
    "/v1/predictions": replicate,
    "/anthropic/v1/messages": anthropic,  # Azure
}
COHERE = "/cohere"
"""Stands before the paths of Cohere, for its list of models is where OpenAI's is."""
_VERTEX = r"/v1/projects/[^/]+/locations/[^/]+"
_MODEL_IN_PATH: Mapping[re.Pattern[str], Format] = {
    re.compile(r"/v1(?:beta|alpha)?/models/(.+):(generateContent|streamGenerateContent)"): gemini,
    re.compile(_VERTEX + r"/publishers/google/models/(.+):(generateContent|streamGenerateContent)"): gemini,
    re.compile(_VERTEX + r"/publishers/anthropic/models/(.+):(rawPredict|streamRawPredict)"): anthropic,
    re.compile(r"/openai/deployments/([^/]+)/(chat/completions)"): openai_chat,
    re.compile(r"/model/([^/]+)/(converse|converse-stream)"): bedrock_converse,
    re.compile(r"/model/([^/]+)/(invoke|invoke-with-response-stream)"): bedrock_invoke,
    re.compile(r"/v1/(?:models|deployments)/([^/]+/[^/]+)/(predictions)"): replicate,
}
_COUNT: Mapping[re.Pattern[str], Format] = {
    re.compile(r"/v1/responses/input_tokens()"): openai_responses,
    re.compile(r"(?:/anthropic)?/v1/messages/count_tokens()"): anthropic,
    re.compile(_VERTEX + r"/publishers/anthropic/models/count-tokens:rawPredict()"): anthropic,
    re.compile(r"/v1(?:beta|alpha)?/models/(.+):countTokens"): gemini,
    re.compile(_VERTEX + r"/publishers/google/models/(.+):countTokens"): gemini,
    re.compile(r"/model/([^/]+)/count-tokens"): bedrock_converse,
}
"""Looked at first, for one of them looks like a model's name."""
_LATER: Mapping[tuple[str, re.Pattern[str]], str] = {
    ("GET", re.compile(r"/v1/predictions/mock(\d+)")): "answer",
    ("GET", re.compile(r"/v1/streams/mock(\d+)")): "stream",
    ("POST", re.compile(r"/v1/predictions/mock(\d+)/cancel")): "stop",
}
_VERTEX_OPENAI = re.compile(_VERTEX + r"/endpoints/openapi/chat/completions")
_MODELS = re.compile(r"/v1((?:beta|alpha)?)/models")


def route(method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str]) -> Route:
    """Choose the format of a request by its path, and where paths are alike by its headers."""
    theirs, path = path.startswith(f"{COHERE}/"), path.removeprefix(COHERE)
    if method == "POST":
        if format := _CHAT.get(path):
            return Route(format, "chat")
        if _VERTEX_OPENAI.fullmatch(path):
            return Route(openai_chat, "chat")
        for pattern, format in _COUNT.items():
            if match := pattern.fullmatch(path):
                return Route(format, "count", unquote(match[1]))
        for pattern, format in _MODEL_IN_PATH.items():
            if match := pattern.fullmatch(path):
                return Route(format, "chat", unquote(match[1]), match[2])
    for (verb, pattern), kind in _LATER.items():
        if method == verb and (match := pattern.fullmatch(path)):
            return Route(replicate, kind, verb=match[1])
    match = _MODELS.fullmatch(path)
    guess: Format = openai_chat
    if theirs:
        guess = cohere
    elif path.startswith("/api/"):
        return Route(ollama, "models" if (method, path) == ("GET", "/api/tags") else "unknown")
    elif "x-goog-api-key" in headers or "key" in query or path.startswith(("/v1beta/", "/v1alpha/")):
        guess = gemini
    elif "anthropic-version" in headers or "x-api-key" in headers:
        guess = anthropic
    return Route(guess, "models" if match and method == "GET" else "unknown")


__all__ = ["FORMATS", "Format", "PROMISED", "PROMISING", "Promising", "Route", "route"]
