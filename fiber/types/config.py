"""Policies as values: timeouts and retries."""

from __future__ import annotations

import math

import msgspec

from fiber._errors import FiberValidationError


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """
    Five timers, in seconds; None turns one off.

    Attributes:
        connect: Until the connection stands: waiting for a free one, connecting, and replacing one that went stale.
        read: Silence on the socket.
        total: Deadline over everything: attempts, waits, body.
        first_event: From sending until the first event with content.
        stall: Between two events with content; pings and comments do not count.
    """

    connect: float | None = 5.0
    read: float | None = 60.0
    total: float | None = 600.0
    first_event: float | None = 300.0
    stall: float | None = 120.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise FiberValidationError(
                    f"Timeouts.{name} must be a positive number of seconds or None, not {value!r}.",
                    parameter="timeout",
                )


NO_TIMEOUTS = Timeouts(connect=None, read=None, total=None, first_event=None, stall=None)
"""Every timer off."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """
    When a failed attempt is repeated.

    The wait before attempt k+1 is a random number between 0 and
    `min(max_backoff_seconds, base_backoff_seconds * 2**(k-1))` ("full jitter"), or what the provider asked for.

    Attributes:
        max_attempts: Attempts in all, the first included; 1 turns retrying off.
        base_backoff_seconds: Upper bound of the first wait.
        max_backoff_seconds: Upper bound of every wait of our own choice.
        max_retry_after_seconds: Longest wait asked by the provider that is obeyed; a longer one is not retried.
        budget_ratio: Retries allowed as a share of calls, per target.
        budget_reserve: Retries that a target may spend before its calls have earned any.
    """

    max_attempts: int = 4
    base_backoff_seconds: float = 0.2
    max_backoff_seconds: float = 8.0
    max_retry_after_seconds: float = 120.0
    budget_ratio: float = 0.1
    budget_reserve: int = 10

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise FiberValidationError(
                f"RetryPolicy.max_attempts must be a whole number from 1, not {self.max_attempts!r}.",
                parameter="retry",
            )
        for name in self.__struct_fields__[1:]:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise FiberValidationError(
                    f"RetryPolicy.{name} must be a number from 0, not {value!r}.", parameter="retry"
                )


NO_RETRY = RetryPolicy(max_attempts=1)
"""One attempt, whatever happens."""
