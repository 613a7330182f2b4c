"""What a request will cost, about."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fiber import ModelCatalog
from fiber.registry.estimating import estimated
from fiber.types.options import chat_request

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RATES = {"rates": {"input": "1000000", "output": "1000"}}
CATALOG = ModelCatalog(overrides={"openai:long": RATES, "openai:short": {**RATES, "max_output": 100}})


@pytest.mark.parametrize(
    ("model", "options", "most", "expected"),
    [
        ("long", {}, None, 8 + 1),
        ("short", {}, None, 8 + Decimal("0.1")),
        ("long", {"max_tokens": 3000}, None, 8 + 3),
        ("long", {"max_tokens": 3000}, 2000, 8 + 2),
        ("nobody-knows", {}, None, None),
    ],
)
def test_an_estimate_counts_input_and_the_longest_answer(
    model: str, options: dict[str, Any], most: int | None, expected: Any
) -> None:
    """A thousand tokens where nobody says how long it may be, or what the model makes at most."""
    request = chat_request("Hi", **options)
    cost = estimated(request, "openai", model, at=NOW, catalog=CATALOG, max_tokens=most)

    assert cost.usd == expected
