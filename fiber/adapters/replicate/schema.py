"""
Views of what Replicate sends: only the members that are read, and `Any` where something odd may come.

Documentation: https://replicate.com/docs/reference/http#predictions.get, November 2026.
"""

from __future__ import annotations

from typing import Any

import msgspec


class URLs(msgspec.Struct):
    """Where a prediction is to be had; `stream` is there for models that stream."""

    stream: Any = None


class Metrics(msgspec.Struct):
    """What a prediction took; tokens are counted by some models only."""

    predict_time: Any = None
    total_time: Any = None
    time_to_first_token: Any = None
    input_token_count: Any = None
    output_token_count: Any = None


class Prediction(msgspec.Struct):
    """A prediction in any state."""

    id: Any = None
    model: Any = None
    status: Any = None
    output: msgspec.Raw = msgspec.Raw()
    error: Any = None
    metrics: Metrics | None = None
    urls: URLs | None = None


PREDICTION = msgspec.json.Decoder(Prediction)
OUTPUTS = msgspec.json.Decoder(list[msgspec.Raw])

OVER = frozenset(("succeeded", "failed", "canceled", "aborted"))
"""States after which nothing more comes."""
