"""
The four ways to ask fiber something, each as one function that blocks: sync and async, whole and streamed.

What came is told in plain values, so a table can say what should have come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from material import KEY

from fiber import (
    NO_RETRY,
    ChatResult,
    Fiber,
    FiberError,
    FiberProviderError,
    MessageEnd,
    Provider,
    RetryPolicy,
    TextDelta,
)

FACES = ("sync", "sync.stream", "async", "async.stream")


class Face:
    """
    One way to ask one provider.

    Attributes:
        name: One of `FACES`.
        faults: What was wrong with the events of streams, in words.
    """

    def __init__(self, name: str, client: Fiber, runner: asyncio.Runner, provider: str) -> None:
        self.name = name
        self.faults: list[str] = []
        self._client = client
        self._runner = runner
        self._provider = provider

    @property
    def streams(self) -> bool:
        """Whether answers come as streams."""
        return self.name.endswith(".stream")

    def ask(self, messages: Any, **options: Any) -> ChatResult:
        """Ask and return the whole answer; a stream's events are held against its result."""
        options["provider"] = self._provider
        if self.name == "sync":
            return self._client.sync.chat(messages, **options)
        if self.name == "async":
            return self._runner.run(self._client.chat(messages, **options))
        if self.name == "sync.stream":
            with self._client.sync.chat_stream(messages, **options) as stream:
                events = list(stream)
                result = stream.result
        else:
            events, result = self._runner.run(self._collect(messages, options))
        if "".join(event.text for event in events if isinstance(event, TextDelta)) != result.text:
            self.faults.append("the pieces of the text are not the text")
        if sum(isinstance(event, MessageEnd) for event in events) != 1 or not isinstance(events[-1], MessageEnd):
            self.faults.append("the last event is not the only message-end")
        return result

    def stop_early(self, messages: Any, **options: Any) -> None:
        """Ask, and leave at the first piece of text."""
        options["provider"] = self._provider
        if self.name == "sync.stream":
            with self._client.sync.chat_stream(messages, **options) as stream:
                next(event for event in stream if isinstance(event, TextDelta))
        elif self.name == "async.stream":
            self._runner.run(self._leave(messages, options))

    async def _collect(self, messages: Any, options: Mapping[str, Any]) -> tuple[list[Any], ChatResult]:
        async with self._client.chat_stream(messages, **options) as stream:
            events = [event async for event in stream]
            return events, stream.result

    async def _leave(self, messages: Any, options: Mapping[str, Any]) -> None:
        async with self._client.chat_stream(messages, **options) as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    break


@contextmanager
def faces(row: Provider, base_url: str, *, key: str = KEY, retry: RetryPolicy = NO_RETRY) -> Iterator[list[Face]]:
    """Give all four faces of one client whose only address is *base_url*."""
    client = Fiber(providers=[row], api_keys={row.name: key}, base_urls={row.name: base_url}, retry=retry)
    with asyncio.Runner() as runner:
        try:
            yield [Face(name, client, runner, row.name) for name in FACES]
        finally:
            runner.run(client.close())


def seen(result: ChatResult) -> dict[str, Any]:
    """Tell what came."""
    return {
        "text": result.text,
        "calls": [[call.name, call.arguments] for call in result.tool_calls],
        "finish": result.finish_reason,
        "reasoning": result.reasoning,
        "parsed": None if result.parsed is None else type(result.parsed).__name__,
        "attempts": len(result.receipt.attempts),
    }


def failed(error: FiberError) -> dict[str, Any]:
    """Tell what failed, in the class and the status alone."""
    status = error.status_code if isinstance(error, FiberProviderError) else None
    return {"error": type(error).__name__, "status": status, "retry_after": getattr(error, "retry_after", None)}
