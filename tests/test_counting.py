"""Counts of tokens: estimated here, or by the provider."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber import (
    Fiber,
    FiberCapabilityError,
    FiberClosedError,
    FiberModelNotFoundError,
    FiberParsingError,
    FiberRateLimitError,
    count_tokens,
)
from fiber._counting import Count
from fiber.adapters.anthropic import ADAPTER
from fiber.providers.first_party import ANTHROPIC
from fiber.testing.fake import FakeTransport, json_reply
from fiber.types.config import NO_RETRY
from fiber.types.http import HTTPHead
from tests.kit import refused, scripted, watched

KEYS = {"anthropic": "k", "openai": "k", "gemini": "k", "mistral": "k"}
CLAUDE = "claude-sonnet-4-6"


def asked(transport: FakeTransport) -> tuple[str, Any]:
    """Return the URL and the body of the last request."""
    request = transport.requests[-1]
    return request.url, msgspec.json.decode(request.body)


def test_without_exact_it_is_the_estimate() -> None:
    """Nothing is sent; the family of the model that an alias or the default leads to counts."""
    fiber, transport = scripted()
    messages = "Name ten rivers of Europe and the seas that they flow into. " * 9

    assert fiber.sync.count_tokens(messages) == count_tokens(messages, model="gpt-test")
    assert fiber.sync.count_tokens(messages, model=CLAUDE, seed=7) == count_tokens(messages, model=CLAUDE)
    assert transport.requests == []


def test_an_estimate_knows_where_the_chat_goes() -> None:
    """Errors are those of a chat."""
    with pytest.raises(FiberModelNotFoundError):
        scripted()[0].sync.count_tokens("Hello", model="nobody-knows")


@pytest.mark.parametrize(
    ("model", "answer", "url", "member"),
    [
        (CLAUDE, {"input_tokens": 12}, "https://api.anthropic.com/v1/messages/count_tokens", "messages"),
        ("gpt-6-sol", {"input_tokens": 12}, "https://api.openai.com/v1/responses/input_tokens", "input"),
        (
            "gemini-3.8-flash",
            {"totalTokens": 12},
            "https://generativelanguage.googleapis.com/v1/models/gemini-3.8-flash:countTokens",
            "generateContentRequest",
        ),
    ],
)
def test_exact_asks_the_provider(model: str, answer: Any, url: str, member: str) -> None:
    """Each in its own way, with the key of the chat."""
    fiber, transport = scripted(json_reply(answer), api_keys=KEYS)

    assert fiber.sync.count_tokens("Where?", model=model, exact=True) == 12
    assert asked(transport)[0] == url
    assert member in asked(transport)[1]


@pytest.mark.anyio
async def test_exact_is_awaited() -> None:
    """The other face asks the same."""
    fiber, _ = scripted(json_reply({"input_tokens": 12}), api_keys=KEYS)

    assert await fiber.count_tokens("Where?", model=CLAUDE, exact=True) == 12
    assert await fiber.count_tokens("Where?", model=CLAUDE) == count_tokens("Where?", model=CLAUDE)


def test_what_is_no_input_is_not_asked_about() -> None:
    """The format that counts need not know it."""
    fiber, transport = scripted(json_reply({"input_tokens": 12}), api_keys=KEYS)

    fiber.sync.count_tokens("Where?", model="gpt-6-sol", seed=7, stop=["."], max_tokens=9, exact=True)

    assert set(asked(transport)[1]) == {"model", "input"}


@pytest.mark.parametrize("provider", ["mistral", "mine"])
def test_a_provider_that_does_not_count_is_told_before_anything_is_sent(provider: str) -> None:
    """Its row says so, or names a format without such an endpoint."""
    mine = ANTHROPIC.replace(name="mine", counting="cohere", aliases=(), prefixes=())
    fiber, transport = scripted(api_keys={**KEYS, "mine": "k"}, providers=[mine])

    with pytest.raises(FiberCapabilityError, match="leave exact out") as caught:
        fiber.sync.count_tokens("Where?", model="some", provider=provider, exact=True)

    assert (caught.value.parameter, caught.value.outcome, transport.requests) == ("exact", "not_sent", [])


def test_a_count_runs_through_the_layers() -> None:
    """It is retried, seen, and never kept in a cache."""
    script = refused(503), json_reply({"input_tokens": 12}), json_reply({"input_tokens": 13})
    fiber, transport, watch = watched(*script, api_keys=KEYS)

    counts = [fiber.sync.count_tokens("Where?", model=CLAUDE, exact=True) for _ in range(2)]

    assert counts == [12, 13]
    assert len(transport.slept) == 1
    assert [call.operation.name for call in watch.calls] == ["count_tokens", "count_tokens"]
    assert watch.outcomes == ["complete", "complete"]


def test_a_refusal_is_typed_as_for_a_chat() -> None:
    """By the format that was asked, and without another model."""
    fiber, transport = scripted(refused(429), api_keys=KEYS, retry=NO_RETRY, fallback=["openai:gpt-6"])

    with pytest.raises(FiberRateLimitError) as caught:
        fiber.sync.count_tokens("Where?", model=CLAUDE, exact=True)

    assert caught.value.provider == "anthropic"
    assert len(transport.requests) == 1


@pytest.mark.parametrize("answer", [{}, {"input_tokens": "12"}, {"input_tokens": -1}, {"input_tokens": True}, [12], 12])
def test_an_answer_without_a_number_is_told(answer: Any) -> None:
    """It is not taken for zero."""
    fiber, _ = scripted(json_reply(answer), api_keys=KEYS)

    with pytest.raises(FiberParsingError, match="no number of tokens"):
        fiber.sync.count_tokens("Where?", model=CLAUDE, exact=True)


def test_a_closed_client_counts_nothing() -> None:
    """As it does nothing else."""
    fiber: Fiber = scripted()[0]
    fiber.sync.close()

    with pytest.raises(FiberClosedError):
        fiber.sync.count_tokens("Where?", exact=True)


def test_a_count_is_no_stream() -> None:
    """It is asked for whole, always."""
    assert ADAPTER.counting is not None
    question = Count(scripted()[0]._settings.defaults["model"], ADAPTER, ADAPTER.counting)

    with pytest.raises(NotImplementedError):
        question.decoder(HTTPHead(200), None)  # type: ignore[arg-type]
