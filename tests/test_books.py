"""The books balance: over a thousand mixed calls, what the client counts is what the servers counted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from fiber import (
    BusinessEvent,
    Cache,
    ChatResult,
    Fiber,
    FiberError,
    Metrics,
    PriceTable,
    RetryPolicy,
    SQLiteUsage,
    TokenUsage,
)
from fiber.testing import Failure, HostileServer, MockRequest, MockServer, Reply

WORLDS = ("asyncio", "trio", "blocking")
EACH = 32
"""Calls of a kind in a world; with eleven kinds, of which one asks twice, more than a thousand in all."""

PRICE = {"input": "1.25", "output": "10"}
MODELS = ("openai:gpt-a", "anthropic:claude-a", "gemini:gemini-a")
OTHER = "openai:gpt-b"
RETRY = RetryPolicy(max_attempts=3, base_backoff_seconds=0.001, budget_reserve=10_000)

ANSWERS: Mapping[str, tuple[str | int, ...]] = {
    # A kind of call -> how its requests to a model are answered, one after another.
    "whole": ("ok",),
    "streamed": ("ok",),
    "retried": (429, 503, "ok"),
    "retried-stream": (503, "ok"),
    "refused": (401,),
    "exhausted": (500, 503, 500),
    "fallen": (503, 503, 503),
    "cached": ("ok",),
    "left": ("stall",),
    "cut": ("cut",),
    "batch": ("ok",),
}
STREAMED = {"streamed", "retried-stream", "left", "cut"}
FAULTS = ("rst-mid-body", "json-cut", "bad-key", "context-length", "overloaded", "stream-cut", "stream-error")


@dataclass
class Till:
    """What a provider counts: tokens of the answers that it gave whole."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: MockRequest) -> Reply | Failure:
        """Answer as the kind says that is the first word of the question."""
        assert request.view is not None
        said, model = request.view.last_text, request.model
        kind, number = said.split()
        with self.lock:
            turn = self.asked[said, model]
            self.asked[said, model] += 1
            answer = "ok" if model == OTHER.partition(":")[2] else ANSWERS[kind][turn]
            usage = (int(number) + 3, len(kind))
            if answer == "ok":
                self.tokens.update(input=usage[0], output=usage[1])
        if isinstance(answer, int):
            return Failure(answer, retry_after=0) if answer == 429 else Failure(answer)
        if answer == "ok":
            return Reply("one two three", usage=usage)
        # Who leaves must not have all of it already, however late it is.
        end = "drop" if answer == "cut" else "stall"
        return Reply("never to its end", usage=usage, end=end, cut_after_events=3)


@dataclass
class Books:
    """What the callers saw."""

    results: list[ChatResult] = field(default_factory=list)
    errors: list[FiberError] = field(default_factory=list)
    left: int = 0

    @property
    def attempts(self) -> int:
        """Attempts by receipts and errors; whoever leaves has seen one."""
        seen = [*(result.receipt.attempts for result in self.results), *(error.attempts for error in self.errors)]
        return sum(map(len, seen)) + self.left


@contextmanager
def clients(*urls: Mapping[str, str], **options: Any) -> Iterator[list[Fiber]]:
    """Make a client for each of *urls*, with one set of metrics for all, and close them."""
    made = [
        Fiber(api_keys=dict.fromkeys(("openai", "anthropic", "gemini"), "k"), base_urls=each, retry=RETRY, **options)
        for each in urls
    ]
    try:
        yield made
    finally:
        for fiber in made:
            fiber.sync.close()


def keywords(kind: str, number: int) -> dict[str, Any]:
    """Return the keywords of a call."""
    # Only a stream of OpenAI says nothing of its tokens before its end, so what is left or cut counts none.
    first = 0 if kind in ("left", "cut") else number % len(MODELS)
    fallback = [OTHER] if kind == "fallen" else None
    return {
        "model": MODELS[first],
        "fallback": fallback,
        "cache_policy": "write_through" if kind == "cached" else "off",
    }


async def ask(fiber: Fiber, kind: str, number: int, books: Books) -> None:
    """Make one call of *kind*, or two where the second is for the cache."""
    said, options = f"{kind} {number}", keywords(kind, number)
    try:
        if kind == "batch":
            books.results += await fiber.batch_chat([said], **options)  # type: ignore[arg-type]
        elif kind in STREAMED:
            async with fiber.chat_stream(said, **options) as stream:
                async for event in stream:
                    if kind == "left" and event.type == "text-delta":
                        books.left += 1
                        return
            books.results.append(stream.result)
        else:
            for _ in range(2 if kind == "cached" else 1):
                books.results.append(await fiber.chat(said, **options))
    except FiberError as error:
        books.errors.append(error)


def ask_blocking(fiber: Fiber, kind: str, number: int, books: Books) -> None:
    """The same with `fiber.sync`."""
    said, options = f"{kind} {number}", keywords(kind, number)
    try:
        if kind == "batch":
            books.results += fiber.sync.batch_chat([said], **options)  # type: ignore[arg-type]
        elif kind in STREAMED:
            with fiber.sync.chat_stream(said, **options) as stream:
                for event in stream:
                    if kind == "left" and event.type == "text-delta":
                        books.left += 1
                        return
            books.results.append(stream.result)
        else:
            for _ in range(2 if kind == "cached" else 1):
                books.results.append(fiber.sync.chat(said, **options))
    except FiberError as error:
        books.errors.append(error)


def mixed(fiber: Fiber, world: str, books: Books, kinds: tuple[str, ...], numbers: range) -> None:
    """Make calls of *kinds* in *world*, many at a time."""
    work = [(kind, number) for number in numbers for kind in kinds]
    if world == "blocking":
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda each: ask_blocking(fiber, *each, books), work))
        return

    async def main() -> None:
        limiter = anyio.CapacityLimiter(8)

        async def one(kind: str, number: int) -> None:
            async with limiter:
                await ask(fiber, kind, number, books)

        async with anyio.create_task_group() as group:
            for kind, number in work:
                group.start_soon(one, kind, number)

    anyio.run(main, backend=world)


def counted(metrics: Metrics) -> Callable[..., Any]:
    """Return what asks a snapshot of *metrics*."""
    return metrics.snapshot().total


def test_a_thousand_mixed_calls_are_counted_as_the_provider_counts_them(tmp_path: Path) -> None:
    """Calls, errors, retries, fallbacks, hits, tokens and cost, to the last unit, whatever the world."""
    metrics, till, books = Metrics(), Till(), Books()
    events: list[BusinessEvent] = []
    ledger = SQLiteUsage(tmp_path / "usage.sqlite3")
    prices = PriceTable(dict.fromkeys((*MODELS, OTHER), PRICE))

    with MockServer(handler=till) as server:
        urls = {family: server.base_url(family) for family in ("openai", "anthropic", "gemini")}  # type: ignore[arg-type]
        told_to = {"metrics": metrics, "on_event": events.append, "usage": ledger}
        with clients(urls, **told_to, prices=prices, cache=Cache()) as (fiber,):
            for place, world in enumerate(WORLDS):
                mixed(fiber, world, books, tuple(ANSWERS), range(place * EACH, (place + 1) * EACH))
    total, calls = counted(metrics), EACH * len(WORLDS)
    errors = Counter(type(error).__name__ for error in books.errors)
    first = [each for each in books.results if not each.cached]

    assert total("request_count") == (len(ANSWERS) + 1) * calls >= 1000
    assert total("request_count", ok="true") == len(books.results) == 8 * calls
    assert errors == dict.fromkeys(("FiberAuthError", "FiberProviderError", "FiberStreamInterruptedError"), calls)
    assert {name: total("error_count", code=name) for name in errors} == errors
    assert total("error_count", code="cancelled") == books.left == calls
    assert len(server.requests) == books.attempts == sum(till.asked.values())
    assert total("retry_count") == len(server.requests) - len(till.asked)
    assert total("fallback_count") == total("cache_hit_count") == total("cache_write_count") == calls
    assert (total("tokens_in"), total("tokens_out")) == (till.tokens["input"], till.tokens["output"])
    assert total("tokens_total") == till.tokens.total()
    cost = (till.tokens["input"] * Decimal("1.25") + till.tokens["output"] * 10) / 10**6
    assert total("estimated_cost_usd") == sum(each.usage.cost_usd or 0 for each in first) == cost

    told = Counter(event.event_type for event in events)
    used = [event.payload for event in events if isinstance(event.payload, TokenUsage)]
    assert (told["request"], told["response"]) == (total("request_count"), total("request_count", ok="true"))
    assert told["error"] == total("error_count")
    assert told["provider_call"] == len(server.requests)
    assert told["cache_hit"] == told["cache_write"] == calls
    assert sum(each.total_tokens or 0 for each in used) == till.tokens.total()
    assert sum(each.cost_usd or 0 for each in used) == cost
    completed = [event.call_id for event in events if event.event_type == "response"]
    assert sorted(completed) == sorted(each.receipt.receipt_id for each in books.results)

    records = list(ledger.records())
    by_id = {record.id: record for record in records}
    assert len(by_id) == len(records) == total("request_count")
    assert Counter(record.outcome for record in records) == {
        "complete": 8 * calls,
        "error": 2 * calls,
        "truncated": calls,
        "cancelled": calls,
    }
    assert sum(record.attempts for record in records) == len(server.requests)
    assert sum(record.input_tokens or 0 for record in records) == till.tokens["input"]
    assert sum(record.output_tokens or 0 for record in records) == till.tokens["output"]
    assert sum(record.cost_usd or 0 for record in records) == cost
    assert all(by_id[each.receipt.receipt_id].cost_usd == each.receipt.cost_usd for each in books.results)
    assert sum(record.saved_usd is not None for record in records) == calls


@pytest.mark.parametrize("world", WORLDS)
def test_faults_are_counted_as_the_server_counts_them(world: str) -> None:
    """Each attempt once, each call once, and nothing that was not answered."""
    metrics, books = Metrics(), Books()

    with HostileServer() as server:
        urls = [{"openai": server.base_url("openai", fault)} for fault in FAULTS]
        with clients(*urls, metrics=metrics) as made:
            for fiber, fault in zip(made, FAULTS, strict=True):
                kind = "streamed" if fault.startswith("stream-") else "whole"
                mixed(fiber, world, books, (kind,), range(0, 12, len(MODELS)))
            counts = [server.count(fault) for fault in FAULTS]
    total = counted(metrics)

    assert books.results == []
    assert total("request_count", ok="false") == len(books.errors) == 4 * len(FAULTS)
    assert sum(counts) == books.attempts
    assert total("retry_count") == books.attempts - len(books.errors)
    assert total("tokens_total") == total("estimated_cost_usd") == 0
