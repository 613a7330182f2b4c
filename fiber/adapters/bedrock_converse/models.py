"""
What the models of a vendor take in `additionalModelRequestFields`, as data.

Sources, as of 2026-11-20: the Bedrock profiles of pydantic-ai 2.68 (rows checked live by its authors); for Nova
https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html and .../complete-request-schema.html.
Unknown members are a 400, so nothing is sent to a vendor that is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Vendor(NamedTuple):
    """
    The facts of one vendor's models; the defaults are those of a vendor nobody knows.

    Attributes:
        is_claude: Its facts stand in `claude_models`, model by model.
        top_k: Member, with dots for nesting, that carries `top_k`.
        effort: Member that carries the effort of reasoning.
        efforts: Efforts that it takes, least first.
        beside: What is sent with an effort.
        off: What turns reasoning off; None where nothing does.
        system_tools: Tools that the provider runs, by the kind of `ServerTool`.
    """

    is_claude: bool = False
    top_k: str = ""
    effort: str = ""
    efforts: tuple[str, ...] = ()
    beside: Mapping[str, Any] = {}
    off: Mapping[str, Any] | None = None
    system_tools: Mapping[str, str] = {}


UNKNOWN = Vendor()
CLAUDE = Vendor(is_claude=True, top_k="top_k")

_LOW_HIGH = ("low", "medium", "high")
_VENDORS: Mapping[str, Vendor] = {
    # What stands in the model's name, in whatever region or ARN: the vendor. The longest wins.
    "anthropic.": CLAUDE,
    "claude-": CLAUDE,
    "amazon.nova-": Vendor(top_k="inferenceConfig.topK"),
    "amazon.nova-2-": Vendor(
        top_k="inferenceConfig.topK",
        effort="reasoningConfig.maxReasoningEffort",
        efforts=_LOW_HIGH,
        beside={"reasoningConfig": {"type": "enabled"}},
        off={"reasoningConfig": {"type": "disabled"}},
        system_tools={"web_search": "nova_grounding", "code_execution": "nova_code_interpreter"},
    ),
    "deepseek.": Vendor(effort="reasoning_effort", efforts=("high",), off={"reasoning_effort": "none"}),
    "zai.": Vendor(effort="reasoning_effort", efforts=("high",), off={"reasoning_effort": "none"}),
    "openai.gpt-oss-": Vendor(effort="reasoning_effort", efforts=_LOW_HIGH),
    "openai.gpt-": Vendor(effort="reasoning.effort", efforts=_LOW_HIGH),
    "xai.grok-": Vendor(effort="reasoning.effort", efforts=_LOW_HIGH),
    "qwen.": Vendor(effort="reasoning_config", efforts=("low", "high"), off={"reasoning_config": "none"}),
}


def vendor_of(model: str) -> Vendor:
    """Return the facts of the vendor whose name stands in *model*."""
    found = [words for words in _VENDORS if words in model]
    return _VENDORS[max(found, key=len)] if found else UNKNOWN
