"""One call site, every row of the table: only the provider's name changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from fiber import PROVIDERS, Fiber, FiberCapabilityError, Provider, RetryPolicy, TextDelta
from fiber.adapters import load
from fiber.testing import MockServer

KEY = "test-key-of-nobody"
FAMILIES: dict[Any, Any] = {
    "openai_chat": "openai",
    "openai_responses": "openai",
    "cohere": "cohere",
    "ollama": "ollama",
    "anthropic": "anthropic",
    "bedrock_converse": "bedrock",
    "gemini": "gemini",
    "replicate": "replicate",
}
WEATHER = {
    "name": "weather",
    "description": "Tell the weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """Run one mock server for all providers; it wants the key."""
    with MockServer(api_key=KEY) as running:
        yield running


@pytest.fixture(scope="module")
def fiber(server: MockServer) -> Iterator[Fiber]:
    """Make one client for all providers, each with a key."""
    client = Fiber(
        api_keys={row.name: KEY for row in PROVIDERS},
        base_urls={row.name: at(row, server) for row in PROVIDERS},
        retry=RetryPolicy(max_attempts=1),
    )
    yield client
    client.sync.close()


def at(row: Provider, server: MockServer) -> str:
    """Where the mock server plays *row*: at the paths of its format, and where a hook writes the path, at the row's."""
    if row.name == "azure-dated":
        return f"{server.url}/openai"
    if row.name.startswith("vertex"):
        return server.url + urlsplit(row.at(project="p", location="us-central1").base_url).path
    if row.name == "bedrock-anthropic":
        return server.url
    return server.base_url(FAMILIES[row.adapter])


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_the_same_call_is_answered_by_every_row(row: Provider, fiber: Fiber, server: MockServer) -> None:
    """Whole and streamed give one result, and the key is accepted."""
    asked: dict[str, Any] = {"model": f"{row.name}:some-mock", "max_tokens": 100}
    messages = [("system", "be brief"), ("user", "hello there")]

    whole = fiber.sync.chat(messages, **asked)
    with fiber.sync.chat_stream(messages, **asked) as stream:
        pieces = "".join(event.text for event in stream if isinstance(event, TextDelta))

    assert (whole.text, whole.finish_reason) == ("You said: hello there", "stop")
    assert (whole.provider, whole.model.rpartition("/")[2]) == (row.name, "some-mock")
    assert whole.usage.output_tokens == 4
    assert pieces == stream.result.text == whole.text
    assert stream.result.finish_reason == whole.finish_reason
    if row.quirks.stream_usage and row.adapter != "replicate":  # which tells none in a stream
        # Who is not asked for it sends it all the same, but for the mock server.
        assert stream.result.usage.total_tokens == whole.usage.total_tokens
    assert {request.api_key for request in server.requests} == {KEY}


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_the_same_tool_is_called_by_every_row(row: Provider, fiber: Fiber) -> None:
    """Where its format has tools; else they are refused before anything is sent."""
    asked: dict[str, Any] = {"model": f"{row.name}:some-mock", "max_tokens": 100, "tools": [WEATHER]}
    if load(str(row.adapter)).parameters["tools"].support == "unsupported":
        with pytest.raises(FiberCapabilityError):
            fiber.sync.chat("the weather in Oslo", **asked)
        return

    called = fiber.sync.chat("the weather in Oslo", **asked)

    assert [call.name for call in called.tool_calls] == ["weather"]
    assert called.finish_reason == "tool_calls"
