"""
The one place that repeats an attempt.

Full-jitter exponential backoff, or what the provider asked for; never past the deadline; and never more retries in
vain than a share of the calls to a target (a token bucket), so that an outage is not made worse. What may be repeated
is decided by type and code: *rejected* and *not sent* freely, *unknown* at most as often as the operation allows. The
policy's `retry_if` has the first word on that, but not on the bounds.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fiber._chain import Call, Handler
from fiber._errors import (
    FiberCircuitOpenError,
    FiberError,
    FiberQuotaError,
    FiberRateLimitError,
    FiberValidationError,
)
from fiber._reply import Ending, EventSource, Reply, ending_with

_MANY_TARGETS = 1024
"""So many budgets are kept; model names may come from users, and one that was not used for long is full anyway."""


@dataclass(slots=True)
class _Count:
    """How often one call was tried, and how often nobody knows what became of it."""

    attempts: int = 0
    unknown: int = 0


class Retry:
    """
    Repeat failed attempts.

    Args:
        uniform: Returns a random number between two bounds; replaceable to make tests exact.
    """

    def __init__(self, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self._uniform = uniform
        self._tokens: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Handle *call*, as often as its policy allows."""
        self._earn(call, call.retry.budget_ratio)
        if call.stream and call.retry.on_midstream == "restart":
            return self._restartable(call, next)
        return self._attempts(call, next, _Count())

    async def _attempts(
        self, call: Call, next: Handler, count: _Count, failure: FiberError | None = None, *, begun: bool = False
    ) -> Reply:
        """Make attempts until one is good; after *failure*, a wait comes first. Raise the last failure."""
        while True:
            if failure is not None:
                await self._pause(call, failure, count, begun=begun)
            begun = False
            count.attempts += 1
            try:
                reply = await next(call)
            except FiberError as error:
                if _is_ours(error):
                    failure = failure or error  # why there was to be another attempt says more
                    break
                failure = error
            else:
                if failure is not None:
                    self._earn(call, 1.0)  # it was not in vain
                return reply
        raise failure

    async def _restartable(self, call: Call, next: Handler) -> Reply:
        count = _Count()
        inner = await self._attempts(call, next, count)
        # A reply of its own: the layers below see every stream end, those above see one.
        outer = Reply(inner.value, inner.stream)

        async def restart(failure: FiberError) -> EventSource:
            nonlocal inner
            await inner.end(ending_with(failure))
            inner = await self._attempts(call, next, count, failure, begun=True)
            assert inner.stream is not None  # noqa: S101 - a streaming call has one
            outer.stream = inner.stream
            if outer.ended:  # by others, while this one waited
                await inner.end(Ending("cancelled"))
            return inner.stream

        async def end(ending: Ending) -> None:
            await inner.end(ending)

        outer.restart = restart
        outer.on_end(end)
        return outer

    async def _pause(self, call: Call, failure: FiberError, count: _Count, *, begun: bool) -> None:
        """Wait before the next attempt; raise *failure* when there is to be none."""
        # What was begun has cost something, whatever the provider says about it.
        is_unknown = begun or failure.outcome == "unknown"
        count.unknown += is_unknown
        wait = self._wait(call, failure, count, is_unknown=is_unknown)
        if wait is None or not self._spend(call):
            raise failure
        journal = call.journal
        if is_unknown and not call.is_idempotent:
            journal.possible_duplicate_charge = True
        journal.waited = wait
        call.tell(
            "retry",
            attempt=len(journal.attempts),
            backoff_ms=round(wait * 1000, 3),
            error_kind=type(failure).__name__,
            http_status=failure.status_code,
            reason=failure.provider_code,
        )
        await call.transport.sleep(wait)
        if journal.cancelled:  # meanwhile
            raise failure

    def _wait(self, call: Call, error: FiberError, count: _Count, *, is_unknown: bool) -> float | None:
        """Return the seconds to wait before the next attempt, None for none."""
        policy = call.retry
        if call.journal.cancelled or count.attempts >= policy.max_attempts:
            return None
        said = _said(call, error, count.attempts)
        if not (_may_help(call, error, count, is_unknown=is_unknown) if said is None else said):
            return None
        if error.retry_after is not None:
            if error.retry_after > policy.max_retry_after_seconds:
                return None
            wait = error.retry_after
        else:
            doubled = policy.base_backoff_seconds * 2.0 ** min(count.attempts - 1, 60)
            wait = self._uniform(0.0, min(policy.max_backoff_seconds, doubled))
        if call.deadline is not None and call.transport.now() + wait >= call.deadline:
            return None
        return wait

    def _earn(self, call: Call, tokens: float) -> None:
        policy, key = call.retry, call.target.key
        if key not in self._tokens and policy.budget_reserve >= 1:
            return  # a budget that is full is not kept, and most are
        with self._lock:
            have = self._tokens.pop(key, float(policy.budget_reserve)) + tokens
            most = max(policy.budget_reserve, 1)
            if have < most or policy.budget_reserve < 1:
                self._keep(key, min(float(most), have))

    def _spend(self, call: Call) -> bool:
        key = call.target.key
        with self._lock:
            have = self._tokens.pop(key, float(call.retry.budget_reserve))
            self._keep(key, have - 1.0 if have >= 1.0 else have)
            return have >= 1.0

    def _keep(self, key: tuple[str, str], tokens: float) -> None:
        self._tokens[key] = tokens
        if len(self._tokens) > _MANY_TARGETS:
            del self._tokens[next(iter(self._tokens))]  # the one not used for longest


def _is_ours(error: FiberError) -> bool:
    """Return whether a layer below refused the attempt for a time that it knows, and that is too long."""
    too_late = isinstance(error, FiberRateLimitError) and error.should_retry is False
    return error.outcome == "not_sent" and (too_late or isinstance(error, FiberCircuitOpenError))


def _said(call: Call, error: FiberError, attempt: int) -> bool | None:
    decide = call.retry.retry_if
    said = None if decide is None else decide(error, attempt, call.bound)
    if said is not None and not isinstance(said, bool):
        raise FiberValidationError(
            f"RetryPolicy.retry_if must return True, False or None, not {type(said).__name__}.", parameter="retry_if"
        ) from error
    return said


def _may_help(call: Call, error: FiberError, count: _Count, *, is_unknown: bool) -> bool:
    if not error.is_retryable or isinstance(error, FiberQuotaError):
        return False
    return not is_unknown or call.is_idempotent or count.unknown <= call.operation.unknown_retries
