"""
What differs from model to model: how thinking is steered, and whether sampling parameters are
taken.

Data only, found by the longest prefix of the model's name. A model that is not listed is taken at
the caller's word: what was asked is sent, and the provider answers.

Sources: https://ai.google.dev/gemini-api/docs/thinking (levels, budgets and their bounds); live
checks of levels published in pydantic-ai 2.68 (`MINIMAL` is a 400 where it is not listed here);
litellm 1.109.1 flags of models that take no sampling parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

SCALE = ("MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH")
"""Thinking levels, from least to most."""

_MIDDLE = ("LOW", "MEDIUM", "HIGH")


class Facts(NamedTuple):
    """
    What is known of a model.

    Attributes:
        control: `level` (Gemini 3 and later), `budget` (2.5), `none` (does not think), `unknown`.
        levels: Thinking levels that the model takes.
        can_be_off: Thinking can be turned off (by budget 0).
        most: Largest thinking budget, in tokens.
        sampling: Takes temperature, top_p and top_k.
    """

    control: Literal["level", "budget", "none", "unknown"] = "unknown"
    levels: tuple[str, ...] = SCALE
    can_be_off: bool = True
    most: int = 24576
    sampling: bool = True


UNKNOWN = Facts()

MODELS: Mapping[str, Facts] = {
    "gemini-1": Facts("none"),
    "gemini-2.0": Facts("none"),
    "gemini-2.5": Facts("budget"),
    "gemini-2.5-pro": Facts("budget", can_be_off=False, most=32768),
    "gemini-3": Facts("level", can_be_off=False),
    "gemini-3-pro": Facts("level", ("LOW", "HIGH"), can_be_off=False),
    "gemini-3.1-pro": Facts("level", _MIDDLE, can_be_off=False),
    "gemini-3.5-flash-lite": Facts("level", can_be_off=False, sampling=False),
    "gemini-3.6-flash": Facts("level", can_be_off=False, sampling=False),
    "gemini-3.7-flash": Facts("level", _MIDDLE, can_be_off=False, sampling=False),
    "gemini-3.8-flash": Facts("level", _MIDDLE, can_be_off=False, sampling=False),
    "gemini-4": Facts("level", _MIDDLE, can_be_off=False),
}

BUDGETS: Mapping[str, int] = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
"""
Effort as tokens, for models that take a budget; a higher effort is the model's largest budget.

Google maps the efforts of its OpenAI-compatible endpoint to 1K, 8K and 24K
(https://ai.google.dev/gemini-api/docs/openai). The exact numbers, that of `minimal` and the largest
budgets (`Facts.most`) are unconfirmed.
"""

_GENERATION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")


def bare(model: str) -> str:
    """Return the model's name without `models/` or any other folder before it."""
    return model.rpartition("/")[2]


@lru_cache(maxsize=1024)
def facts(model: str) -> Facts:
    """Return what is known of *model*."""
    name = bare(model)
    prefixes = [prefix for prefix in MODELS if name.startswith(prefix)]
    return MODELS[max(prefixes, key=len)] if prefixes else UNKNOWN


def generation(model: str) -> tuple[int, int] | None:
    """Return the model's generation, like `(2, 5)`; None when the name does not say."""
    found = _GENERATION.match(bare(model))
    return (int(found[1]), int(found[2] or 0)) if found else None


def is_modern(model: str) -> bool:
    """Say whether *model* is known to be Gemini 3 or later."""
    return (generation(model) or (0, 0)) >= (3, 0)


def is_before(model: str, *version: int) -> bool:
    """Say whether *model* is known to be older than *version*."""
    known = generation(model)
    return known is not None and known < version
