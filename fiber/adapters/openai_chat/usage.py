"""
Token counts and cost, from the many spellings of one object.

`prompt_tokens` includes cached tokens everywhere seen. `completion_tokens` includes reasoning at
OpenAI and most others; at xAI, and in Gemini's answers through Copilot, it does not, which the
total tells.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from fiber.adapters.assembly import usage_of
from fiber.adapters.jsons import count, total
from fiber.types.numbers import is_number
from fiber.types.receipt import Usage

_USUAL = frozenset(
    ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details")
)
"""What OpenAI itself sends; who sends no other member has none of those that are looked for in the usage itself."""

_DETAILS = frozenset(
    (
        *("prompt_tokens_details", "prompt_token_details"),
        *("completion_tokens_details", "completion_token_details"),
    )
)
"""Members that are objects."""

_READ = (
    "prompt_cache_hit_tokens",  # DeepSeek
    "cached_tokens",  # Moonshot, Together
    "cache_read_input_tokens",  # Databricks
    "num_cached_tokens",  # Mistral
)
_TICKS_PER_USD = Decimal(10) ** 10  # https://docs.x.ai/docs/cost-tracking, read 2026-11-20


class _Prompt(msgspec.Struct):
    """Parts of the input."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _Completion(msgspec.Struct):
    """Parts of the output."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class _Counts(msgspec.Struct):
    """The members that most have; some leave the plural out."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _Prompt | None = None
    prompt_token_details: _Prompt | None = None
    completion_tokens_details: _Completion | None = None
    completion_token_details: _Completion | None = None


_NO_PROMPT, _NO_COMPLETION = _Prompt(), _Completion()


def read_usage(said: Mapping[str, Any], tier: Any = None) -> Usage:
    """Read the `usage` member of a reply, whose `service_tier` is *tier*; what is odd in it is unknown."""
    try:
        counts = msgspec.convert(said, _Counts)
    except msgspec.ValidationError:
        counts = msgspec.convert(_mended(said), _Counts)
    prompt = counts.prompt_tokens_details or counts.prompt_token_details or _NO_PROMPT
    completion = counts.completion_tokens_details or counts.completion_token_details or _NO_COMPLETION
    others: Mapping[str, Any] = {} if said.keys() <= _USUAL else said
    input_tokens, output_tokens, total_tokens = counts.prompt_tokens, counts.completion_tokens, counts.total_tokens
    read, reasoning, written = prompt.cached_tokens, completion.reasoning_tokens, prompt.cache_write_tokens
    if written is None:
        written = prompt.cache_creation_input_tokens
    if others:
        read = _first(others, _READ) if read is None else read
        written = _count(others, "cache_creation_input_tokens") if written is None else written
        reasoning = _count(others, "reasoning_tokens") if reasoning is None else reasoning
    if (
        reasoning
        and input_tokens is not None
        and output_tokens is not None
        and total_tokens == input_tokens + output_tokens + reasoning
    ):
        output_tokens += reasoning
    return usage_of(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        total_tokens=total_tokens,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
        audio_input_tokens=prompt.audio_tokens,
        audio_output_tokens=completion.audio_tokens,
        image_tokens=total(prompt.image_tokens, completion.image_tokens),
        service_tier=tier if isinstance(tier, str) else None,
        server_tool_uses=_server_tools(others) if others else None,
        cost_usd=_cost(others) if others else None,
    )


def _mended(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts of *said*, and of the objects in it, as numbers; what is none is left out."""
    mended = {name: _mended(value) if isinstance(value, dict) else count(value) for name, value in said.items()}
    return {name: value for name, value in mended.items() if isinstance(value, dict) == (name in _DETAILS)}


def _object(said: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        if isinstance(found := said.get(name), dict):
            return found
    return {}


def _count(said: Mapping[str, Any], name: str) -> int | None:
    return count(said.get(name))


def _first(said: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        if (value := _count(said, name)) is not None:
            return value
    return None


def _server_tools(said: Mapping[str, Any]) -> dict[str, int] | None:
    uses = _object(said, "server_tool_use_details", "server_tool_use")  # OpenRouter
    known = {name: number for name in uses if (number := _count(uses, name)) is not None}
    if (sources := _count(said, "num_sources_used")) is not None:  # xAI
        known["num_sources_used"] = sources
    return known or None


def _cost(said: Mapping[str, Any]) -> Decimal | None:
    """Read what the provider says it charged, in USD."""
    cost = said.get("cost")  # OpenRouter; Perplexity has an object
    if isinstance(cost, Mapping):
        cost = cost.get("total_cost")
    if cost is None:
        cost = said.get("estimated_cost")  # DeepInfra
    if (ticks := _count(said, "cost_in_usd_ticks")) is not None:  # xAI
        return Decimal(ticks) / _TICKS_PER_USD
    if is_number(cost) and math.isfinite(cost):
        return Decimal(str(cost))
    return None
