"""Business events as values."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import get_args

import msgspec
import pytest

from fiber import (
    BusinessEvent,
    CacheHit,
    CacheWrite,
    CallCompleted,
    CallFailed,
    CallStarted,
    EventScope,
    ProviderCall,
    TokenUsage,
)
from fiber.types.business import EventPayload, EventType

TARGET = {"provider": "openai", "model": "gpt-test"}
PAYLOADS: dict[str, EventPayload] = {
    "request": CallStarted(**TARGET, stream=True, alias="fast"),
    "response": CallCompleted(**TARGET, seconds=1.5, attempts=1, finish_reason="stop"),
    "error": CallFailed(**TARGET, seconds=0.5, outcome="truncated", error_kind="FiberStreamInterruptedError"),
    "cache_hit": CacheHit(**TARGET, total_tokens=8),
    "cache_write": CacheWrite(**TARGET, input_tokens=3, output_tokens=5),
    "token_usage": TokenUsage(**TARGET, input_tokens=3, cost_usd=Decimal("0.00001")),
    "provider_call": ProviderCall(**TARGET, number=2, status=200, seconds=0.25),
}


def event(payload: EventPayload) -> BusinessEvent:
    """Make an event of *payload*."""
    return BusinessEvent(
        event_id="e",
        call_id="c",
        timestamp=datetime(2026, 11, 22, tzinfo=UTC),
        payload=payload,
        scope=EventScope(user="u"),
        metadata={"run": "r"},
    )


def test_there_is_a_payload_for_each_type() -> None:
    """No word is without a value, and no value without a word."""
    assert set(PAYLOADS) == set(get_args(EventType))
    assert {type(payload) for payload in PAYLOADS.values()} == set(get_args(EventPayload))


@pytest.mark.parametrize("word", PAYLOADS)
def test_an_event_says_its_type(word: str) -> None:
    """In Python, and in JSON as the payload's `type`."""
    made = event(PAYLOADS[word])

    assert made.event_type == word
    assert msgspec.to_builtins(made)["payload"]["type"] == word


@pytest.mark.parametrize("word", PAYLOADS)
def test_an_event_goes_through_json_unharmed(word: str) -> None:
    """What is written is read as the same value; amounts keep every digit."""
    made = event(PAYLOADS[word])

    assert msgspec.json.decode(msgspec.json.encode(made), type=BusinessEvent) == made


def test_an_event_does_not_change() -> None:
    """It is handed to strangers."""
    with pytest.raises(AttributeError):
        event(PAYLOADS["request"]).label = "other"  # type: ignore[misc]
