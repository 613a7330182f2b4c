"""
One folder per wire format: pure functions from values to bytes and back, and one state machine for streams.

No I/O, clock, environment or log in here. What formats share stands in the modules of this folder; no format
imports another.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from fiber.adapters.base import Adapter

NAMES = ("anthropic", "bedrock_converse", "cohere", "gemini", "ollama", "openai_chat", "openai_responses", "replicate")


@cache
def load(name: str) -> Adapter:
    """Import the adapter called *name*, one of `NAMES`."""
    adapter = import_module(f"fiber.adapters.{name}").ADAPTER
    assert isinstance(adapter, Adapter)  # noqa: S101 - our own module
    return adapter
