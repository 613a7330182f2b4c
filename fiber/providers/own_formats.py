"""Rows of providers that speak a format of their own and nobody else's."""

from __future__ import annotations

from urllib.parse import urlsplit

from fiber.providers.auth import unsigned
from fiber.providers.row import Provider

_OLLAMA_PORT = 11434
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def ollama_url(said: str) -> str:
    """
    Make a base URL of what `OLLAMA_HOST` says, which may lack the scheme, the host or the port.

    Source: `Host()` in `envconfig/config.go` of ollama/ollama, August 2026.
    """
    scheme, found, rest = said.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError:
        return said  # no URL; whoever makes a row of it says so
    if "@" in rest or parts.query or parts.fragment:
        return said
    host = parts.hostname or "127.0.0.1"
    host = _EVERYWHERE.get(host, host)
    if port is None and not found:
        port = _OLLAMA_PORT
    named = f"[{host}]" if ":" in host else host
    return f"{scheme or 'http'}://{named}{'' if port is None else f':{port}'}{parts.path}"


COHERE = Provider(
    name="cohere",
    adapter="cohere",
    base_url="https://api.cohere.com",
    key_env=("CO_API_KEY", "COHERE_API_KEY"),
    base_url_env=("CO_API_URL",),
    prefixes=("command-", "c4ai-"),
    default_model="command-a-plus-05-2026",
    models_path="/v1/models",
    docs_url="https://docs.cohere.com/reference/chat",
)

REPLICATE = Provider(
    name="replicate",
    adapter="replicate",
    base_url="https://api.replicate.com/v1",
    key_env=("REPLICATE_API_TOKEN",),
    base_url_env=("REPLICATE_BASE_URL",),
    base_path="/v1",
    models_path="",
    answer_hosts=(".replicate.com", ".replicate.net"),
    docs_url="https://replicate.com/docs/reference/http",
)

OLLAMA = Provider(
    name="ollama",
    adapter="ollama",
    base_url="http://localhost:11434",
    key_env=("OLLAMA_API_KEY",),
    base_url_env=("OLLAMA_BASE_URL", "OLLAMA_HOST"),
    base_url_from=ollama_url,
    auth=unsigned,
    needs_key=False,
    models_path="/api/tags",
    docs_url="https://docs.ollama.com/api/chat",
)
