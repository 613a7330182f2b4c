"""What a request will cost, about: its tokens estimated, at the price of the day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fiber.registry.catalog import ModelCatalog
from fiber.registry.cost import priced
from fiber.registry.prices import PriceSource
from fiber.registry.tokens import tokens_of
from fiber.types.cost import Cost
from fiber.types.receipt import Usage
from fiber.types.request import ChatRequest

_ANSWER_TOKENS = 1000
"""Output to count with where nobody says how long the answer may be."""


def estimated(
    request: ChatRequest,
    provider: str,
    model: str,
    *,
    at: datetime,
    catalog: ModelCatalog,
    sources: Iterable[PriceSource] = (),
    max_tokens: int | None = None,
) -> Cost:
    """
    Return what *request* costs at *model*, about; `usd` is None where no price is known.

    Args:
        sources: Price lists that are asked before the *catalog*.
        max_tokens: Output to count with; that of the request when not given, else 1000, or what the model can at most.
    """
    limit = max_tokens or request.max_tokens
    if limit is None:
        limit = min(_ANSWER_TOKENS, catalog.max_output(provider, model) or _ANSWER_TOKENS)
    usage = Usage(input_tokens=tokens_of(request, model), output_tokens=limit)
    return priced(usage, (*sources, catalog), provider, (model,), at, tier=request.service_tier or "")
