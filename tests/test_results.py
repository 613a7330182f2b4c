"""What a finished answer carries: its cost, and the end of its model."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from fiber import BusinessEvent, Cache, Fiber, FiberStreamInterruptedError, ModelCatalog, PriceTable, Receipt
from fiber.registry.lockfile import Binding, Lockfile
from fiber.testing import FakeTransport
from fiber.testing.fake import EPOCH, json_reply, sse_reply
from tests.kit import DONE, KEY, START, answer, piece, scripted, streamed, whole
from tests.layers.test_budget import WORLDS, Flat

USED = {"prompt_tokens": 300_000, "completion_tokens": 1000, "total_tokens": 301_000}


def client(*script: Any, **options: Any) -> Fiber:
    """Make a client over *script*."""
    return Fiber(api_keys={"openai": KEY}, transport=FakeTransport(*script), **options)


def said(**changes: Any) -> Any:
    """Make an answer of a model with a price."""
    return json_reply(answer(**{"model": "gpt-6-luna-2026-10-01", "usage": USED, **changes}))


def test_a_call_knows_its_cost() -> None:
    """A long prompt, at the rates of the catalogue: 300 000 x 0.2 + 1000 x 0.75 per million."""
    result = client(said()).sync.chat("x", model="openai:gpt-6-luna")

    assert (result.usage.cost_usd, result.usage.cost_status) == (Decimal("0.06075"), "priced")
    receipt = result.receipt
    assert (receipt.cost_usd, receipt.cost_source, receipt.cost_note) == (Decimal("0.06075"), "catalogue", None)
    assert receipt.cost_revision == str(ModelCatalog().revision)
    assert [line.component for line in receipt.cost_lines] == ["input", "output"]


def test_a_stream_costs_the_same() -> None:
    """Its end has the counts."""
    counts = {**piece(), "choices": [], "usage": USED}
    chunks = [{**chunk, "model": "gpt-6-luna"} for chunk in (START, piece("a"), piece(finish_reason="stop"), counts)]
    result = client(sse_reply(*chunks, DONE)).sync.chat_stream("x", model="openai:gpt-6-luna").collect()

    assert result.receipt.cost_usd == Decimal("0.06075")


@pytest.mark.parametrize(("asked", "told", "usd"), [("flex", None, None), ("priority", "default", "0.06075")])
def test_the_tier_is_the_one_that_served(asked: str, told: str | None, usd: str | None) -> None:
    """Where the answer does not say, it is the one that was asked for; one without rates has no cost."""
    reply = said() if told is None else said(service_tier=told)
    result = client(reply).sync.chat("x", model="openai:gpt-6-luna", service_tier=asked)

    assert result.receipt.cost_usd == (None if usd is None else Decimal(usd))
    assert (result.usage.cost_status == "priced") is (usd is not None)


def test_a_price_list_of_ones_own_comes_before_the_catalogue() -> None:
    """And says so on the receipt."""
    table = PriceTable({"openai:gpt-6-luna": {"input": "0", "output": "1"}}, source="contract", revision="May")
    result = client(said(), prices=table).sync.chat("x", model="openai:gpt-6-luna")

    receipt = result.receipt
    assert (receipt.cost_usd, receipt.cost_source, receipt.cost_revision) == (Decimal("0.001"), "contract", "May")


def test_the_region_of_openai_is_in_its_host() -> None:
    """Processing in Europe costs a tenth more."""
    urls = {"openai": "https://eu.api.openai.com/v1"}
    result = client(said(), base_urls=urls).sync.chat("x", model="openai:gpt-6-luna")

    assert result.receipt.cost_usd == Decimal("0.066825")


def test_an_unknown_model_has_no_cost_and_a_reason() -> None:
    """It is None, never a zero."""
    result = client(json_reply(answer())).sync.chat("x", model="openai:gpt-test")

    assert (result.usage.cost_usd, result.usage.cost_status) == (None, "model_not_in_catalogue")
    assert result.receipt.cost_note == "no price list knows 'gpt-test-1' or 'gpt-test' of openai"


def test_the_end_of_a_model_is_told_once() -> None:
    """With its day, as a warning of the first answer."""
    catalog = ModelCatalog(overrides={"openai:gpt-6-luna": {"shutdown": "2027-01-02"}})
    fiber = client(said(), said(), catalog=catalog)
    first, second = (fiber.sync.chat("x", model="openai:gpt-6-luna") for _ in range(2))

    assert first.warnings == ("openai ends the model gpt-6-luna on 2027-01-02",)
    assert second.warnings == ()
    assert fiber.catalog is catalog


def test_a_broken_stream_has_a_receipt_without_cost() -> None:
    """Nobody counted."""
    with pytest.raises(FiberStreamInterruptedError) as caught:
        client(sse_reply(START, piece("a"))).sync.chat_stream("x", model="openai:gpt-6-luna").collect()

    assert caught.value.partial is not None
    assert (caught.value.partial.usage.cost_status, caught.value.partial.receipt.cost_usd) == ("no_usage", None)


# -- receipts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_a_receipt_stands_alone(world: str) -> None:
    """It says which call it is of, when that had its answer, who gave it and what it took."""
    fiber, transport = scripted(streamed() if "stream" in world else whole(), prices=Flat())
    transport.clock = 5.0

    result = WORLDS[world](fiber.with_options(label="greeting"))
    receipt = result.receipt

    assert receipt.ended_at == datetime.fromtimestamp(EPOCH + 5, UTC)
    assert (receipt.provider, receipt.model, receipt.label) == ("openai", "gpt-test-1", "greeting")
    assert receipt.usage == result.usage
    assert (receipt.usage.total_tokens, receipt.usage.cost_usd) == (8, receipt.cost_usd)
    assert re.fullmatch("[0-9a-f]{32}", receipt.receipt_id)


def test_a_receipt_names_the_alias_and_its_lockfile() -> None:
    """A call of a model by its own name depends on no lockfile."""
    fast = {"fast": Binding(models=("openai:gpt-test",))}
    lockfile = Lockfile(profiles={"default": fast, "night": fast})
    fiber, _ = scripted(whole(), whole(), whole(), lockfile=lockfile)

    plain, alias, night = (
        fiber.sync.chat("Hi", **said).receipt for said in ({}, {"model": "fast"}, {"model": "fast", "profile": "night"})
    )

    assert (plain.alias, plain.profile, plain.lockfile_digest) == ("", "", "")
    assert (alias.alias, alias.profile, alias.lockfile_digest) == ("fast", "default", lockfile.digest)
    assert (night.alias, night.profile, night.lockfile_digest) == ("fast", "night", lockfile.digest)


def test_each_call_has_a_receipt_of_its_own() -> None:
    """A hit of the cache, too, which says that it is one, and what it saved."""
    fiber, _ = scripted(whole(), cache=Cache(), cache_policy="write_through")

    first, hit = (fiber.sync.chat("Hi").receipt for _ in range(2))

    assert first.receipt_id != hit.receipt_id
    assert (first.cached, hit.cached) == (False, True)
    assert (hit.cost_usd, hit.usage.total_tokens) == (0, 8)


def test_the_partial_result_of_an_error_has_the_receipt() -> None:
    """That of the call, whose attempts the error lists."""
    fiber, _ = scripted(sse_reply(START, piece("a")))

    with pytest.raises(FiberStreamInterruptedError) as caught:
        fiber.sync.chat_stream("Hi").collect()

    assert caught.value.partial is not None
    assert len(caught.value.partial.receipt.receipt_id) == 32
    assert caught.value.partial.receipt.attempts == caught.value.attempts


def test_events_and_receipt_of_a_call_have_one_id() -> None:
    """So that one leads to the other."""
    events: list[BusinessEvent] = []
    fiber, _ = scripted(whole(), on_event=events.append)

    receipt = fiber.sync.chat("Hi").receipt
    fiber.sync.close()

    assert {event.call_id for event in events} == {receipt.receipt_id}


def test_a_receipt_is_written_and_read_as_json() -> None:
    """Every amount exactly; nothing that was said is in it."""
    receipt = client(said(usage=USED)).sync.chat("canary", model="openai:gpt-6-luna").receipt
    written = msgspec.json.encode(receipt)

    assert msgspec.json.decode(written, type=Receipt) == receipt
    assert receipt.cost_lines
    assert b"canary" not in written
