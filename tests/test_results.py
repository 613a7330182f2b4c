"""What a finished answer carries: its cost, and the end of its model."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fiber import Fiber, FiberStreamInterruptedError, ModelCatalog, PriceTable
from fiber.testing import FakeTransport
from fiber.testing.fake import json_reply, sse_reply
from tests.kit import DONE, KEY, START, answer, piece

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
