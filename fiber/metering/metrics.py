"""
Counts of all calls, of what happens inside them and of how long they take.

What ends is put into a queue, which takes no lock: a stream may be dropped, and collected by Python, in the middle of
anything, also of this. The queue is emptied into the tables now and then, and before they are read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from threading import Lock
from typing import Any, Literal

from fiber._chain import Call
from fiber._errors import FiberError, FiberValidationError
from fiber._reply import Ending
from fiber.metering.tables import Tables
from fiber.transports.base import Transport
from fiber.types.metrics import MetricsSnapshot

_MANY = 128
"""So many calls wait in the queue before they are counted."""

_TIMES = {"cache_get": "cache_get_latency_ms", "cache_set": "cache_set_latency_ms"}
_COUNTS = {
    event: f"{event}_count"
    for event in (
        *("retry", "fallback", "repair", "hedge", "key_rest", "circuit_open", "rate_limited", "budget_refused"),
        *("cache_hit", "cache_miss", "cache_write", "cache_evict"),
    )
}


class Metrics:
    """
    Count calls; for `Fiber(metrics=...)`, which several clients may share. Each client has its own otherwise.

    Labels are names of providers, models and errors, never contents or bound fields.

    Args:
        max_models: Models, each at its provider, with counts of their own; all further ones are called `other`.

    Raises:
        FiberValidationError: *max_models* is not a whole number from 1.
    """

    def __init__(self, *, max_models: int = 200) -> None:
        if type(max_models) is not int or max_models < 1:
            raise FiberValidationError(
                f"Metrics(max_models=...) must be a whole number from 1, not {max_models!r}.",
                parameter="max_models",
                outcome="not_sent",
            )
        self._max_models = max_models
        self._tables = Tables(max_models)
        self._ended: deque[tuple[Any, ...]] = deque()
        self._happened: deque[tuple[Any, ...]] = deque()
        self._lock = Lock()

    def begin(self, call: Call) -> None:
        """Count what happens inside *call*."""
        call.journal.observers.append(self._observe)

    def end(self, call: Call, ending: Ending) -> None:
        """Count *call*, which ended so."""
        journal = call.journal
        attempts, started, first = journal.attempts, journal.started, journal.first_event
        last = attempts[-1] if attempts else call.target
        self._ended.append(
            (
                last.provider,
                last.model,
                call.stream,
                "" if ending.outcome == "complete" else code_of(ending),
                (call.transport.now() - started) * 1000,
                None if first is None else (first - started) * 1000,
                ending.usage,
            )
        )
        if len(self._ended) >= _MANY:
            self._tidy()

    def _observe(self, call: Call, event: str, facts: Mapping[str, Any]) -> None:
        """Count what happened inside *call*."""
        if event in _COUNTS:
            name, number = _COUNTS[event], facts.get("entries", 1)
        elif event in _TIMES:
            name, number = _TIMES[event], facts.get("latency_ms")
        else:
            return
        if isinstance(number, int | float):  # any layer may tell anything
            self._happened.append((name, *call.target.key, str(facts.get("error_kind") or ""), number))
        if len(self._happened) >= _MANY:
            self._tidy()

    async def shut(self, transport: Transport, *, on_loop: bool) -> None:
        """Do nothing: whoever reads the counts sees all of them."""

    def snapshot(self) -> MetricsSnapshot:
        """Return what was counted since the last reset."""
        with self._lock:
            self._empty()
            return MetricsSnapshot(self._tables.points())

    def reset(self) -> None:
        """Begin to count anew."""
        with self._lock:
            self._empty()
            self._tables = Tables(self._max_models)

    def prometheus(self) -> str:
        """Return the counts in the text format of Prometheus, for the answer to a scrape."""
        from fiber.metering.prometheus import exposition

        return exposition(self.snapshot())

    def _tidy(self) -> None:
        # Whoever has the lock empties the queues; to wait for it here could be for ever.
        if self._lock.acquire(blocking=False):
            try:
                self._empty()
            finally:
                self._lock.release()

    def _empty(self) -> None:
        while self._ended:
            self._tables.add_call(*self._ended.popleft())
        while self._happened:
            self._tables.add_event(*self._happened.popleft())


def metrics_of(said: Metrics | Literal[False] | None) -> Metrics:
    """
    Return *said*, or new ones.

    Raises:
        FiberValidationError: It is something else.
    """
    if said is None or said is False:
        return Metrics()
    if not isinstance(said, Metrics):
        raise FiberValidationError(
            f"The argument metrics is {said!r}: pass Metrics(), or False to count nothing.",
            parameter="metrics",
            outcome="not_sent",
        )
    return said


def code_of(ending: Ending) -> str:
    """Return why a call did not end well, in one of few words."""
    if isinstance(ending.error, FiberError) and ending.outcome != "cancelled":
        return type(ending.error).__name__
    return ending.outcome
