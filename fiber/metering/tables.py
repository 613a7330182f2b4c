"""Tables that count, bounded by how many models they know; they are for one thread at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal

from fiber.types.metrics import BOUNDS_MS, EXACT, METRICS, Amount, Distribution, MetricPoint
from fiber.types.receipt import Usage

OTHER = "other"
"""Label of what came when the tables were full."""

_MOST_WORDS = 100
"""Codes and reasons with counts of their own: names of classes, of which a program has few."""

_LABELS = {metric.name: metric.labels for metric in METRICS}
_KINDS = {metric.name: metric.kind for metric in METRICS}
_ORDER = {metric.name: position for position, metric in enumerate(METRICS)}


class _Buckets:
    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_MS) + 1)
        self.total = 0.0

    def add(self, milliseconds: float) -> None:
        # A bound is in the bucket below it.
        self.counts[bisect_left(BOUNDS_MS, milliseconds)] += 1
        self.total += milliseconds

    def frozen(self) -> Distribution:
        return Distribution(tuple(self.counts), self.total)


class _Row:
    """What is known of the calls to one model, those that are streams apart."""

    __slots__ = ("codes", "cost", "input", "latency", "output", "total", "ttfb")

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.input = self.output = self.total = 0
        self.cost = Decimal(0)
        self.latency, self.ttfb = _Buckets(), _Buckets()


class Tables:
    """
    Count calls and events.

    Args:
        max_models: Models, each at its provider, with counts of their own.
    """

    def __init__(self, max_models: int) -> None:
        self._most = max_models
        self._words: set[str] = set()
        self._models: set[tuple[str, str]] = set()
        self._rows: dict[tuple[str, str, bool], _Row] = {}
        self._events: dict[tuple[str, ...], int] = {}
        self._times: dict[tuple[str, ...], _Buckets] = {}

    def add_call(
        self,
        provider: str,
        model: str,
        stream: bool,
        code: str,
        latency: float,
        ttfb: float | None,
        usage: Usage | None,
    ) -> None:
        """
        Count a call that ended.

        Args:
            code: Why it did not end well; empty when it did.
            latency, ttfb: Milliseconds.
        """
        row = self._rows.get((provider, model, stream))
        if row is None:
            row = self._rows.setdefault((*self._known(provider, model), stream), _Row())
        code = code and self._word(code)
        row.codes[code] = row.codes.get(code, 0) + 1
        row.latency.add(latency)
        if ttfb is not None:
            row.ttfb.add(ttfb)
        if usage is not None:
            row.input += usage.input_tokens or 0
            row.output += usage.output_tokens or 0
            row.total += usage.total_tokens or 0
            if usage.cost_usd is not None:
                row.cost = EXACT.add(row.cost, usage.cost_usd)

    def add_event(self, name: str, provider: str, model: str, reason: str, number: float) -> None:
        """
        Count an event of the metric *name*.

        Args:
            reason: Used where the metric has a label for it.
            number: Milliseconds of a latency; how many events it stands for otherwise.
        """
        labels = (*self._known(provider, model), self._word(reason))[: len(_LABELS[name])]
        if _KINDS[name] == "histogram":
            self._times.setdefault((name, *labels), _Buckets()).add(number)
        else:
            self._events[name, *labels] = self._events.get((name, *labels), 0) + int(number)

    def points(self) -> tuple[MetricPoint, ...]:
        """Return all counts, sorted."""
        counts: dict[tuple[str, ...], int | Decimal] = {**self._events}
        times = dict(self._times)
        for (provider, model, is_stream), row in self._rows.items():
            labels = (provider, model, str(is_stream).lower())
            for key, number in _counts(row, *labels):
                # Several codes are one count of what did not end well.
                counts[key] = counts[key] + number if key in counts else number
            times["latency_ms", *labels] = row.latency
            if is_stream:
                times["ttfb_ms", *labels] = row.ttfb
        found: dict[tuple[str, ...], Amount] = {**counts, **{key: time.frozen() for key, time in times.items()}}
        return tuple(
            MetricPoint(name, dict(zip(_LABELS[name], labels, strict=True)), value)
            for (name, *labels), value in sorted(found.items(), key=lambda item: (_ORDER[item[0][0]], item[0]))
        )

    def _known(self, provider: str, model: str) -> tuple[str, str]:
        """Return the labels of a model: its own, or those of all others when there is no more room."""
        key = (provider, model)
        if key not in self._models:
            if len(self._models) >= self._most:
                return (provider, OTHER)
            self._models.add(key)
        return key

    def _word(self, word: str) -> str:
        """Return *word*, a code or a reason, if it is one of not too many."""
        if word not in self._words:
            if len(self._words) >= _MOST_WORDS:
                return OTHER
            self._words.add(word)
        return word


def _counts(row: _Row, provider: str, model: str, stream: str) -> Iterator[tuple[tuple[str, ...], int | Decimal]]:
    for code, number in row.codes.items():
        yield ("request_count", provider, model, "false" if code else "true", stream), number
        if code:
            yield ("error_count", provider, model, code, stream), number
    yield ("tokens_in", provider, model, stream), row.input
    yield ("tokens_out", provider, model, stream), row.output
    yield ("tokens_total", provider, model, stream), row.total
    yield ("estimated_cost_usd", provider, model, stream), row.cost
