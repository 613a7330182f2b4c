"""The client behind a command: from the environment, or over the built-in mock server."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack

from fiber import _env
from fiber._fiber import Fiber
from fiber._options import ClientOptions
from fiber.cli.lockfiles import found
from fiber.providers.row import Credential
from fiber.providers.table import PROVIDERS
from fiber.testing.server import MockServer
from fiber.testing.serving import Family

MOCK_MODEL = "openai:gpt-mock"
FAMILIES: tuple[Family, ...] = ("openai", "anthropic", "gemini", "bedrock", "cohere", "ollama", "replicate")


@contextmanager
def client_for(options: argparse.Namespace, **client: Unpack[ClientOptions]) -> Iterator[Fiber]:
    """Give out the client that *options* ask for, with the keywords *client*, and close it."""
    lockfile = client["lockfile"] = found()
    if options.mock:
        client["profile"] = client.get("profile") or (_env.profile() if lockfile.path else None)
        with MockServer(event_delay_seconds=0.02) as server:
            yield from _closing(mocked(server, **client))
    else:
        yield from _closing(Fiber.from_env(**client))


def mocked(server: MockServer, **client: Unpack[ClientOptions]) -> Fiber:
    """Make a client with a key for each family, and *server* in the place of all that speak their formats."""
    families: dict[str, Family] = {family: family for family in FAMILIES}
    urls = {
        row.name: server.base_url(family)
        for row in PROVIDERS
        if (row.needs_key or row.name in families) and (family := families.get(str(row.adapter).partition("_")[0]))
    }
    keys: dict[str, Credential] = {str(family): "mock-key" for family in FAMILIES}
    said: ClientOptions = {"default_model": MOCK_MODEL, "api_keys": keys, "base_urls": urls, **client}
    return Fiber(**said)


def call_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the keywords of the chat call that *options* say."""
    names = ("model", "profile", "temperature", "max_tokens", "timeout")
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _closing(fiber: Fiber) -> Iterator[Fiber]:
    try:
        yield fiber
    finally:
        fiber.sync.close()
