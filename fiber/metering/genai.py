"""
Metrics of OpenTelemetry with the names of its GenAI conventions, for hosts that set up an SDK.

Names, units and buckets: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-metrics.md at
commit 004902b8 (status: development; read 2026-11-21). Nothing is imported before the first call.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from fiber._chain import Call
from fiber._reply import Ending
from fiber.metering import conventions as names

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
    """Record how *call* ended; without an SDK the instruments of the API do nothing."""
    tokens, duration, first_chunk = _instruments()
    journal, usage, attributes = call.journal, ending.usage, names.identity(call)
    if ending.outcome == "complete":
        whole = attributes
    else:
        whole = {**attributes, names.ERROR: ending.outcome if ending.error is None else type(ending.error).__name__}
    duration.record(call.transport.now() - journal.started, whole)
    if journal.first_event is not None:
        first_chunk.record(journal.first_event - journal.started, attributes)
    for kind, number in (("input", usage and usage.input_tokens), ("output", usage and usage.output_tokens)):
        if number is not None:
            tokens.record(number, {**attributes, names.TOKEN_TYPE: kind})


@cache
def _instruments() -> tuple[Any, ...]:
    """Return the instruments for ever: where they were made before the SDK was set up, the API passes on what comes."""
    from opentelemetry import metrics

    return _made(metrics.get_meter("fiber"))


def _made(meter: Any) -> tuple[Any, ...]:
    return tuple(
        meter.create_histogram(name, unit=unit, description=what, explicit_bucket_boundaries_advisory=list(bounds))
        for name, unit, bounds, what in INSTRUMENTS
    )
