"""Whole replies: the parts in the order of the items, why the answer ended, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from fiber._errors import FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.assembly import Assembly, usage_of, with_partial
from fiber.adapters.failures import unreadable
from fiber.adapters.jsons import count, members, text
from fiber.adapters.openai_responses.errors import error_of
from fiber.adapters.openai_responses.items import OutputItems
from fiber.adapters.openai_responses.schema import REPLY, Reply, decode, raw_list
from fiber.types.http import HTTPHead
from fiber.types.numbers import is_number
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult, FinishReason
from fiber.types.target import Target

_INCOMPLETE: Mapping[str, FinishReason] = {
    "max_output_tokens": "length",
    "content_filter": "content_filter",
}
_TICKS_PER_USD = 10**10
"""xAI counts money in ticks: https://docs.x.ai/docs/key-information/consumption-and-rate-limits."""


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode one whole reply.

    Args:
        body: Shape `{"id": str, "status": str, "output": [item, ...], "usage": {...} | null,
            "error": null, ...}`.

    Raises:
        FiberProviderError: The body is an error, or its status is `failed`; `partial` has what was
            there.
        FiberParsingError: The body is not a reply at all.

    Source: https://platform.openai.com/docs/api-reference/responses/object, read 2026-11-20.
    """
    try:
        reply = decode(body, REPLY)
    except FiberParsingError:
        raise unreadable(head, target, body, "something that is no Responses reply") from None
    output = raw_list(reply.output)
    if output is None and reply.error is not None:
        raise error_of(jsons.decode_any(body), head, body, target)
    if output is None:
        raise unreadable(head, target, body, "JSON without an output")
    assembly = Assembly(head, target)
    items = OutputItems(assembly)
    items.tools = reply.tools
    assembly.start(text(reply.model), text(reply.id) or None)
    try:
        for index, raw in enumerate(output):
            items.end(raw, index)
    except FiberParsingError:
        raise unreadable(head, target, body, "an output that is no list of items") from None
    conclude(reply, items, assembly, body)
    if not output and text(reply.status) == "completed":
        raise unreadable(head, target, body, "an output without any item")
    return assembly.result(body=body)


def conclude(reply: Reply, items: OutputItems, assembly: Assembly, body: bytes) -> None:
    """
    Read what stands beside the output: model, usage, why it ended.

    Raises:
        FiberProviderError: The status is `failed`, or there is an error and no status that says
            otherwise.
    """
    assembly.start(text(reply.model), text(reply.id) or None)
    assembly.usage = usage(reply.usage, reply.tool_usage, reply.service_tier)
    status = text(reply.status)
    if status == "failed" or (reply.error is not None and status not in ("completed", "incomplete")):
        said = reply.error if reply.error is not None else "The response failed without saying why"
        error = error_of({"error": said}, assembly.head, body, assembly.target)
        raise with_partial(error, assembly.result(whole=False))
    if reply.input_transformations:
        what = msgspec.json.encode(reply.input_transformations).decode()[:300]
        assembly.warnings.append(f"The provider changed the input before reading it: {what}.")
    details = reply.incomplete_details
    cause = text(details.get("reason")) if isinstance(details, dict) else ""
    if status == "completed":
        assembly.finish("refusal" if items.refused else "stop", status)
    elif status == "incomplete":
        assembly.finish(_INCOMPLETE.get(cause, "other"), cause or status)
    elif status:
        assembly.finish("other", status)
        assembly.warnings.append(
            f"The response is not finished: its status is {status!r}. Fetch it by its id"
            f" ({assembly.response_id}) later, or ask without background."
        )
    elif items.refused:
        assembly.finish("refusal", None)


def usage(counts: Any, tools: Any, tier: Any = None) -> Usage:
    """
    Read token counts; input includes cached tokens and output includes reasoning already.

    Args:
        counts: `{"input_tokens", "input_tokens_details": {...}, "output_tokens", ...}`; null or odd
            is unknown.
        tools: `tool_usage`, what the provider's own tools did.
        tier: `service_tier`, which served the request.
    """
    if not isinstance(counts, dict):
        counts = {}
    read = members(counts.get("input_tokens_details"))
    written = members(counts.get("output_tokens_details"))
    by_age = members(read.get("cache_write_tokens_details"))
    return usage_of(
        input_tokens=count(counts.get("input_tokens")),
        output_tokens=count(counts.get("output_tokens")),
        total_tokens=count(counts.get("total_tokens")),
        cache_read_tokens=count(read.get("cached_tokens")),
        cache_write_tokens=count(read.get("cache_write_tokens")),
        # The longer of the two lifetimes: an hour elsewhere, twelve here.
        cache_write_1h_tokens=count(by_age.get("ttl_12h_tokens")),
        reasoning_tokens=count(written.get("reasoning_tokens")),
        audio_input_tokens=count(read.get("audio_tokens")),
        audio_output_tokens=count(written.get("audio_tokens")),
        service_tier=tier if isinstance(tier, str) else None,
        server_tool_uses=_tool_uses(counts, members(tools)),
        cost_usd=_cost(counts),
    )


def _tool_uses(counts: dict[str, Any], tools: dict[str, Any]) -> dict[str, int] | None:
    """
    OpenAI: `{"web_search": {"num_requests": n}}`. xAI: `server_side_tool_usage_details:
    {"web_search_calls": n}`.
    """
    uses = {name: count(members(said).get("num_requests")) for name, said in tools.items()}
    for name, said in members(counts.get("server_side_tool_usage_details")).items():
        uses[name.removesuffix("_calls")] = count(said)
    return {name: number for name, number in uses.items() if number} or None


def _cost(counts: dict[str, Any]) -> Decimal | None:
    """OpenRouter: `cost`. Perplexity: `cost.total_cost`. xAI: `cost_in_usd_ticks`."""
    ticks = counts.get("cost_in_usd_ticks")
    if isinstance(ticks, int):
        return Decimal(ticks) / _TICKS_PER_USD
    cost = counts.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    if not is_number(cost) and not isinstance(cost, str):
        return None
    try:
        exact = Decimal(str(cost))
    except InvalidOperation:
        return None
    return exact if exact.is_finite() else None
