"""
What calls may spend together: the worst case is reserved before a call is sent, and settled when it ends.

So no number of calls at one time can walk through a limit. All limits of a call are reserved in one step or not at all;
what a failed call cannot have used is free again; what a left stream used counts; and a reservation whose process died
ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from threading import Lock
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import msgspec

from fiber._chain import Call, Handler
from fiber._errors import FiberBudgetError, FiberError, FiberValidationError
from fiber._reply import Ending, Reply
from fiber.layers.budgeting.ceilings import unbounded, unpriced, worst_of
from fiber.layers.budgeting.pricing import answered, dearest, targets_of
from fiber.layers.budgeting.worst import used
from fiber.stores.base import Claim, Ledger
from fiber.stores.holding import dispatch, perform, secured
from fiber.stores.memory import MemoryStore
from fiber.stores.outages import Outages
from fiber.transports.base import wall
from fiber.types.budget import Budget, BudgetStatus, Kind, amount_of, bounds_of, nano, shown
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult
from fiber.types.target import Target

__all__ = ["Budget", "Budgets"]

_AFTER_SECONDS = 60.0
_LONGEST_CALL_SECONDS = 6 * 3600.0
_EVER_SECONDS = 10 * 365 * 86400.0
_MANY = 1000


class _Item(NamedTuple):
    budget: Budget
    kind: Kind
    claim: Claim
    limit: int
    ends: float | None


class Budgets:
    """
    Hold calls to *budgets*; a layer, for `Fiber(budgets=...)`.

    Args:
        budgets: All of them hold, each for the calls of its scope.
        ledger: Where it is counted; in this process when not given. A `RedisStore` counts for a fleet.
        on_failure: What becomes of calls while the ledger fails: `allow` them uncounted, or `refuse` them.
    """

    def __init__(
        self,
        budgets: Iterable[Budget],
        *,
        ledger: Ledger | None = None,
        on_failure: Literal["allow", "refuse"] = "allow",
    ) -> None:
        self._budgets = tuple(budgets)
        names = [budget.name for budget in self._budgets]
        if len(set(names)) < len(names) or on_failure not in ("allow", "refuse"):
            raise FiberValidationError(
                "Budgets need different names, and on_failure is 'allow' or 'refuse'.",
                parameter="budgets",
                outcome="not_sent",
            )
        self._ledger: Ledger = MemoryStore() if ledger is None else ledger
        self._on_failure = on_failure
        self._lock = Lock()
        self._warned: dict[str, None] = {}
        self._outages = Outages("budget_error")

    @property
    def failures(self) -> int:
        """Uses of the ledger that failed."""
        return self._outages.count

    def status(self, *, now: float | None = None, **scope: object) -> list[BudgetStatus]:
        """
        Return how the budgets stand for calls with the bound fields *scope*; may block, as the ledger does.

        Args:
            now: Seconds since 1970; this moment when not given.
        """
        now = _moment(now)
        items = [item for budget in self._budgets for item in _items(budget, scope, now, {}, 0.0)]
        standings = self._ledger.standings([item.claim.key for item in items], now=now)
        return [
            BudgetStatus(
                name=item.budget.name,
                kind=item.kind,
                limit=item.budget.limits[item.kind],
                used=amount_of(item.kind, standing.used),
                held=amount_of(item.kind, standing.held),
                resets_at=item.ends,
            )
            for item, standing in zip(items, standings, strict=True)
        ]

    def reset(self, *, now: float | None = None, **scope: object) -> None:
        """Set the budgets of the current period to zero for calls with the bound fields *scope*; may block."""
        now = _moment(now)
        items = [item for budget in self._budgets for item in _items(budget, scope, now, {}, 0.0)]
        self._ledger.reset([item.claim.key for item in items], now=now)

    async def __call__(self, call: Call, next: Handler) -> Reply:
        """Handle *call* within the budgets."""
        worst = worst_of(call)
        items = self._claims(call, worst)
        hold = uuid4().hex
        if not await self._reserve(call, items, hold):
            return await next(call)
        settle = self._settlement(call, items, hold, worst or Usage())
        attempts = len(call.journal.attempts)
        try:
            reply = await next(call)
        except BaseException as error:
            # Nobody may wait here any more when the call was cancelled.
            result = getattr(error, "partial", None)
            was_sent = len(call.journal.attempts) > attempts
            if was_sent and (not isinstance(error, FiberError) or error.outcome == "unknown"):
                dispatch(call.transport, lambda: settle(result, False), quick=self._ledger.quick)
            else:
                dispatch(call.transport, lambda: settle(None, None), quick=self._ledger.quick)
            raise
        stream = reply.stream
        if stream is None:
            await perform(call.transport, lambda: settle(reply.value, True), quick=self._ledger.quick)
            return reply

        async def ended(ending: Ending) -> None:
            result, whole = stream.result(), ending.outcome == "complete"
            result = None if call.forget_text and not whole else result
            dispatch(call.transport, lambda: settle(result, whole), quick=self._ledger.quick)

        reply.on_end(ended)
        return reply

    def _claims(self, call: Call, worst: Usage | None) -> list[_Item]:
        """Return what *call* claims of each budget; raise when that cannot be said."""
        now = wall(call.transport)
        items: list[_Item] = []
        for budget in self._budgets:
            if worst is None and not budget.soft and (budget.usd is not None or budget.tokens is not None):
                raise unbounded(call.target, f"Budget {budget.name!r}")
            amounts = _amounts(call, targets_of(call), worst or Usage())
            is_strict = budget.usd is not None and not budget.soft and budget.unknown_price == "refuse"
            if is_strict and amounts["usd"] is None:
                raise unpriced(call.target, f"Budget {budget.name!r}")
            items += _items(budget, call.bound, now, amounts, _left(call))
        return items

    async def _reserve(self, call: Call, items: Sequence[_Item], hold: str) -> bool:
        """Reserve *items*; return whether there is something to settle."""
        claims = [item.claim for item in items]
        now = wall(call.transport)
        try:
            answer = await secured(
                call.transport,
                lambda: self._ledger.reserve(claims, hold, seconds=_left(call), now=now),
                lambda: self._ledger.settle(claims, [0 for _ in claims], hold, now=now),
                quick=self._ledger.quick,
            )
        except Exception as error:
            self._outages.add(call, error)
            if self._on_failure == "allow":
                return False
            reason = type(error).__name__
        else:
            if answer.refused is not None:
                call.tell("budget_refused", budget=items[answer.refused].budget.name)
                raise _refusal(call, items[answer.refused], answer.standings[answer.refused], now)
            for item, (spent, held) in zip(items, answer.standings, strict=True):
                if item.claim.limit is None and spent + held + item.claim.amount > item.limit:
                    self._warn(call, item, spent + held)
            return True
        raise FiberBudgetError(
            f"The budgets cannot be checked, for their ledger fails ({reason}), and on_failure='refuse' was chosen.",
            provider=call.target.provider,
            model=call.target.model,
            parameter="budgets",
        )

    def _settlement(
        self, call: Call, items: Sequence[_Item], hold: str, worst: Usage
    ) -> Callable[[Any, bool | None], None]:
        """Return what ends the reservation: with the result and whether it is whole, or with nothing used at all."""
        claims = [item.claim for item in items]

        def settle(result: Any, whole: bool | None) -> None:
            if whole is None:
                spent = [0 for _ in items]
            else:
                known = result if isinstance(result, ChatResult) else None
                amounts = _amounts(call, answered(call), used(worst, known, whole=whole))
                # A price that is not known any more is what was reserved for it.
                spent = [item.claim.amount if (n := amounts[item.kind]) is None else n for item in items]
            try:
                self._ledger.settle(claims, spent, hold, now=wall(call.transport))
            except Exception as error:
                self._outages.add(call, error)

        return settle

    def _warn(self, call: Call, item: _Item, used: int) -> None:
        with self._lock:
            if item.claim.key in self._warned:
                return
            if len(self._warned) >= _MANY:
                self._warned.clear()
            self._warned[item.claim.key] = None
        limit, amount = item.budget.limits[item.kind], amount_of(item.kind, used)
        call.tell("budget_warning", budget=item.budget.name, kind=item.kind, used=shown(amount), limit=shown(limit))


def _amounts(call: Call, targets: Sequence[Target], usage: Usage) -> dict[Kind, int | None]:
    """Return what *usage* is in each kind; None where that is not known."""
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    usd = dearest(call, targets, usage) if tokens or usage.cost_usd is not None else Decimal(0)
    return {"usd": None if usd is None else nano(usd), "tokens": tokens, "requests": 1}


def _items(budget: Budget, scope: Any, now: float, amounts: Any, seconds: float) -> list[_Item]:
    """Return what one call claims of *budget*: one item for each of its limits."""
    begin, ends = bounds_of(budget.period, now)
    values = [str(scope.get(field, "")) for field in budget.per]
    owner = f":{sha256(msgspec.json.encode(values)).hexdigest()[:32]}" if values else ""
    left = _EVER_SECONDS if ends is None else ends - now
    items = []
    for kind, limit in budget.limits.items():
        most = nano(limit) if isinstance(limit, Decimal) else limit
        key = f"budget:{budget.name}:{kind}:{budget.period}:{begin:.0f}{owner}"
        claim = Claim(key, amounts.get(kind) or 0, None if budget.soft else most, left + seconds)
        items.append(_Item(budget, kind, claim, most, ends))
    return items


def _left(call: Call) -> float:
    """Return how long *call* may live, and some more."""
    left = _LONGEST_CALL_SECONDS if call.deadline is None else call.deadline - call.transport.now()
    return max(0.0, left) + _AFTER_SECONDS


def _refusal(call: Call, item: _Item, standing: tuple[int, int], now: float) -> FiberBudgetError:
    limit = item.budget.limits[item.kind]
    spent, held, wanted = (amount_of(item.kind, number) for number in (*standing, item.claim.amount))
    return FiberBudgetError(
        f"Budget {item.budget.name!r} ({shown(limit)} {item.kind}, period {item.budget.period}) has no room for this"
        f" call: {shown(spent)} used, {shown(held)} reserved by calls in flight, and this one may take"
        f" {shown(wanted)}. Raise it, ask for less, or wait.",
        provider=call.target.provider,
        model=call.target.model,
        parameter=item.budget.name,
        retry_after=None if item.ends is None else item.ends - now,
    )


def _moment(now: float | None) -> float:
    return datetime.now(UTC).timestamp() if now is None else now
