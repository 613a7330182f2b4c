"""What a call cost, line by line."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

CostStatus: TypeAlias = Literal["priced", "no_usage", "model_not_in_catalogue", "no_price"]


class CostLine(msgspec.Struct, frozen=True, kw_only=True):
    """
    One component of a cost.

    Attributes:
        component: `input` (what neither came from a cache nor went to one), `cache_read`, `cache_write`,
            `cache_write_1h`, `audio_input`, `output` (without what stands apart), `reasoning`, `audio_output`,
            `request`, or the provider's name of a tool of its own.
        quantity: Tokens, or uses.
        rate: USD per million tokens, or per thousand uses.
        usd: What it costs, exactly.
    """

    component: str
    quantity: int
    rate: Decimal
    usd: Decimal


class Cost(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a call cost, or will cost.

    Attributes:
        usd: The sum of the lines, or what the provider says; None when it is not known, and never a made-up zero.
        status: `priced`, or why there is no cost.
        lines: One for each component; none where the provider told the sum.
        source: `provider`, `catalogue`, `override`, or the name of a price list.
        revision: Day or version of the price list.
        note: What is missing, in words.
    """

    usd: Decimal | None = None
    status: CostStatus = "no_price"
    lines: tuple[CostLine, ...] = ()
    source: str | None = None
    revision: str | None = None
    note: str | None = None
