"""What aimock is told to answer, and what fiber must make of it, format by format."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from faces import FACES, Face, seen
from material import CITY

from fiber import ChatMessage, Tool
from fiber.providers.azure import AZURE, AZURE_DATED, AZURE_RESPONSES
from fiber.providers.first_party import ANTHROPIC, GEMINI, OPENAI, OPENAI_RESPONSES
from fiber.providers.own_formats import COHERE, OLLAMA
from fiber.providers.rows_aws import BEDROCK, BEDROCK_ANTHROPIC
from fiber.providers.vertex import VERTEX
from fiber.types.target import Quirks

ROWS = {
    # Format -> row, what follows the address, model, no two alike. aimock serves Gemini's older version only.
    "chat": (OPENAI, "/v1", "gpt-4o"),
    "responses": (OPENAI_RESPONSES, "/v1", "gpt-4.1"),
    "messages": (ANTHROPIC, "", "claude-opus-5"),
    "generate": (GEMINI.replace(quirks=Quirks(api_version="v1beta")), "", "gemini-2.5-flash"),
    "vertex": (VERTEX, "/v1/projects/p/locations/us-central1/publishers/google", "gemini-2.5-pro"),
    "azure": (AZURE, "/openai/v1", "gpt-4o-mini"),
    "azure-dated": (AZURE_DATED, "/openai", "gpt-4.1-mini"),
    "azure-responses": (AZURE_RESPONSES, "/openai/v1", "gpt-4.1-nano"),
    "converse": (BEDROCK, "", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "invoke": (BEDROCK_ANTHROPIC, "", "anthropic.claude-haiku-4-5-20251001-v1:0"),
    "cohere": (COHERE, "", "command-a-03-2025"),
    "ollama": (OLLAMA, "", "qwen3:4b"),
}
HELLO = "Hello from a mock — 你好."
EMOJI = "Halves of pairs: 👋🏽👨‍👩‍👧 whole again."
CUT = "This answer breaks off before its end, in the middle of a word or two, and nothing follows."
THOUGHT = "First I considered the question, then I counted."
WEATHER = {"city": "Zürich", "unit": "celsius"}
TOOLS = [Tool("get_weather", "Weather.", CITY), Tool("a"), Tool("b")]


class Answer(msgspec.Struct):
    """What is asked for as JSON."""

    answer: int
    note: str


class Case(NamedTuple):
    """One thing to ask: how, and what must come; members that are not expected do not matter."""

    ask: Callable[[Face, str], dict[str, Any]]
    expected: dict[str, Any]


def _says(prompt: str, **options: Any) -> Callable[[Face, str], dict[str, Any]]:
    return lambda face, model: seen(face.ask(prompt, model=model, **options))


def _round(face: Face, model: str) -> dict[str, Any]:
    """Ask, run the tool, and tell its result."""
    question = ChatMessage.user("weather please")
    first = face.ask(question, model=model, tools=TOOLS)
    results = [ChatMessage.tool(call.id, "21 degrees") for call in first.tool_calls]
    second = face.ask([question, first.message, *results], model=model, tools=TOOLS)
    return {
        "calls": seen(first)["calls"],
        "first": first.finish_reason,
        "text": second.text,
        "then": second.finish_reason,
    }


def _flaky(face: Face, model: str) -> dict[str, Any]:
    return seen(face.ask(f"flaky {model} {face.name};", model=model))


def _failure(name: str, status: int) -> dict[str, Any]:
    return {"error": name, "status": status}


CASES: dict[str, Case] = {
    "hello": Case(_says("hello"), {"text": HELLO, "finish": "stop", "calls": []}),
    "tool_round": Case(
        _round,
        {"calls": [["get_weather", WEATHER]], "first": "tool_calls", "text": "It is 21 degrees ☀️.", "then": "stop"},
    ),
    "parallel": Case(
        _says("parallel", tools=TOOLS),
        {"calls": [["a", {"x": 1}], ["b", {"y": [1, 2, {"z": None}]}]], "finish": "tool_calls"},
    ),
    "reasoning": Case(_says("think"), {"text": "42", "reasoning": THOUGHT}),
    "schema": Case(_says("as json", response_format=Answer), {"parsed": "Answer"}),
    "emoji": Case(_says("emoji"), {"text": EMOJI}),
    "flaky": Case(_flaky, {"text": "Recovered.", "attempts": 2}),
    "bad_request": Case(_says("bad request"), _failure("FiberBadRequestError", 400)),
    "rate_limit": Case(_says("rate limit"), {**_failure("FiberRateLimitError", 429), "retry_after": 7.0}),
    "overloaded": Case(_says("overloaded"), _failure("FiberOverloadedError", 529)),
    "wrong_key": Case(_says("hello"), _failure("FiberAuthError", 401)),
    "cut": Case(_says("cut short"), {"error": "FiberStreamInterruptedError"}),
}
STREAMS_ONLY = ("cut",)


def fixtures(models: Iterable[str]) -> list[dict[str, Any]]:
    """Return aimock's fixtures, for these models; the first whose words are in the last message answers."""

    def said(words: str, response: dict[str, Any], *, chunk_size: int | None = None, **match: Any) -> dict[str, Any]:
        more = {} if chunk_size is None else {"chunkSize": chunk_size}
        return {"match": {"userMessage": words, **match}, "response": response, **more}

    def error(words: str, status: int, kind: str, message: str, **more: Any) -> dict[str, Any]:
        return said(words, {"error": {"message": message, "type": kind, "code": kind}, "status": status, **more})

    call = {"toolCalls": [{"name": "get_weather", "arguments": WEATHER}]}
    calls = {
        "toolCalls": [{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": {"y": [1, 2, {"z": None}]}}]
    }
    busy = {"error": {"message": "Try again.", "type": "server_error"}, "status": 503}
    flaky = [
        said(f"flaky {model} {face};", response, **match)
        for model in models
        for face in FACES
        for response, match in ((busy, {"sequenceIndex": 0}), ({"content": "Recovered."}, {}))
    ]
    return [
        said("weather", call, hasToolResult=False),
        said("weather", {"content": "It is 21 degrees ☀️."}, hasToolResult=True),
        said("parallel", calls),
        said("think", {"content": "42", "reasoning": THOUGHT}),
        said("as json", {"content": {"answer": 42, "note": "ok"}}),
        said("emoji", {"content": EMOJI}, chunk_size=1),
        *flaky,
        error("bad request", 400, "invalid_request_error", "messages: invalid"),
        error("rate limit", 429, "rate_limit_error", "Rate limit reached", retryAfter=7),
        error("overloaded", 529, "overloaded_error", "Overloaded"),
        {**said("cut short", {"content": CUT}), "truncateAfterChunks": 3, "latency": 20},
        {"match": {"endpoint": "chat"}, "response": {"content": HELLO}},
    ]
