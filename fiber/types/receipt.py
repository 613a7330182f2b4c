"""What a call took: tokens, attempts, and the receipt of all of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from fiber.types.cost import CostLine, CostStatus


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Tokens of one call; None where the provider said nothing, never a made-up zero.

    `input_tokens` is all input (cached included), `output_tokens` all output (reasoning included);
    the other counts of tokens are parts of these two.

    Attributes:
        billed_input_tokens, billed_output_tokens: What is charged, where the provider says so beside what the model
            read and wrote (Cohere does not charge for its own prompt around yours).
        timings: Seconds that the provider measured, under its own names (Ollama, Replicate).
        service_tier, region: Where the request was served, in the provider's words, when it says so and the price
            may depend on it.
        cost_usd: What it cost; None when that is not known, and `cost_status` says why.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_tokens: int | None = None
    billed_input_tokens: int | None = None
    billed_output_tokens: int | None = None
    server_tool_uses: Mapping[str, int] | None = None
    timings: Mapping[str, float] | None = None
    service_tier: str | None = None
    region: str | None = None
    cost_usd: Decimal | None = None
    cost_status: CostStatus = "no_price"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One HTTP exchange of a call, numbered from 1; `key` is the number of its key in a pool, from 1."""

    number: int
    provider: str
    model: str
    status: int | None = None
    seconds: float | None = None
    error: str | None = None
    request_id: str | None = None
    waited_seconds: float = 0.0
    key: int | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What one call took; a record of it that stands alone, and holds nothing that was said.

    Attributes:
        receipt_id: The call's own; its business events have it as `call_id`. Empty where there was no call.
        ended_at: When the call had its answer, in UTC.
        provider, model: Who answered, and the model as it named it.
        usage: Tokens and cost, as on the result.
        cached: The answer came from a cache of ours; then `usage` is what it saved.
        alias, profile: What was asked for, when it was an alias, and the profile in which it was found.
        lockfile_digest: The `digest` of the lockfile that binds the alias.
        label: The call's.
        attempts: Every HTTP exchange, oldest first.
        seconds, first_event_seconds: From the call to its end, and of a stream to its first event with content.
        cost_usd: What the call cost, as `usage.cost_usd`.
        cost_source: `provider`, `catalogue`, `override`, or the name of a price list.
        cost_revision: Day or version of the price list.
        cost_lines: The components of the cost; none where the provider told the sum.
        cost_note: Why there is no cost, in words.
        dropped, mapped: Parameters and parts that were not sent, or sent as something else; each with why or what.
        possible_duplicate_charge: An attempt with unknown outcome was repeated.
    """

    receipt_id: str = ""
    ended_at: datetime | None = None
    provider: str = ""
    model: str = ""
    usage: Usage = Usage()
    cached: bool = False
    alias: str = ""
    profile: str = ""
    lockfile_digest: str = ""
    label: str = ""
    attempts: tuple[Attempt, ...] = ()
    seconds: float | None = None
    first_event_seconds: float | None = None
    cost_usd: Decimal | None = None
    cost_source: str | None = None
    cost_revision: str | None = None
    cost_lines: tuple[CostLine, ...] = ()
    cost_note: str | None = None
    dropped: tuple[str, ...] = ()
    mapped: tuple[str, ...] = ()
    possible_duplicate_charge: bool = False
