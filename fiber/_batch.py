"""Many chats, a limited number at a time: as a list in the order of the requests, or as they complete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from fiber._calls import prepare
from fiber._chain import Call
from fiber._engine import run_sync
from fiber._errors import FiberError, FiberValidationError
from fiber._running import complete
from fiber._settings import Settings, with_defaults
from fiber.transports.crew import Crew
from fiber.types.batch import BatchProgress
from fiber.types.result import ChatResult

Numbered: TypeAlias = tuple[int, Call | FiberError]
"""An item's position and its call, or why there can be none."""
OnProgress: TypeAlias = Callable[[BatchProgress], object]


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One item of a batch: the messages, and the keywords of its chat call."""

    messages: Any
    options: Mapping[str, Any] = field(default_factory=dict)


class BatchStream:
    """
    Results as they complete: `async with fiber.batch_as_completed(...) as done: async for position, result in done`.

    An error of an item stands in the place of its result; a bug in one, or in the caller's iterator, is raised. Items
    are taken when it is their turn, so neither requests nor results pile up. Leaving the block cancels what is in
    flight and waits for it. One task may iterate.
    """

    def __init__(
        self, settings: Settings, requests: Iterable[Any], options: Mapping[str, Any], concurrency: int
    ) -> None:
        if type(concurrency) is not int or concurrency < 1:
            raise FiberValidationError(
                f"concurrency must be a whole number from 1, not {concurrency!r}.",
                parameter="concurrency",
                outcome="not_sent",
            )
        settings = with_defaults(settings, options)

        async def run(numbered: Numbered) -> tuple[int, ChatResult | FiberError]:
            position, call = numbered
            if isinstance(call, FiberError):
                return position, call
            try:
                return position, await complete(settings, call)
            except Exception as error:
                _name(error, position)
                if isinstance(error, FiberError):
                    return position, error
                raise

        self._calls: Iterable[Numbered] = _calls(settings, requests)
        self._crew: Crew[tuple[int, ChatResult | FiberError]] = settings.transport.crew(run, self._taken(), concurrency)
        self._is_open = False
        self.begun = 0

    def check(self) -> None:
        """Prepare all items now, and raise the first error among them; nothing is sent."""
        self._calls = list(self._calls)
        for _, call in self._calls:
            if isinstance(call, FiberError):
                raise call

    async def __aenter__(self) -> Self:
        await self._crew.__aenter__()
        self._is_open = True
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._crew.__aexit__(*raised)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, ChatResult | FiberError]:
        if not self._is_open:
            raise FiberValidationError(
                "Open the batch first, so that it can be closed: with fiber.batch_as_completed(...) as done, in async"
                " code async with.",
                parameter="requests",
                outcome="not_sent",
            )
        return await anext(self._crew)

    def _taken(self) -> Iterator[Numbered]:
        for numbered in self._calls:
            self.begun += 1
            yield numbered


class SyncBatchStream:
    """Results as they complete, in blocking code: see `BatchStream`; what is in flight at the end is awaited."""

    def __init__(self, stream: BatchStream) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        run_sync(self._stream.__aenter__())
        return self

    def __exit__(self, *raised: object) -> None:
        run_sync(self._stream.__aexit__(*raised))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int, ChatResult | FiberError]:
        try:
            return run_sync(self._stream.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None


async def batch(
    settings: Settings,
    requests: Iterable[Any],
    options: Mapping[str, Any],
    *,
    concurrency: int,
    return_exceptions: bool,
    fail_fast: bool,
    on_progress: OnProgress | None,
) -> list[ChatResult | FiberError]:
    """
    Run every request, at most *concurrency* at a time; *options* are defaults of them all.

    Without *return_exceptions* the first failure, in the order of the requests, is raised: at the end, or with
    *fail_fast* the first to come, at once, after the calls in flight were cancelled. With both, requests that were not
    run any more have a `FiberError` that says so in their place: all of them when *requests* has a length, else those
    that had begun.
    """
    stream = BatchStream(settings, requests, options, concurrency)
    if not return_exceptions and isinstance(requests, list | tuple):
        stream.check()
    total = len(requests) if isinstance(requests, Sized) else None
    results: dict[int, ChatResult | FiberError] = {}
    failed = 0
    async with stream:
        async for position, result in stream:
            results[position] = result
            is_error = isinstance(result, FiberError)
            failed += is_error
            if on_progress is not None:
                on_progress(BatchProgress(position, len(results), failed, total))
            if is_error and fail_fast:
                break
    if failed and not return_exceptions:
        raise next(result for _, result in sorted(results.items()) if isinstance(result, FiberError))
    return [results[n] if n in results else _not_run() for n in range(total or stream.begun)]


def _calls(settings: Settings, requests: Iterable[Any]) -> Iterator[Numbered]:
    """Prepare each of *requests* when it is asked for."""
    for position, request in enumerate(requests):
        item = _item(request)
        call: Call | FiberError
        try:
            call = prepare(settings, item.messages, item.options, stream=False)
        except Exception as error:
            _name(error, position)
            if not isinstance(error, FiberError):
                raise
            call = error
        yield position, call


def _name(error: Exception, position: int) -> None:
    """Have *error* say in tracebacks which item it is of; its words stay those of a single call."""
    error.add_note(f"This is item {position} of the batch, counted from 0.")


def _item(value: Any) -> BatchRequest:
    if isinstance(value, BatchRequest):
        return value
    if isinstance(value, Mapping) and "messages" in value:
        return BatchRequest(value["messages"], {name: said for name, said in value.items() if name != "messages"})
    return BatchRequest(value)


def _not_run() -> FiberError:
    return FiberError("This request was not run: an earlier one failed and fail_fast was set.", outcome="not_sent")
