"""
Token counts: `{"billed_units": {...}, "tokens": {...}, "cached_tokens"}`.

`tokens` is what the model read and wrote, Cohere's own prompt included; `billed_units` is what is
charged. Pictures are counted beside the text (recorded, cohere.chat of command-a-vision: two
pictures of 259 beside 501), and belong to the input here. Numbers may be fractions.
Documentation: https://docs.cohere.com/docs/how-does-cohere-pricing-work, read 2026-11-21.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.assembly import usage_of
from fiber.adapters.jsons import count, members, total
from fiber.types.receipt import Usage


def usage_from(said: Any) -> Usage:
    """Read the `usage` member; what is odd in it is unknown."""
    usage = members(said)
    tokens, billed = members(usage.get("tokens")), members(usage.get("billed_units"))
    words, images = count(tokens.get("input_tokens")), count(tokens.get("image_tokens"))
    charged, wrote = count(billed.get("input_tokens")), count(billed.get("output_tokens"))
    input_tokens = charged if words is None else total(words, images)
    output_tokens = count(tokens.get("output_tokens"))
    output_tokens = wrote if output_tokens is None else output_tokens
    known = input_tokens is not None and output_tokens is not None
    searches = count(billed.get("search_units"))
    return usage_of(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=total(input_tokens, output_tokens) if known else None,
        cache_read_tokens=count(usage.get("cached_tokens")),
        image_tokens=images,
        billed_input_tokens=charged,
        billed_output_tokens=wrote,
        server_tool_uses={"search_units": searches} if searches else None,
    )
