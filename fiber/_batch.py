"""Many chats at once, results in the order of the requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fiber._calls import prepare
from fiber._chain import Call
from fiber._errors import FiberError, FiberValidationError
from fiber._running import complete
from fiber._settings import Settings, with_defaults
from fiber.types.result import ChatResult


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One item of a batch: the messages, and the keywords of its chat call."""

    messages: Any
    options: Mapping[str, Any] = field(default_factory=dict)


async def batch(
    settings: Settings,
    requests: Iterable[Any],
    options: Mapping[str, Any],
    *,
    concurrency: int,
    return_exceptions: bool,
    fail_fast: bool,
) -> list[ChatResult | FiberError]:
    """
    Run every request, at most *concurrency* at a time; *options* are defaults of them all.

    Without *return_exceptions* the first failure, in the order of the requests, is raised: at the end, or with
    *fail_fast* at once, after the calls in flight were cancelled. With both, requests that were not run any more have
    a `FiberError` that says so in their place.
    """
    if type(concurrency) is not int or concurrency < 1:
        raise FiberValidationError(
            f"concurrency must be a whole number from 1, not {concurrency!r}.", parameter="concurrency"
        )
    settings = with_defaults(settings, options)
    calls: list[Call | FiberError] = []
    for item in map(_item, requests):
        try:
            calls.append(prepare(settings, item.messages, item.options, stream=False))
        except FiberError as error:
            if not return_exceptions:
                raise
            calls.append(error)
    results: list[Any] = [None] * len(calls)

    async def run(position: int) -> None:
        call = calls[position]
        try:
            if isinstance(call, FiberError):
                raise call
            results[position] = await complete(settings, call)
        except FiberError as error:
            results[position] = error
            if fail_fast:
                raise

    try:
        await settings.transport.map(run, range(len(calls)), concurrency)
    except FiberError:
        if not return_exceptions:
            raise
    results = [_not_run() if result is None else result for result in results]
    if not return_exceptions:
        for result in results:
            if isinstance(result, FiberError):
                raise result
    return results


def _item(value: Any) -> BatchRequest:
    if isinstance(value, BatchRequest):
        return value
    if isinstance(value, Mapping) and "messages" in value:
        return BatchRequest(value["messages"], {name: said for name, said in value.items() if name != "messages"})
    return BatchRequest(value)


def _not_run() -> FiberError:
    return FiberError("This request was not run: an earlier one failed and fail_fast was set.", outcome="not_sent")
