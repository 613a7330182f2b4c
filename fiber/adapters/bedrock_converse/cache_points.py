"""
Prompt caching: `cache_hint` becomes a `cachePoint` behind what it closes, within the API's rules.

At most four, in the order tools, system, messages; no 1-hour one after a 5-minute one.
Documentation: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import msgspec

from fiber.types.content import CacheHint
from fiber.types.http import Note

Block: TypeAlias = dict[str, Any] | msgspec.Raw

_POINT = "cachePoint"
_MOST = 4


class _Place(NamedTuple):
    """Where a cache point stands."""

    blocks: list[Block]
    point: dict[str, Any]


def close(blocks: list[Block], hint: CacheHint | None) -> None:
    """Put a cache point behind *blocks*, when there is a *hint* and something to cache."""
    if hint is None or not blocks:
        return
    point = {"type": "default"} if hint == "ephemeral" else {"type": "default", "ttl": "1h"}
    last = blocks[-1]
    if isinstance(last, dict) and _POINT in last:
        last[_POINT] = point  # that of the message stands where that of its last part is
    else:
        blocks.append({_POINT: point})


def hold_to_limits(body: dict[str, Any], notes: list[Note]) -> None:
    """Keep the last four cache points of *body*, and put no 1-hour one behind a 5-minute one."""
    places = _places(body)
    if too_many := places[:-_MOST]:
        for place in too_many:
            place.blocks[:] = [block for block in place.blocks if _point(block) is not place.point]
        why = f"{len(too_many)} of {len(places)}: the API takes four, the last four were kept"
        notes.append(Note("dropped", "cache_hint", why))
    later_is_long = False
    for place in reversed(places[-_MOST:]):
        if "ttl" in place.point:
            later_is_long = True
        elif later_is_long:
            place.point["ttl"] = "1h"
            why = "'ephemeral' before an 'extended' hint sent as 'extended': 1 hour must come first"
            notes.append(Note("mapped", "cache_hint", why))


def _places(body: dict[str, Any]) -> list[_Place]:
    lists = [body.get("toolConfig", {}).get("tools", []), body.get("system", [])]
    lists += [message["content"] for message in body["messages"]]
    return [_Place(blocks, point) for blocks in lists for block in blocks if (point := _point(block)) is not None]


def _point(block: Block) -> dict[str, Any] | None:
    return block.get(_POINT) if isinstance(block, dict) else None
