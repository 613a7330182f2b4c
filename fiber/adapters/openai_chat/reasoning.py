"""
How much the model thinks, in the three ways that compatible servers have of saying it.

Sources, read 2026-11-20: https://platform.openai.com/docs/guides/reasoning (`reasoning_effort`),
https://openrouter.ai/docs/use-cases/reasoning-tokens (`reasoning`),
https://api-docs.deepseek.com/guides/thinking_mode (`thinking`).
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.openai_chat.models import refused_effort
from fiber.adapters.parameters import refuse
from fiber.types.efforts import nearest_effort
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ReasoningOptions


def place_reasoning(
    body: dict[str, Any], wanted: ReasoningOptions, request: ChatRequest, target: Target, notes: list[Note]
) -> None:
    """
    Put *wanted* in *body*, as the row says it.

    Raises:
        FiberCapabilityError: The row cannot be told, and `on_unsupported` is `raise`.
    """
    style = target.quirks.reasoning
    if style == "hook":
        return
    if style == "object":
        _as_object(body, wanted, target, notes)
        return
    off = style == "thinking" and (wanted.effort == "none" or wanted.budget_tokens == 0)
    if off:
        body["thinking"] = {"type": "disabled"}
    elif wanted.budget_tokens is not None:
        why = "Chat Completions has no thinking budget; use effort"
        refuse(request, target, notes, "reasoning budget_tokens", why)
    if wanted.summary is not None:
        why = "Chat Completions has no such switch: OpenAI shows no thinking here, others always do"
        notes.append(Note("dropped", "reasoning summary", why))
    if off or wanted.effort is None:
        return
    if (why_not := refused_effort(request, target) or _always_thinks(wanted.effort, target)) is not None:
        refuse(request, target, notes, "reasoning effort", why_not)
    else:
        body["reasoning_effort"] = _nearest(wanted.effort, target, notes)


def _as_object(body: dict[str, Any], wanted: ReasoningOptions, target: Target, notes: list[Note]) -> None:
    said: dict[str, Any] = {}
    if wanted.effort == "none" or wanted.budget_tokens == 0:
        said["enabled"] = False
    elif wanted.budget_tokens is not None:
        said["max_tokens"] = wanted.budget_tokens
        if wanted.effort is not None:
            notes.append(Note("dropped", "reasoning effort", "budget_tokens says it; there may be one of them"))
    elif wanted.effort is not None:
        said["effort"] = _nearest(wanted.effort, target, notes)
    if wanted.summary is not None:
        said["exclude"] = not wanted.summary
    body["reasoning"] = said


def _always_thinks(effort: str, target: Target) -> str | None:
    efforts = target.quirks.efforts
    if effort != "none" or not efforts or effort in efforts:
        return None
    return f"it has no such effort here, only {', '.join(efforts)}"


def _nearest(effort: str, target: Target, notes: list[Note]) -> str:
    """Return *effort*, or the nearest one that the row knows."""
    efforts = target.quirks.efforts
    nearest = nearest_effort(effort, efforts) if efforts else effort
    if nearest != effort:
        notes.append(Note("mapped", "reasoning effort", f"{effort!r} is sent as {nearest!r}, for {target.provider}"))
    return nearest
