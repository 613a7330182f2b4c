"""The rows this library brings, in order of preference for `Fiber.from_env()`."""

from __future__ import annotations

from fiber.providers.auth import header, unsigned
from fiber.providers.row import Provider
from fiber.providers.rows_aws import AWS_ROWS
from fiber.types.target import Quirks

OPENAI = Provider(
    name="openai",
    adapter="openai_chat",
    base_url="https://api.openai.com/v1",
    key_env=("OPENAI_API_KEY",),
    base_url_env=("OPENAI_BASE_URL",),
    prefixes=("gpt-", "chatgpt-", "o1", "o3", "o4", "text-"),
    default_model="gpt-6.1-terra",
    docs_url="https://platform.openai.com/docs/api-reference/chat",
)

OPENAI_RESPONSES = OPENAI.replace(
    name="openai-responses",
    adapter="openai_responses",
    key_of="openai",
    prefixes=(),
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
    models_path="/v1/models",
    docs_url="https://ai.google.dev/api/generate-content",
)

PROVIDERS: tuple[Provider, ...] = (OPENAI, ANTHROPIC, GEMINI, OPENAI_RESPONSES, *AWS_ROWS)
"""Every row, most preferred first."""


def openai_compatible(
    name: str, base_url: str, *, key_env: str = "", needs_key: bool = False, allow_http: bool = False
) -> Provider:
    """
    Make a row for any server that speaks the OpenAI chat format.

    Args:
        name: Name for routing: `name:model`.
        base_url: Up to and including the version, like `http://127.0.0.1:8080/v1`.
        key_env: Variable that `Fiber.from_env()` reads the key from.
        needs_key: Fail before sending when there is no key.
        allow_http: Accept a plain `http://` URL of another machine.
    """
    return Provider(
        name=name,
        base_url=base_url,
        adapter="openai_chat",
        key_env=(key_env,) if key_env else (),
        auth=unsigned,
        needs_key=needs_key,
        allow_http=allow_http,
        quirks=Quirks(max_tokens_field="max_tokens", system_role="system"),
    )
