"""The rows this library brings, in order of preference for `Fiber.from_env()`; a file for each kind holds them."""

from __future__ import annotations

from fiber.providers.first_party import ANTHROPIC, GEMINI, OPENAI, OPENAI_RESPONSES
from fiber.providers.row import Provider

PROVIDERS: tuple[Provider, ...] = (OPENAI, ANTHROPIC, GEMINI, OPENAI_RESPONSES)
"""Every row, most preferred first."""
