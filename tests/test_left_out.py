"""Arguments of strict tools: null for what was optional counts as left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fiber import ChatMessage, Fiber, Tool, ToolCallEnd, openai_compatible
from fiber.testing import MockCall, MockServer, Reply

MODELS = ("openai:gpt-mock", "openai-responses:gpt-mock", "mine:any-mock", "cohere:command-mock")


class Place(msgspec.Struct):
    """The arguments as a type; null means something to the note, and nothing to the unit."""

    city: str
    unit: str = "celsius"
    note: str | None = "none"


LOOK = Tool("look", parameters=msgspec.json.schema_components([Place])[1]["Place"], strict=True)
ARGUMENTS = {"city": "Rome", "unit": None, "note": None}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """Run one mock server for all providers."""
    with MockServer() as running:
        yield running


@pytest.fixture(scope="module")
def fiber(server: MockServer) -> Iterator[Fiber]:
    """Make one client for all providers."""
    client = Fiber(
        api_keys={"openai": "key", "cohere": "key"},
        base_urls={"openai": server.base_url("openai"), "cohere": server.base_url("cohere")},
        providers=[openai_compatible("mine", server.base_url("openai"))],
    )
    yield client
    client.sync.close()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_null_of_a_strict_tool_is_absence(fiber: Fiber, server: MockServer, model: str, stream: bool) -> None:
    """What could not be left out, and never was null, is not among the arguments; defaults are taken."""
    server.reply(Reply(tool_calls=[MockCall("look", ARGUMENTS)]))
    told: list[Any] = []

    if stream:
        with fiber.sync.chat_stream("Rome?", model=model, tools=[LOOK]) as events:
            told = [event.tool_call for event in events if isinstance(event, ToolCallEnd)]
        result = events.result
    else:
        result = fiber.sync.chat("Rome?", model=model, tools=[LOOK])

    (call,) = result.tool_calls
    assert call.arguments == {"city": "Rome", "note": None}
    assert call.parse(Place) == Place("Rome", "celsius", None)
    assert call.left_out == ("/unit",)
    assert [one.arguments for one in told] == [call.arguments] * stream


@pytest.mark.parametrize("model", MODELS)
def test_the_model_sees_what_it_wrote(fiber: Fiber, server: MockServer, model: str) -> None:
    """In the next turn the arguments are the same text as before, nulls included."""
    server.reply(Reply(tool_calls=[MockCall("look", ARGUMENTS)]))
    first = fiber.sync.chat("Rome?", model=model, tools=[LOOK])
    (call,) = first.tool_calls

    fiber.sync.chat([("user", "Rome?"), first.message, ChatMessage.tool(call, "18")], model=model, tools=[LOOK])

    assert msgspec.json.encode(call.arguments_json) in server.requests[-1].body


def test_null_of_a_loose_tool_is_null(fiber: Fiber, server: MockServer) -> None:
    """Where nothing was made nullable the arguments are what the model wrote."""
    server.reply(Reply(tool_calls=[MockCall("look", ARGUMENTS)]))
    loose = msgspec.structs.replace(LOOK, strict=False)

    result = fiber.sync.chat("Rome?", model="openai:gpt-mock", tools=[loose])

    assert result.tool_calls[0].arguments == ARGUMENTS
