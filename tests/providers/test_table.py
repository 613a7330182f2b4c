"""The rows that this library brings."""

from __future__ import annotations

import re
from itertools import chain
from urllib.parse import urlsplit

import pytest

from fiber import FiberModelNotFoundError, adapters
from fiber.providers.row import Provider
from fiber.providers.table import PROVIDERS
from fiber.registry.models import ModelRegistry
from fiber.types.http import HTTPRequest, Secret
from fiber.types.request import PARAMETERS

ROWS = {row.name: row for row in PROVIDERS}
KINDS = {
    *(f"tool_choice.{mode}" for mode in ("none", "required", "named")),
    *(f"response_format.{kind}" for kind in ("json_object", "json_schema")),
    *(f"content.{kind}" for kind in ("audio", "document", "image")),
    *("tools.strict", "tools.web_search"),
}
"""What is looked up in `Quirks.unsupported`, besides names of parameters."""


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
    """A bundled row names a format of ours, where its key and its URL are looked for, and its documentation."""
    assert row.adapter in adapters.NAMES
    assert row.base_url.startswith("https://") or not row.needs_key
    assert row.key_env
    assert row.base_url_env or row.places
    assert row.docs_url.startswith("https://")
    assert row.models_path[:1] in ("", "/")
    assert re.fullmatch(r"[a-z0-9-]+", row.name)


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_variables_belong_to_the_row(row: Provider) -> None:
    """A variable holds a key or a URL, and only rows that share a key share a variable."""
    names = [*row.key_env, *row.base_url_env, *chain(*row.places.values())]
    strangers = [other for other in PROVIDERS if (other.key_of or other.name) != (row.key_of or row.name)]
    taken = {name for other in strangers for name in (*other.key_env, *other.base_url_env)}

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]+", name) for name in names)
    assert not taken & set(names)


@pytest.mark.parametrize("row", [row for row in PROVIDERS if row.key_of], ids=lambda row: row.name)
def test_shared_key_is_that_of_another_row(row: Provider) -> None:
    """It is looked for where that row looks, and is no shared one itself."""
    other = ROWS[row.key_of]

    assert not other.key_of
    assert set(row.key_env) == set(other.key_env)
    assert row.needs_key == other.needs_key


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_default_model_belongs_to_its_row(row: Provider) -> None:
    """The model that a row falls back to is one that is routed to it, when the row claims any names at all."""
    if row.default_model and row.prefixes:
        assert ModelRegistry(PROVIDERS).resolve(row.default_model).provider == row.name


@pytest.mark.parametrize("row", PROVIDERS, ids=lambda row: row.name)
def test_quirks_speak_of_what_there_is(row: Provider) -> None:
    """Refused and renamed are parameters of requests, or kinds that are looked at; each refusal says why."""
    quirks = row.quirks
    refused = {name for name in quirks.unsupported if "." not in name}

    assert refused | quirks.members.keys() <= set(PARAMETERS)
    assert quirks.unsupported.keys() - refused <= KINDS
    if any(name.startswith(("tools.", "content.")) for name in quirks.unsupported):
        assert row.adapter == "openai_chat"
    assert all(len(why) > 10 for why in quirks.unsupported.values())
    assert not quirks.members.keys() & refused
    assert set(quirks.efforts) <= {"none", "minimal", "low", "medium", "high", "xhigh", "max"}
    assert (quirks.family or row.name) in ROWS
    assert row.adapt_request is not None or quirks.reasoning != "hook"


@pytest.mark.parametrize("row", [row for row in PROVIDERS if row.base_path], ids=lambda row: row.name)
def test_bare_host_becomes_the_rows_own_path(row: Provider) -> None:
    """A base URL that is only a host means the path that the row has anyway."""
    assert (
        row.replace(base_url="https://other.example").base_url == f"https://other.example{urlsplit(row.base_url).path}"
    )


@pytest.mark.parametrize(
    "model",
    ["deepseek-ai/DeepSeek-V4", "moonshotai/Kimi-K3", "mistralai/Mistral-Small", "Qwen/Qwen3-32B", "zai-org/GLM-5.3"],
)
def test_names_of_weights_belong_to_no_row(model: str) -> None:
    """Names as hosts write them, with an organisation, are not taken for models of the maker's own service."""
    with pytest.raises(FiberModelNotFoundError):
        ModelRegistry(PROVIDERS).resolve(model)


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("openai", "authorization", "Bearer k"),
        ("openai-responses", "authorization", "Bearer k"),
        ("anthropic", "x-api-key", "k"),
        ("gemini", "x-goog-api-key", "k"),
        ("groq", "authorization", "Bearer k"),
        ("vllm", "authorization", "Bearer k"),
        ("azure", "api-key", "k"),
        ("azure", "authorization", "Bearer eyJ.a.b"),
        ("azure-anthropic", "x-api-key", "k"),
        ("vertex-anthropic", "authorization", "Bearer k"),
        ("cohere", "authorization", "Bearer k"),
        ("ollama", "authorization", "Bearer k"),
    ],
)
def test_row_signs_in_its_own_way(name: str, header: str, value: str) -> None:
    """Each provider's key stands in its own header, and never in the URL."""
    row = ROWS[name]

    signed = row.auth(HTTPRequest("GET", row.base_url), Secret(value.removeprefix("Bearer ")))

    assert signed.headers == ((header, Secret(value)),)
    assert signed.url == row.base_url


def test_keys_of_gemini_are_looked_for_in_order() -> None:
    """Gemini's own variable is better than Google's."""
    row = next(row for row in PROVIDERS if row.name == "gemini")

    assert row.key_env == ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_API_KEY")
