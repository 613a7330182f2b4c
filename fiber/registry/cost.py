"""From counts and rates to a cost: exact, line by line, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from fiber.registry.prices import EXACT, PER_USE, PriceQuery, PriceSource, Rates
from fiber.types.cost import Cost, CostLine
from fiber.types.receipt import Usage

FEES = {
    # Uses of the provider's own tools, by its name for them, with the rate; free where it is empty.
    "web_search_requests": "web_search",  # Anthropic
    "web_fetch_requests": "",  # Anthropic: only the tokens of what is fetched
    "web_search": "web_search",  # OpenAI
    "file_search": "file_search",  # OpenAI
}
ZERO = Decimal(0)


@dataclass(slots=True)
class Invoice:
    """Lines in the making, and what has no rate."""

    rates: Rates
    lines: list[CostLine] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def charge(self, component: str, quantity: int, rate: str) -> None:
        """Add a line, when there is something to charge."""
        if not quantity:
            return
        usd = self.rates.usd.get(rate)
        if usd is None:
            self.missing.append(component)
            return
        total = EXACT.scaleb(EXACT.multiply(usd, quantity), -3 if rate in PER_USE else -6)
        self.lines.append(CostLine(component=component, quantity=quantity, rate=usd, usd=total))

    def charge_parts(self, whole: str, count: int, *parts: tuple[str, int | None]) -> None:
        """
        Add lines for *parts* of *count* that have rates of their own, and one for the rest.

        Reasoning is charged as output where it has no rate; whatever else has none stays in the rest, because the
        list has one rate for both.
        """
        for part, quantity in parts:
            if not quantity:
                continue
            rate = part if part in self.rates.usd else whole if part == "reasoning" else ""
            if rate:
                held = min(quantity, count)
                self.charge(part, held, rate)
                count -= held
        self.charge(whole, count, whole)


def cost_of(usage: Usage, rates: Rates) -> Cost:
    """
    Return what *usage* costs at *rates*.

    Where the provider says what it bills (Cohere), that is what counts. A cost is whole or it is None: a component
    without a rate is named in `note`.
    """
    given = usage.input_tokens if usage.billed_input_tokens is None else usage.billed_input_tokens
    made = usage.output_tokens if usage.billed_output_tokens is None else usage.billed_output_tokens
    if given is None or made is None:
        missing = "input" if given is None else "output"
        return Cost(status="no_usage", note=f"the provider did not count the {missing} tokens")
    if not rates.usd:
        note = f"{rates.source} has no price of this model, tier and day"
        return Cost(status="no_price", source=rates.source, revision=rates.revision, note=note)
    invoice = Invoice(rates)
    long = usage.cache_write_1h_tokens or 0
    invoice.charge_parts(
        "input",
        given,
        ("cache_read", usage.cache_read_tokens),
        ("cache_write", (usage.cache_write_tokens or 0) - long),
        ("cache_write_1h", long),
        ("audio_input", usage.audio_input_tokens),
    )
    invoice.charge_parts(
        "output", made, ("reasoning", usage.reasoning_tokens), ("audio_output", usage.audio_output_tokens)
    )
    for tool, uses in usage.server_tool_uses.items() if usage.server_tool_uses else ():
        rate = FEES.get(tool, tool)
        if rate:
            invoice.charge(tool, uses, rate)
    if "request" in rates.usd:
        invoice.charge("request", 1, "request")
    if long and "cache_write_1h" not in rates.usd and "cache_write" in rates.usd:
        invoice.missing.append("cache_write_1h")
    if usage.image_tokens and {"image_input", "image_output"} & set(rates.usd):
        invoice.missing.append("image tokens, which are not told apart")
    if invoice.missing:
        note = f"{rates.source} has no rate for {', '.join(invoice.missing)}"
        return Cost(status="no_price", source=rates.source, revision=rates.revision, note=note)
    usd = ZERO
    for line in invoice.lines:
        usd = EXACT.add(usd, line.usd)
    lines = tuple(invoice.lines)
    return Cost(usd=usd, status="priced", lines=lines, source=rates.source, revision=rates.revision)


def priced(
    usage: Usage, sources: Iterable[PriceSource], provider: str, models: Iterable[str], at: datetime, **said: str
) -> Cost:
    """
    Return what *usage* cost: what the provider says, else by the first of *sources* that knows one of *models*.

    Args:
        models: The model as the provider named it, and as it was asked for.
        said: `tier` and `region`, where they are known.
    """
    if usage.cost_usd is not None:
        return Cost(usd=usage.cost_usd, status="priced", source="provider")
    if usage.input_tokens is None and usage.output_tokens is None:
        return Cost(status="no_usage", note="the provider counted nothing")
    names = [name for name in dict.fromkeys(models) if name]
    for source in sources:
        for model in names:
            size = usage.input_tokens or 0
            query = PriceQuery(provider=provider, model=model, at=at, input_tokens=size, **said)
            if (rates := source.rates(query)) is not None:
                return cost_of(usage, rates)
    known = " or ".join(repr(name) for name in names)
    return Cost(status="model_not_in_catalogue", note=f"no price list knows {known} of {provider}")
