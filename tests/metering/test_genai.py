"""Metrics with the names of the GenAI conventions."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import FiberAuthError
from fiber.metering import genai
from tests.kit import refused, scripted, streamed, whole


class Histogram:
    """An instrument that remembers."""

    def __init__(self, records: list[Any], name: str, **options: Any) -> None:
        self.records, self.name, self.options = records, name, options

    def record(self, value: float, attributes: dict[str, Any]) -> None:
        """Remember."""
        self.records.append((self.name, value, attributes))


class Meter:
    """A stand-in for the meter of an SDK."""

    def __init__(self) -> None:
        self.records: list[tuple[str, float, dict[str, Any]]] = []
        self.made: list[Histogram] = []

    def create_histogram(self, name: str, **options: Any) -> Histogram:
        """Make an instrument."""
        self.made.append(Histogram(self.records, name, **options))
        return self.made[-1]

    def names(self) -> list[str]:
        """Return the names of what was recorded."""
        return [name for name, _, _ in self.records]


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    """Listen."""
    stub = Meter()
    instruments = genai._made(stub)
    monkeypatch.setattr(genai, "_instruments", lambda: instruments)
    return stub


CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-test",
    "server.address": "api.openai.com",
    "server.port": 443,
}


def test_names_and_units_are_those_of_the_convention(meter: Meter) -> None:
    """With the buckets that the convention advises."""
    made = {
        each.name: (each.options["unit"], len(each.options["explicit_bucket_boundaries_advisory"]))
        for each in meter.made
    }

    assert made == {
        "gen_ai.client.token.usage": ("{token}", 14),
        "gen_ai.client.operation.duration": ("s", 14),
        "gen_ai.client.operation.time_to_first_chunk": ("s", 14),
    }


def test_a_call_is_a_duration_and_two_counts_of_tokens(meter: Meter) -> None:
    """With the attributes of the convention."""
    fiber, _ = scripted(whole())

    fiber.sync.chat("Hi")

    duration, given, taken = meter.records
    assert (duration[0], duration[2]) == ("gen_ai.client.operation.duration", CALL)
    assert given == ("gen_ai.client.token.usage", 3, {**CALL, "gen_ai.token.type": "input"})
    assert taken == ("gen_ai.client.token.usage", 5, {**CALL, "gen_ai.token.type": "output"})


def test_a_stream_has_the_time_to_its_first_event_too(meter: Meter) -> None:
    """In seconds."""
    fiber, _ = scripted(streamed())

    fiber.sync.chat_stream("Hi").collect()

    assert meter.names().count("gen_ai.client.operation.time_to_first_chunk") == 1
    assert meter.names().count("gen_ai.client.operation.duration") == 1


def test_a_failure_has_its_type_and_no_tokens(meter: Meter) -> None:
    """The duration alone."""
    fiber, _ = scripted(refused(401))

    with pytest.raises(FiberAuthError):
        fiber.sync.chat("Hi")

    (only,) = meter.records
    assert only[2] == {**CALL, "error.type": "FiberAuthError"}


def test_a_stream_that_is_left_has_a_type_too(meter: Meter) -> None:
    """It is `cancelled`."""
    fiber, _ = scripted(streamed("a", "b"))

    with fiber.sync.chat_stream("Hi") as stream:
        next(iter(stream))

    (duration,) = [said for name, _, said in meter.records if name.endswith("duration")]
    assert duration["error.type"] == "cancelled"


def test_instruments_are_made_once() -> None:
    """Those of the API, which do nothing until there is an SDK."""
    fiber, _ = scripted(whole(), streamed())

    fiber.sync.chat("Hi")
    first = genai._instruments()
    fiber.sync.chat_stream("Hi").collect()

    assert genai._instruments() is first
    assert len(first) == 3
