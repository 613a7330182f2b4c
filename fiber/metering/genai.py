"""
Metrics of OpenTelemetry with the names of its GenAI conventions, for hosts that set up an SDK.

Names, units and buckets: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-metrics.md at
commit 004902b8 (status: development; read 2026-11-21). Nothing is imported, and nothing recorded, when no
SDK is there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fiber._chain import Call
from fiber._reply import Ending
from fiber.metering import conventions as names
from fiber.metering.otel import api

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4.0**power for power in range(14))

INSTRUMENTS = (
    # Name, unit, buckets, what it counts.
    ("gen_ai.client.token.usage", "{token}", _TOKENS, "Tokens of a call, by type."),
    ("gen_ai.client.operation.duration", "s", _SECONDS, "From the beginning of a call to its end."),
    (
        "gen_ai.client.operation.time_to_first_chunk",
        "s",
        _SECONDS,
        "From the beginning of a stream to its first event with content.",
    ),
)


def record(call: Call, ending: Ending) -> None:
    """Record how *call* ended, if there is somebody who listens."""
    metrics = api("opentelemetry.metrics")
    if metrics is None or (instruments := _instruments(metrics.get_meter_provider())) is None:
        return
    tokens, duration, first_chunk = instruments
    journal, usage = call.journal, ending.usage
    attributes = names.identity(call)
    failed = ending.outcome != "complete"
    why = {names.ERROR: type(ending.error).__name__ if ending.error is not None else ending.outcome} if failed else {}
    duration.record(call.transport.now() - journal.started, {**attributes, **why})
    if journal.first_event is not None:
        first_chunk.record(journal.first_event - journal.started, attributes)
    for kind, number in (("input", usage and usage.input_tokens), ("output", usage and usage.output_tokens)):
        if number is not None:
            tokens.record(number, {**attributes, names.TOKEN_TYPE: kind})


@cache
def _instruments(provider: Any) -> tuple[Any, ...] | None:
    """Return the instruments of *provider*; None for the one that is there without an SDK."""
    # The API has no public name for it, but it is the only provider of its own.
    if type(provider).__module__.startswith("opentelemetry.metrics"):
        return None
    meter = provider.get_meter("fiber")
    return tuple(
        meter.create_histogram(name, unit=unit, description=what, explicit_bucket_boundaries_advisory=list(bounds))
        for name, unit, bounds, what in INSTRUMENTS
    )
