"""
From the conversation to `system` and `messages`.

Every system and developer message is kept, in order. Neighbours of one role stand in one message, as turns have to
alternate, and the results that answer a turn come before any text.
Documentation: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-call.html.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from fiber.adapters.bedrock_converse.cache_points import Block, close
from fiber.adapters.bedrock_converse.parts import Context, blocks_of
from fiber.adapters.claude_prefill import without_prefill
from fiber.types.content import ToolResult
from fiber.types.http import Note
from fiber.types.messages import ChatMessage

_SYSTEM = ("system", "developer")


class _Turn(NamedTuple):
    """What one message says: tool results apart from everything else."""

    role: str
    results: list[Block]
    blocks: list[Block]


def conversation(context: Context) -> tuple[list[Block], list[dict[str, Any]]]:
    """
    Return `system` and `messages`.

    Raises:
        FiberCapabilityError: Something cannot be sent, and `on_unsupported` is `raise`.
    """
    messages = without_prefill(context.request, context.target, context.model, context.notes)
    leading = next((at for at, message in enumerate(messages) if message.role not in _SYSTEM), len(messages))
    system: list[Block] = []
    turns: list[_Turn] = []
    for at, message in enumerate(messages):
        turn = _turn(message, context)
        if turn.role != "system" or (at >= leading and _takes_late(context)):
            turns.append(turn)
            continue
        system += turn.blocks
        if at >= leading:
            why = "this model takes it only in front of the conversation; moved there"
            context.notes.append(Note("mapped", "system message", why))
    # A message with nothing in it is a 400; what was in it has its notes.
    said = [turn for turn in turns if turn.results or turn.blocks]
    return system, [{"role": turn.role, "content": turn.results + turn.blocks} for turn in _grouped(said, context)]


def _takes_late(context: Context) -> bool:
    return context.vendor.is_claude and context.model.late_system


def _turn(message: ChatMessage, context: Context) -> _Turn:
    if message.name is not None:
        context.notes.append(Note("dropped", "name", "Converse has no names on messages"))
    role = "system" if message.role in _SYSTEM else "assistant" if message.role == "assistant" else "user"
    turn = _Turn(role, [], [])
    for part in message.parts:
        made = blocks_of(part, message.role, context)
        (turn.results if isinstance(part, ToolResult) else turn.blocks).extend(made)
    # The hint belongs to the end of the message as it will stand: results first.
    close(turn.blocks or turn.results, message.cache_hint)
    return turn


def _grouped(turns: list[_Turn], context: Context) -> list[_Turn]:
    """Join neighbours of one role."""
    grouped: list[_Turn] = []
    for role, neighbours in groupby(turns, key=attrgetter("role")):
        run = list(neighbours)
        if any(first.blocks and then.results for first, then in pairwise(run)):
            why = "tool results were put before the text of their turn"
            context.notes.append(Note("mapped", "messages", why))
        results = [block for turn in run for block in turn.results]
        grouped.append(_Turn(role, results, [block for turn in run for block in turn.blocks]))
    return grouped
