"""Many chats at once."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from fiber import (
    BatchRequest,
    ChatMessage,
    ChatRequest,
    ChatResult,
    Fiber,
    FiberBadRequestError,
    FiberError,
    FiberModelNotFoundError,
    FiberValidationError,
)
from fiber.testing.fake import FakeTransport
from fiber.transports.base import HTTPResponse
from fiber.transports.loops import Loops
from fiber.types.normalise import messages
from tests.kit import KEY, MODEL, refused, scripted, whole

pytestmark = pytest.mark.anyio


class Meter(FakeTransport):
    """Answers with the prompt, counts what is in flight, and runs batches as on an event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.now_open = self.most_open = self.cancelled = 0
        self.map = Loops().map  # type: ignore[method-assign]

    async def open(self, request: Any, *arguments: Any) -> HTTPResponse:
        """Answer; later prompts sooner; `bad` is refused, `slow` never comes."""
        self.now_open += 1
        self.most_open = max(self.most_open, self.now_open)
        try:
            prompt = bytes(request.body)
            for _ in range(3):
                await anyio.lowlevel.checkpoint()
            if b"slow" in prompt:
                await anyio.sleep_forever()
            text = prompt.split(b'"content":"')[1].split(b'"')[0].decode()
            self._script.append(refused(400, "x", text) if "bad" in text else whole(text))
            return await super().open(request, *arguments)
        except BaseException:
            self.cancelled += 1
            raise
        finally:
            self.now_open -= 1


def metered() -> tuple[Fiber, Meter]:
    """Make a client over a meter."""
    transport = Meter()
    return Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport), transport


def texts(results: list[ChatResult | FiberError]) -> list[str]:
    """Return texts, and classes of errors."""
    return [result.text if isinstance(result, ChatResult) else type(result).__name__ for result in results]


async def test_results_are_in_the_order_of_the_requests() -> None:
    """At most *concurrency* calls are in flight."""
    fiber, transport = metered()

    results = await fiber.batch_chat([f"p{n}" for n in range(20)], concurrency=4)

    assert texts(results) == [f"p{n}" for n in range(20)]
    assert transport.most_open == 4


@pytest.mark.parametrize(
    "item",
    [
        "Hi",
        [ChatMessage.user("Hi")],
        [("user", "Hi")],
        {"messages": "Hi"},
        {"role": "user", "content": "Hi"},
        {"messages": "Hi", "temperature": 0.5},
        BatchRequest("Hi"),
        BatchRequest("Hi", {"model": "openai:other"}),
        ChatRequest(messages=messages("Hi"), model="openai:own"),
    ],
)
async def test_items_may_be_spelled_in_many_ways(item: Any) -> None:
    """Keywords of an item win over those of the batch, and those over the client's."""
    fiber, transport = scripted(whole("A"), default_temperature=0.9)

    (result,) = await fiber.batch_chat([item], temperature=0.1, model="openai:batch")

    assert isinstance(result, ChatResult)
    body = transport.requests[0].json()
    own = item.options if isinstance(item, BatchRequest) else item if isinstance(item, dict) else {}
    assert body["temperature"] == own.get("temperature", 0.1)
    expected = "own" if isinstance(item, ChatRequest) else own.get("model", "openai:batch").split(":")[1]
    assert body["model"] == expected


async def test_no_requests_give_no_results() -> None:
    """Any iterable will do."""
    fiber, _ = scripted()

    assert await fiber.batch_chat(iter(())) == []
    assert fiber.sync.batch_chat(iter(())) == []


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, "3"])
async def test_concurrency_must_be_a_whole_number_from_one(concurrency: Any) -> None:
    """Anything else is refused."""
    fiber, _ = metered()

    with pytest.raises(FiberValidationError, match="concurrency"):
        await fiber.batch_chat(["Hi"], concurrency=concurrency)


async def test_unknown_keywords_are_type_errors() -> None:
    """In the batch and in an item, before anything is sent."""
    fiber, transport = metered()

    with pytest.raises(TypeError, match="temprature"):
        await fiber.batch_chat(["Hi"], temprature=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="temprature"):
        await fiber.batch_chat([{"messages": "Hi", "temprature": 1}], return_exceptions=True)
    assert transport.requests == []


# -- the four combinations ----------------------------------------------------------------------------------------

PROMPTS = ["p0", "bad1", "bad2", "p3"]


async def test_by_default_all_are_run_and_the_first_error_is_raised() -> None:
    """First in the order of the requests."""
    fiber, transport = metered()

    with pytest.raises(FiberBadRequestError, match="bad1"):
        await fiber.batch_chat(PROMPTS)

    assert len(transport.requests) == 4


async def test_return_exceptions_puts_errors_into_the_list() -> None:
    """Every request is run."""
    fiber, transport = metered()

    results = await fiber.batch_chat(PROMPTS, return_exceptions=True)

    assert texts(results) == ["p0", "FiberBadRequestError", "FiberBadRequestError", "p3"]
    assert len(transport.requests) == 4


async def test_fail_fast_raises_at_once_and_cancels_the_rest() -> None:
    """What is in flight is cancelled and awaited, what is waiting is not begun."""
    fiber, transport = metered()

    with pytest.raises(FiberBadRequestError, match="bad"):
        await fiber.batch_chat(["slow", "bad", "p2", "p3", "p4"], concurrency=2, fail_fast=True)

    assert len(transport.requests) == 1
    assert (transport.now_open, transport.cancelled) == (0, 1)


async def test_both_give_a_list_that_says_what_was_not_run() -> None:
    """In the place of each request that was cancelled or not begun stands an error."""
    fiber, _ = metered()

    results = await fiber.batch_chat(["bad", "slow", "p2"], concurrency=2, fail_fast=True, return_exceptions=True)

    assert texts(results) == ["FiberBadRequestError", "FiberError", "FiberError"]
    assert isinstance(results[2], FiberError)
    assert "was not run" in results[2].message
    assert results[2].outcome == "not_sent"


# -- requests that cannot be sent ---------------------------------------------------------------------------------

MIXED = ["p0", {"messages": "Hi", "model": "zebra-7"}, {"messages": "Hi", "temperature": 99}, "p3"]


async def test_a_wrong_request_is_raised_before_anything_is_sent() -> None:
    """All are looked at first."""
    fiber, transport = metered()

    with pytest.raises(FiberModelNotFoundError):
        await fiber.batch_chat(MIXED)

    assert transport.requests == []


async def test_a_wrong_request_is_an_error_in_the_list() -> None:
    """The others are run."""
    fiber, transport = metered()

    results = await fiber.batch_chat(MIXED, return_exceptions=True)

    assert texts(results) == ["p0", "FiberModelNotFoundError", "FiberValidationError", "p3"]
    assert len(transport.requests) == 2


async def test_a_wrong_request_fails_fast_too() -> None:
    """One at a time, what comes after it is not begun."""
    fiber, transport = metered()

    results = await fiber.batch_chat(MIXED, concurrency=1, return_exceptions=True, fail_fast=True)

    assert texts(results) == ["p0", "FiberModelNotFoundError", "FiberError", "FiberError"]
    assert len(transport.requests) == 1


async def test_an_exception_that_is_not_ours_stops_the_batch() -> None:
    """A bug is not put into a list."""
    fiber, _ = scripted(ZeroDivisionError("bug"))

    with pytest.raises(ZeroDivisionError):
        await fiber.batch_chat(["Hi"], return_exceptions=True)


def test_the_blocking_face_does_the_same() -> None:
    """In order, errors included."""
    fiber, _ = scripted(whole("A"), refused(400), whole("C"))

    results = fiber.sync.batch_chat(["a", "b", "c"], return_exceptions=True)

    assert texts(results) == ["A", "FiberBadRequestError", "C"]
