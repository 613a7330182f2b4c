"""
What the `input` of a model may hold; data only.

Each model has a schema of its own. Source: the schemas on https://replicate.com/{owner}/{name}/api/schema of the
models named below, as of November 2026. A model that is not listed is taken to have what most have, and all parameters
are sent to it: what it does not know it ignores, or refuses with 422.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

_SAMPLING = ("temperature", "top_p", "top_k", "stop", "seed", "frequency_penalty", "presence_penalty")


class Inputs(NamedTuple):
    """
    Names of the inputs of a model; an empty one says that it has none for this.

    Attributes:
        limit: For the longest answer.
        system: For the system prompt.
        messages: For a whole conversation.
        images: For pictures.
        one_image: There it takes a single one, and no list.
        reasoning: How thinking is steered: in an effort, by Claude's budget, or by Gemini's; `unknown` is not at all.
        lacks: Parameters that are no inputs of the model.
    """

    limit: str = "max_tokens"
    system: str = "system_prompt"
    messages: str = ""
    images: str = "image"
    one_image: bool = True
    reasoning: Literal["", "unknown", "effort", "claude", "gemini"] = "unknown"
    lacks: tuple[str, ...] = ()


UNKNOWN = Inputs()

_OPENAI = Inputs("max_completion_tokens", "system_prompt", "messages", "image_input", one_image=False)
_PENALIZED = _OPENAI._replace(reasoning="", lacks=("top_k", "stop", "seed"))
_THINKING = _OPENAI._replace(reasoning="effort", lacks=_SAMPLING)
_CLAUDE = Inputs(reasoning="claude", lacks=_SAMPLING)
_GEMINI = Inputs(
    "max_output_tokens",
    "system_instruction",
    images="images",
    one_image=False,
    reasoning="gemini",
    lacks=("top_k", "stop", "seed", "frequency_penalty", "presence_penalty"),
)
_LLAMA = Inputs(images="", reasoning="", lacks=("seed",))

MODELS: Mapping[str, Inputs] = {
    "anthropic/claude-": _CLAUDE,
    "anthropic/claude-3.5-": _CLAUDE._replace(reasoning=""),
    "google/gemini-": _GEMINI,
    "meta/llama-2-": _LLAMA._replace(limit="max_new_tokens", lacks=("frequency_penalty", "presence_penalty")),
    "meta/meta-llama-3": _LLAMA,
    "openai/gpt-4": _PENALIZED,
    "openai/gpt-5": _THINKING,
    "openai/o": _THINKING,
    "openai/o4-mini": _THINKING._replace(messages=""),
}
"""Inputs by the beginning of a model's name; the longest that fits holds."""


def inputs_of(model: str) -> Inputs:
    """Return the inputs of *model*."""
    fitting = [prefix for prefix in MODELS if model.startswith(prefix)]
    return MODELS[max(fitting, key=len)] if fitting else UNKNOWN
