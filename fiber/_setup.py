"""From a client's arguments, or the environment, to rows, keys and routing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fiber import _env
from fiber._errors import FiberValidationError
from fiber.providers.row import Credential, Provider
from fiber.providers.table import OPENAI, OPENAI_RESPONSES, PROVIDERS
from fiber.registry.models import ModelRegistry
from fiber.transports.base import Transport, blocking_face
from fiber.transports.lazy import Lazy
from fiber.types.http import Secret


def assemble(
    providers: Iterable[Provider],
    api_keys: Mapping[str, Credential],
    base_urls: Mapping[str, str],
    *,
    allow_http: bool,
) -> tuple[dict[str, Provider], dict[str, Credential], ModelRegistry]:
    """
    Return rows and keys by name, and the registry over them.

    What is given for `openai` holds for its second API, `openai-responses`, too, unless that has its own.

    Raises:
        FiberValidationError: A provider is not known, or a URL is wrong.
    """
    rows = {row.name: row for row in (*PROVIDERS, *providers)}
    names = ModelRegistry(rows.values())
    urls = {names.resolve("-", provider=name).provider: url for name, url in base_urls.items()}
    keys: dict[str, Credential] = {
        names.resolve("-", provider=name).provider: Secret(key) if isinstance(key, str) else key
        for name, key in api_keys.items()
    }
    first, second = OPENAI.name, OPENAI_RESPONSES.name
    if first in keys:
        keys.setdefault(second, keys[first])
    if first in urls:
        urls.setdefault(second, urls[first])
    for name, url in urls.items():
        rows[name] = rows[name].replace(base_url=url, allow_http=allow_http or rows[name].allow_http)
    return rows, keys, names


def transports(said: Transport | str | None) -> tuple[Transport, Transport]:
    """
    Return the transports of coroutines and of blocking code; they are imported and made at their first use.

    Raises:
        FiberValidationError: There is no transport of that name.
    """
    if said is not None and not isinstance(said, str):
        return said, blocking_face(said)
    if said not in (None, "direct", "h11", "httptools", "httpx"):
        raise FiberValidationError(
            f"There is no transport {said!r}: say 'direct', 'h11', 'httptools' or 'httpx', or pass a Transport.",
            parameter="transport",
            outcome="not_sent",
        )

    def named() -> str:
        return said or _env.transport()

    arguments = (named, _env.http_library, _env.proxy_for)
    return Lazy("fiber.transports.choice", "for_loops", *arguments), Lazy(
        "fiber.transports.choice", "for_threads", *arguments
    )


def from_environment(options: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the constructor's arguments: *options*, completed from the documented variables.

    Raises:
        FiberValidationError: No provider has a key; the message names the variables.
    """
    providers = tuple(options.get("providers") or ())
    rows = (*PROVIDERS, *providers)
    names = ModelRegistry(rows)
    given = {names.resolve("-", provider=name).provider: key for name, key in (options.get("api_keys") or {}).items()}
    keys = {**_env.keys(rows), **given}
    urls = {**_env.base_urls(rows), **(options.get("base_urls") or {})}
    usable = [row for row in rows if row.name in keys or not row.needs_key]
    if not usable:
        variables = ", ".join(row.key_env[0] for row in PROVIDERS[:3])
        raise FiberValidationError(
            f"No provider has a key: set one of {variables}, or use Fiber(api_keys=...).",
            parameter="api_keys",
            outcome="not_sent",
        )
    first = next((f"{row.name}:{row.default_model}" for row in usable if row.default_model), None)
    model = options.get("default_model") or _env.default_model() or first
    return {**options, "providers": providers, "api_keys": keys, "base_urls": urls, "default_model": model}
