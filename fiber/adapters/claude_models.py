"""
What single models take, as data.

Sources, as of 2026-11-20: thinking, effort and tools from the profiles of pydantic-ai 2.68 (many
rows checked live by its authors); output caps and prefill from litellm 1.109.1; models before 4.5
from Anthropic's overview, https://platform.claude.com/docs/en/about-claude/models/overview.
A model not listed is permissive: what the caller asks is sent, and the provider judges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

_LOW_HIGH = ("low", "medium", "high")
_EVERY_EFFORT = ("low", "medium", "high", "xhigh", "max")


class Model(NamedTuple):
    """
    The facts of one model; the defaults are those of a model nobody knows.

    Attributes:
        max_output: Most output tokens; sent as `max_tokens` when the caller says nothing.
        sampling: Takes temperature, top_p and top_k (under version 2023-06-01).
        thinking: Takes `adaptive` thinking, a `budget` in tokens, `both`, or `none` at all.
        efforts: Values of `output_config.effort`; empty when there is no such member.
        thinks_unasked: Thinking is on when the request does not speak of it.
        off: What turns thinking off: `disabled`; `no`: nothing; `between_tools`: only a part of it.
        off_efforts: Efforts that go with thinking turned off.
        forced_tool: Takes `any` and `tool` as tool choice.
        late_system: Takes and obeys system messages after the first turn.
        prefill: Goes on writing a last message of the assistant.
    """

    max_output: int = 4096
    sampling: bool = True
    thinking: Literal["adaptive", "budget", "both", "none"] = "both"
    efforts: tuple[str, ...] = _EVERY_EFFORT
    thinks_unasked: bool = True
    off: Literal["disabled", "no", "between_tools"] = "disabled"
    off_efforts: tuple[str, ...] = _EVERY_EFFORT
    forced_tool: bool = True
    late_system: bool = False
    prefill: bool = True


UNKNOWN = Model()

_BUDGET = Model(max_output=64_000, thinking="budget", efforts=(), thinks_unasked=False)
_4_6 = Model(
    max_output=128_000,
    efforts=("low", "medium", "high", "max"),
    thinks_unasked=False,
    prefill=False,
)
_4_7 = _4_6._replace(sampling=False, thinking="adaptive", efforts=_EVERY_EFFORT)
_5 = _4_7._replace(thinks_unasked=True)
_ALWAYS = _5._replace(off="no")

MODELS: Mapping[str, Model] = {
    "claude-3": Model(max_output=4096, thinking="none", efforts=(), thinks_unasked=False),
    "claude-3-5": Model(max_output=8192, thinking="none", efforts=(), thinks_unasked=False),
    "claude-3-7": _BUDGET,
    "claude-opus-4": _BUDGET._replace(max_output=32_000),
    "claude-opus-4-1": _BUDGET._replace(max_output=32_000),
    "claude-sonnet-4": _BUDGET,
    "claude-opus-4-5": _BUDGET._replace(efforts=_LOW_HIGH),
    "claude-sonnet-4-5": _BUDGET,
    "claude-haiku-4-5": _BUDGET,
    "claude-opus-4-6": _4_6,
    "claude-sonnet-4-6": _4_6,
    "claude-opus-4-7": _4_7,
    "claude-opus-4-8": _4_7._replace(late_system=True),
    "claude-opus-5": _5._replace(off_efforts=_LOW_HIGH, late_system=True),
    # Sonnet 5 takes late system messages and ignores them, which would lose them.
    "claude-sonnet-5": _5,
    "claude-haiku-5-5": _5._replace(off_efforts=_LOW_HIGH, late_system=True),
    "claude-sonnet-5-5": _5._replace(off="between_tools", forced_tool=False, late_system=True),
    "claude-opus-5-5": _ALWAYS._replace(forced_tool=False, late_system=True),
    "claude-fable-5": _ALWAYS._replace(late_system=True),
    "claude-mythos-5": _ALWAYS._replace(late_system=True),
    # No source says that 5.1 and 5.2 take late system messages; the front always works.
    "claude-fable-5-1": _ALWAYS._replace(forced_tool=False),
    "claude-fable-5-2": _ALWAYS._replace(forced_tool=False),
    "claude-mythos-5-1": _ALWAYS._replace(forced_tool=False),
    "claude-mythos-5-2": _ALWAYS._replace(forced_tool=False),
}

# What may follow a listed name: a date, `@date`, `-v1:0`, `-latest`; not another minor version.
_SAME_MODEL = re.compile(r"(?![-.]\d{1,2}(?!\d))(?:[^0-9a-z].*)?", re.DOTALL)


@lru_cache(maxsize=1024)
def model_of(name: str) -> Model:
    """
    Return the facts of the model called *name*: the longest prefix wins.

    Platform prefixes (`us.anthropic.claude-...`) are looked through. `claude-opus-5-9` is not
    `claude-opus-5`.
    """
    start = name.find("claude-")
    bare = name[start:] if start >= 0 else name
    known = [prefix for prefix in MODELS if bare.startswith(prefix) and _SAME_MODEL.fullmatch(bare, len(prefix))]
    return MODELS[max(known, key=len)] if known else UNKNOWN
