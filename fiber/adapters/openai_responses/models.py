"""
What differs by model; data only, by longest prefix. A model that is not listed may do everything.

Sources:
    Sampling: OpenAI refuses sampling parameters while a model reasons; which models reason by
    default, and which can be told not to, is from pydantic/pydantic-ai `profiles/openai.py`
    (live-verified there, July to October 2026). Encrypted reasoning: asking for it is a 400
    "Encrypted content is not supported with this model" on models that do not reason
    (pydantic/pydantic-ai issues 2865 and 3326). Cache breakpoints: gpt-5.6 and later,
    https://platform.openai.com/docs/guides/prompt-caching, read 2026-11-20.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple


class Facts(NamedTuple):
    """
    One family.

    Attributes:
        reasons: `never`; `asked` (only when an effort is asked for); `unless_none` (unless the
            effort is `none`); `always`; `unknown`.
        breakpoints: Takes explicit prompt-cache breakpoints.
    """

    reasons: Literal["never", "asked", "unless_none", "always", "unknown"]
    breakpoints: bool = False


UNKNOWN = Facts("unknown")
_NEVER = Facts("never")
_ASKED = Facts("asked")
_ALWAYS = Facts("always")

FAMILIES: dict[str, Facts] = {
    "chatgpt-4o": _NEVER,
    "gpt-3.5": _NEVER,
    "gpt-4": _NEVER,
    "gpt-5": _ALWAYS,
    "gpt-5-chat": _NEVER,
    "gpt-5.1": _ASKED,
    "gpt-5.1-chat": _ALWAYS,
    "gpt-5.2": _ASKED,
    "gpt-5.2-chat": _ALWAYS,
    "gpt-5.2-pro": _ALWAYS,
    "gpt-5.3": _ASKED,
    "gpt-5.3-chat": _ALWAYS,
    "gpt-5.4": _ASKED,
    "gpt-5.4-pro": _ALWAYS,
    "gpt-5.5": Facts("unless_none"),
    "gpt-5.5-pro": _ALWAYS,
    "gpt-5.6": Facts("unless_none", breakpoints=True),
    "gpt-6-astra": Facts("always", breakpoints=True),
    "gpt-6-luna": Facts("unless_none", breakpoints=True),
    "gpt-6-sol": Facts("unless_none", breakpoints=True),
    "gpt-6.1-sol": Facts("always", breakpoints=True),
    "gpt-6.1-terra": Facts("unless_none", breakpoints=True),
    "o1": _ALWAYS,
    "o3": _ALWAYS,
    "o4-mini": _ALWAYS,
}


@lru_cache(maxsize=1024)
def facts(model: str) -> Facts:
    """
    Return what is known about *model*; the longest listed prefix wins, fine-tunes count as their
    base.
    """
    name = model.removeprefix("ft:")
    known = [prefix for prefix in FAMILIES if name.startswith(prefix)]
    return FAMILIES[max(known, key=len)] if known else UNKNOWN


def sampling_refused(model: str, effort: str | None) -> bool:
    """
    Say whether *model* refuses temperature, top_p and log probabilities at this reasoning effort.
    """
    match facts(model).reasons:
        case "always":
            return True
        case "unless_none":
            return effort != "none"
        case "asked":
            return effort not in (None, "none")
        case _:
            return False


def encrypts_reasoning(model: str) -> bool:
    """
    Say whether encrypted reasoning may be asked for; a vendor prefix (`openai/gpt-4o`) does not
    matter.
    """
    return facts(model.rpartition("/")[2]).reasons != "never"
