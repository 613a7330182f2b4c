"""What may be spent: limits for periods, and how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Literal, TypeAlias, get_args

import msgspec

from fiber._errors import FiberValidationError

Period: TypeAlias = Literal["hour", "day", "week", "month", "ever"]
Kind: TypeAlias = Literal["usd", "tokens", "requests"]

_NANO = 10**9


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """
    What calls may spend together in a period; at least one limit.

    Attributes:
        name: Word for errors, logs and the store; different for each budget of a client.
        usd: US dollars; a float is taken by its digits.
        tokens: Tokens, of input and output.
        requests: Calls.
        period: `hour`, `day`, `week` (from Monday), `month`, all in UTC; or `ever`.
        per: Bound fields: each combination of their values has the limits for itself.
        soft: A call beyond the limit is warned of, and not refused.
        unknown_price: What becomes of a call with an unknown price under `usd`: `refuse`, or `allow` it uncounted.
    """

    name: str
    usd: Decimal | float | str | None = None
    tokens: int | None = None
    requests: int | None = None
    period: Period = "day"
    per: tuple[str, ...] = ()
    soft: bool = False
    unknown_price: Literal["refuse", "allow"] = "refuse"

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise _wrong("name must be a word")
        if self.usd is not None:
            msgspec.structs.force_setattr(self, "usd", dollars(self.usd, "budgets", f"Budget({self.name!r}): usd"))
        for kind in ("tokens", "requests"):
            limit = getattr(self, kind)
            if limit is not None and (type(limit) is not int or limit < 0):
                raise _wrong(f"{kind} must be a whole number from 0, not {limit!r}")
        if self.usd is None and self.tokens is None and self.requests is None:
            raise _wrong("say at least one of usd, tokens and requests")
        if self.period not in get_args(Period):
            raise _wrong(f"period {self.period!r}: use one of {', '.join(get_args(Period))}")
        if self.unknown_price not in ("refuse", "allow"):
            raise _wrong(f"unknown_price {self.unknown_price!r}: use 'refuse' or 'allow'")
        per: object = self.per
        if isinstance(per, str):
            raise _wrong(f"per is a tuple of names: per=({per!r},)")

    @property
    def limits(self) -> Mapping[Kind, Decimal | int]:
        """The limits that were said."""
        said: dict[Kind, Decimal | int | float | str | None] = {
            "usd": self.usd,
            "tokens": self.tokens,
            "requests": self.requests,
        }
        return {kind: limit for kind, limit in said.items() if isinstance(limit, Decimal | int)}


class BudgetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """
    How one limit of a budget stands.

    Attributes:
        used: What calls that ended used.
        held: What is reserved for calls in flight.
        resets_at: End of the period, in seconds since 1970; None for `ever`.
    """

    name: str
    kind: Kind
    limit: Decimal | int
    used: Decimal | int
    held: Decimal | int
    resets_at: float | None = None

    @property
    def remaining(self) -> Decimal | int:
        """What a further call may take; never below zero."""
        return max(self.limit - self.used - self.held, type(self.limit)(0))


def dollars(value: Decimal | float | str, parameter: str, subject: str) -> Decimal:
    """
    Return *value* as exact dollars.

    Raises:
        FiberValidationError: It is no amount.
    """
    try:
        amount = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise FiberValidationError(
            f"{subject} must be an amount of dollars from 0, not {value!r}.", parameter=parameter, outcome="not_sent"
        )
    return amount


def nano(cost: Decimal) -> int:
    """Return *cost* in whole thousand-millionths of a dollar, rounded up; in these money is counted."""
    return int((cost * _NANO).to_integral_value(ROUND_CEILING))


def amount_of(kind: Kind, number: int) -> Decimal | int:
    """Return what was counted as *number*, in dollars for money."""
    return Decimal(number) / _NANO if kind == "usd" else number


def shown(amount: Decimal | int) -> str:
    """Return *amount* in digits, without an exponent."""
    return f"{amount:f}" if isinstance(amount, Decimal) else str(amount)


def bounds_of(period: Period, now: float) -> tuple[float, float | None]:
    """Return begin and end, in seconds since 1970, of the *period* in which *now* lies; `ever` has no end."""
    hour = datetime.fromtimestamp(now, UTC).replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    match period:
        case "hour":
            begin, end = hour, hour + timedelta(hours=1)
        case "day":
            begin, end = day, day + timedelta(days=1)
        case "week":
            begin = day - timedelta(days=day.weekday())
            end = begin + timedelta(days=7)
        case "month":
            begin = day.replace(day=1)
            end = (begin + timedelta(days=31)).replace(day=1)
        case _:  # ever
            return 0.0, None
    return begin.timestamp(), end.timestamp()


def _wrong(what: str) -> FiberValidationError:
    return FiberValidationError(f"Budget: {what}.", parameter="budgets", outcome="not_sent")
