"""Rows of those whose own wire formats this library speaks."""

from __future__ import annotations

from fiber.providers.auth import header
from fiber.providers.row import Provider
from fiber.types.target import Quirks

OPENAI = Provider(
    name="openai",
    adapter="openai_chat",
    base_url="https://api.openai.com/v1",
    key_env=("OPENAI_API_KEY",),
    base_url_env=("OPENAI_BASE_URL",),
    prefixes=("gpt-", "chatgpt-", "o1", "o3", "o4", "text-"),
    default_model="gpt-6.1-terra",
    counting="openai_responses",  # the chat format has no such endpoint, and the same tokens
    docs_url="https://platform.openai.com/docs/api-reference/chat",
)

OPENAI_RESPONSES = OPENAI.replace(
    name="openai-responses",
    adapter="openai_responses",
    prefixes=(),
    key_of="openai",
    quirks=Quirks(family="openai"),
    docs_url="https://platform.openai.com/docs/api-reference/responses",
)

ANTHROPIC = Provider(
    name="anthropic",
    adapter="anthropic",
    base_url="https://api.anthropic.com",
    key_env=("ANTHROPIC_API_KEY",),
    base_url_env=("ANTHROPIC_BASE_URL",),
    auth=header("x-api-key"),
    aliases=("claude",),
    prefixes=("claude-",),
    default_model="claude-sonnet-5-5",
    counting="anthropic",
    models_path="/v1/models",
    docs_url="https://docs.anthropic.com/en/api/messages",
)

GEMINI = Provider(
    name="gemini",
    adapter="gemini",
    base_url="https://generativelanguage.googleapis.com",
    key_env=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_API_KEY"),
    base_url_env=("GOOGLE_GEMINI_BASE_URL",),
    auth=header("x-goog-api-key"),
    aliases=("google",),
    prefixes=("gemini-",),
    default_model="gemini-3.8-flash",
    counting="gemini",
    models_path="/v1/models",
    docs_url="https://ai.google.dev/api/generate-content",
)
