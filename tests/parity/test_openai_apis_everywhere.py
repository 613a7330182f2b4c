"""Which of OpenAI's two APIs is asked: the same in all three worlds, against a server that has both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from fiber import NO_RETRY, ChatMessage, Fiber, FiberBadRequestError, FiberError, FiberFallbackError, Reasoning
from fiber.testing import Failure, MockServer, Reply
from tests.kit import KEY
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world

MODEL = "gpt-6-sol"
TOOLS = [{"name": "weather", "parameters": {"type": "object", "properties": {}}}]
NOT_IN_CHAT = Failure(404, message="This model is only supported in v1/responses and not in v1/chat/completions.")
NOT_IN_RESPONSES = Failure(404, "model_not_found", message="'gpt-x' is not supported with the Responses API.")
WORLDS = pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])


@pytest.fixture
def server() -> Iterator[MockServer]:
    """Start a server that speaks both formats."""
    with MockServer() as server:
        yield server


def client(server: MockServer, api: Any = "auto", **options: Any) -> Fiber:
    """Make a client whose calls leave open which API is asked."""
    urls = {"openai": server.base_url("openai"), "anthropic": server.base_url("anthropic")}
    keys = dict.fromkeys(urls, KEY)
    return Fiber(openai_api=api, api_keys=keys, base_urls=urls, **{"default_model": MODEL, **options})


def formats(server: MockServer) -> list[str]:
    """Return the formats in which the server was asked."""
    return [request.format.removeprefix("openai_") for request in server.requests]


@WORLDS
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("options", "format"),
    [
        ({}, "responses"),
        ({"tools": TOOLS}, "chat"),
        ({"tools": TOOLS, "emulate_tools": True}, "responses"),
        ({"seed": 1}, "chat"),
        ({"model": f"openai:{MODEL}"}, "chat"),
        ({"provider": "openai"}, "chat"),
        ({"model": f"openai-responses:{MODEL}", "tools": TOOLS}, "responses"),
    ],
)
def test_the_request_decides_unless_the_caller_did(
    server: MockServer, options: dict[str, Any], format: str, stream: bool, world: Callable[..., Any]
) -> None:
    """Whole and streamed; the result says who answered."""
    result = world(client(server), stream, options)

    assert formats(server) == [format]
    assert result.provider == {"chat": "openai", "responses": "openai-responses"}[format]
    assert result.warnings == () or "emulate_tools" in options


@WORLDS
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("refusal", "options", "expected"),
    [
        (NOT_IN_RESPONSES, {}, ["responses", "chat"]),
        (NOT_IN_CHAT, {"tools": TOOLS}, ["chat", "responses"]),
        (Failure(405, message="no"), {}, ["responses", "chat"]),
    ],
)
def test_what_an_api_does_not_have_is_asked_of_the_other(
    server: MockServer,
    refusal: Failure,
    options: dict[str, Any],
    expected: list[str],
    stream: bool,
    world: Callable[..., Any],
) -> None:
    """Once, and the result says so; what was noted for the first does not hold for the second."""
    server.enqueue(refusal, Reply("Here."))

    result = world(client(server), stream, options)

    assert formats(server) == expected
    assert result.text == "Here."
    assert [attempt.provider for attempt in result.receipt.attempts] == [
        {"chat": "openai", "responses": "openai-responses"}[format] for format in expected
    ]
    assert len(result.warnings) == 1
    assert not any("is asked, because" in said for said in result.receipt.mapped)


@WORLDS
@pytest.mark.parametrize(
    ("answers", "options", "expected", "error"),
    [
        ([Failure(400, message="no")], {}, ["responses"], FiberBadRequestError),
        ([Failure(404, "model_not_found", message="no")], {}, ["responses"], FiberError),
        ([NOT_IN_RESPONSES, Failure(400, message="no")], {}, ["responses", "chat"], FiberBadRequestError),
        ([NOT_IN_RESPONSES, NOT_IN_CHAT], {}, ["responses", "chat"], FiberError),
        ([NOT_IN_CHAT], {"seed": 1}, ["chat"], FiberError),
    ],
)
def test_the_other_api_is_asked_once_and_only_for_that(
    server: MockServer,
    answers: list[Failure],
    options: dict[str, Any],
    expected: list[str],
    error: type[FiberError],
    world: Callable[..., Any],
) -> None:
    """Its own error is the one that is raised, and where it cannot be asked, that of the first."""
    server.enqueue(*answers)

    with pytest.raises(error) as caught:
        world(client(server), False, options)

    assert formats(server) == expected
    assert not isinstance(caught.value, FiberFallbackError)
    assert len(caught.value.attempts) == len(expected)


@WORLDS
def test_a_failure_of_another_kind_passes_over_the_other_api(server: MockServer, world: Callable[..., Any]) -> None:
    """The next model is asked, whose API is decided on its own."""
    server.enqueue(*[Failure(503)] * 2, NOT_IN_RESPONSES, "Here.")
    fiber = client(server, fallback=["anthropic:claude-mock", "gpt-4o"], retry=NO_RETRY)

    result = world(fiber, False, {})

    assert formats(server) == ["responses", "anthropic", "responses", "chat"]
    assert (result.text, result.model[:6]) == ("Here.", "gpt-4o")


@WORLDS
def test_a_stream_that_has_begun_stays(server: MockServer, world: Callable[..., Any]) -> None:
    """Whatever breaks it."""
    server.enqueue(Reply("one two three four", end="error", cut_after_events=6, error=NOT_IN_RESPONSES))

    with pytest.raises(FiberError):
        world(client(server), True, {})

    assert formats(server) == ["responses"]


def test_reasoning_goes_back_where_nothing_is_kept(server: MockServer) -> None:
    """It comes encrypted and goes back as it came, even when functions would be for the other API."""
    server.enqueue(Reply("Four.", reasoning="Two and two."), "Six.")
    fiber = client(server)

    async def talk() -> Any:
        first = await fiber.chat("2 + 2?")
        return first, await fiber.chat([ChatMessage.user("2 + 2?"), first.message, "And 2?"], tools=TOOLS)

    first, second = anyio.run(talk)
    asked = [dict(request.json) for request in server.requests]

    assert formats(server) == ["responses", "responses"]
    assert [body["store"] for body in asked] == [False, False]
    assert [body["include"] for body in asked] == [["reasoning.encrypted_content"]] * 2
    assert any(isinstance(part, Reasoning) for part in first.message.parts)
    assert [item["type"] for item in asked[1]["input"]] == ["message", "reasoning", "message", "message"]
    assert "encrypted_content" in asked[1]["input"][1]
    assert second.text == "Six."


@pytest.mark.parametrize("options", [{"store": True}, {"previous_response_id": "resp_1"}, {"extra_body": {"store": 1}}])
def test_who_speaks_of_state_keeps_the_last_word(server: MockServer, options: dict[str, Any]) -> None:
    """Nothing is said over it."""
    result = client(server).sync.chat("Hi", **options)
    body = server.requests[0].json

    assert body.get("store") == options.get("store", (options.get("extra_body") or {}).get("store"))
    assert not any(said.startswith("store") for said in result.receipt.mapped)


def test_the_decision_is_on_the_receipt_and_is_explained(server: MockServer) -> None:
    """With its reason; to explain sends nothing."""
    fiber = client(server)

    chat, responses = fiber.sync.chat("Hi", tools=TOOLS), fiber.sync.chat("Hi")

    assert chat.receipt.mapped == ("model: openai is asked, because there are functions to call",)
    assert responses.receipt.mapped[0] == (
        "model: openai-responses is asked, because the model reasons, and has no functions to call"
    )
    assert responses.receipt.mapped[1].startswith("store: False is sent")
    assert fiber.explain(MODEL, request={"messages": "Hi", "tools": TOOLS})[-1] == (
        "openai_api is 'auto': openai, because there are functions to call"
    )
    assert len(server.requests) == 2
