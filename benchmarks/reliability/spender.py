"""
Calls at once that share a budget: in this process, or, as a program, in one of several.

`spender.py URL REDIS LIMIT CALLS TOTAL_SECONDS AFTER_SECONDS`: the last two say when what a call reserved is over.

The program prints how many were answered and how many were refused for want of room, and how often its ledger failed.
"""

from __future__ import annotations

import sys
from collections import Counter

import anyio
from worlds import client

from fiber import NO_RETRY, Budget, Budgets, Fiber, FiberBudgetError, RedisStore, Timeouts
from fiber.layers import budget

TOKENS = 8
"""What each answer of the server says that it used."""


def budgets_of(limit: int, redis: str) -> Budgets:
    """Make the budget of *limit* calls, and of more tokens than they can use, so that these are counted."""
    ledger = RedisStore(redis, timeout_seconds=30) if redis else None
    # A fleet that may not pass its limit refuses while it cannot count.
    limits = Budget(name="shared", requests=limit, tokens=10**9, period="ever")
    return Budgets([limits], ledger=ledger, on_failure="refuse")


def spend(base_url: str, budgets: Budgets, calls: int, total: float = 120) -> Counter[str]:
    """Make so many calls at once; return what became of them."""
    fiber = client(
        base_url,
        budgets=budgets,
        retry=NO_RETRY,
        default_max_tokens=10,
        timeouts=Timeouts(connect=total, total=total),
    )
    found: Counter[str] = Counter()
    anyio.run(_all, fiber, calls, found)
    return found


async def _all(fiber: Fiber, calls: int, found: Counter[str]) -> None:
    async def one() -> None:
        try:
            await fiber.chat("Hello")
            found["answered"] += 1
        except FiberBudgetError:
            found["refused"] += 1

    async with fiber, anyio.create_task_group() as group:
        for _ in range(calls):
            group.start_soon(one)


if __name__ == "__main__":
    url, redis, limit, calls, total, after = sys.argv[1:]
    budget._AFTER_SECONDS = float(after)
    budgets = budgets_of(int(limit), redis)
    found = spend(url, budgets, int(calls), float(total))
    print(found["answered"], found["refused"], budgets.failures)
