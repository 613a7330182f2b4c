"""
Metrics as the page that Prometheus scrapes.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from fiber.types.metrics import BOUNDS_MS, METRICS, Distribution, MetricPoint, MetricsSnapshot

_METRICS = {metric.name: metric for metric in METRICS}
_ESCAPED = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


def exposition(snapshot: MetricsSnapshot) -> str:
    """Return the page of *snapshot*; times are in seconds, as the rules for names ask."""
    return "".join(f"{line}\n" for line in _lines(snapshot))


def _lines(snapshot: MetricsSnapshot) -> Iterator[str]:
    for name, points in groupby(snapshot.points, key=lambda point: point.name):
        metric = _METRICS[name]
        yield f"# HELP {metric.exposed} {metric.help}"
        yield f"# TYPE {metric.exposed} {metric.kind}"
        for point in points:
            if isinstance(point.value, Distribution):
                yield from _buckets(metric.exposed, point, point.value)
            else:
                yield f"{metric.exposed}{_labels(point.labels)} {point.value}"


def _buckets(exposed: str, point: MetricPoint, times: Distribution) -> Iterator[str]:
    bounds = [*(f"{bound / 1000:g}" for bound in BOUNDS_MS), "+Inf"]
    for bound, number in zip(bounds, times.cumulative, strict=True):
        yield f"{exposed}_bucket{_labels({**point.labels, 'le': bound})} {number}"
    yield f"{exposed}_sum{_labels(point.labels)} {times.total / 1000:.6f}"
    yield f"{exposed}_count{_labels(point.labels)} {times.count}"


def _labels(labels: Mapping[str, str]) -> str:
    said = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels.items())
    return f"{{{said}}}"
