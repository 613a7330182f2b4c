"""The row of any server that speaks the OpenAI chat format."""

from __future__ import annotations

from fiber.providers.auth import bearer, unsigned
from fiber.providers.compatible import openai_compatible
from fiber.types.http import HTTPRequest, Secret


def test_compatible_server_is_a_row() -> None:
    """Any server that speaks the OpenAI chat format is made a row by name and URL."""
    row = openai_compatible("local", "http://127.0.0.1:8080/v1/")

    assert (row.name, row.base_url, row.adapter) == ("local", "http://127.0.0.1:8080/v1", "openai_chat")
    assert (row.needs_key, row.key_env, row.auth) == (False, (), unsigned)
    assert (row.quirks.max_tokens_field, row.quirks.system_role) == ("max_tokens", "system")


def test_compatible_server_may_want_a_key() -> None:
    """A compatible server may name its variable and insist on a key."""
    row = openai_compatible("local", "https://h/v1", key_env="LOCAL_KEY", needs_key=True)

    assert (row.needs_key, row.key_env) == (True, ("LOCAL_KEY",))
    assert row.auth(HTTPRequest("GET", "https://h"), Secret("k")) == bearer(
        HTTPRequest("GET", "https://h"), Secret("k")
    )
