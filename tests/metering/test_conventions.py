"""The table of names."""

from __future__ import annotations

import pytest

from fiber import PROVIDERS
from fiber.metering import conventions

SPELLED = {
    # The well-known values of the convention that stand for a row of ours.
    "anthropic",
    "aws.bedrock",
    "azure.ai.openai",
    "cohere",
    "deepseek",
    "gcp.gemini",
    "gcp.vertex_ai",
    "groq",
    "mistral_ai",
    "moonshot_ai",
    "openai",
    "perplexity",
    "x_ai",
}


def test_providers_are_spelled_as_the_convention_has_them() -> None:
    """Every row that is renamed exists, and every known value is reached."""
    rows = {row.name for row in PROVIDERS}

    assert conventions.PROVIDERS.keys() <= rows
    assert {conventions.PROVIDERS.get(row, row) for row in rows} >= SPELLED
    assert set(conventions.PROVIDERS.values()) <= SPELLED


@pytest.mark.parametrize(
    ("url", "address", "port"),
    [
        ("https://api.openai.com/v1", "api.openai.com", 443),
        ("http://localhost/v1", "localhost", 80),
        ("http://127.0.0.1:8080/v1", "127.0.0.1", 8080),
        ("https://[::1]:8443", "::1", 8443),
    ],
)
def test_a_server_has_an_address_and_a_port(url: str, address: str, port: int) -> None:
    """The usual ports too, as the convention wants it."""
    assert conventions.server(url) == {"server.address": address, "server.port": port}


def test_older_versions_rename_what_is_in_the_table() -> None:
    """And nothing else; what has no value is left out."""
    attributes = {conventions.PROVIDER: "x", conventions.USAGE["cache_write_tokens"]: 1, "fiber.outcome": None}

    assert conventions.spelled(attributes, None) == {
        "gen_ai.provider.name": "x",
        "gen_ai.usage.cache_write.input_tokens": 1,
    }
    assert conventions.spelled(attributes, "1.41.0") == {
        "gen_ai.provider.name": "x",
        "gen_ai.usage.cache_creation.input_tokens": 1,
    }
    assert conventions.spelled(attributes, "1.36.0") == {
        "gen_ai.system": "x",
        "gen_ai.usage.cache_creation.input_tokens": 1,
    }
