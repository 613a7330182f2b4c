"""The price list of the package genai-prices, as it is installed; nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from fiber._errors import FiberValidationError
from fiber.registry.naming import spellings
from fiber.registry.prices import STANDARD, PriceQuery, Rates

_THEIRS = {
    # Rows, each with its name there, where that is another.
    "azure-anthropic": "azure",
    "azure-dated": "azure",
    "azure-responses": "azure",
    "bedrock": "aws",
    "bedrock-anthropic": "aws",
    "bedrock-mantle": "aws",
    "bedrock-mantle-anthropic": "aws",
    "bedrock-mantle-responses": "aws",
    "gemini": "google",
    "gemini-openai": "google",
    "moonshot": "moonshotai",
    "openai-responses": "openai",
    "vertex": "google",
    "vertex-anthropic": "google",
    "vertex-openai": "google",
    "xai": "x-ai",
    "xai-chat": "x-ai",
}
RATES = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_reasoning_mtok": "reasoning",
    "input_audio_mtok": "audio_input",
    "output_audio_mtok": "audio_output",
    "input_image_mtok": "image_input",
    "output_image_mtok": "image_output",
    "web_searches_kcount": "web_search",
    "storage_searches_kcount": "file_search",
    "requests_kcount": "request",
}
"""What is charged per million tokens, or per thousand uses, there and here."""


class GenaiPrices:
    """
    The prices of genai-prices, for `Fiber(prices=GenaiPrices())`; a `PriceSource`.

    The package is imported when one is made. It has the data of its release; where the host has started the updates of
    that package, what they brought.

    Args:
        providers: Names of its providers by row, for rows of yours, like `{"my-proxy": "openai"}`.

    Raises:
        FiberValidationError: The package is not installed.
    """

    def __init__(self, providers: Mapping[str, str] | None = None) -> None:
        if find_spec("genai_prices") is None:
            raise FiberValidationError(
                "GenaiPrices needs the package genai-prices: pip install 'fiber-llm[prices]'.",
                parameter="prices",
                outcome="not_sent",
            )
        self._providers = {**_THEIRS, **(providers or {})}
        self._data: Any = import_module("genai_prices.data_snapshot")
        self._version = version("genai-prices")

    def __repr__(self) -> str:
        return f"GenaiPrices(version={self._version!r})"

    def rates(self, query: PriceQuery) -> Rates | None:
        """Return the rates that hold for *query*; None when the package does not know the model."""
        snapshot = self._data.get_snapshot()
        model = self._found(snapshot, query)
        if model is None:
            return None
        day = f" of {snapshot.timestamp:%Y-%m-%d}" if snapshot.from_auto_update else ""
        return Rates(usd=_rates(model, query), source="genai-prices", revision=f"{self._version}{day}")

    def _found(self, snapshot: Any, query: PriceQuery) -> Any:
        provider = self._providers.get(query.provider, query.provider)
        for name in spellings(query.model):
            try:
                return snapshot.find_provider_model(name, None, provider, None)[1]
            except LookupError:
                continue
        return None


def _rates(model: Any, query: PriceQuery) -> dict[str, Decimal]:
    """Return the rates of *model*; none for a tier that it has no prices of."""
    context: dict[str, str] = {}
    if query.tier not in STANDARD:
        context = {"processing": "batch"} if query.tier == "batch" else {"service_tier": query.tier}
        if all(variant.when != context for variant in model.price_variants or ()):
            return {}
    said: Mapping[str, Any] = vars(model.get_prices(query.at, context))
    return {
        RATES[name]: _at_size(price, query.input_tokens)
        for name, price in said.items()
        if name in RATES and price is not None
    }


def _at_size(price: Any, tokens: int) -> Decimal:
    """Return *price*, of one that depends on the size of the input what holds for *tokens*."""
    above = [tier.price for tier in getattr(price, "tiers", ()) if tokens > tier.start]  # they rise
    found: Decimal = above[-1] if above else getattr(price, "base", price)
    return found
