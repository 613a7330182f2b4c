"""The mock server as Replicate: predictions that are promised, looked at, streamed and stopped."""

from __future__ import annotations

import gc
import http.client
import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from fiber import NO_RETRY, Fiber, FiberModelNotFoundError, FiberProviderError, FiberStreamInterruptedError, TextDelta
from fiber.testing import Failure, MockCall, MockServer, Reply
from fiber.testing.formats import FORMATS
from fiber.testing.formats.common import Asked
from fiber.testing.script import RefusedError
from fiber.testing.view import ChatView
from tests.kit import eventually

MODEL = "replicate:meta/llama-mock"
MAKE = "/v1/models/meta/llama-mock/predictions"
FORMAT = FORMATS["replicate"]


@pytest.fixture
def server() -> Iterator[MockServer]:
    """Run one that wants the key."""
    with MockServer(api_key="key") as running:
        yield running


@pytest.fixture
def fiber(server: MockServer) -> Iterator[Fiber]:
    """Make a client of it."""
    urls = {"replicate": server.base_url("replicate")}
    client = Fiber(api_keys={"replicate": "key"}, base_urls=urls, retry=NO_RETRY)
    yield client
    client.sync.close()


def seen(server: MockServer) -> list[tuple[str, str, int | None]]:
    """Return what was asked, and with which status it was answered."""
    return [(request.method, request.path, request.status) for request in server.requests]


def read(body: dict[str, Any], model: str = "meta/llama") -> ChatView:
    """Read a request."""
    return FORMAT.read(Asked(body, {}, model))


def test_answer_that_is_ready_comes_at_once(fiber: Fiber, server: MockServer) -> None:
    """As it does at Replicate for whoever prefers to wait."""
    result = fiber.sync.chat("Hello", model=MODEL)

    assert (result.text, result.response_id) == ("You said: Hello", "mock1")
    assert (result.usage.input_tokens, result.usage.output_tokens) == (1, 3)
    assert seen(server) == [("POST", MAKE, 200)]


def test_answer_with_a_delay_is_promised(fiber: Fiber, server: MockServer) -> None:
    """And is there when it is looked at."""
    server.enqueue(Reply("Late.", delay_seconds=0.001))

    assert fiber.sync.chat("Hello", model=MODEL).text == "Late."
    assert seen(server) == [("POST", MAKE, 201), ("GET", "/v1/predictions/mock1", 200)]


def test_delay_of_the_server_counts_too() -> None:
    """For replies that do not say."""
    with MockServer(delay_seconds=0.001) as server:
        urls = {"replicate": server.base_url("replicate")}
        client = Fiber(api_keys={"replicate": "key"}, base_urls=urls)
        client.sync.ask("Hello", model=MODEL)
        client.sync.close()

    assert [status for _, _, status in seen(server)] == [201, 200]


def test_stream_is_had_at_its_own_address(fiber: Fiber, server: MockServer) -> None:
    """Word by word, with line ends as they are."""
    server.enqueue(Reply("One\n\ntwo three", words_per_event=1))

    result = fiber.sync.chat_stream("Hello", model=MODEL).collect()

    assert result.text == "One\n\ntwo three"
    assert seen(server) == [("POST", MAKE, 201), ("GET", "/v1/streams/mock1", 200)]
    assert server.requests[1].model == "meta/llama-mock"


def test_stream_can_break(fiber: Fiber, server: MockServer) -> None:
    """By a cut, or by an error in it; then the prediction is stopped."""
    server.enqueue(Reply("One two three four", end="drop"), Reply("One two three four", end="error"))

    with pytest.raises(FiberStreamInterruptedError):
        fiber.sync.chat_stream("Hello", model=MODEL).collect()
    with pytest.raises(FiberProviderError, match="overloaded"):
        fiber.sync.chat_stream("Hello", model=MODEL).collect()

    assert ("POST", "/v1/predictions/mock1/cancel", 200) in seen(server)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_task_that_is_cancelled_stops_its_prediction(server: MockServer, backend: str) -> None:
    """Although its loop ends with it."""
    server.enqueue(Reply("One two three four", end="stall"))
    urls = {"replicate": server.base_url("replicate")}

    async def main() -> None:
        fiber = Fiber(api_keys={"replicate": "key"}, base_urls=urls)
        with anyio.CancelScope() as scope:
            async for event in fiber.chat_stream("Hello", model=MODEL):
                if isinstance(event, TextDelta):
                    scope.cancel()
        await fiber.close()

    anyio.run(main, backend=backend)
    gc.collect()  # the exception may hold the stream for a while

    eventually(lambda: seen(server)[-1] == ("POST", "/v1/predictions/mock1/cancel", 200))


def test_what_was_not_promised_is_not_found(server: MockServer) -> None:
    """Whatever is asked of it."""
    for method, path in (("GET", "predictions/mock9"), ("GET", "streams/mock9"), ("POST", "predictions/mock9/cancel")):
        client = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
        client.request(method, f"/v1/{path}", headers={"authorization": "Bearer key"})
        answer = client.getresponse()
        body = json.loads(answer.read())
        client.close()

        assert (answer.status, body["title"]) == (404, "Not found")


def test_refusal_is_said_at_once(fiber: Fiber, server: MockServer) -> None:
    """Nothing is promised then, and a version is named in the body."""
    server.enqueue(Failure(code="model_not_found"))

    with pytest.raises(FiberModelNotFoundError):
        fiber.sync.chat_stream("Hello", model="replicate:5c7d5d").collect()
    assert seen(server) == [("POST", "/v1/predictions", 404)]
    assert server.requests[0].model == "5c7d5d"


def test_call_of_a_tool_cannot_be_said(fiber: Fiber, server: MockServer) -> None:
    """It is an error of the test, which the server keeps."""
    server.enqueue(Reply(tool_calls=[MockCall("weather")]))

    with pytest.raises(FiberProviderError, match="cannot be sent"):
        fiber.sync.chat("Hello", model=MODEL)
    assert [type(error) for error in server.errors] == [ValueError]
    with pytest.raises(ValueError, match="call no tools"):
        FORMAT.frames(ChatView(model="m"), Reply(tool_calls=[MockCall("weather")]), 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"prompt": "Hi"}, "Hi"),
        ({"prompt": "User: One?\n\nAssistant: Two.\n\nUser: And\n\nthree?\n\nAssistant:"}, "And\n\nthree?"),
        ({"prompt": "System: Be brief.\n\nUser: One?\n\nAssistant:"}, "One?"),
        ({"messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}]}, "One?"),
        ({"prompt": "", "messages": [{"role": "system", "content": "x"}]}, ""),
    ],
)
def test_last_word_of_the_user_is_found(given: dict[str, Any], said: str) -> None:
    """In a prompt, in a script, or among messages."""
    assert read({"input": given}).last_text == said


@pytest.mark.parametrize("limit", ["max_tokens", "max_new_tokens", "max_completion_tokens", "max_output_tokens"])
def test_limit_is_read_under_each_name(limit: str) -> None:
    """As the models have it."""
    assert read({"input": {"prompt": "Hi", limit: 5}}).max_tokens == 5


@pytest.mark.parametrize(
    ("body", "model", "said"),
    [({}, "meta/llama", "prompt is required"), ({"input": {"prompt": "Hi"}}, "", "version is required")],
)
def test_request_without_sense_is_refused(body: dict[str, Any], model: str, said: str) -> None:
    """As Replicate does it."""
    with pytest.raises(RefusedError, match=said):
        read(body, model)


def test_list_of_models_has_owners() -> None:
    """It is the list of everything that is public."""
    listed = json.loads(FORMAT.models(["a"]))

    assert [(model["owner"], model["name"]) for model in listed["results"]] == [("mock", "a")]
