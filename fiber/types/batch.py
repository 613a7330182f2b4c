"""How far a batch is, and what it took."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Self

import msgspec

from fiber._errors import FiberError
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult
from fiber.types.sums import sum_usage


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """
    How far a batch is, after one of its items.

    Attributes:
        position: Place of the item among the requests, from 0.
        done: Items that are over, the failed ones among them.
        failed: Items that failed.
        total: How many there are; None when the requests have no length.
    """

    position: int
    done: int
    failed: int
    total: int | None


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """
    What the items of a batch took together: `BatchSummary.of(results)`, or `plus` as each result comes.

    Attributes:
        done: Items that are over, the failed ones among them.
        failed: Items that failed.
        errors: How many failed with which class of error.
        usage: Tokens and cost; of failed items what the provider told before they failed.
        unpriced: Items that were answered, and whose cost is not known: `usage.cost_usd` is without them.
        seconds: Sum of what each item took by itself.
    """

    done: int = 0
    failed: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    usage: Usage = Usage()
    unpriced: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, results: Iterable[ChatResult | FiberError]) -> Self:
        """Sum *results* up."""
        return reduce(cls.plus, results, cls())

    def plus(self, result: ChatResult | FiberError) -> Self:
        """Return this summary with one more result."""
        known = result.partial if isinstance(result, FiberError) else result
        usage = self.usage if known is None else sum_usage(self.usage, _plain(known.usage))
        if isinstance(result, FiberError):
            name = type(result).__name__
            return replace(
                self,
                done=self.done + 1,
                failed=self.failed + 1,
                errors={**self.errors, name: self.errors.get(name, 0) + 1},
                usage=usage,
                seconds=self.seconds + sum(one.waited_seconds + (one.seconds or 0.0) for one in result.attempts),
            )
        return replace(
            self,
            done=self.done + 1,
            usage=usage,
            unpriced=self.unpriced + (result.usage.cost_usd is None),
            seconds=self.seconds + (result.receipt.seconds or 0.0),
        )


def _plain(usage: Usage) -> Usage:
    """Return *usage* without what cannot be added."""
    return msgspec.structs.replace(usage, service_tier=None, region=None)
