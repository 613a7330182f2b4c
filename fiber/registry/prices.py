"""
Rates: what is asked of a price list, and what it answers.

A `PriceSource` is anything with `rates(query)`: the catalogue, a `PriceTable` of your own, an adapter of yours to
another list. Prices never influence a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Any, Protocol, runtime_checkable

import msgspec

from fiber._errors import FiberValidationError
from fiber.registry.entries import PriceRow, entry_of
from fiber.registry.naming import reference, spellings

EXACT = Context(prec=60)
"""Enough digits for every product of a rate and a count; the caller's own context may round."""

STANDARD = frozenset(("", "auto", "default", "standard", "on_demand"))
"""Words for the tier that costs what the list says. OpenAI: auto, default. Anthropic: standard. Groq: on_demand."""
PER_USE = frozenset(("request", "web_search", "file_search"))
"""Rates that are for a thousand uses; all others are for a million tokens."""
_SATURDAY = 5


class PriceQuery(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is asked of a price list.

    Attributes:
        provider: Row that answered.
        model: Model as the provider named it.
        at: Moment of the call.
        tier: Service tier, like `flex`; empty for the standard one.
        region: Region of processing, like `eu`, where it is known.
        input_tokens: All input, which long-context prices depend on.
    """

    provider: str
    model: str
    at: datetime
    tier: str = ""
    region: str = ""
    input_tokens: int = 0


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a price list answers.

    Attributes:
        usd: USD per million tokens (`input`, `output`, `cache_read`, `cache_write`, `cache_write_1h`, `reasoning`,
            `audio_input`, `audio_output`, `image_input`, `image_output`) or per thousand uses (`request`, `web_search`,
            `file_search`); empty when the model is known, but not its price.
        source: The list, for `Receipt.cost_source`.
        revision: Its version or day.
    """

    usd: Mapping[str, Decimal]
    source: str
    revision: str = ""


@runtime_checkable
class PriceSource(Protocol):
    """A price list; it does no I/O, for it is asked at the end of every call."""

    def rates(self, query: PriceQuery) -> Rates | None:
        """Return the rates that hold for *query*; None when the model is not known."""
        ...


class PriceTable:
    """
    A price list of your own: `PriceTable({"openai:gpt-6-sol": {"input": "1.6", "output": "8"}}, revision="contract")`.

    Args:
        rates: By `provider:model`, the rates of `Rates.usd`; strings, ints or Decimals, for a float is not exact.
        source: Name for the receipts.
        revision: Version for the receipts.

    Raises:
        FiberValidationError: A key has no provider, or a rate is no number.
    """

    def __init__(
        self, rates: Mapping[str, Mapping[str, Decimal | str | int]], *, source: str = "user", revision: str = ""
    ) -> None:
        self._rates = {_key(model): entry_of({"rates": said}, model).rates for model, said in rates.items()}
        self._source, self._revision = source, revision

    def __repr__(self) -> str:
        return f"PriceTable(models={len(self._rates)}, source={self._source!r}, revision={self._revision!r})"

    def rates(self, query: PriceQuery) -> Rates | None:
        """Return the rates of the model, whatever the day and the size; they are those of the standard tier only."""
        for name in spellings(query.model):
            if (found := self._rates.get((query.provider, name))) is not None:
                usd = found if query.tier in STANDARD else {}
                return Rates(usd=usd, source=self._source, revision=self._revision)
        return None


def held(rows: Iterable[PriceRow], query: PriceQuery, regions: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    """
    Return the rates of those *rows* that hold for *query*; none at all where the tier has none.

    A tier's rates stand over the standard ones, so that what it does not name costs what it always costs.
    """
    tier = "" if query.tier in STANDARD else query.tier
    found: Mapping[str, Decimal] = {}
    of_tier: Mapping[str, Decimal] | None = None
    for row in rows:
        if (not row.tier or row.tier == tier) and _holds(row, query):
            if row.tier:
                of_tier = row.rates
            else:
                found = row.rates
    if tier:
        found = {} if of_tier is None else {**found, **of_tier}
    times = regions.get(query.region)
    if times is None:
        return found
    return {name: EXACT.multiply(rate, times) if name not in PER_USE else rate for name, rate in found.items()}


def _holds(row: PriceRow, query: PriceQuery) -> bool:
    if row.above and query.input_tokens <= row.above:
        return False
    if row.start is None and not row.hours:
        return True
    at = query.at.astimezone(UTC)
    if row.start is not None and at.date() < row.start:
        return False
    if row.weekdays and at.weekday() >= _SATURDAY:
        return False
    begin, _, end = row.hours.partition("-")
    return not end or begin <= f"{at:%H:%M}" < end


def _key(model: str) -> tuple[str, str]:
    provider, name = reference(model, words=repr(model), parameter="rates")
    return provider, name.lower()


def sources_of(said: Any) -> tuple[PriceSource, ...]:
    """
    Return *said*, one price source or several, as a tuple.

    Raises:
        FiberValidationError: Something in it is no price source.
    """
    found = (said,) if hasattr(said, "rates") else tuple(said or ())
    for source in found:
        if not callable(getattr(source, "rates", None)):
            raise FiberValidationError(
                f"{source!r} is no price source: it needs a method rates(query), as PriceTable has.",
                parameter="prices",
                outcome="not_sent",
            )
    return found
