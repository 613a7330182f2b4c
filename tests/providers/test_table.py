"""The rows that this library brings."""

from __future__ import annotations

import pytest

from fiber import adapters
from fiber.providers.auth import bearer, unsigned
from fiber.providers.row import Provider
from fiber.providers.table import PROVIDERS, openai_compatible
from fiber.registry.models import ModelRegistry
from fiber.types.http import HTTPRequest, Secret


def test_names_and_aliases_are_unique() -> None:
    """No two rows answer to the same name."""
    names = [name for row in PROVIDERS for name in (row.name, *row.aliases)]

    assert len(names) == len(set(names))


def test_no_two_rows_claim_a_prefix() -> None:
    """No model name is a tie among the bundled rows."""
    prefixes = [prefix for row in PROVIDERS for prefix in row.prefixes]

    assert len(prefixes) == len(set(prefixes))


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_row_is_complete(row: Provider) -> None:
    """A bundled row names a format of ours, where its key and URL are looked for, and its documentation."""
    assert row.adapter in adapters.NAMES
    assert row.base_url.startswith("https://" if row.needs_key else "http://localhost:")
    assert row.key_env
    assert row.base_url_env
    assert row.docs_url.startswith("https://")
    assert row.models_path.startswith("/")


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_default_model_belongs_to_its_row(row: Provider) -> None:
    """
    The model that a row falls back to is one that is routed to it, or the row claims no names at all.

    A server on this machine has the models that its owner gave it, so no name can be known.
    """
    assert bool(row.default_model) is row.needs_key
    if row.prefixes:
        assert ModelRegistry(PROVIDERS).resolve(row.default_model).provider == row.name


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("openai", "authorization", "Bearer k"),
        ("openai-responses", "authorization", "Bearer k"),
        ("anthropic", "x-api-key", "k"),
        ("gemini", "x-goog-api-key", "k"),
        ("cohere", "authorization", "Bearer k"),
        ("ollama", "authorization", "Bearer k"),
    ],
)
def test_row_signs_in_its_own_way(name: str, header: str, value: str) -> None:
    """Each provider's key stands in its own header, and never in the URL."""
    row = next(row for row in PROVIDERS if row.name == name)

    signed = row.auth(HTTPRequest("GET", row.base_url), Secret("k"))

    assert signed.headers == ((header, Secret(value)),)
    assert signed.url == row.base_url


def test_keys_of_gemini_are_looked_for_in_order() -> None:
    """Gemini's own variable is better than Google's."""
    row = next(row for row in PROVIDERS if row.name == "gemini")

    assert row.key_env == ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_API_KEY")


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
