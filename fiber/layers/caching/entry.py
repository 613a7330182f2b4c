"""What a cache keeps of an answer, as bytes. Only values are made of them, never code or classes of their choice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import msgspec

from fiber._chain import Call
from fiber._errors import FiberError
from fiber._reply import Reply
from fiber.types.receipt import Receipt
from fiber.types.replay import Replay
from fiber.types.result import ChatResult

_WHOLE = ("stop", "tool_calls")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """
    A kept answer.

    Attributes:
        key: Its name, once more, so that it cannot be given out under another.
        fresh_until: Seconds since 1970.
    """

    version: Literal[1] = 1
    key: str
    fresh_until: float
    result: ChatResult


def packed(call: Call, key: str, result: Any, *, fresh_until: float) -> bytes | None:
    """Return the entry of *result* as bytes; None when it is not whole, or not what was asked for."""
    if not isinstance(result, ChatResult) or any(choice.finish_reason not in _WHOLE for choice in result.choices):
        return None
    if call.operation.repaired(result) is not None:
        return None
    # Headers tell of that one exchange, limits and all; the receipt and the value are made anew.
    kept = msgspec.structs.replace(result, headers={}, receipt=Receipt(), parsed=None)
    return msgspec.msgpack.encode(Entry(key=key, fresh_until=fresh_until, result=kept))


def unpacked(content: bytes, key: str) -> Entry | None:
    """Return the entry that *content* is; None when it is damaged, of another version, or another's."""
    try:
        entry = msgspec.msgpack.decode(content, type=Entry)
    except (ValueError, RecursionError, FiberError):
        return None
    return entry if entry.key == key else None


def replied(call: Call, result: ChatResult) -> Reply:
    """Return *result* as the answer to *call*: marked, free, and as events where a stream is asked for."""
    usage = msgspec.structs.replace(result.usage, cost_usd=Decimal(0), cost_status="priced")
    hit = msgspec.structs.replace(result, cached=True, usage=usage)
    return Reply(hit, Replay(hit)) if call.stream else Reply(hit)


def counts(result: ChatResult) -> dict[str, int | None]:
    """Return the tokens that a hit of *result* saves, to be told."""
    usage = result.usage
    return {"tokens_in": usage.input_tokens, "tokens_out": usage.output_tokens, "tokens_total": usage.total_tokens}
