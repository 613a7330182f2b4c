"""
Token counts of Converse.

Its `inputTokens` are only those that neither came from the cache nor went to it: all input is the sum of three.
Reasoning is not counted apart.
Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.assembly import usage_of
from fiber.adapters.jsons import count, total
from fiber.types.receipt import Usage


def usage_from(counts: Any) -> Usage:
    """Read a `usage` object; what is missing or odd is unknown."""
    if not isinstance(counts, dict):
        return usage_of()
    fresh, output = count(counts.get("inputTokens")), count(counts.get("outputTokens"))
    read, written = count(counts.get("cacheReadInputTokens")), count(counts.get("cacheWriteInputTokens"))
    all_input = None if fresh is None else total(fresh, read, written)
    tools = counts.get("serverToolUsage")
    uses = {name: count(number) for name, number in tools.items()} if isinstance(tools, dict) else {}
    return usage_of(
        input_tokens=all_input,
        output_tokens=output,
        total_tokens=None if all_input is None or output is None else all_input + output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=_of_one_hour(counts.get("cacheDetails")),
        server_tool_uses={name: number for name, number in uses.items() if number is not None} or None,
    )


def _of_one_hour(details: Any) -> int | None:
    if not isinstance(details, list):
        return None
    return total(
        *(count(each.get("inputTokens")) for each in details if isinstance(each, dict) and each.get("ttl") == "1h")
    )
