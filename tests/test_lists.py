"""Lists of models, and whether a provider answers."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import (
    Fiber,
    FiberAuthError,
    FiberCapabilityError,
    FiberOverloadedError,
    FiberParsingError,
    FiberTimeoutError,
    FiberValidationError,
    ModelRegistry,
    Provider,
)
from fiber.testing import MockServer
from fiber.testing.fake import FakeReply, FakeTransport, json_reply
from tests.kit import refused, scripted


def listed(*answers: Any, provider: str = "openai") -> tuple[list[str], FakeTransport]:
    """Return the models that a provider lists with these answers."""
    fiber, transport = scripted(*map(json_reply, answers), api_keys={provider: "k"})
    return fiber.sync.models(provider), transport


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ({"object": "list", "data": [{"id": "b"}, {"id": "a"}, {"id": "a"}]}, ["a", "b"]),
        ({"models": [{"name": "models/g-2"}, {"name": "g-1"}]}, ["g-1", "g-2"]),
        ([{"id": "a", "type": "chat"}], ["a"]),
        ({"models": None}, []),
        ({"data": [{"id": 7}, {"id": ""}, "a", {}]}, []),
    ],
)
def test_every_spelling_of_a_list_is_read(answer: Any, names: list[str]) -> None:
    """Those of OpenAI, of Gemini, of Together; of Ollama without any model; and members that are none."""
    assert listed(answer)[0] == names


@pytest.mark.parametrize("answer", [{"error": None}, {"data": {}}, "models", 7, None])
def test_an_answer_without_a_list_is_told(answer: Any) -> None:
    """It is not taken for an empty one."""
    with pytest.raises(FiberParsingError, match="no list of models"):
        listed(answer)


@pytest.mark.parametrize(
    ("provider", "more", "query"),
    [
        ("anthropic", {"has_more": True, "last_id": "a b"}, "after_id=a+b"),
        ("gemini", {"nextPageToken": "x"}, "pageToken=x"),
        ("cohere", {"next_page_token": "x"}, "page_token=x"),
    ],
)
def test_all_pages_are_asked_for(provider: str, more: dict[str, Any], query: str) -> None:
    """In the provider's own way."""
    names, transport = listed(
        {"data": [{"id": "a"}], **more}, {"data": [{"id": "b"}], "has_more": False}, provider=provider
    )

    first, second = [request.url for request in transport.requests]
    assert names == ["a", "b"]
    assert second == f"{first}?{query}"


def test_a_list_without_an_end_is_left() -> None:
    """Where a page says nothing new, the next will not either."""
    page = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    names, transport = listed(page, page)

    assert (names, len(transport.requests)) == (["a"], 2)


def test_pages_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that goes on and on is read so far."""
    monkeypatch.setattr("fiber._lists._MOST_PAGES", 3)
    names, transport = listed(*({"data": [{"id": str(n)}], "has_more": True, "last_id": "x"} for n in range(9)))

    assert (names, len(transport.requests)) == (["0", "1", "2"], 3)


def test_anthropics_list_wants_a_version() -> None:
    """The others want nothing of the kind."""
    _, anthropic = listed({"data": []}, provider="anthropic")
    _, openai = listed({"data": []})

    assert anthropic.requests[0].headers["anthropic-version"] == "2023-06-01"
    assert anthropic.requests[0].headers["x-api-key"] == "k"
    assert "anthropic-version" not in openai.requests[0].headers


def test_a_provider_without_a_list_says_so() -> None:
    """Nothing is sent."""
    fiber, transport = scripted(api_keys={"zai": "k"})

    with pytest.raises(FiberCapabilityError, match="zai has no list of models") as caught:
        fiber.sync.models("zai")
    with pytest.raises(FiberCapabilityError, match="zai has no list of models"):
        fiber.sync.ping("zai")

    assert (caught.value.provider, transport.requests) == ("zai", [])


def test_a_row_may_have_a_format_of_its_own() -> None:
    """Its list is asked for as it is."""
    from fiber.adapters import load

    row = Provider(name="mine", base_url="https://mine.example", adapter=load("openai_chat"), needs_key=False)
    fiber, transport = scripted(json_reply({"data": [{"id": "m"}]}), providers=[row])

    assert fiber.sync.models("mine") == ["m"]
    assert transport.requests[0].url == "https://mine.example/models"


def test_a_provider_that_nobody_is_is_told() -> None:
    """By name, also when only a registry knows it."""
    row = Provider(name="elsewhere", base_url="https://x.example")
    fiber, _ = scripted(model_registry=ModelRegistry([row]))

    with pytest.raises(FiberValidationError, match="which this client does not have"):
        fiber.sync.models("elsewhere")
    with pytest.raises(FiberValidationError, match="nobody"):
        fiber.sync.ping("nobody")


def test_ping_returns_the_seconds_of_one_exchange() -> None:
    """On the clock of the transport."""
    fiber, transport = scripted(FakeReply(200, {}, (b"{}",), delay_seconds=0.25))

    assert fiber.sync.ping("openai") == 0.25
    assert [request.method for request in transport.requests] == ["GET"]


def test_ping_does_not_repeat() -> None:
    """Who asks whether it answers now wants to know about now."""
    fiber, transport = scripted(refused(503))

    with pytest.raises(FiberOverloadedError):
        fiber.sync.ping("openai")

    assert len(transport.requests) == 1


def test_both_have_a_timeout() -> None:
    """In seconds, for the whole call."""
    fiber, _ = scripted(*[FakeReply(delay_seconds=9)] * 2)

    for call in (fiber.sync.ping, fiber.sync.models):
        with pytest.raises(FiberTimeoutError, match="total timer of 2 s"):
            call("openai", timeout=2)


@pytest.mark.anyio
async def test_coroutines_ask_a_server() -> None:
    """Over real sockets; a wrong key is told."""
    with MockServer(models=["one", "two"], api_key="right") as server:
        urls = {"openai": server.base_url("openai")}
        async with Fiber(api_keys={"openai": "right"}, base_urls=urls) as fiber:
            names, seconds = await fiber.models("openai"), await fiber.ping("openai", timeout=5)
        async with Fiber(api_keys={"openai": "wrong"}, base_urls=urls) as fiber:
            with pytest.raises(FiberAuthError):
                await fiber.ping("openai")

    assert names == ["one", "two"]
    assert 0 < seconds < 5
