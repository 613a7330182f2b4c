"""Records, and clients that write them, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fiber import Fiber, UsageLog, UsageRecord
from tests.kit import scripted
from tests.layers.test_budget import Flat

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
FULL = UsageRecord(
    id="full",
    time=BEGIN,
    operation="chat",
    provider="openai",
    model="gpt-test",
    alias="fast",
    profile="prod",
    stream=True,
    outcome="error",
    error="FiberTimeoutError",
    attempts=2,
    latency_ms=12.5,
    ttfb_ms=3.25,
    request_id="req_1",
    cached=True,
    input_tokens=3,
    output_tokens=5,
    cached_tokens=1,
    cache_write_tokens=1,
    reasoning_tokens=2,
    cost_usd=Decimal("0.000000000000012345678901234567890"),
    cost_status="priced",
    saved_usd=Decimal("1E-9"),
    origin="worker",
    label="greeting",
    conversation_id="c1",
    tenant='t, "1"\n<b>',
    user="ü",
    session="s",
    metadata={"run": 1, "share": 0.5, "is_test": True, "none": None, "name": "übung"},
)
"""A record with something in each field."""


def record(number: int = 0, **changes: Any) -> UsageRecord:
    """Make a small record, a minute after the one before."""
    said = {"id": f"r{number}", "time": BEGIN + timedelta(minutes=number), "provider": "openai", "model": "gpt-test"}
    return UsageRecord(**(said | changes))


def recorded(*script: Any, **options: Any) -> tuple[Fiber, list[UsageRecord]]:
    """Make a client over *script* that has prices and writes records, and the list that they end in."""
    records: list[UsageRecord] = []
    fiber, _ = scripted(*script, **{"usage": UsageLog(records.append, every=0), "prices": Flat(), **options})
    return fiber, records


def flushed(fiber: Fiber) -> None:
    """Wait until all records of *fiber* are written."""
    assert fiber.usage is not None
    assert fiber.usage.flush(10)
