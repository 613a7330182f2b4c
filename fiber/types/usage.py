"""What one call took, as a line of the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import msgspec

from fiber.types.cost import CostStatus

Plain: TypeAlias = str | int | float | bool | None
"""What a bound field is kept as; anything else becomes a text."""


class UsageRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One logical call, all its attempts included; never what was said in it.

    Attributes:
        id: The call's, as `receipt_id` of its receipt; what is written twice under one id is one record.
        time: When the call ended, UTC.
        operation: `chat`, or `request` for raw requests.
        provider, model: Who was asked last; of a hit in the cache, who would have been asked.
        alias, profile: What was asked for when it was an alias, and the profile of the lockfile in which it stands.
        stream: It was a stream.
        outcome: `complete`, `truncated`, `error` or `cancelled`.
        error: Class of the error, or `cancelled`, or `error` for that of a stranger; empty when all went well.
        attempts: HTTP exchanges.
        latency_ms: Milliseconds from the call to its end.
        ttfb_ms: Milliseconds to the first event with content; streams only.
        request_id: The provider's.
        cached: It came from a cache of ours, and used nothing.
        input_tokens, output_tokens: All input and all output; None where nobody told.
        cached_tokens: Part of the input that the provider read from its cache.
        cache_write_tokens: Part of the input that went to it.
        reasoning_tokens: Part of the output.
        cost_usd: What it cost, exactly; None when that is not known, and `cost_status` says why.
        saved_usd: What a hit in the cache would have cost now.
        origin, conversation_id, tenant, user, session: Bound fields of these names, or of the last three with `_id`.
        label: Label of the call.
        metadata: All other bound fields.
    """

    id: str
    time: datetime
    operation: str = "chat"
    provider: str = ""
    model: str = ""
    alias: str = ""
    profile: str = ""
    stream: bool = False
    outcome: str = "complete"
    error: str = ""
    attempts: int = 0
    latency_ms: float = 0.0
    ttfb_ms: float | None = None
    request_id: str | None = None
    cached: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: Decimal | None = None
    cost_status: CostStatus = "no_usage"
    saved_usd: Decimal | None = None
    origin: str = ""
    label: str = ""
    conversation_id: str = ""
    tenant: str = ""
    user: str = ""
    session: str = ""
    metadata: Mapping[str, Plain] = {}


FIELDS = UsageRecord.__struct_fields__
"""Names of columns, in their order."""
