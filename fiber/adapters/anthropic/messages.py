"""
From the conversation to `system` and `messages`.

Every system and developer message is kept, in order. The results that answer a turn stand in one
user message, all of them before any text, for anything else is a 400.
Documentation: https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from fiber.adapters.anthropic.cache_hints import Block, mark_last
from fiber.adapters.anthropic.parts import Context, block_of, plain
from fiber.adapters.claude_prefill import without_prefill
from fiber.adapters.history import is_spoken
from fiber.types.content import ToolResult
from fiber.types.http import Note
from fiber.types.messages import ChatMessage

_SYSTEM = ("system", "developer")


class _Turn(NamedTuple):
    """One wire message: tool results apart from everything else."""

    role: str
    results: list[Block]
    blocks: list[Block]


def conversation(context: Context) -> tuple[str | list[Block] | None, list[dict[str, Any]]]:
    """
    Return `system` and `messages`.

    Raises:
        FiberCapabilityError: Something cannot be sent, and `on_unsupported` is `raise`.
    """
    messages = without_prefill(context.request, context.target, context.model, context.notes)
    leading = 0
    while leading < len(messages) and messages[leading].role in _SYSTEM:
        leading += 1
    system: list[Block] = []
    for message in messages[:leading]:
        system += _blocks(message, context)
    if is_spoken(messages[leading:]):
        said = [{"role": message.role, "content": message.content} for message in messages[leading:]]
        return plain(system) if system else None, said
    turns: list[_Turn] = []
    for message in messages[leading:]:
        if message.role in _SYSTEM and not context.model.late_system:
            system += _blocks(message, context)
            why = "this model takes it only in front of the conversation; moved there"
            context.notes.append(Note("mapped", "system message", why))
        elif (turn := _turn(message, context)) is not None:
            turns.append(turn)
    wire = [
        {"role": turn.role, "content": plain(turn.results + turn.blocks)} for turn in _grouped(turns, context.notes)
    ]
    return plain(system) if system else None, wire


def _turn(message: ChatMessage, context: Context) -> _Turn | None:
    if message.role in _SYSTEM:
        turn = _Turn("system", [], _blocks(message, context))
    else:
        role = "assistant" if message.role == "assistant" else "user"
        results: list[Block] = []
        others: list[Block] = []
        for part, block in _made(message, context):
            (results if isinstance(part, ToolResult) else others).append(block)
        # The hint belongs to the end of the message as it will stand: results first.
        mark_last(others or results, message.cache_hint, context.notes)
        turn = _Turn(role, results, others)
    # A message with nothing in it is a 400; what was in it has its notes.
    return turn if turn.results or turn.blocks else None


def _blocks(message: ChatMessage, context: Context) -> list[Block]:
    blocks = [block for _, block in _made(message, context)]
    mark_last(blocks, message.cache_hint, context.notes)
    return blocks


def _made(message: ChatMessage, context: Context) -> list[tuple[Any, Block]]:
    if message.name is not None:
        context.notes.append(Note("dropped", "name", "the Messages API has no names on messages"))
    made = ((part, block_of(part, message.role, context)) for part in message.parts)
    return [(part, block) for part, block in made if block is not None]


def _grouped(turns: list[_Turn], notes: list[Note]) -> list[_Turn]:
    """Join neighbouring user turns when one holds tool results; the server joins the others."""
    grouped: list[_Turn] = []
    for role, neighbours in groupby(turns, key=attrgetter("role")):
        run = list(neighbours)
        if role != "user" or len(run) == 1 or not any(turn.results for turn in run):
            grouped += run
            continue
        if any(first.blocks and then.results for first, then in pairwise(run)):
            why = "tool results were put before the text of their turn"
            notes.append(Note("mapped", "messages", why))
        results = [block for turn in run for block in turn.results]
        grouped.append(_Turn(role, results, [block for turn in run for block in turn.blocks]))
    return grouped
