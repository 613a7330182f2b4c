"""Many pieces of work, a limited number at a time, each outcome handed out as it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, Self, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")
Out_co = TypeVar("Out_co", covariant=True)


class Crew(Protocol[Out_co]):
    """
    Work in progress: `async with transport.crew(work, items, concurrency) as done: async for outcome in done`.

    An item is taken, in the caller's task, when the caller asks for the next outcome and fewer than *concurrency* are
    at work or wait to be handed out; so nothing piles up, whichever side is slow. What work raises is raised to who
    asks for the outcome. Leaving the block ends what is in flight, and returns when it has ended. One task or thread at
    a time may ask.
    """

    async def __aenter__(self) -> Self:
        """Begin."""
        ...

    async def __aexit__(self, *raised: object) -> None:
        """End what is in flight, and wait for that."""
        ...

    def __aiter__(self) -> Self:
        """Return itself."""
        ...

    async def __anext__(self) -> Out_co:
        """Return the next outcome, whichever comes first."""
        ...


class OneByOne(Crew[Out]):
    """One after another where the caller is: no task, no thread."""

    def __init__(self, work: Callable[[In], Awaitable[Out]], items: Iterable[In]) -> None:
        self._begun = (work(item) for item in items)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._begun.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Out:
        for outcome in self._begun:
            return await outcome
        raise StopAsyncIteration


def finish(work: Callable[[In], Awaitable[Out]], item: In) -> Out:
    """
    Run *work* in one step and return its outcome.

    Raises:
        RuntimeError: It suspends.
    """
    try:
        work(item).__await__().send(None)
    except StopIteration as stop:
        outcome: Out = stop.value
        return outcome
    raise RuntimeError("a blocking transport ran a coroutine that suspends")
