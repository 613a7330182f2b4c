"""Batches in three worlds over real sockets: the same results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from fiber import BatchProgress, ChatResult, Fiber, FiberBadRequestError, FiberError
from fiber.testing import Failure, MockServer, Reply
from fiber.testing.recorded import MockRequest

ITEMS: list[Any] = [{"messages": f"bad {n}" if n % 7 == 3 else f"p{n}"} for n in range(40)]
WORLDS = ["asyncio", "trio", "sync"]


def handle(request: MockRequest) -> Any:
    """Repeat what is said, or refuse it."""
    said = request.view.last_text if request.view else ""
    return Failure(400, message=said) if said.startswith("bad") else Reply(said)


def told(result: ChatResult | FiberError) -> str:
    """Return the text, or the class of the error and its note."""
    if isinstance(result, ChatResult):
        return result.text
    return f"{type(result).__name__}: {getattr(result, '__notes__', None)}"


EXPECTED = [
    f"FiberBadRequestError: ['This is item {n} of the batch, counted from 0.']" if n % 7 == 3 else f"p{n}"
    for n in range(40)
]


def within(world: str, work: Callable[[Fiber], Any]) -> Any:
    """Run *work*, a coroutine function in the async worlds, with a client over a mock server."""
    with MockServer(handler=handle) as server:
        fiber = Fiber(
            api_keys={"openai": "k"}, base_urls={"openai": server.base_url("openai")}, default_model="openai:gpt-x"
        )
        try:
            return work(fiber) if world == "sync" else anyio.run(work, fiber, backend=world)
        finally:
            fiber.sync.close()


@pytest.mark.parametrize("concurrency", [1, 6])
@pytest.mark.parametrize("world", WORLDS)
def test_a_batch_is_the_same_everywhere(world: str, concurrency: int) -> None:
    """Results, errors, and the count of progress."""
    progress: list[BatchProgress] = []
    options: Any = {"concurrency": concurrency, "return_exceptions": True, "on_progress": progress.append}

    def work(fiber: Fiber) -> Any:
        return (fiber.sync if world == "sync" else fiber).batch_chat(iter(ITEMS), **options)

    results = within(world, work)

    assert [told(result) for result in results] == EXPECTED
    assert [one.done for one in progress] == list(range(1, 41))
    assert (sorted(one.position for one in progress), progress[-1].failed) == (list(range(40)), 6)


@pytest.mark.parametrize("concurrency", [1, 6])
@pytest.mark.parametrize("world", WORLDS)
def test_results_complete_the_same_everywhere(world: str, concurrency: int) -> None:
    """Each once, with its position."""

    async def drain(fiber: Fiber) -> Any:
        async with fiber.batch_as_completed(iter(ITEMS), concurrency=concurrency) as done:
            return [pair async for pair in done]

    def blocking(fiber: Fiber) -> Any:
        with fiber.sync.batch_as_completed(iter(ITEMS), concurrency=concurrency) as done:
            return list(done)

    pairs = within(world, blocking if world == "sync" else drain)

    assert len(pairs) == 40
    assert [told(result) for _, result in sorted(pairs, key=lambda pair: pair[0])] == EXPECTED


@pytest.mark.parametrize("world", WORLDS)
def test_leaving_early_takes_no_more_than_fit(world: str) -> None:
    """In every world: what was taken is at most the number in flight and what was given out."""
    taken: list[int] = []

    def items() -> Any:
        for n in range(1000):
            taken.append(n)
            yield f"p{n}"

    async def drain(fiber: Fiber) -> None:
        async with fiber.batch_as_completed(items(), concurrency=4) as done:
            await anext(done)

    def blocking(fiber: Fiber) -> None:
        with fiber.sync.batch_as_completed(items(), concurrency=4) as done:
            next(done)

    within(world, blocking if world == "sync" else drain)

    assert taken == [0, 1, 2, 3]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("concurrency", [1, 3])
def test_fail_fast_raises_everywhere(world: str, concurrency: int) -> None:
    """The first failure, as it is and not in a group."""

    def work(fiber: Fiber) -> Any:
        face: Any = fiber.sync if world == "sync" else fiber
        return face.batch_chat(ITEMS, fail_fast=True, concurrency=concurrency)

    with pytest.raises(FiberBadRequestError, match="bad"):
        within(world, work)
