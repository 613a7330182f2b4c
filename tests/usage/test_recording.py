"""What is written down of a call."""

from __future__ import annotations

import gc
from decimal import Decimal
from typing import Any

import pytest

from fiber import NO_RETRY, Cache, FiberError, RetryPolicy
from fiber.testing import MockServer
from fiber.testing.fake import EPOCH, FakeReply, json_reply, sse_reply
from tests.kit import COUNTS, KEY, START, answer, piece, refused, streamed, whole
from tests.layers.test_budget import PRICE, WORLDS, Flat
from tests.usage.kit import flushed, recorded


@pytest.mark.parametrize("world", WORLDS)
def test_a_call_has_one_record(world: str) -> None:
    """With its tokens and its exact cost, in each world."""
    is_stream = "stream" in world
    fiber, records = recorded(streamed() if is_stream else whole())

    WORLDS[world](fiber)
    flushed(fiber)

    [record] = records
    assert (record.provider, record.model, record.stream) == ("openai", "gpt-test", is_stream)
    assert (record.input_tokens, record.output_tokens, record.attempts) == (3, 5, 1)
    assert (record.cost_usd, record.cost_status, record.saved_usd) == (8 * PRICE, "priced", None)
    assert (record.operation, record.outcome, record.error, record.cached) == ("chat", "complete", "", False)
    assert record.time.timestamp() >= EPOCH


def test_parts_of_tokens_are_written() -> None:
    """What the provider read from its cache, and what it thought."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    fiber, records = recorded(json_reply(answer(usage=usage), **{"x-request-id": "req_7"}))

    fiber.sync.chat("Hi")
    flushed(fiber)

    assert (records[0].cached_tokens, records[0].cache_write_tokens, records[0].reasoning_tokens) == (4, None, 5)
    assert records[0].request_id == "req_7"


def test_times_are_of_the_clock_of_the_transport() -> None:
    """From the call to its end, and to its first event."""
    slow = streamed("a", "b")
    fiber, records = recorded(FakeReply(200, slow.headers, (0.5, *slow.chunks, 1.0)))

    fiber.sync.chat_stream("Hi").collect()
    flushed(fiber)

    assert records[0].ttfb_ms == 500
    assert records[0].latency_ms >= 500


def test_a_hit_in_the_cache_costs_nothing_and_says_what_it_saved() -> None:
    """Its tokens are those of the call that filled the cache, and not counted again; as a stream too."""
    fiber, records = recorded(whole(), cache=Cache(), cache_policy="write_through")

    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    fiber.sync.chat_stream("Hi").collect()
    flushed(fiber)

    first, *hits = records
    assert (first.cached, first.cost_usd, first.saved_usd) == (False, 8 * PRICE, None)
    for hit in hits:
        assert (hit.cached, hit.attempts, hit.input_tokens) == (True, 0, None)
        assert (hit.cost_usd, hit.cost_status, hit.saved_usd) == (0, "priced", 8 * PRICE)


def test_a_saving_without_a_price_is_not_known() -> None:
    """It is never a made-up zero."""
    fiber, records = recorded(whole(), cache=Cache(), cache_policy="write_through", prices=None)

    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    flushed(fiber)

    assert (records[0].cost_usd, records[1].saved_usd) == (None, None)
    assert records[0].cost_status != "priced"


def test_a_retry_is_part_of_its_call() -> None:
    """One record, two attempts."""
    fiber, records = recorded(refused(503), whole(), retry=RetryPolicy(max_attempts=2))

    fiber.sync.chat("Hi")
    flushed(fiber)

    assert [(record.attempts, record.outcome) for record in records] == [(2, "complete")]


def test_a_fallback_is_written_for_who_answered() -> None:
    """With the attempts of both."""
    fiber, records = recorded(refused(503), whole(), fallback=["openai:second"], retry=NO_RETRY)

    fiber.sync.chat("Hi")
    flushed(fiber)

    assert [(record.model, record.attempts) for record in records] == [("second", 2)]


def test_a_failure_is_written_with_its_kind() -> None:
    """It used nothing that is known."""
    fiber, records = recorded(refused(401))

    with pytest.raises(FiberError):
        fiber.sync.chat("Hi")
    flushed(fiber)

    [record] = records
    assert (record.outcome, record.error, record.attempts) == ("error", "FiberAuthError", 1)
    assert (record.cost_usd, record.cost_status, record.input_tokens) == (None, "no_usage", None)


def test_a_failure_of_a_stranger_is_written_without_its_name() -> None:
    """A layer may raise anything."""

    async def broken(call: Any, next: Any) -> Any:
        raise KeyError("canary")

    fiber, records = recorded(layers=(broken,))

    with pytest.raises(KeyError):
        fiber.sync.chat("Hi")
    flushed(fiber)

    assert (records[0].outcome, records[0].error, records[0].attempts) == ("error", "error", 0)
    assert "canary" not in repr(records)


def test_a_stream_that_breaks_is_written_with_what_it_cost() -> None:
    """As far as the provider told."""
    fiber, records = recorded(sse_reply(START, COUNTS, piece("a")))

    with pytest.raises(FiberError):
        fiber.sync.chat_stream("Hi").collect()
    flushed(fiber)

    assert (records[0].outcome, records[0].error) == ("truncated", "FiberStreamInterruptedError")
    assert (records[0].output_tokens, records[0].cost_usd) == (5, 8 * PRICE)


def test_a_stream_that_is_dropped_is_written() -> None:
    """As cancelled, with the price of what the provider told until then, which nobody had asked for yet."""
    fiber, records = recorded(sse_reply(START, COUNTS, piece("a"), piece("b")))

    stream = fiber.sync.chat_stream("Hi")
    while not stream.text:
        next(stream)
    del stream
    gc.collect()
    flushed(fiber)

    [record] = records
    assert (record.outcome, record.error, record.output_tokens) == ("cancelled", "cancelled", 5)
    assert (record.cost_usd, record.cost_status) == (8 * PRICE, "priced")


def test_a_raw_request_is_written() -> None:
    """Without a model, tokens or a cost."""
    fiber, records = recorded(json_reply({}))

    fiber.sync.request("GET", "/models", provider="openai")
    flushed(fiber)

    [record] = records
    assert (record.operation, record.provider, record.model, record.cost_usd) == ("request", "openai", "", None)


def test_bound_fields_are_written() -> None:
    """Those that have columns there, all others as metadata: plain values as they are, anything else as a text."""
    fiber, records = recorded(whole())

    bound = fiber.bind(tenant_id="t9", user=7, session="s", session_id="other", origin="worker", run=1, none=None)
    bound.sync.chat("Hi", label="greeting", context={"conversation_id": "c1", "price": Decimal("0.1"), "share": 0.5})
    flushed(fiber)

    [record] = records
    assert (record.tenant, record.user, record.session, record.origin) == ("t9", "7", "s", "worker")
    assert (record.conversation_id, record.label) == ("c1", "greeting")
    assert record.metadata == {"session_id": "other", "run": 1, "none": None, "price": "0.1", "share": 0.5}


def test_a_conversation_is_written_by_its_id() -> None:
    """In each of its calls."""
    fiber, records = recorded(whole(), whole())

    conversation = fiber.sync.conversation("c7")
    conversation.send("Hi")
    conversation.send("Ho")
    flushed(fiber)

    assert [record.conversation_id for record in records] == ["c7", "c7"]


@pytest.mark.parametrize("profile", [None, "dev"])
def test_an_alias_is_written_with_its_profile(tmp_path: Any, profile: str | None) -> None:
    """The one in which it was found, also when nobody named it."""
    path = tmp_path / "fiber.lock"
    path.write_text(
        "version = 1\ndefault_profile = 'default'\n"
        + "\n".join(
            f'[[profiles.{name}.bindings]]\nalias = "fast"\nmodels = ["openai:gpt-test"]' for name in ("default", "dev")
        ),
        encoding="utf-8",
    )
    fiber, records = recorded(whole(), lockfile=path, default_model=None)

    fiber.sync.chat("Hi", model="fast", profile=profile)
    flushed(fiber)

    assert (records[0].alias, records[0].profile, records[0].model) == ("fast", profile or "default", "gpt-test")


def test_texts_that_no_file_takes_are_mended() -> None:
    """Half of a character, and the character zero."""
    fiber, records = recorded(whole())

    fiber.bind(tenant="a\ud800b", note="x\0y").sync.chat("Hi")
    flushed(fiber)

    assert (records[0].tenant, records[0].metadata) == ("a?b", {"note": "x\ufffdy"})


def test_records_equal_the_receipts_and_the_server() -> None:
    """Tokens and costs of a hundred mixed calls, to the last unit; one record for each, under its id."""
    with MockServer() as server:
        fiber, records = recorded(
            transport=None,
            api_keys={"openai": KEY},
            base_urls={"openai": server.base_url("openai")},
            cache=Cache(),
            prices=Flat("0.0000000123"),
            layers=None,
        )
        results = []
        for number in range(100):
            options: dict[str, Any] = {"cache_policy": "write_through" if number % 5 == 0 else "off"}
            if number % 2:
                results.append(fiber.sync.chat_stream("Hi there", **options).collect())
            else:
                results.append(fiber.sync.chat("Hi there", **options))
        fiber.sync.close()
        sent = len(server.requests)

    used = [result for result in results if not result.cached]
    assert [record.id for record in records] == [result.receipt.receipt_id for result in results]
    assert len({record.id for record in records}) == 100
    assert sum(record.attempts for record in records) == sent
    assert sum(record.input_tokens or 0 for record in records) == sum(r.usage.input_tokens or 0 for r in used)
    assert sum(record.output_tokens or 0 for record in records) == sum(r.usage.output_tokens or 0 for r in used)
    assert sum(record.cost_usd or 0 for record in records) == sum(r.receipt.cost_usd or 0 for r in results)
    assert sum(record.cached for record in records) == sum(result.cached for result in results) > 0
