"""
From `ReasoningOptions` to what each vendor's models call it.

Documentation: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-reasoning.html; see `models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fiber.adapters.bedrock_converse.parts import Context
from fiber.adapters.claude_thinking import plan, sent_effort
from fiber.adapters.parameters import merge, put, refuse
from fiber.types.http import Note


class Thought(NamedTuple):
    """What is sent: members of `additionalModelRequestFields`, and Converse's own effort."""

    fields: Mapping[str, Any] = {}
    effort: str | None = None


def reasoned(context: Context) -> Thought:
    """
    Decide how the model thinks.

    Raises:
        FiberCapabilityError: The model cannot, and `on_unsupported` is `raise`.
    """
    request, target, vendor, notes = context.request, context.target, context.vendor, context.notes
    options = request.reasoning
    if options is None:
        return Thought()
    if vendor.is_claude:
        planned = plan(request, target, context.model, notes)
        return Thought({} if planned.thinking is None else {"thinking": planned.thinking}, planned.effort)
    if options.effort == "none" or options.budget_tokens == 0:
        if vendor.off is None:
            refuse(request, target, notes, "reasoning", "what turns it off on this model is not known")
        return Thought(vendor.off or {})
    if not vendor.efforts:
        why = "this model's own name for it is not known; if there is one, say extra_body"
        refuse(request, target, notes, "reasoning", why)
        return Thought()
    if options.budget_tokens is not None:
        why = "this model takes an effort instead of a number of tokens"
        refuse(request, target, notes, "reasoning.budget_tokens", why)
    if options.summary is not None:
        notes.append(Note("dropped", "reasoning.summary", "this model has no such switch"))
    if (effort := sent_effort(options.effort, vendor.efforts, notes)) is None:
        return Thought()
    fields: dict[str, Any] = {}
    put(fields, vendor.effort, effort)
    return Thought(merge(fields, vendor.beside))
