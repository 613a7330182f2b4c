"""
From `ReasoningOptions` to `thinking`, `output_config.effort` and the `max_tokens` they need.

Documentation: https://platform.claude.com/docs/en/build-with-claude/extended-thinking and /effort.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from fiber.adapters.claude_models import UNKNOWN, Model
from fiber.adapters.parameters import refuse
from fiber.types.efforts import nearest_effort
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_LEAST_BUDGET = 1024
_ROOM_FOR_ANSWER = 4096
# The budgets of pydantic-ai 2.68 for models without an effort; it has none above "high".
_BUDGETS = {
    "minimal": 1024,
    "low": 2048,
    "medium": 10_000,
    "high": 16_384,
    "xhigh": 16_384,
    "max": 16_384,
}


class Plan(NamedTuple):
    """What is sent: the `thinking` object, the effort, and `max_tokens`."""

    max_tokens: int
    thinking: dict[str, Any] | None = None
    effort: str | None = None


def plan(request: ChatRequest, target: Target, model: Model, notes: list[Note]) -> Plan:
    """
    Decide how the model thinks.

    Raises:
        FiberCapabilityError: The model cannot, and `on_unsupported` is `raise`.
    """
    limit = model.max_output if request.max_tokens is None else request.max_tokens
    options = request.reasoning
    if options is None:
        return Plan(limit)
    if options.effort == "none" or options.budget_tokens == 0:
        return _off(request, target, model, notes, limit)
    if model.thinking == "none":
        refuse(request, target, notes, "reasoning", "this model does not think")
        return Plan(limit)

    budget = options.budget_tokens
    if budget is not None and model.thinking == "adaptive":
        why = "this model takes an effort instead of a number of tokens"
        refuse(request, target, notes, "reasoning.budget_tokens", why)
        budget = None
    effort = sent_effort(options.effort, model.efforts, notes)
    if options.effort is not None and not model.efforts and budget is not None:
        notes.append(Note("dropped", "reasoning.effort", "budget_tokens says it on this model"))
    elif options.effort is not None and budget is None and model.thinking == "budget":
        budget = _BUDGETS[options.effort]
        detail = f"effort {options.effort!r} sent as budget_tokens {budget}"
        notes.append(Note("mapped", "reasoning", detail))

    thinking: dict[str, Any] | None = None
    if budget is not None:
        thinking, limit = _budgeted(request, target, model, notes, budget, limit)
    elif effort is not None or (options.summary is not None and model.thinks_unasked):
        thinking = {"type": "adaptive"}
    if options.summary is not None and thinking is not None:
        thinking["display"] = "summarized" if options.summary else "omitted"
    elif options.summary:
        why = "this model thinks only when an effort or budget_tokens asks for it"
        notes.append(Note("dropped", "reasoning.summary", why))
    return Plan(limit, thinking, effort)


def _off(request: ChatRequest, target: Target, model: Model, notes: list[Note], limit: int) -> Plan:
    options = request.reasoning
    wanted = None if options is None or options.effort == "none" else options.effort
    if model.off != "disabled":
        rest = (
            "; only the thinking between tool calls can be turned off, with"
            ' extra_body={"thinking": {"type": "between_tools"}}'
            if model.off == "between_tools"
            else ""
        )
        refuse(request, target, notes, "reasoning", f"this model always thinks{rest}")
        return Plan(limit, None, sent_effort(wanted, model.efforts, notes))
    efforts = tuple(effort for effort in model.efforts if effort in model.off_efforts)
    thinking = None if model.thinking == "none" else {"type": "disabled"}
    return Plan(limit, thinking, sent_effort(wanted, efforts, notes))


def sent_effort(effort: str | None, efforts: tuple[str, ...], notes: list[Note]) -> str | None:
    """Return *effort*, or the nearest one that the model has; None where it has none."""
    if effort is None or not efforts:
        return None
    nearest = nearest_effort(effort, efforts)
    if nearest != effort:
        notes.append(Note("mapped", "reasoning", f"effort {effort!r} sent as {nearest!r}"))
    return nearest


def _budgeted(
    request: ChatRequest, target: Target, model: Model, notes: list[Note], budget: int, limit: int
) -> tuple[dict[str, Any] | None, int]:
    """Hold the budget to the API's rule, 1024 <= budget < max_tokens."""
    wanted = budget
    budget = max(budget, _LEAST_BUDGET)
    if budget >= limit and request.max_tokens is None and model is UNKNOWN:
        limit = budget + _ROOM_FOR_ANSWER
    if limit <= _LEAST_BUDGET:
        why = f"max_tokens {limit} leaves no room for the least thinking budget, {_LEAST_BUDGET}"
        refuse(request, target, notes, "reasoning", why)
        return None, limit
    budget = min(budget, limit - 1)
    if budget != wanted:
        why = f"budget_tokens {wanted} sent as {budget}: it is at least 1024 and below max_tokens"
        notes.append(Note("mapped", "reasoning", why))
    return {"type": "enabled", "budget_tokens": budget}, limit
