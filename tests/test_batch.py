"""Many chats at once."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from fiber import (
    BatchProgress,
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
        self.crew = Loops().crew  # type: ignore[method-assign]

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


# -- progress -----------------------------------------------------------------------------------------------------


async def test_progress_is_told_after_each_item() -> None:
    """With its position, and how many are over, failed ones among them."""
    fiber, _ = metered()
    told: list[BatchProgress] = []

    await fiber.batch_chat(PROMPTS, concurrency=1, return_exceptions=True, on_progress=told.append)

    assert told == [
        BatchProgress(0, 1, 0, 4),
        BatchProgress(1, 2, 1, 4),
        BatchProgress(2, 3, 2, 4),
        BatchProgress(3, 4, 2, 4),
    ]


async def test_the_total_of_an_iterator_is_not_known() -> None:
    """Nobody counts it beforehand."""
    fiber, _ = metered()
    told: list[BatchProgress] = []

    await fiber.batch_chat(iter(["a", "b"]), on_progress=told.append)

    assert {progress.total for progress in told} == {None}


async def test_what_the_callback_raises_ends_the_batch() -> None:
    """It comes out as it is; what is in flight is cancelled."""
    fiber, transport = metered()

    def fail(progress: BatchProgress) -> None:
        raise ZeroDivisionError("bug")

    with pytest.raises(ZeroDivisionError, match="bug"):
        await fiber.batch_chat(["p0", "slow", "p2"], concurrency=2, on_progress=fail)

    assert (transport.now_open, transport.cancelled) == (0, 1)


# -- iterators ----------------------------------------------------------------------------------------------------


async def test_an_iterator_is_read_as_items_are_run() -> None:
    """A wrong item is found when it is its turn, and stands in its place."""
    fiber, transport = metered()

    with pytest.raises(FiberModelNotFoundError):
        await fiber.batch_chat(iter(MIXED))

    assert len(transport.requests) == 2


async def test_of_an_iterator_the_list_ends_with_what_had_begun() -> None:
    """What was not taken has no place, for nobody knows how much that is."""
    fiber, _ = metered()

    results = await fiber.batch_chat(iter(["bad", "slow", "p2"]), concurrency=2, fail_fast=True, return_exceptions=True)

    assert texts(results) == ["FiberBadRequestError", "FiberError"]


async def test_an_error_names_its_item() -> None:
    """In its traceback, whoever raised it: the provider, the check of an item, a bug."""
    fiber, _ = metered()
    items = ["p0", "bad", {"messages": "Hi", "temperature": 99}]

    errors = (await fiber.batch_chat(items, return_exceptions=True))[1:]
    with pytest.raises(TypeError) as bug:
        await fiber.batch_chat(["p0", {"messages": "Hi", "temprature": 1}])

    told = [getattr(error, "__notes__", None) for error in (*errors, bug.value)]
    assert told == [[f"This is item {number} of the batch, counted from 0."] for number in (1, 2, 1)]


# -- as completed -------------------------------------------------------------------------------------------------


async def test_results_come_as_they_complete() -> None:
    """With the position of their request; an error stands in the place of its result."""
    fiber, transport = metered()
    found: dict[int, str] = {}

    async with fiber.batch_as_completed((f"{'bad' * (n == 3)}{n}" for n in range(20)), concurrency=4) as done:
        async for position, result in done:
            found[position] = texts([result])[0]

    assert found == {n: "FiberBadRequestError" if n == 3 else str(n) for n in range(20)}
    assert transport.most_open == 4


async def test_leaving_the_block_cancels_what_is_in_flight() -> None:
    """And what has not begun never does."""
    fiber, transport = metered()

    async with fiber.batch_as_completed(["p0", "slow", "slow", "p3", "p4"], concurrency=3) as done:
        first = await anext(done)

    assert first[0] == 0
    assert (transport.now_open, transport.cancelled, len(transport.requests)) == (0, 2, 1)


async def test_a_cancelled_caller_leaves_nothing_in_flight() -> None:
    """The cancellation reaches every call, and comes out of the block."""
    fiber, transport = metered()

    with anyio.move_on_after(0) as scope:
        async with fiber.batch_as_completed(["slow"] * 5, concurrency=2) as done:
            await anext(done)

    assert scope.cancelled_caught
    assert transport.now_open == 0


async def test_a_wait_that_is_cancelled_may_be_repeated() -> None:
    """What was in flight stays so."""
    fiber, _ = metered()

    async with fiber.batch_as_completed(["p0"]) as done:
        with anyio.move_on_after(0):
            await anext(done)
        position, _ = await anext(done)

    assert position == 0


async def test_a_batch_must_be_opened() -> None:
    """Without a block nobody would close it."""
    fiber, _ = metered()

    with pytest.raises(FiberValidationError, match="async with"):
        await anext(fiber.batch_as_completed(["Hi"]))
    with pytest.raises(FiberValidationError, match="async with"):
        next(fiber.sync.batch_as_completed(["Hi"]))


async def test_wrong_arguments_are_refused_at_once() -> None:
    """Before anything is opened."""
    fiber, _ = metered()

    with pytest.raises(FiberValidationError, match="concurrency"):
        fiber.batch_as_completed([], concurrency=0)
    with pytest.raises(TypeError, match="temprature"):
        fiber.sync.batch_as_completed([], temprature=1)  # type: ignore[call-arg]


def test_the_blocking_face_iterates_too() -> None:
    """Items are taken one by one, in the thread of the caller."""
    fiber, transport = scripted(whole("A"), refused(400), whole("C"))

    with fiber.sync.batch_as_completed(iter(["a", "b", "c"])) as done:
        first = next(done)
        sent = len(transport.requests)
        rest = list(done)

    assert (first[0], sent) == (0, 1)
    assert [(position, *texts([result])) for position, result in rest] == [(1, "FiberBadRequestError"), (2, "C")]


async def test_memory_does_not_grow_with_the_batch() -> None:
    """Ten times as many answers need no more: neither requests nor results pile up."""
    fiber, transport = metered()
    transport.requests = Forgetful()
    held: list[int] = []

    async with fiber.batch_as_completed((f"p{n}" for n in range(2_000)), concurrency=16) as done:
        async for position, _ in done:
            if position % 200 == 199:
                gc.collect()
                held.append(sys.getallocatedblocks())

    assert held[-1] < held[0] + 1_000


def test_memory_does_not_grow_with_twenty_thousand_items() -> None:
    """Wrong ones, of which each is an error that is handed out and forgotten."""
    fiber, _ = scripted()
    held: list[int] = []
    wrong = {"messages": "Hi", "n": 0}

    with fiber.sync.batch_as_completed(wrong for _ in range(20_000)) as done:
        for number, _ in done:
            if number == 2_000:
                tracemalloc.start()
            if number > 2_000 and number % 1_000 == 0:
                held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()

    assert max(held) < held[0] + 50_000


class Forgetful(list[Any]):
    """A list that keeps nothing."""

    def append(self, value: Any) -> None:
        """Forget *value*."""
