"""
Prompt caching: `cache_hint` becomes `cache_control` on blocks, within the API's rules.

At most four breakpoints, in the order tools, system, messages; no 1-hour one after a 5-minute one.
Documentation: https://platform.claude.com/docs/en/build-with-claude/prompt-caching.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fiber.adapters.anthropic.schema import members_of, string
from fiber.types.content import CacheHint
from fiber.types.http import Note

Block = dict[str, Any] | msgspec.Raw

_MOST = 4
_UNMARKABLE = ("thinking", "redacted_thinking")


def mark(block: Block, hint: CacheHint | None) -> Block:
    """Return *block* as a breakpoint, when there is a *hint*."""
    if hint is None:
        return block
    members = block if isinstance(block, dict) else members_of(bytes(block)) or {}
    control = {"type": "ephemeral"} if hint == "ephemeral" else {"type": "ephemeral", "ttl": "1h"}
    return {**members, "cache_control": control}


def mark_last(blocks: list[Block], hint: CacheHint | None, notes: list[Note]) -> None:
    """Make the last block that may be one a breakpoint; thinking may not."""
    if hint is None:
        return
    for position in reversed(range(len(blocks))):
        if _kind(blocks[position]) not in _UNMARKABLE:
            blocks[position] = mark(blocks[position], hint)
            return
    notes.append(Note("dropped", "cache_hint", "the message has no block that can carry it"))


def hold_to_limits(body: dict[str, Any], notes: list[Note]) -> None:
    """Keep the last four breakpoints of *body*, and put no 1-hour one behind a 5-minute one."""
    marked = list(_marked(body))
    if too_many := marked[:-_MOST]:
        for block in too_many:
            del block["cache_control"]
        why = f"{len(too_many)} of {len(marked)}: the API takes four, the last four were kept"
        notes.append(Note("dropped", "cache_hint", why))
    later_is_long = False
    for block in reversed(marked[-_MOST:]):
        if "ttl" in block["cache_control"]:
            later_is_long = True
        elif later_is_long:
            block["cache_control"] = {"type": "ephemeral", "ttl": "1h"}
            why = "'ephemeral' before an 'extended' hint sent as 'extended': 1 hour must come first"
            notes.append(Note("mapped", "cache_hint", why))


def _marked(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    contents = [body.get("tools"), body.get("system")]
    contents += [message["content"] for message in body["messages"]]
    for content in contents:
        if isinstance(content, list):
            yield from (b for b in content if isinstance(b, dict) and "cache_control" in b)


def _kind(block: Block) -> str:
    if isinstance(block, dict):
        kind = block.get("type", "")
        return kind if isinstance(kind, str) else string({"type": kind}, "type")
    return string(members_of(bytes(block)) or {}, "type")
