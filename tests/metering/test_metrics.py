"""Counts of calls."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import anyio
import pytest

from fiber import (
    NO_RETRY,
    Budget,
    Cache,
    Distribution,
    Fiber,
    FiberAuthError,
    FiberBudgetError,
    FiberError,
    FiberParsingError,
    FiberStreamInterruptedError,
    FiberValidationError,
    MemoryStore,
    Metrics,
)
from fiber.testing import MockServer
from fiber.testing.fake import FakeReply, json_reply, sse_reply
from tests.kit import KEY, START, piece, refused, scripted, streamed, watched, whole
from tests.layers.test_budget import WORLDS, Flat

SIX = pytest.mark.parametrize("world", WORLDS)


def counts(fiber: Fiber) -> dict[str, Any]:
    """Return what is counted, but the latencies and what is zero, by name and labels."""
    return {
        " ".join((point.name, *point.labels.values())): point.value
        for point in fiber.metrics.snapshot().points
        if point.value and not isinstance(point.value, Distribution)
    }


def reply_of(world: str) -> FakeReply:
    """Return the answer that fits."""
    return streamed() if "stream" in world else whole()


# -- each call once -----------------------------------------------------------------------------------------------


@SIX
def test_a_call_is_counted_once(world: str) -> None:
    """With its tokens, its cost and its time, in each world."""
    fiber, _ = scripted(reply_of(world), reply_of(world), prices=Flat())
    stream = str("stream" in world).lower()

    for _ in range(2):
        WORLDS[world](fiber)
    snapshot = fiber.metrics.snapshot()

    assert counts(fiber) == {
        f"request_count openai gpt-test true {stream}": 2,
        f"tokens_in openai gpt-test {stream}": 6,
        f"tokens_out openai gpt-test {stream}": 10,
        f"tokens_total openai gpt-test {stream}": 16,
        f"estimated_cost_usd openai gpt-test {stream}": Decimal("0.00016"),
    }
    assert snapshot.total("latency_ms") == 2
    assert snapshot.total("ttfb_ms") == (2 if stream == "true" else 0)


@SIX
def test_a_failed_call_is_counted_once(world: str) -> None:
    """By the name of its error."""
    fiber, _ = scripted(refused(401))

    with pytest.raises(FiberAuthError):
        WORLDS[world](fiber)

    stream = str("stream" in world).lower()
    assert counts(fiber) == {
        f"request_count openai gpt-test false {stream}": 1,
        f"error_count openai gpt-test FiberAuthError {stream}": 1,
    }


@SIX
def test_a_retry_is_counted_beside_the_call(world: str) -> None:
    """The call ended well, once."""
    fiber, _ = scripted(refused(429), refused(503), reply_of(world))

    WORLDS[world](fiber)
    snapshot = fiber.metrics.snapshot()

    assert snapshot.total("request_count", ok="true") == snapshot.total("request_count") == 1
    assert snapshot.total("retry_count", reason="FiberRateLimitError") == 1
    assert snapshot.total("retry_count", reason="FiberOverloadedError") == 1
    assert snapshot.total("tokens_total") == 8


@SIX
def test_a_hit_of_the_cache_is_a_call_without_tokens(world: str) -> None:
    """One miss and one write, then one hit; tokens are those of the first call alone."""
    fiber, _ = scripted(reply_of(world), cache=Cache(), cache_policy="write_through")

    for _ in range(2):
        WORLDS[world](fiber)
    snapshot = fiber.metrics.snapshot()

    assert snapshot.total("request_count", ok="true") == 2
    assert snapshot.total("tokens_total") == 8
    assert [snapshot.total(f"cache_{name}_count") for name in ("miss", "write", "hit", "evict")] == [1, 1, 1, 0]
    assert snapshot.total("cache_get_latency_ms") >= 2
    assert snapshot.total("cache_set_latency_ms") == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_call_is_counted_as_cancelled(backend: str) -> None:
    """Not ended well, and no failure of the provider; a stream that was never opened is no call."""
    begun = anyio.Event()

    async def waits(call: Any, next: Any) -> Any:
        begun.set()
        await anyio.sleep_forever()

    async def give_up() -> None:
        await fiber.chat_stream("Hi").close()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fiber.chat, "Hi")
            await begun.wait()
            tasks.cancel_scope.cancel()

    fiber, _ = scripted(layers=(waits,))

    anyio.run(give_up, backend=backend)

    assert counts(fiber) == {
        "request_count openai gpt-test false false": 1,
        "error_count openai gpt-test cancelled false": 1,
    }


def test_a_stream_that_is_left_is_counted_once() -> None:
    """Closed early or dropped: cancelled."""
    fiber, _ = scripted(streamed("a", "b", "c"), streamed("a", "b", "c"))

    with fiber.sync.chat_stream("Hi") as stream:
        next(iter(stream))
    dropped = fiber.sync.chat_stream("Hi")
    next(iter(dropped))
    del dropped

    assert counts(fiber) == {
        "request_count openai gpt-test false true": 2,
        "error_count openai gpt-test cancelled true": 2,
    }


def test_a_stream_that_is_cut_is_counted_once() -> None:
    """By the name of its error."""
    fiber, _ = scripted(sse_reply(START, piece("a")))

    with pytest.raises(FiberStreamInterruptedError):
        fiber.sync.chat_stream("Hi").collect()

    assert fiber.metrics.snapshot().total("error_count", code="FiberStreamInterruptedError", stream="true") == 1


def test_an_answer_that_does_not_fit_is_an_error() -> None:
    """With the tokens that it took all the same."""
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    fiber, _ = scripted(whole("no json"))

    with pytest.raises(FiberParsingError):
        fiber.sync.chat("Hi", response_format=schema)
    snapshot = fiber.metrics.snapshot()

    assert snapshot.total("error_count", code="FiberParsingError") == snapshot.total("request_count") == 1
    assert snapshot.total("request_count", ok="true") == 0
    assert snapshot.total("tokens_total") == 8


def test_what_is_refused_before_it_is_a_call_is_not_counted() -> None:
    """A wrong keyword never was one."""
    fiber, _ = scripted()

    with pytest.raises(FiberValidationError):
        fiber.sync.chat("Hi", temperature=-1)

    assert counts(fiber) == {}


def test_each_item_of_a_batch_is_a_call() -> None:
    """Failed ones too."""
    fiber, _ = scripted(whole(), refused(401), whole(), retry=NO_RETRY)

    fiber.sync.batch_chat(["a", "b", "c"], concurrency=1, return_exceptions=True)
    snapshot = fiber.metrics.snapshot()

    assert (snapshot.total("request_count", ok="true"), snapshot.total("request_count", ok="false")) == (2, 1)
    assert snapshot.total("tokens_in") == 6


def test_a_raw_request_is_a_call_without_a_model() -> None:
    """It has no tokens that are known."""
    fiber, _ = scripted(json_reply({}))

    fiber.sync.request("GET", "/models", provider="openai")

    assert counts(fiber) == {"request_count openai  true false": 1}


def test_a_fallback_is_counted_for_the_target_that_failed() -> None:
    """The call is counted for the one that answered."""
    fiber, _ = scripted(refused(503), whole(), fallback=["openai:second"], retry=NO_RETRY)

    fiber.sync.chat("Hi")
    snapshot = fiber.metrics.snapshot()

    assert snapshot.total("fallback_count", model="gpt-test", reason="FiberOverloadedError") == 1
    assert snapshot.total("request_count", model="second", ok="true") == snapshot.total("request_count") == 1


def test_a_refusal_of_a_budget_is_counted() -> None:
    """As a refusal and as the error that it is."""
    fiber, _ = scripted(whole(), budgets=[Budget(name="b", requests=1)])

    fiber.sync.chat("Hi")
    with pytest.raises(FiberBudgetError):
        fiber.sync.chat("Hi")
    snapshot = fiber.metrics.snapshot()

    assert snapshot.total("budget_refused_count") == 1
    assert snapshot.total("error_count", code="FiberBudgetError") == 1


def test_what_had_to_make_room_in_the_cache_is_counted() -> None:
    """By entry."""
    fiber, _ = scripted(whole(), whole(), cache=Cache(MemoryStore(max_entries=1)), cache_policy="write_through")

    for prompt in "ab":
        fiber.sync.chat(prompt)

    assert fiber.metrics.snapshot().total("cache_evict_count") == 1


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        *((event, "FiberTimeoutError") for event in ("retry", "fallback", "key_rest", "circuit_open")),
        *((event, "") for event in ("repair", "hedge", "rate_limited")),
    ],
)
def test_each_event_of_the_log_has_its_metric(event: str, reason: str) -> None:
    """With the class of the error where there is one."""

    async def tells(call: Any, next: Any) -> Any:
        call.tell(event, error_kind=reason or None, reason="canary")
        return await next(call)

    fiber, _ = scripted(whole(), layers=(tells,))

    fiber.sync.chat("Hi")

    labels = f"openai gpt-test {reason}".strip()
    assert counts(fiber)[f"{event}_count {labels}"] == 1


@pytest.mark.parametrize("facts", [{}, {"latency_ms": "long"}, {"latency_ms": None}])
def test_events_without_a_number_are_not_counted(facts: dict[str, Any]) -> None:
    """They do not break the call either."""

    async def tells(call: Any, next: Any) -> Any:
        call.tell("cache_get", **facts)
        return await next(call)

    fiber, _ = scripted(whole(), layers=(tells,))

    fiber.sync.chat("Hi")

    assert fiber.metrics.snapshot().total("cache_get_latency_ms") == 0


def test_events_without_a_metric_are_not_counted() -> None:
    """A layer may tell anything."""

    async def talks(call: Any, next: Any) -> Any:
        call.tell("canary", number=1)
        return await next(call)

    fiber, _ = scripted(whole(), layers=(talks,))

    fiber.sync.chat("Hi")

    assert fiber.metrics.snapshot().total("request_count") == 1
    assert "canary" not in str(fiber.metrics.snapshot())


def test_an_error_of_a_stranger_is_counted_without_its_name() -> None:
    """A layer may raise anything; labels are few words."""

    async def broken(call: Any, next: Any) -> Any:
        raise KeyError("canary")

    fiber, _ = scripted(layers=(broken,))

    with pytest.raises(KeyError):
        fiber.sync.chat("Hi")

    assert fiber.metrics.snapshot().total("error_count", code="error") == 1


def test_latency_and_first_event_are_measured_from_the_beginning() -> None:
    """In milliseconds of the transport's clock."""
    slow = streamed("a", "b")
    fiber, _ = scripted(FakeReply(200, slow.headers, (0.5, *slow.chunks, 1.0)))

    fiber.sync.chat_stream("Hi").collect()
    totals = {p.name: p.value.total for p in fiber.metrics.snapshot().points if isinstance(p.value, Distribution)}

    assert totals["ttfb_ms"] == pytest.approx(500)
    assert totals["latency_ms"] >= 500


# -- many and few clients -----------------------------------------------------------------------------------------


def test_counts_equal_those_of_the_server() -> None:
    """Requests, errors, retries and tokens of a hundred mixed calls, to the last unit."""
    with MockServer() as server:
        fiber = Fiber(
            api_keys={"openai": KEY},
            base_urls={"openai": server.base_url("openai")},
            default_model="openai:gpt-test",
            allow_http=True,
        )
        results = []
        for number in range(100):
            if number % 2:
                results.append(fiber.sync.chat_stream("Hi there").collect())
            else:
                results.append(fiber.sync.chat("Hi there"))
        fiber.sync.close()
        sent = len(server.requests)
    snapshot = fiber.metrics.snapshot()

    assert snapshot.total("request_count", ok="true") + snapshot.total("retry_count") == sent
    assert snapshot.total("request_count", stream="true") == 50
    assert snapshot.total("tokens_in") == sum(result.usage.input_tokens or 0 for result in results)
    assert snapshot.total("tokens_out") == sum(result.usage.output_tokens or 0 for result in results)


def test_threads_do_not_lose_counts() -> None:
    """Eight of them, through one client, while another one reads."""
    fiber, _ = scripted(*(whole() for _ in range(800)))
    over = threading.Event()
    seen: list[Any] = []

    def ask() -> None:
        for _ in range(100):
            fiber.sync.chat("Hi")

    def read() -> None:
        while not over.is_set():
            seen.append(fiber.metrics.snapshot().total("request_count"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    reader = threading.Thread(target=read)
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    reader.join()

    assert fiber.metrics.snapshot().total("request_count") == 800
    assert fiber.metrics.snapshot().total("tokens_total") == 6400
    assert seen == sorted(seen)


def test_a_call_that_ends_while_the_counts_are_read_does_not_wait() -> None:
    """A stream may be collected in the middle of a snapshot, by the same thread; it is counted by the next one."""
    fiber, _ = scripted(*(whole() for _ in range(200)), cache=Cache(), cache_policy="refresh")
    metrics = fiber.metrics

    with metrics._lock:
        for _ in range(200):
            fiber.sync.chat("Hi")

    assert metrics.snapshot().total("request_count") == 200
    assert metrics.snapshot().total("cache_write_count") == 200


def test_the_queue_is_emptied_on_the_way() -> None:
    """Nobody has to read the counts for it."""
    fiber, _ = scripted(*(whole() for _ in range(300)), cache=Cache(), cache_policy="refresh")

    for _ in range(300):
        fiber.sync.chat("Hi")

    assert len(fiber.metrics._ended) < 128
    assert len(fiber.metrics._happened) < 128


def test_clients_may_share_their_counts() -> None:
    """Views always do; other clients have their own."""
    shared = Metrics()
    first, _ = scripted(whole(), whole(), metrics=shared)
    second, _ = scripted(whole(), metrics=shared)
    alone, _ = scripted(whole())

    first.sync.chat("Hi")
    first.bind(run="r").with_options(temperature=0.5).sync.chat("Hi")
    second.sync.chat("Hi")
    alone.sync.chat("Hi")

    assert shared.snapshot().total("request_count") == 3
    assert first.metrics is second.metrics is first.sync.metrics is shared
    assert alone.metrics.snapshot().total("request_count") == 1


def test_metrics_may_be_turned_off() -> None:
    """Then they stay empty, for calls that fail too."""
    fiber, _ = scripted(whole(), refused(401), metrics=False)

    fiber.sync.chat("Hi")
    with pytest.raises(FiberAuthError):
        fiber.sync.chat("Hi")

    assert fiber.metrics.snapshot().points == ()
    assert fiber.metrics.prometheus() == ""


def test_other_layers_are_counted_too() -> None:
    """Metrics are around all layers, and do not depend on which there are."""
    fiber, _, _ = watched(whole())
    bare, _ = scripted(whole(), layers=())

    for client in (fiber, bare):
        client.sync.chat("Hi")

    assert [client.metrics.snapshot().total("request_count") for client in (fiber, bare)] == [1, 1]


def test_reset_begins_anew() -> None:
    """Nothing of before is left; snapshots that were taken do not change."""
    fiber, _ = scripted(whole(), whole())
    fiber.sync.chat("Hi")

    before = fiber.metrics.snapshot()
    fiber.metrics.reset()
    after = fiber.metrics.snapshot()
    fiber.sync.chat("Hi")

    assert after.points == ()
    assert before.total("request_count") == fiber.metrics.snapshot().total("request_count") == 1


def test_more_models_than_the_limit_are_called_other() -> None:
    """The limit is that of the metrics."""
    fiber, _ = scripted(whole(), whole(), metrics=Metrics(max_models=1))

    for name in "ab":
        fiber.sync.chat("Hi", model=f"openai:{name}")

    assert fiber.metrics.snapshot().total("request_count", model="other") == 1


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "9"])
def test_a_wrong_limit_is_refused(limit: Any) -> None:
    """It must be a whole number from 1."""
    with pytest.raises(FiberValidationError) as caught:
        Metrics(max_models=limit)

    assert caught.value.parameter == "max_models"


@pytest.mark.parametrize("wrong", [True, "on", {}])
def test_a_wrong_keyword_is_refused(wrong: Any) -> None:
    """It says what to pass."""
    with pytest.raises(FiberValidationError, match="pass Metrics") as caught:
        Fiber(metrics=wrong)

    assert caught.value.parameter == "metrics"


def test_no_secret_is_in_the_counts() -> None:
    """Neither key nor prompt, answer, message of an error or bound field, in any form."""
    fiber, _ = scripted(whole("canary"), refused(400, "canary", "canary"), refused(429, "canary"), whole())
    bound = fiber.bind(tenant="canary")

    bound.sync.chat("canary", label="canary")
    with pytest.raises(FiberError):
        bound.sync.chat("canary")
    bound.sync.chat("canary")
    said = f"{fiber.metrics.snapshot()} {fiber.metrics.prometheus()} {fiber.metrics!r} {vars(fiber.metrics)}"

    assert fiber.metrics.snapshot().total("request_count") == 3
    assert "canary" not in said
