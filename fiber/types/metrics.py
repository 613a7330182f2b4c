"""Metrics as values: what is counted, and a snapshot of the counts."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, localcontext
from itertools import accumulate
from typing import Literal, TypeAlias

import msgspec

EXACT = Context(prec=60, traps=[])
"""For sums of costs, so that the caller's context neither rounds them nor raises."""

BOUNDS_MS = (
    *(5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0),
    *(2_500.0, 5_000.0, 10_000.0, 30_000.0, 60_000.0, 120_000.0, 300_000.0, 600_000.0),
)
"""Upper bounds of the buckets of latencies, each within its bucket, in milliseconds."""


class Metric(msgspec.Struct, frozen=True):
    """
    One thing that is counted.

    Attributes:
        name: Its name in snapshots and for StatsD.
        labels: Names of its labels.
        exposed: Its name for Prometheus, which wants units and endings.
        help: What it counts.
        kind: Milliseconds in buckets, or a number that only grows.
    """

    name: str
    labels: tuple[str, ...]
    exposed: str
    help: str
    kind: Literal["counter", "histogram"] = "counter"


_CALL = ("provider", "model", "stream")
_TARGET = ("provider", "model")
_REASON = ("provider", "model", "reason")

METRICS = (
    Metric("request_count", ("provider", "model", "ok", "stream"), "fiber_requests_total", "Calls that ended."),
    Metric(
        "error_count",
        ("provider", "model", "code", "stream"),
        "fiber_errors_total",
        "Calls that did not end well: failed, truncated or cancelled.",
    ),
    Metric("latency_ms", _CALL, "fiber_latency_seconds", "From the beginning of a call to its end.", "histogram"),
    Metric(
        "ttfb_ms",
        _CALL,
        "fiber_time_to_first_event_seconds",
        "From the beginning of a stream to its first event with content.",
        "histogram",
    ),
    Metric("tokens_in", _CALL, "fiber_input_tokens_total", "Tokens of input that providers counted."),
    Metric("tokens_out", _CALL, "fiber_output_tokens_total", "Tokens of output that providers counted."),
    Metric("tokens_total", _CALL, "fiber_tokens_total", "Tokens of both."),
    Metric("estimated_cost_usd", _CALL, "fiber_estimated_cost_usd_total", "What calls cost, where that is known."),
    Metric("retry_count", _REASON, "fiber_retries_total", "Attempts that failed and were repeated."),
    Metric("fallback_count", _REASON, "fiber_fallbacks_total", "Targets that failed where the next was asked."),
    Metric("repair_count", _TARGET, "fiber_repairs_total", "Answers that did not fit and were asked for once more."),
    Metric("hedge_count", _TARGET, "fiber_hedges_total", "Slow calls that were sent a second time."),
    Metric("key_rest_count", _REASON, "fiber_key_rests_total", "Keys of pools that were refused."),
    Metric("circuit_open_count", _REASON, "fiber_circuit_opens_total", "Times that a target was left alone."),
    Metric("rate_limited_count", _TARGET, "fiber_rate_limited_total", "Attempts that had to wait for their turn."),
    Metric("budget_refused_count", _TARGET, "fiber_budget_refusals_total", "Calls that a budget had no room for."),
    Metric("cache_hit_count", _TARGET, "fiber_cache_hits_total", "Answers that came from the cache."),
    Metric("cache_miss_count", _TARGET, "fiber_cache_misses_total", "Calls that found nothing in the cache."),
    Metric("cache_write_count", _TARGET, "fiber_cache_writes_total", "Answers that were stored."),
    Metric("cache_evict_count", _TARGET, "fiber_cache_evictions_total", "Answers that had to make room."),
    Metric("cache_get_latency_ms", _TARGET, "fiber_cache_get_latency_seconds", "Reading the cache.", "histogram"),
    Metric("cache_set_latency_ms", _TARGET, "fiber_cache_set_latency_seconds", "Writing the cache.", "histogram"),
)
"""All metrics, in the order of snapshots; names and labels do not change."""


class Distribution(msgspec.Struct, frozen=True):
    """
    Milliseconds in buckets.

    Attributes:
        counts: By bucket of `BOUNDS_MS`, and one for what is above them all.
        total: Sum of all, in milliseconds.
    """

    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)

    @property
    def cumulative(self) -> tuple[int, ...]:
        """How many are at most as long as each bound, and all."""
        return tuple(accumulate(self.counts))


Amount: TypeAlias = int | Decimal | Distribution


class MetricPoint(msgspec.Struct, frozen=True):
    """What was counted of one metric for one combination of labels."""

    name: str
    labels: Mapping[str, str]
    value: Amount


class MetricsSnapshot(msgspec.Struct, frozen=True):
    """
    All counts at one moment.

    Attributes:
        points: In the order of the table of metrics, then of the labels.
    """

    points: tuple[MetricPoint, ...] = ()

    def total(self, name: str, **labels: str) -> int | Decimal:
        """
        Return the sum of the metric *name* over all points that have these *labels*.

        For latencies it is how many there are; 0 when nothing was counted.
        """
        values = [point.value for point in self.points if point.name == name and labels.items() <= point.labels.items()]
        with localcontext(EXACT):
            return sum((value.count if isinstance(value, Distribution) else value for value in values), 0)
