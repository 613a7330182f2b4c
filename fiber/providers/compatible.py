"""Servers that speak the OpenAI chat format, as most do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.providers.auth import unsigned
from fiber.providers.row import Provider
from fiber.types.target import Quirks

NO_SWITCH = "the provider documents no switch for all its models; say that of your model in extra_body"
"""Why `reasoning` is refused by hosts of others' models that have nothing common for it."""

_USUAL: Mapping[str, Any] = {"max_tokens_field": "max_tokens", "system_role": "system"}
_LACKING = {"tools.web_search": "the provider has no web search on this endpoint"}


def compatible(*, unsupported: Mapping[str, str] | None = None, **quirks: Any) -> Quirks:
    """Make the quirks of a server that took the format over before OpenAI renamed things."""
    return Quirks(**{**_USUAL, **quirks}, unsupported={**_LACKING, **(unsupported or {})})


def refused(why: str, *names: str) -> dict[str, str]:
    """Refuse *names* for one reason."""
    return dict.fromkeys(names, why)


OPENAI_COMPATIBLE = Provider(
    name="openai-compatible",
    base_url="https://{host}/v1",
    base_url_env=("OPENAI_COMPATIBLE_BASE_URL",),
    base_path="/v1",
    key_env=("OPENAI_COMPATIBLE_API_KEY",),
    auth=unsigned,
    needs_key=False,
    quirks=Quirks(**_USUAL),
    docs_url="https://platform.openai.com/docs/api-reference/chat",
)
"""Any server; for closed and private ones too, like those of Anyscale, whose public API ended in 2024."""


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
        quirks=Quirks(**_USUAL),
    )
