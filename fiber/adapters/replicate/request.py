"""
From a `ChatRequest` to the request that makes a prediction; one builder for plain answers and streams.

Documentation: https://replicate.com/docs/reference/http#models.predictions.create, #predictions.create and
#deployments.predictions.create, November 2026. It is not asked to wait for the answer (`Prefer: wait`): who gives up
meanwhile would not know what to stop.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fiber.adapters.parameters import of_row, place, refuse, settle
from fiber.adapters.posting import post
from fiber.adapters.replicate.models import Inputs, inputs_of
from fiber.adapters.replicate.parameters import PARAMETERS
from fiber.adapters.replicate.prompt import Conversation
from fiber.types.http import HTTPRequest, Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ReasoningOptions

_NAMED = re.compile(r"(deployments/)?([^/:]+)/([^/:]+)")
_UNKNOWN = "what this model calls it is not known; say it in extra_body={'input': {...}}"
_EFFORTS = {"xhigh": "high", "max": "high"}
"""Efforts that are sent as another."""


def build_request(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """
    Build the request, without credentials.

    Raises:
        FiberCapabilityError: Something cannot be sent and `on_unsupported` is `raise`.
    """
    inputs = inputs_of(target.model)
    table = of_row(PARAMETERS, target)
    request, notes = settle(request, table, target, _refused(inputs))
    body: dict[str, Any] = {"input": Conversation(request, target, inputs, notes).members()}
    place(body, request, table)
    if request.max_tokens is not None:
        body["input"][inputs.limit] = request.max_tokens
    if request.stop is not None and (stop := _stop(request, target, notes)):
        body["input"]["stop_sequences"] = stop
    if request.reasoning is not None:
        body["input"].update(_thinking(request.reasoning, request, target, inputs, notes))
    if stream:
        body["stream"] = True
    return post(_url(target, body), body, request, notes, stream=False, target=target)


def _refused(inputs: Inputs) -> dict[str, str]:
    refused = dict.fromkeys(inputs.lacks, "the schema of this model at Replicate has no such input")
    if inputs.reasoning in ("", "unknown"):
        refused["reasoning"] = _UNKNOWN if inputs.reasoning else "this model does not think, or cannot be steered"
    return refused


def _url(target: Target, body: dict[str, Any]) -> str:
    """Return where predictions of the model are made; a version of one is named in *body* instead."""
    found = _NAMED.fullmatch(target.model)
    if found is None:
        body["version"] = target.model
        return f"{target.base_url}/predictions"
    kind, owner, name = found[1] or "models/", quote(found[2], safe=""), quote(found[3], safe="")
    return f"{target.base_url}/{kind}{owner}/{name}/predictions"


def _stop(request: ChatRequest, target: Target, notes: list[Note]) -> str:
    """Write the stop sequences as the one text with commas that they are."""
    sendable = []
    for sequence in request.stop or ():
        if "," in sequence:
            refuse(request, target, notes, f"stop {sequence!r}", "Replicate takes them in one text, divided by commas")
        else:
            sendable.append(sequence)
    return ",".join(sendable)


def _thinking(
    asked: ReasoningOptions, request: ChatRequest, target: Target, inputs: Inputs, notes: list[Note]
) -> dict[str, Any]:
    """Write how much to think in the inputs of the model's maker."""
    if asked.summary:
        refuse(request, target, notes, "reasoning.summary", "Replicate gives the answer only")
    budget = 0 if asked.effort == "none" else asked.budget_tokens
    if inputs.reasoning == "effort":
        if asked.budget_tokens:
            refuse(request, target, notes, "reasoning.budget_tokens", "this model takes an effort; use effort")
        effort = "none" if asked.budget_tokens == 0 else asked.effort
        if effort in _EFFORTS:
            notes.append(Note("mapped", "reasoning", f"effort {effort!r} sent as {_EFFORTS[effort]!r}"))
        return {"reasoning_effort": _EFFORTS.get(effort, effort)} if effort else {}
    if budget is None:
        switch = "extended_thinking" if inputs.reasoning == "claude" else "dynamic_thinking"
        if asked.effort is not None:
            notes.append(Note("mapped", "reasoning", f"effort {asked.effort!r} sent as {switch}, on or off"))
        return {switch: True}
    if inputs.reasoning == "gemini":
        return {"thinking_budget": budget}
    return {"extended_thinking": True, "thinking_budget_tokens": budget} if budget else {"extended_thinking": False}
