"""Sums over records: by time, or by who was asked and who asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

import msgspec

from fiber.registry.prices import EXACT
from fiber.types.usage import UsageRecord

KEYS: dict[str, Callable[[UsageRecord], str]] = {
    # By what is summed, and the key of a record.
    "day": lambda record: f"{record.time:%Y-%m-%d}",
    "week": lambda record: f"{record.time:%G-W%V}",
    "month": lambda record: f"{record.time:%Y-%m}",
    "model": lambda record: f"{record.provider}:{record.model}",
    "provider": lambda record: record.provider,
    "tenant": lambda record: record.tenant,
}
PERIODS = ("day", "week", "month")
_FAILED = ("error", "truncated")


class UsageSum(msgspec.Struct, kw_only=True):
    """
    Sums over some records.

    Attributes:
        key: What they have in common.
        calls: How many there are; all other counts are parts of it.
        errors: Those that failed, or whose stream was truncated.
        cancelled: Those that nobody waited for.
        cached: Hits in a cache of ours.
        input_tokens, output_tokens, cached_tokens, reasoning_tokens: Sums of what is known.
        cost_usd: Sum of the costs that are known, exactly.
        unpriced: Calls that used tokens whose cost is not known.
        saved_usd: What the hits would have cost.
        p50_ms, p95_ms, p99_ms: Milliseconds that so many per cent of the calls took at most that ended well and asked
            a provider; None where there is none.
    """

    key: str
    calls: int = 0
    errors: int = 0
    cancelled: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    saved_usd: Decimal = Decimal(0)
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class Summing:
    """Sums in the making, by key."""

    def __init__(self, key_of: Callable[[UsageRecord], str]) -> None:
        self._key_of = key_of
        self._sums: dict[str, UsageSum] = {}
        self._times: dict[str, list[float]] = {}

    def add(self, record: UsageRecord) -> None:
        """Count *record*."""
        key = self._key_of(record)
        found = self._sums.get(key)
        if found is None:
            found, self._times[key] = self._sums.setdefault(key, UsageSum(key=key)), []
        found.calls += 1
        found.errors += record.outcome in _FAILED
        found.cancelled += record.outcome == "cancelled"
        found.cached += record.cached
        found.input_tokens += record.input_tokens or 0
        found.output_tokens += record.output_tokens or 0
        found.cached_tokens += record.cached_tokens or 0
        found.reasoning_tokens += record.reasoning_tokens or 0
        if record.cost_usd is not None:
            found.cost_usd = EXACT.add(found.cost_usd, record.cost_usd)
        elif record.input_tokens or record.output_tokens:
            found.unpriced += 1
        if record.saved_usd is not None:
            found.saved_usd = EXACT.add(found.saved_usd, record.saved_usd)
        if record.outcome == "complete" and not record.cached:
            self._times[key].append(record.latency_ms)

    def sums(self) -> list[UsageSum]:
        """Return the sums, in the order of their keys."""
        for key, times in self._times.items():
            found = self._sums[key]
            times.sort()
            found.p50_ms, found.p95_ms, found.p99_ms = (_percentile(times, share) for share in (50, 95, 99))
        return [self._sums[key] for key in sorted(self._sums)]


def summed(records: Iterable[UsageRecord], by: str) -> tuple[list[UsageSum], UsageSum]:
    """
    Return sums over *records*, and the sum over all of them.

    Args:
        by: One of `KEYS`. Periods come in the order of time, all others by what they cost, the dearest first.
    """
    parts, whole = Summing(KEYS[by]), Summing(lambda record: "total")
    for record in records:
        parts.add(record)
        whole.add(record)
    return ordered(parts.sums(), by), (whole.sums() or [UsageSum(key="total")])[0]


def ordered(sums: list[UsageSum], by: str) -> list[UsageSum]:
    """Return *sums* in the order in which they are shown."""
    return sums if by in PERIODS else sorted(sums, key=lambda one: (-one.cost_usd, -one.calls))


def plain(usd: Decimal) -> str:
    """Return *usd* with all its digits, and no zeros behind them."""
    text = f"{usd:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percentile(times: list[float], share: int) -> float | None:
    """Return the smallest of the sorted *times* that *share* per cent of them do not exceed."""
    return times[-(-len(times) * share // 100) - 1] if times else None
