"""The price list of genai-prices."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fiber import FiberValidationError, GenaiPrices, ModelCatalog, PriceQuery, PriceSource, Usage
from fiber.registry.cost import cost_of
from tests.kit import scripted, whole

DAY = datetime(2026, 11, 21, 12, tzinfo=UTC)


def price(**rates: Any) -> SimpleNamespace:
    """Make prices as the package has them."""
    return SimpleNamespace(**rates)


STEPS = SimpleNamespace(
    base=Decimal(3),
    tiers=[SimpleNamespace(start=100, price=Decimal(6)), SimpleNamespace(start=200, price=Decimal(9))],
)
MODEL = SimpleNamespace(
    price_variants=[
        SimpleNamespace(when={"service_tier": "flex"}),
        SimpleNamespace(when={"processing": "batch"}),
        SimpleNamespace(when={"speed": "fast"}),
    ]
)


def prices_of(at: datetime, context: dict[str, str]) -> Any:
    """Return what the model costs."""
    assert at is DAY
    rates: dict[str, Any] = {"input_mtok": STEPS, "output_mtok": Decimal(15), "input_mchars": Decimal(1)}
    return price(**rates, cache_read_mtok=None if not context else Decimal(1), web_searches_kcount=Decimal(10))


MODEL.get_prices = prices_of


class Snapshot:
    """What the package knows."""

    from_auto_update = False
    timestamp = datetime(2027, 1, 2, tzinfo=UTC)

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def find_provider_model(self, model: str, provider: None, provider_id: str, url: None) -> tuple[None, Any]:
        """Find one model of two providers."""
        self.asked.append((provider_id, model))
        if model != "some-model" or provider_id not in ("google", "mine"):
            raise LookupError(model)
        return None, MODEL


@pytest.fixture
def snapshot(monkeypatch: pytest.MonkeyPatch) -> Snapshot:
    """Stand in for the package."""
    known = Snapshot()
    data = ModuleType("genai_prices.data_snapshot")
    data.get_snapshot = lambda: known  # type: ignore[attr-defined]
    package = ModuleType("genai_prices")
    monkeypatch.setitem(sys.modules, "genai_prices", package)
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", data)
    monkeypatch.setattr("fiber.registry.genai.find_spec", lambda name: name)
    monkeypatch.setattr("fiber.registry.genai.version", lambda name: "0.2.3")
    return known


def query(model: str = "some-model", provider: str = "gemini", **said: Any) -> PriceQuery:
    """Ask for a price."""
    return PriceQuery(provider=provider, model=model, at=DAY, **said)


@pytest.mark.parametrize(("tokens", "rate"), [(0, 3), (100, 3), (101, 6), (200, 6), (201, 9)])
def test_its_rates_are_given_in_our_words(snapshot: Snapshot, tokens: int, rate: int) -> None:
    """Those that hold for the size; what has no counterpart is left out."""
    rates = GenaiPrices().rates(query(input_tokens=tokens))

    assert rates is not None
    assert rates.usd == {"input": Decimal(rate), "output": Decimal(15), "web_search": Decimal(10)}
    assert (rates.source, rates.revision) == ("genai-prices", "0.2.3")


def test_updates_of_the_host_are_told(snapshot: Snapshot) -> None:
    """By their day."""
    snapshot.from_auto_update = True

    found = GenaiPrices().rates(query())

    assert found is not None
    assert found.revision == "0.2.3 of 2027-01-02"


@pytest.mark.parametrize(
    ("tier", "known"), [("flex", True), ("batch", True), ("default", True), ("priority", False), ("fast", False)]
)
def test_a_tier_has_its_own_prices_or_none(snapshot: Snapshot, tier: str, known: bool) -> None:
    """Never those of another tier."""
    rates = GenaiPrices().rates(query(tier=tier))

    assert rates is not None
    assert bool(rates.usd) is known
    assert ("cache_read" in rates.usd) is (tier in ("flex", "batch"))


def test_what_it_does_not_know_is_none(snapshot: Snapshot) -> None:
    """After every spelling of the name; rows of the caller have the names that he says."""
    assert GenaiPrices().rates(query("other")) is None
    assert GenaiPrices().rates(query(provider="proxy")) is None
    assert GenaiPrices({"proxy": "mine"}).rates(query(provider="proxy")) is not None
    assert snapshot.asked[0] == ("google", "other")


def test_it_is_a_price_source_of_a_client(snapshot: Snapshot) -> None:
    """Asked before the catalogue, which answers for the rest."""
    prices = GenaiPrices()
    fiber, _ = scripted(whole(), prices=prices)

    assert isinstance(prices, PriceSource)
    assert repr(prices) == "GenaiPrices(version='0.2.3')"
    assert fiber.sync.chat("Hi", model="gpt-5").receipt.cost_source == "catalogue"


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """When one is made, and not at the end of a call."""
    monkeypatch.setattr("fiber.registry.genai.find_spec", lambda name: None)

    with pytest.raises(FiberValidationError, match=r"fiber-llm\[prices\]") as caught:
        GenaiPrices()

    assert caught.value.parameter == "prices"


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-sonnet-4-5", "anthropic"),
        ("claude-sonnet-4-5-20250929", "anthropic"),
        ("gpt-5", "openai-responses"),
        ("gemini-2.5-pro", "vertex"),
        ("grok-4", "xai"),
        ("deepseek-chat", "deepseek"),
    ],
)
def test_the_package_itself_agrees_with_the_catalogue(model: str, provider: str) -> None:
    """Which was made of it: the same costs on the day of the catalogue, for small prompts and large."""
    pytest.importorskip("genai_prices")
    prices, catalog = GenaiPrices(), ModelCatalog()
    at = datetime.combine(catalog.revision, datetime.min.time(), UTC).replace(hour=12)

    for size in (1000, 500_000):
        asked = PriceQuery(provider=provider, model=model, at=at, input_tokens=size)
        usage = Usage(input_tokens=size, output_tokens=100, cache_read_tokens=10)
        theirs, ours = prices.rates(asked), catalog.rates(asked)
        assert theirs is not None
        assert ours is not None

        assert cost_of(usage, theirs).usd == cost_of(usage, ours).usd
        assert cost_of(usage, theirs).usd is not None
