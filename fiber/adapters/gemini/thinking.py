"""
From `reasoning` to `thinkingConfig`: a level on Gemini 3 and later, a budget on 2.5, never both.

Documentation: https://ai.google.dev/gemini-api/docs/thinking. Facts as of google-genai 3.4.0,
November 2026.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.gemini.models import BUDGETS, SCALE, Facts, facts
from fiber.adapters.parameters import refuse
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ReasoningOptions


def thinking_config(request: ChatRequest, target: Target, notes: list[Note]) -> dict[str, Any]:
    """
    Return the `thinkingConfig` for *request*, empty when there is nothing to say.

    Raises:
        FiberCapabilityError: The model cannot do what was asked and `on_unsupported` is `raise`.
    """
    asked = request.reasoning
    if asked is None:
        return {}
    known = facts(target.model)
    if known.control == "none":
        if asked.effort not in (None, "none") or asked.budget_tokens or asked.summary:
            refuse(request, target, notes, "reasoning", "this model does not think")
        else:
            notes.append(Note("mapped", "reasoning", "nothing is sent: this model does not think"))
        return {}
    config: dict[str, Any] = {}
    if asked.effort == "none" or asked.budget_tokens == 0:
        _turn_off(config, request, target, notes, known)
    elif known.control == "level":
        _by_level(config, request, target, notes, known, asked)
    else:
        _by_budget(config, notes, known, asked)
    if asked.summary is not None:
        config["includeThoughts"] = asked.summary
    return config


def _turn_off(
    config: dict[str, Any],
    request: ChatRequest,
    target: Target,
    notes: list[Note],
    known: Facts,
) -> None:
    if known.can_be_off:
        config["thinkingBudget"] = 0
    elif known.control == "level" and SCALE[0] in known.levels:
        config["thinkingLevel"] = SCALE[0]
        notes.append(Note("mapped", "reasoning", "thinking cannot be turned off; MINIMAL is the least of it"))
    else:
        refuse(request, target, notes, "reasoning", "the thinking of this model cannot be turned off")


def _by_level(
    config: dict[str, Any],
    request: ChatRequest,
    target: Target,
    notes: list[Note],
    known: Facts,
    asked: ReasoningOptions,
) -> None:
    if asked.budget_tokens is not None:
        refuse(
            request,
            target,
            notes,
            "reasoning.budget_tokens",
            "Gemini 3 and later take an effort (a thinking level), not a number of tokens",
        )
    if asked.effort is None:
        return
    level = _nearest(asked.effort, known.levels)
    config["thinkingLevel"] = level
    if level != asked.effort.upper():
        detail = f"effort {asked.effort!r} is sent as {level}, the nearest level of this model"
        notes.append(Note("mapped", "reasoning", detail))


def _nearest(effort: str, levels: tuple[str, ...]) -> str:
    # "max" lies above the scale; between two levels that are equally near, the one that thinks more
    # is taken.
    wanted = SCALE.index(effort.upper()) if effort != "max" else len(SCALE)
    return min(levels, key=lambda level: (abs(SCALE.index(level) - wanted), -SCALE.index(level)))


def _by_budget(config: dict[str, Any], notes: list[Note], known: Facts, asked: ReasoningOptions) -> None:
    if asked.budget_tokens is not None:
        config["thinkingBudget"] = asked.budget_tokens
        if asked.effort is not None:
            detail = "budget_tokens is sent, for a budget and a level exclude each other"
            notes.append(Note("dropped", "reasoning.effort", detail))
    elif asked.effort is not None and known.control == "unknown":
        config["thinkingLevel"] = "XHIGH" if asked.effort == "max" else asked.effort.upper()
        if asked.effort == "max":
            notes.append(Note("mapped", "reasoning", "effort 'max' is sent as XHIGH"))
    elif asked.effort is not None:
        budget = BUDGETS.get(asked.effort, known.most)
        config["thinkingBudget"] = budget
        detail = f"effort {asked.effort!r} is sent as a thinking budget of {budget} tokens"
        notes.append(Note("mapped", "reasoning", detail))
