"""Policies as values."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from fiber._errors import FiberValidationError
from fiber.types.config import NO_RETRY, NO_TIMEOUTS, RETRY_PRESETS, TIMEOUT_PRESETS, HedgePolicy, RetryPolicy, Timeouts

TIMERS = Timeouts.__struct_fields__
NUMBERS = [name for name, value in msgspec.structs.asdict(RetryPolicy()).items() if type(value) in (int, float)][1:]


def test_timeouts_are_the_documented_ones() -> None:
    """The five timers have the documented defaults."""
    assert msgspec.structs.asdict(Timeouts()) == {
        "connect": 5.0,
        "read": 60.0,
        "total": 600.0,
        "first_event": 300.0,
        "stall": 120.0,
    }


def test_every_timer_can_be_off() -> None:
    """`NO_TIMEOUTS` has no timer."""
    assert {getattr(NO_TIMEOUTS, name) for name in TIMERS} == {None}


@pytest.mark.parametrize("name", TIMERS)
@pytest.mark.parametrize("value", [0.001, 1, 10**6, None])
def test_timer_takes_seconds(name: str, value: Any) -> None:
    """A timer is a positive number of seconds, or off."""
    assert getattr(Timeouts(**{name: value}), name) == value


@pytest.mark.parametrize("name", TIMERS)
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, -math.inf, True, "5"], ids=repr)
def test_timer_refuses_the_rest(name: str, value: Any) -> None:
    """Anything else is refused, with the timer's name."""
    with pytest.raises(FiberValidationError, match=f"Timeouts.{name} must be a positive number") as caught:
        Timeouts(**{name: value})

    assert (caught.value.parameter, caught.value.outcome) == ("timeout", "not_sent")


def test_timer_takes_any_whole_number() -> None:
    """A number too large for a float is a long time, not a crash."""
    assert Timeouts(total=10**400).total == 10**400


def test_retries_are_the_documented_ones() -> None:
    """The default is four attempts with waits of at most 0.2 to 8 seconds, and one call in ten."""
    assert msgspec.structs.asdict(RetryPolicy()) == {
        "max_attempts": 4,
        "base_backoff_seconds": 0.2,
        "max_backoff_seconds": 8.0,
        "max_retry_after_seconds": 120.0,
        "budget_ratio": 0.1,
        "budget_reserve": 10,
        "retry_if": None,
        "on_midstream": "raise",
    }


def test_no_retry_is_one_attempt() -> None:
    """`NO_RETRY` allows one attempt."""
    assert NO_RETRY.max_attempts == 1


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "2", None], ids=repr)
def test_attempts_are_a_whole_number(value: Any) -> None:
    """The number of attempts is a whole number from 1."""
    with pytest.raises(FiberValidationError, match="max_attempts must be a whole number from 1") as caught:
        RetryPolicy(max_attempts=value)

    assert caught.value.parameter == "retry"


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, True, "2", None], ids=repr)
def test_waits_are_numbers_from_zero(name: str, value: Any) -> None:
    """Every other member is a finite number from 0."""
    with pytest.raises(FiberValidationError, match=f"RetryPolicy.{name} must be a number from 0") as caught:
        RetryPolicy(**{name: value})

    assert caught.value.parameter == "retry"


@pytest.mark.parametrize("name", NUMBERS)
def test_waits_may_be_zero(name: str) -> None:
    """Every other member may be 0."""
    assert getattr(RetryPolicy(**{name: 0}), name) == 0


@pytest.mark.parametrize("value", [True, "always", 1], ids=repr)
def test_retry_if_is_a_function(value: Any) -> None:
    """Anything else would be called when it is too late."""
    with pytest.raises(FiberValidationError, match="retry_if must be a function") as caught:
        RetryPolicy(retry_if=value)

    assert caught.value.parameter == "retry"


def test_what_happens_midstream_is_one_of_two_words() -> None:
    """A stream that breaks raises, or begins anew."""
    with pytest.raises(FiberValidationError, match="must be 'raise' or 'restart', not 'resume'") as caught:
        RetryPolicy(on_midstream="resume")  # type: ignore[arg-type]

    assert RetryPolicy(on_midstream="restart").on_midstream == "restart"
    assert caught.value.parameter == "retry"


def test_presets_are_values_in_order_of_zeal() -> None:
    """Timers and retries have the same four names; the standard ones are the defaults."""
    zeal = [RETRY_PRESETS[name].max_attempts for name in ("none", "conservative", "standard", "aggressive")]
    patience = [TIMEOUT_PRESETS[name].first_event or 0 for name in ("aggressive", "standard", "conservative")]

    assert RETRY_PRESETS.keys() == TIMEOUT_PRESETS.keys()
    assert (RETRY_PRESETS["standard"], TIMEOUT_PRESETS["standard"]) == (RetryPolicy(), Timeouts())
    assert (RETRY_PRESETS["none"], TIMEOUT_PRESETS["none"]) == (NO_RETRY, NO_TIMEOUTS)
    assert zeal == sorted(zeal)
    assert patience == sorted(patience)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, True, "5", None], ids=repr)
@pytest.mark.parametrize("name", ["after_seconds", "max_share"])
def test_hedging_is_in_positive_numbers(name: str, value: Any) -> None:
    """Seconds, and a share of calls."""
    with pytest.raises(FiberValidationError, match=f"HedgePolicy.{name} must be a positive number") as caught:
        HedgePolicy(**{"after_seconds": 1, name: value})

    assert caught.value.parameter == "hedge"


def test_a_share_is_one_at_most() -> None:
    """Every call, or fewer."""
    assert HedgePolicy(after_seconds=0.5, max_share=1).max_share == 1
    with pytest.raises(FiberValidationError, match="up to 1"):
        HedgePolicy(after_seconds=0.5, max_share=1.01)
