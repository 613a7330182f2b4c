"""
What OpenAI's own models refuse on this endpoint: a table, longest prefix wins, unknown models are
permissive.

Sources: https://platform.openai.com/docs/guides/reasoning and the live-verified profiles of
pydantic-ai 2.68 (`profiles/openai.py`), read 2026-11-20. The table is used for the rows `openai`
and `azure` only (deployments on Azure are usually named after the model; one with a name of its own
is simply unknown).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from fiber.types.request import ChatRequest
from fiber.types.target import Target

_OWN = ("openai", "azure")
_SAMPLING = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
)


class Model(msgspec.Struct, frozen=True):
    """
    What a model family takes.

    Attributes:
        efforts: Accepted reasoning efforts; empty when nothing is known.
        thinks: Reasons when the request does not say otherwise.
        stop: Takes stop sequences while it reasons.
        breakpoints: Takes `prompt_cache_breakpoint` on content parts.
    """

    efforts: tuple[str, ...] = ()
    thinks: bool = False
    stop: bool = False
    breakpoints: bool = False


UNKNOWN = Model()
_LOW_TO_XHIGH = ("low", "medium", "high", "xhigh")
_OPTIONAL = ("none", *_LOW_TO_XHIGH)
_OFF = Model(_OPTIONAL)
_PRO = Model(("medium", "high", "xhigh"), thinks=True)
_CHAT = Model(("medium",), thinks=True)
_NEW = Model(_OPTIONAL, thinks=True, breakpoints=True)  # effort `max` only on Responses
_ALWAYS = Model(_LOW_TO_XHIGH, thinks=True, breakpoints=True)

MODELS: Mapping[str, Model] = {
    "o1": Model(("low", "medium", "high"), thinks=True, stop=True),
    "o3": Model(("low", "medium", "high"), thinks=True),
    "o4": Model(("low", "medium", "high"), thinks=True),
    "gpt-5": Model(("minimal", "low", "medium", "high"), thinks=True),
    "gpt-5-pro": Model(("high",), thinks=True),
    "gpt-5-chat": UNKNOWN,
    "gpt-5-search": UNKNOWN,
    "gpt-5.1": _OFF,
    "gpt-5.1-chat": _CHAT,
    "gpt-5.2": _OFF,
    "gpt-5.2-chat": _CHAT,
    "gpt-5.2-pro": _PRO,
    "gpt-5.3": _OFF,
    "gpt-5.3-chat": _CHAT,
    "gpt-5.4": _OFF,
    "gpt-5.4-chat": _CHAT,
    "gpt-5.4-pro": _PRO,
    "gpt-5.5": Model(_OPTIONAL, thinks=True),
    "gpt-5.5-chat": _CHAT,
    "gpt-5.5-pro": _PRO,
    "gpt-5.6": _NEW,
    "gpt-6-sol": _NEW,
    "gpt-6-luna": _NEW,
    "gpt-6-astra": _ALWAYS,
    "gpt-6.1-terra": _NEW,
    "gpt-6.1-sol": _ALWAYS,
}


def facts(target: Target) -> Model:
    """Look up what is known about the target's model; a prefix ends at the name's end or at `-`."""
    return _facts(target.model) if target.family in _OWN else UNKNOWN


@lru_cache(maxsize=1024)
def _facts(name: str) -> Model:
    while name:
        if (model := MODELS.get(name)) is not None:
            return model
        name = name.rpartition("-")[0]
    return UNKNOWN


def takes_breakpoints(target: Target) -> bool:
    """
    Say whether cache breakpoints may be sent; Azure's dated versions are not known to take them.
    """
    return target.family == "openai" and facts(target).breakpoints


def refused_effort(request: ChatRequest, target: Target) -> str | None:
    """
    Say why the model does not take the reasoning effort that was asked for, None when it does.
    """
    asked = request.reasoning.effort if request.reasoning is not None else None
    efforts = facts(target).efforts
    if asked is None or not efforts or asked in efforts:
        return None
    also = "; max exists only on the Responses API" if asked == "max" else ""
    return f"this model takes {', '.join(efforts)} on Chat Completions, not {asked}{also}"


def refused_parameters(request: ChatRequest, target: Target) -> dict[str, str]:
    """List the parameters that the model refuses in this request, each with the reason."""
    model = facts(target)
    asked = request.reasoning.effort if request.reasoning is not None else None
    if asked not in model.efforts:
        asked = None  # it will not be sent, so the default rules
    if not (model.thinks if asked is None else asked != "none"):
        return {}
    why = "this model refuses it while it reasons"
    if "none" in model.efforts:
        why += '; set reasoning effort "none" to use it'
    refused: dict[str, str] = dict.fromkeys(_SAMPLING, why)
    if not model.stop:
        refused["stop"] = why
    return refused
