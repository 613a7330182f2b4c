"""The page that Prometheus scrapes."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from fiber import Cache, Distribution, Metrics, MetricsSnapshot
from fiber.metering.prometheus import exposition
from fiber.metering.tables import Tables
from fiber.types.metrics import METRICS, MetricPoint
from tests.kit import refused, scripted, streamed, whole


def full() -> MetricsSnapshot:
    """Return a snapshot with a point of each metric, with hostile names of models."""
    metrics = Metrics()
    fiber, _ = scripted(refused(503), whole(), streamed(), metrics=metrics, cache=Cache(), cache_policy="write_through")
    fiber.sync.chat("Hi")
    fiber.sync.chat_stream("Ho", model='openai:a"b\\c\nd{}').collect()
    known = metrics.snapshot().points
    names = {point.name for point in known}
    times = Distribution((1,) * 17, 12.5)
    others = (
        MetricPoint(m.name, dict.fromkeys(m.labels, "x"), 1 if m.kind == "counter" else times)
        for m in METRICS
        if m.name not in names
    )
    return MetricsSnapshot((*known, *others))


def test_page_has_help_type_and_samples() -> None:
    """A counter is one line, a histogram one for each bound, its sum and its number; times are in seconds."""
    tables = Tables(1)
    tables.add_event("retry_count", "p", "m", "FiberTimeoutError", 2)
    tables.add_event("cache_get_latency_ms", "p", "m", "", 7.5)

    lines = exposition(MetricsSnapshot(tables.points())).splitlines()

    assert lines[:5] == [
        "# HELP fiber_retries_total Attempts that failed and were repeated.",
        "# TYPE fiber_retries_total counter",
        'fiber_retries_total{provider="p",model="m",reason="FiberTimeoutError"} 2',
        "# HELP fiber_cache_get_latency_seconds Reading the cache.",
        "# TYPE fiber_cache_get_latency_seconds histogram",
    ]
    assert lines[5:8] == [
        'fiber_cache_get_latency_seconds_bucket{provider="p",model="m",le="0.005"} 0',
        'fiber_cache_get_latency_seconds_bucket{provider="p",model="m",le="0.01"} 1',
        'fiber_cache_get_latency_seconds_bucket{provider="p",model="m",le="0.025"} 1',
    ]
    assert lines[-4:] == [
        'fiber_cache_get_latency_seconds_bucket{provider="p",model="m",le="600"} 1',
        'fiber_cache_get_latency_seconds_bucket{provider="p",model="m",le="+Inf"} 1',
        'fiber_cache_get_latency_seconds_sum{provider="p",model="m"} 0.007500',
        'fiber_cache_get_latency_seconds_count{provider="p",model="m"} 1',
    ]


def test_labels_are_escaped() -> None:
    """Quotes, backslashes and line ends of a name stay inside its label."""
    page = exposition(MetricsSnapshot((MetricPoint("repair_count", {"model": 'a"b\\c\nd'}, 1),)))

    assert page.splitlines()[-1] == 'fiber_repairs_total{model="a\\"b\\\\c\\nd"} 1'


def test_nothing_is_an_empty_page() -> None:
    """What was not counted is not there."""
    assert Metrics().prometheus() == ""


def test_promtool_accepts_the_page() -> None:
    """It finds neither an error nor a name against the rules."""
    if shutil.which("promtool") is None:
        reason = "promtool is missing: it is in the Debian package prometheus"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)

    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition(full()).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_metric_has_one_name_of_its_own() -> None:
    """Counters end in `_total`, times in `_seconds`."""
    names = {metric.exposed: metric.kind for metric in METRICS}

    assert len(names) == len(METRICS)
    for name, kind in names.items():
        assert name.endswith("_total" if kind == "counter" else "_seconds")
