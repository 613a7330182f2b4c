"""
The cost of recorded answers, against an invoice.

`invoice.json` has 106 recorded answers of 14 providers, whole and streamed, with counts and rates as they stood on
20 November 2026; its sums were compared, one by one, with those of the calculator of genai-prices 0.2.3, which reads
the bodies by itself.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from fiber import Cost, ModelCatalog
from fiber.registry.cost import priced
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from tests.conformance.recordings import FOLDER, FORMATS, Recording, read
from tests.conformance.replay import row_of, target_of

INVOICE: list[dict[str, Any]] = json.loads(Path(__file__).with_name("invoice.json").read_text(encoding="utf-8"))
ENDPOINTS = sorted({line["endpoint"] for line in INVOICE})
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CATALOG = ModelCatalog()


def decoded(recording: Recording) -> ChatResult:
    """Decode an answer as it was recorded, whole or streamed."""
    format = FORMATS[recording.endpoint]
    adapter = import_module(f"fiber.adapters.{format}").ADAPTER
    head, target = (
        HTTPHead(recording.status, recording.headers),
        target_of(row_of(recording.provider, format), recording.provider),
    )
    if not recording.stream:
        result: ChatResult = adapter.parse_response(head, recording.body(format), target)
        return result
    decoder = adapter.stream_decoder(head, target)
    decoder.feed(recording.body(format))
    decoder.finish()
    streamed: ChatResult = decoder.result()
    return streamed


def cost(recording: Recording) -> Cost:
    """Price an answer as of the day of the invoice."""
    result = decoded(recording)
    usage = result.usage
    said = {"tier": usage.service_tier or "", "region": usage.region or ""}
    return priced(usage, [CATALOG], recording.provider, [result.model], NOON, **said)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_recorded_answers_cost_what_the_invoice_says(endpoint: str) -> None:
    """Each line and each sum is equal to the last digit."""
    if not FOLDER.is_dir():
        reason = "../shared/wire is missing: there are no recordings to price"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    recordings = {recording.id: recording for recording in read(endpoint)}

    for line in (line for line in INVOICE if line["endpoint"] == endpoint):
        found = cost(recordings[line["id"]])

        assert [f"{each.component} {each.quantity} x {each.rate}" for each in found.lines] == line["lines"], line["id"]
        assert found.usd == Decimal(line["usd"]), line["id"]


@pytest.mark.parametrize("line", INVOICE, ids=lambda line: line["id"])
def test_the_invoice_adds_up(line: dict[str, Any]) -> None:
    """Its lines, as fractions, make its sum: the invoice is right by itself."""
    total = Fraction(0)
    for said in line["lines"]:
        component, quantity, _, rate = said.split()
        total += int(quantity) * Fraction(rate) / (1_000 if component.startswith(("web_", "request")) else 1_000_000)

    assert total == Fraction(line["usd"])
