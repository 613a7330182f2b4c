"""The mock's counting endpoints: every row that counts is told what a chat would use."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from fiber import PROVIDERS, Fiber, FiberAuthError, FiberProviderError, Provider
from fiber.testing import MockServer, Reply
from fiber.types.config import NO_RETRY
from tests.test_every_row import at
from tests.testing.test_server import post

KEY = "test-key-of-nobody"
COUNTING = [row for row in PROVIDERS if row.counting]
MESSAGES = [("system", "Be very brief."), ("user", "Name three rivers of Europe.")]


@pytest.fixture
def server() -> Iterator[MockServer]:
    """Run a mock server that wants a key."""
    with MockServer(api_key=KEY) as running:
        yield running


def client(server: MockServer, row: Provider, **options: Any) -> Fiber:
    """Make a client of *row* alone."""
    return Fiber(api_keys={row.name: KEY}, base_urls={row.name: at(row, server)}, retry=NO_RETRY, **options)


def model_of(row: Provider, word: str = "mock") -> str:
    """Name a model of *row*, whose format may stand in the name."""
    return f"{row.name}:anthropic.claude-{word}" if row.name == "bedrock-anthropic" else f"{row.name}:{word}"


@pytest.mark.parametrize("row", COUNTING, ids=lambda row: row.name)
def test_a_count_is_what_the_chat_would_use(server: MockServer, row: Provider) -> None:
    """The words of the input, and nothing of the queue."""
    server.enqueue(Reply("The Rhine."))
    fiber = client(server, row)

    counted = fiber.sync.count_tokens(MESSAGES, model=model_of(row), exact=True)
    used = fiber.sync.chat(MESSAGES, model=model_of(row))

    assert counted == used.usage.input_tokens == 8
    assert used.text == "The Rhine."
    assert [request.status for request in server.requests] == [200, 200]


@pytest.mark.anyio
async def test_a_count_is_awaited(server: MockServer) -> None:
    """On every loop."""
    fiber = client(server, PROVIDERS[0])

    assert await fiber.count_tokens("One two three", model="openai:mock", exact=True) == 3
    await fiber.close()


@pytest.mark.parametrize("row", COUNTING, ids=lambda row: row.name)
def test_faults_of_a_model_are_those_of_its_counts(server: MockServer, row: Provider) -> None:
    """In the words of the provider; one that passes does not pass for the chat."""
    fiber = client(server, row)

    with pytest.raises(FiberAuthError):
        fiber.sync.count_tokens("Hi", model=model_of(row, "bad-key"), exact=True)
    with pytest.raises(FiberProviderError, match="failed"):
        fiber.sync.count_tokens("Hi", model=model_of(row, "flaky"), exact=True)
    assert fiber.sync.count_tokens("Hi", model=model_of(row, "flaky"), exact=True) == 1
    with pytest.raises(FiberProviderError, match="failed"):
        fiber.sync.chat("Hi", model=model_of(row, "flaky"))


SAID = {"messages": [{"role": "user", "content": [{"text": "One two"}]}]}
CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "One"}]}
ENCODED = b64encode(json.dumps(CLAUDE).encode()).decode()
QUESTIONS: list[tuple[str, Any, int, dict[str, Any] | None]] = [
    ("/v1/responses/input_tokens", {"model": "m", "input": "One two"}, 200, {"input_tokens": 2}),
    ("/v1/responses/input_tokens", {"model": "m"}, 400, None),
    ("/v1/messages/count_tokens", {"model": "m"}, 400, None),
    ("/v1beta/models/m:countTokens", {"contents": [{"parts": [{"text": "One two"}]}]}, 200, {"totalTokens": 2}),
    ("/v1beta/models/m:countTokens", {"generateContentRequest": {}}, 400, None),
    ("/model/m/count-tokens", {"input": {"converse": SAID}}, 200, {"inputTokens": 2}),
    ("/model/m/count-tokens", {"input": {"invokeModel": {"body": ENCODED}}}, 200, {"inputTokens": 1}),
    ("/model/m/count-tokens", {"input": {"invokeModel": {"body": "no base64"}}}, 400, None),
    ("/model/m/count-tokens", {"input": {"invokeModel": {"body": "bm8gSlNPTg=="}}}, 400, None),
    ("/model/m/count-tokens", {}, 400, None),
]


@pytest.mark.parametrize(("path", "body", "status", "members"), QUESTIONS)
def test_questions_are_read_as_chats_are(path: str, body: Any, status: int, members: dict[str, Any] | None) -> None:
    """What is no chat is refused as the provider would."""
    with MockServer() as server:
        found, answer = post(server, path, body)

    assert found.status == status
    if members is not None:
        said = json.loads(answer)
        assert {name: said[name] for name in members} == members
