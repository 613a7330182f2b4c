"""
The one place that repeats an attempt.

Full-jitter exponential backoff, or what the provider asked for; never past the deadline; and never more than a
share of the calls to a target (a token bucket), so that an outage is not made worse. What may be repeated is decided
by type and code: *rejected* and *not sent* freely, *unknown* at most as often as the operation allows.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from fiber._chain import Call, Handler, Reply
from fiber._errors import FiberError, FiberQuotaError
from fiber.types.config import RetryPolicy


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

    async def __call__(self, call: Call, next: Handler) -> Reply:
        """Handle *call*, as often as its policy allows."""
        attempt = unknown = 0
        self._earn(call)
        while True:
            attempt += 1
            try:
                return await next(call)
            except FiberError as error:
                failure = error
                unknown += error.outcome == "unknown"
                wait = self._wait(call, error, attempt, unknown)
                if wait is None or not self._spend(call):
                    raise
                if error.outcome == "unknown":
                    call.journal.possible_duplicate_charge = True
                call.journal.waited = wait
                call.tell(
                    "retry",
                    attempt=attempt,
                    backoff_ms=round(wait * 1000, 3),
                    error_kind=type(error).__name__,
                    http_status=error.status_code,
                    reason=error.provider_code,
                )
            await call.transport.sleep(wait)
            if call.journal.cancelled:  # meanwhile
                raise failure

    def _wait(self, call: Call, error: FiberError, attempt: int, unknown: int) -> float | None:
        """Return the seconds to wait before the next attempt, None for none."""
        policy = call.retry
        if (
            call.journal.cancelled
            or attempt >= policy.max_attempts
            or not error.is_retryable
            or isinstance(error, FiberQuotaError)
        ):
            return None
        if error.outcome == "unknown" and unknown > call.operation.unknown_retries:
            return None
        if error.retry_after is not None:
            if error.retry_after > policy.max_retry_after_seconds:
                return None
            wait = error.retry_after
        else:
            ceiling = min(policy.max_backoff_seconds, policy.base_backoff_seconds * 2.0 ** min(attempt - 1, 60))
            wait = self._uniform(0.0, ceiling)
        if call.deadline is not None and call.transport.now() + wait >= call.deadline:
            return None
        return wait

    def _earn(self, call: Call) -> None:
        policy = call.retry
        with self._lock:
            key = self._key(call)
            have = self._tokens.get(key, float(policy.budget_reserve))
            self._tokens[key] = min(_cap(policy), have + policy.budget_ratio)

    def _spend(self, call: Call) -> bool:
        with self._lock:
            key = self._key(call)
            have = self._tokens.get(key, 0.0)
            if have < 1.0:
                return False
            self._tokens[key] = have - 1.0
            return True

    @staticmethod
    def _key(call: Call) -> tuple[str, str]:
        return (call.target.provider, call.target.model)


def _cap(policy: RetryPolicy) -> float:
    return float(max(policy.budget_reserve, 1))
