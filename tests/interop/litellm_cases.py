"""
What LiteLLM's proxy is asked through the row of its name: it translates for aimock, which stands behind it.

The cases and the fixtures are aimock's own; each model of the proxy is one format of aimock.
"""

from __future__ import annotations

import aimock_cases
from aimock_cases import Case
from material import KEY

from fiber.providers.gateways import LITELLM

ROW = LITELLM
PATH = "/v1"
BEHIND = {
    # Model of the proxy -> what LiteLLM calls the model, what follows aimock's address.
    "openai": ("openai/gpt-4o", "/v1"),
    "anthropic": ("anthropic/claude-sonnet-4-5", ""),
    "gemini": ("gemini/gemini-2.5-flash", "/v1beta/models/gemini-2.5-flash"),
    "ollama": ("ollama_chat/llama3", ""),
}
_CUT = aimock_cases.CASES["cut"]
CASES: dict[str, Case] = {
    **aimock_cases.CASES,
    # The proxy notices, and says so in the stream.
    "cut": _CUT._replace(expected={"error": "FiberProviderError"}),
}


def models(url: str) -> dict[str, dict[str, str]]:
    """Return the models of the proxy, with aimock at *url*."""
    return {name: {"model": model, "api_key": KEY, "api_base": url + path} for name, (model, path) in BEHIND.items()}
