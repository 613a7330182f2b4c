"""Policies as values: timeouts, retries, presets of both, hedging, and the circuit breaker."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from fiber._errors import FiberError, FiberValidationError
from fiber.types.numbers import is_number

CachePolicy: TypeAlias = Literal["off", "read_through", "write_through", "refresh"]
"""
What a call does with the cache: nothing; read it; read it and store what was not there; or only store.
"""

AliasOrder: TypeAlias = Literal["listed", "cost"]
"""Which model of an alias is asked first: the one that is listed first, or the cheapest for what is asked."""

OpenAIAPI: TypeAlias = Literal["auto", "chat", "responses"]
"""Which of OpenAI's APIs is asked, where a call names a model and not the API."""


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
            if not is_number(value) or not 0 < value < math.inf:
                raise FiberValidationError(
                    f"Timeouts.{name} must be a positive number of seconds or None, not {value!r}.",
                    parameter="timeout",
                )


NO_TIMEOUTS = Timeouts(connect=None, read=None, total=None, first_event=None, stall=None)
"""Every timer off."""


TIMEOUT_PRESETS: Mapping[str, Timeouts] = {
    "standard": Timeouts(),
    "conservative": Timeouts(connect=10.0, read=300.0, total=1800.0, first_event=900.0, stall=300.0),
    "aggressive": Timeouts(connect=2.0, read=15.0, total=60.0, first_event=15.0, stall=10.0),
    "none": NO_TIMEOUTS,
}
"""
Named timers. `conservative` waits for models that think for minutes; `aggressive` gives up while a person still looks.
"""

RetryIf: TypeAlias = Callable[[FiberError, int, Mapping[str, Any]], bool | None]
"""Decides about one failure: the error, the number of the attempt that failed, the bound fields of the call."""

OnMidstream: TypeAlias = Literal["raise", "restart"]


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
        budget_ratio: Retries in vain allowed as a share of calls, per target; a retry that helps costs nothing.
        budget_reserve: Retries that a target may spend before its calls have earned any.
        retry_if: Has the first word on every failure: True repeats, False does not, None leaves it to the rules. It
            cannot overrule the bounds: attempts, deadline, longest wait, budget.
        on_midstream: What happens to a stream that breaks after its first content: it raises, or it begins anew and
            says so with a `Restart` event, at most as often as an unknown outcome is repeated.
    """

    max_attempts: int = 4
    base_backoff_seconds: float = 0.2
    max_backoff_seconds: float = 8.0
    max_retry_after_seconds: float = 120.0
    budget_ratio: float = 0.1
    budget_reserve: int = 10
    retry_if: RetryIf | None = None
    on_midstream: OnMidstream = "raise"

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise FiberValidationError(
                f"RetryPolicy.max_attempts must be a whole number from 1, not {self.max_attempts!r}.",
                parameter="retry",
            )
        for name in _NUMBERS:
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value < math.inf:
                raise FiberValidationError(
                    f"RetryPolicy.{name} must be a number from 0, not {value!r}.", parameter="retry"
                )
        if self.retry_if is not None and not callable(self.retry_if):
            raise FiberValidationError(
                f"RetryPolicy.retry_if must be a function, not {self.retry_if!r}.", parameter="retry"
            )
        if self.on_midstream not in get_args(OnMidstream):
            raise FiberValidationError(
                f"RetryPolicy.on_midstream must be 'raise' or 'restart', not {self.on_midstream!r}.", parameter="retry"
            )


_NUMBERS = ("base_backoff_seconds", "max_backoff_seconds", "max_retry_after_seconds", "budget_ratio", "budget_reserve")


NO_RETRY = RetryPolicy(max_attempts=1)
"""One attempt, whatever happens."""

RETRY_PRESETS: Mapping[str, RetryPolicy] = {
    "standard": RetryPolicy(),
    "conservative": RetryPolicy(
        max_attempts=2,
        base_backoff_seconds=0.5,
        max_backoff_seconds=4.0,
        max_retry_after_seconds=30.0,
        budget_ratio=0.05,
        budget_reserve=5,
    ),
    "aggressive": RetryPolicy(
        max_attempts=8,
        base_backoff_seconds=0.1,
        max_backoff_seconds=20.0,
        max_retry_after_seconds=300.0,
        budget_ratio=0.2,
        budget_reserve=20,
    ),
    "none": NO_RETRY,
}
"""
Named policies. `conservative` adds hardly any load to a provider in trouble; `aggressive` wants the answer at the cost
of a share of retries as Envoy (`retry_budget`) and Finagle (`RetryBudget`) have it, 20 %.
"""


class HedgePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """
    When a call is sent a second time because its answer is slow.

    Attributes:
        after_seconds: So long the answer, or the first content of a stream, is waited for; best the 95th percentile of
            what it usually takes, or more.
        max_share: Second requests allowed as a share of calls.
    """

    after_seconds: float
    max_share: float = 0.05

    def __post_init__(self) -> None:
        for name, most in (("after_seconds", sys.float_info.max), ("max_share", 1)):
            value: object = getattr(self, name)
            if not is_number(value) or not 0 < value <= most:
                limit = "a positive number up to 1" if most == 1 else "a positive number"
                raise FiberValidationError(f"HedgePolicy.{name} must be {limit}, not {value!r}.", parameter="hedge")


class BreakerPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """
    When a target that fails is left alone for a while.

    Attributes:
        failures: So many failures of the provider in a row open the circuit.
        open_seconds: So long nothing is sent; then one call tries, and the others wait for how it ends.
    """

    failures: int = 5
    open_seconds: float = 30.0

    def __post_init__(self) -> None:
        if type(self.failures) is not int or self.failures < 1:
            raise FiberValidationError(
                f"BreakerPolicy.failures must be a whole number from 1, not {self.failures!r}.", parameter="breaker"
            )
        if not is_number(self.open_seconds) or not 0 < self.open_seconds < math.inf:
            raise FiberValidationError(
                f"BreakerPolicy.open_seconds must be a positive number, not {self.open_seconds!r}.", parameter="breaker"
            )
