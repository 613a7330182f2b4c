"""A row for any server that speaks the OpenAI chat format."""

from __future__ import annotations

from fiber.providers.auth import unsigned
from fiber.providers.row import Provider
from fiber.types.target import Quirks


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
