"""Metrics with the names of the GenAI conventions."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import metrics as api

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


class Provider:
    """A stand-in for the module, the provider and the meter of an SDK."""

    def __init__(self) -> None:
        self.records: list[tuple[str, float, dict[str, Any]]] = []
        self.made: list[Histogram] = []

    def get_meter_provider(self) -> Provider:
        """Return the one provider."""
        return self

    def get_meter(self, name: str) -> Provider:
        """Return the one meter."""
        return self

    def create_histogram(self, name: str, **options: Any) -> Histogram:
        """Make an instrument."""
        self.made.append(Histogram(self.records, name, **options))
        return self.made[-1]

    def names(self) -> list[str]:
        """Return the names of what was recorded."""
        return [name for name, _, _ in self.records]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Listen."""
    stub = Provider()
    monkeypatch.setattr(genai, "api", lambda part: stub)
    return stub


CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-test",
    "server.address": "api.openai.com",
    "server.port": 443,
}


def test_names_and_units_are_those_of_the_convention(provider: Provider) -> None:
    """Each instrument is made once, with the buckets that the convention advises."""
    fiber, _ = scripted(whole(), whole())

    for _ in range(2):
        fiber.sync.chat("Hi")

    made = {
        each.name: (each.options["unit"], len(each.options["explicit_bucket_boundaries_advisory"]))
        for each in provider.made
    }
    assert len(provider.made) == 3
    assert made == {
        "gen_ai.client.token.usage": ("{token}", 14),
        "gen_ai.client.operation.duration": ("s", 14),
        "gen_ai.client.operation.time_to_first_chunk": ("s", 14),
    }


def test_a_call_is_a_duration_and_two_counts_of_tokens(provider: Provider) -> None:
    """With the attributes of the convention."""
    fiber, _ = scripted(whole())

    fiber.sync.chat("Hi")

    duration, given, taken = provider.records
    assert (duration[0], duration[2]) == ("gen_ai.client.operation.duration", CALL)
    assert given == ("gen_ai.client.token.usage", 3, {**CALL, "gen_ai.token.type": "input"})
    assert taken == ("gen_ai.client.token.usage", 5, {**CALL, "gen_ai.token.type": "output"})


def test_a_stream_has_the_time_to_its_first_event_too(provider: Provider) -> None:
    """In seconds."""
    fiber, _ = scripted(streamed())

    fiber.sync.chat_stream("Hi").collect()

    assert provider.names().count("gen_ai.client.operation.time_to_first_chunk") == 1
    assert provider.names().count("gen_ai.client.operation.duration") == 1


def test_a_failure_has_its_type_and_no_tokens(provider: Provider) -> None:
    """The duration alone."""
    fiber, _ = scripted(refused(401))

    with pytest.raises(FiberAuthError):
        fiber.sync.chat("Hi")

    (only,) = provider.records
    assert only[2] == {**CALL, "error.type": "FiberAuthError"}


def test_a_stream_that_is_left_has_a_type_too(provider: Provider) -> None:
    """It is `cancelled`."""
    fiber, _ = scripted(streamed("a", "b"))

    with fiber.sync.chat_stream("Hi") as stream:
        next(iter(stream))

    (duration,) = [said for name, _, said in provider.records if name.endswith("duration")]
    assert duration["error.type"] == "cancelled"


@pytest.mark.parametrize("silent", [api.NoOpMeterProvider(), api.get_meter_provider()], ids=["none", "no SDK"])
def test_nothing_is_made_without_an_sdk(silent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The providers of the API itself have no listeners."""
    monkeypatch.setattr(Provider, "get_meter_provider", lambda _: silent)
    monkeypatch.setattr(genai, "api", lambda part: Provider())

    fiber, _ = scripted(whole())
    fiber.sync.chat("Hi")

    assert genai._instruments(silent) is None
