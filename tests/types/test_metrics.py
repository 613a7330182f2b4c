"""Metrics as values."""

from __future__ import annotations

from decimal import Decimal

from fiber.types.metrics import BOUNDS_MS, METRICS, Distribution, MetricPoint, MetricsSnapshot


def test_names_and_labels_are_those_of_the_table() -> None:
    """Dashboards are made of them, so they do not change."""
    table = {metric.name: ",".join(metric.labels) for metric in METRICS}

    assert table == {
        "request_count": "provider,model,ok,stream",
        "error_count": "provider,model,code,stream",
        "latency_ms": "provider,model,stream",
        "ttfb_ms": "provider,model,stream",
        "tokens_in": "provider,model,stream",
        "tokens_out": "provider,model,stream",
        "tokens_total": "provider,model,stream",
        "estimated_cost_usd": "provider,model,stream",
        "retry_count": "provider,model,reason",
        "fallback_count": "provider,model,reason",
        "repair_count": "provider,model",
        "hedge_count": "provider,model",
        "key_rest_count": "provider,model,reason",
        "circuit_open_count": "provider,model,reason",
        "rate_limited_count": "provider,model",
        "budget_refused_count": "provider,model",
        "cache_hit_count": "provider,model",
        "cache_miss_count": "provider,model",
        "cache_write_count": "provider,model",
        "cache_evict_count": "provider,model",
        "cache_get_latency_ms": "provider,model",
        "cache_set_latency_ms": "provider,model",
    }


def test_buckets_end_at_ten_minutes() -> None:
    """They grow, and what is above the last one has a bucket too."""
    assert list(BOUNDS_MS) == sorted(set(BOUNDS_MS))
    assert BOUNDS_MS[-1] == 600_000


def test_distribution_counts_and_adds_up() -> None:
    """All of it, and by bound."""
    times = Distribution((1, 0, 2), 30.0)

    assert (times.count, times.cumulative) == (3, (1, 1, 3))


def test_total_is_over_the_points_with_the_labels() -> None:
    """Of numbers their sum, of latencies their number, of nothing zero."""
    snapshot = MetricsSnapshot(
        (
            MetricPoint("tokens_in", {"provider": "a", "model": "m"}, 3),
            MetricPoint("tokens_in", {"provider": "b", "model": "m"}, 5),
            MetricPoint("estimated_cost_usd", {"provider": "a", "model": "m"}, Decimal("0.25")),
            MetricPoint("latency_ms", {"provider": "a", "model": "m"}, Distribution((1, 2), 9.0)),
        )
    )

    assert snapshot.total("tokens_in") == 8
    assert snapshot.total("tokens_in", provider="b", model="m") == 5
    assert snapshot.total("estimated_cost_usd") == Decimal("0.25")
    assert snapshot.total("latency_ms") == 3
    assert snapshot.total("retry_count") == 0
