"""
Token counts of the Messages API.

Its `input_tokens` are only those that neither came from the cache nor went to it: all input is the
sum of three.
Documentation: https://platform.claude.com/docs/en/build-with-claude/prompt-caching.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.assembly import usage_of
from fiber.adapters.jsons import count, total
from fiber.types.receipt import Usage

Counts = dict[str, Any]


def updated(counts: Counts, news: Any) -> Counts:
    """Return *counts* with what `message_delta` says: figures are cumulative, the last word wins."""
    if not isinstance(news, dict):
        return counts
    return {**counts, **{name: value for name, value in news.items() if value is not None}}


def usage_from(counts: Any) -> Usage:
    """Read a `usage` object; what is missing or odd is unknown."""
    if not isinstance(counts, dict):
        return usage_of()
    split = _object(counts, "cache_creation")
    written = count(counts.get("cache_creation_input_tokens"))
    if written is None:
        written = total(*(count(value) for value in split.values()))
    written_1h = count(split.get("ephemeral_1h_input_tokens"))
    if written_1h is not None and written is not None and written_1h > written:
        # Streams tell the split only at the start; what is more than the final sum is out of date.
        written_1h = None
    read = count(counts.get("cache_read_input_tokens"))
    fresh = count(counts.get("input_tokens"))
    all_input = None if fresh is None else total(fresh, written, read)
    output = count(counts.get("output_tokens"))
    tools = {name: count(uses) for name, uses in _object(counts, "server_tool_use").items()}
    return usage_of(
        input_tokens=all_input,
        output_tokens=output,
        total_tokens=None if all_input is None or output is None else all_input + output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=written_1h,
        reasoning_tokens=count(_object(counts, "output_tokens_details").get("thinking_tokens")),
        service_tier="fast" if counts.get("speed") == "fast" else _word(counts.get("service_tier")),
        region=_word(counts.get("inference_geo")),
        server_tool_uses={name: uses for name, uses in tools.items() if uses is not None} or None,
    )


def _word(said: Any) -> str | None:
    return said if isinstance(said, str) else None


def _object(counts: Counts, name: str) -> Counts:
    found = counts.get(name)
    return found if isinstance(found, dict) else {}
