"""What a row says."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from fiber._errors import FiberAuthError, FiberValidationError
from fiber.adapters import NAMES
from fiber.adapters.base import Adapter
from fiber.providers.auth import Dated, Signer, bearer
from fiber.types.http import Secret
from fiber.types.target import Quirks

Credential: TypeAlias = str | Secret | Callable[[], str | Secret | Awaitable[str | Secret]] | None
"""A key, or a callable (sync or async) that returns one at every call."""


_REGION = "{region}"
_REGION_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """
    One provider, as data.

    Attributes:
        name: Unique, lower-case; the word before the colon in `openai:gpt-6`.
        adapter: Name of a wire format of this library, or an `Adapter` of your own.
        base_url: URL to which the format's paths are appended; `{region}` in it stands for a region.
        key_env: Environment variables that may hold the key, best first.
        read_key: Makes the key of the environment's variables, where it takes more than one of `key_env`.
        key_of: Another row, whose key is this one's too, unless it has its own.
        region_env: Environment variables that may hold the region, best first.
        base_url_env: Environment variables that may hold another base URL, best first.
        auth: How the key is put on a request.
        needs_key: A call without a key fails before it is sent.
        aliases: Further names.
        prefixes: Beginnings of model names that belong to this provider.
        default_model: Model that `Fiber.from_env()` falls back to.
        models_path: Path of the list of models, for `fiber models`.
        headers: Sent with every request.
        quirks: Deviations from the wire format.
        docs_url: The provider's own documentation.
        allow_http: Plain `http://` is meant, so that key and prompts travel readable; for another machine only, for
            loopback needs no leave.
    """

    name: str
    base_url: str
    adapter: str | Adapter = "openai_chat"
    key_env: tuple[str, ...] = ()
    read_key: Callable[[Mapping[str, str]], Secret | None] | None = None
    key_of: str = ""
    region_env: tuple[str, ...] = ()
    base_url_env: tuple[str, ...] = ()
    auth: Signer | Dated = bearer
    needs_key: bool = True
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    default_model: str = ""
    models_path: str = "/models"
    headers: tuple[tuple[str, str], ...] = ()
    quirks: Quirks = Quirks()
    docs_url: str = ""
    allow_http: bool = False

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.lower() or set(self.name) & set(":/ "):
            raise FiberValidationError(
                f"Provider name {self.name!r}: use lower-case letters, digits, '-' and '_'.",
                parameter="providers",
            )
        if not isinstance(self.adapter, Adapter) and self.adapter not in NAMES:
            raise FiberValidationError(
                f"The adapter of {self.name} must be one of {', '.join(NAMES)}, or an Adapter, not {self.adapter!r}.",
                parameter="providers",
            )
        try:
            parts = urlsplit(self.base_url)
            _ = parts.port
        except ValueError as error:
            raise FiberValidationError(
                f"The base URL of {self.name} is no URL: {error}.", parameter="base_urls"
            ) from None
        if "@" in self.base_url or parts.query or parts.fragment:
            # First, because the other message quotes the URL.
            raise FiberValidationError(
                f"The base URL of {self.name} must not carry credentials, a query or a fragment.",
                parameter="base_urls",
            )
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise FiberValidationError(
                f"The base URL of {self.name} must start with https:// (or http://), not {self.base_url!r}.",
                parameter="base_urls",
            )
        if parts.scheme == "http" and not self.allow_http and not _is_loopback(parts.hostname or ""):
            raise FiberValidationError(
                f"The base URL of {self.name} is {self.base_url!r}, where anyone on the way can read the key: use"
                " https://, or say allow_http=True (of Fiber, or of the row) when that network is trusted.",
                parameter="base_urls",
            )
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))

    def replace(self, **changes: Any) -> Provider:
        """
        Return a copy with *changes*, for instance `row.replace(name="mine", base_url=...)`.

        A base URL given here is meant: the environment's does not replace it any more.
        """
        if "base_url" in changes:
            changes.setdefault("base_url_env", ())
        return replace(self, **changes)

    def in_region(self, region: str) -> Provider:
        """
        Return a copy for *region*; without any place for it in the base URL, or without a region, the row itself.

        Raises:
            FiberValidationError: It is no name of a region.
        """
        if not region or _REGION not in self.base_url:
            return self
        if not _REGION_NAME.fullmatch(region):
            raise FiberValidationError(
                f"{region!r} is no region of {self.name}: write it like us-east-1.",
                parameter="base_urls",
                outcome="not_sent",
            )
        return replace(self, base_url=self.base_url.replace(_REGION, region))

    def check_region(self) -> None:
        """
        Check that the base URL is whole.

        Raises:
            FiberValidationError: It still waits for a region.
        """
        if _REGION in self.base_url:
            variables = " or ".join(self.region_env) or "nothing"
            raise FiberValidationError(
                f"No region for {self.name}: set {variables} and use Fiber.from_env(), or pass"
                f" base_urls={{{self.name!r}: {self.base_url.replace(_REGION, 'us-east-1')!r}}}.",
                parameter="base_urls",
                outcome="not_sent",
            )

    def missing_key(self, model: str) -> FiberAuthError:
        """Make the error for a call without a key."""
        variables = " or ".join(self.key_env) or "nothing"
        return FiberAuthError(
            f"No key for {self.name}: set {variables} and use Fiber.from_env(),"
            f" or pass api_keys={{{self.name!r}: ...}}.",
            provider=self.name,
            model=model,
            outcome="not_sent",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def in_region_of(row: Provider, key: Credential) -> Provider:
    """Return *row* in the region that *key* names, where it names one."""
    return row.in_region(getattr(key, "region", ""))


def with_row(rows: Mapping[str, Provider], row: Provider, *, replace: bool) -> dict[str, Provider]:
    """
    Return *rows* and *row*, which comes last or, with *replace*, in the place of the one of its name.

    Raises:
        FiberValidationError: Its name, or an alias of it, is taken.
    """
    if row.name in rows and not replace:
        raise FiberValidationError(
            f"There is a provider {row.name!r} already: give the row another name, or say replace=True.",
            parameter="row",
            outcome="not_sent",
        )
    taken = {word: other.name for other in rows.values() for word in (other.name, *other.aliases)}
    for word in (row.name, *row.aliases):
        if taken.get(word, row.name) != row.name:
            raise FiberValidationError(
                f"{word!r} already stands for the provider {taken[word]!r}: give the row another name or alias.",
                parameter="row",
                outcome="not_sent",
            )
    return {**rows, row.name: row}


def secret_of(key: str | Secret, provider: str) -> Secret:
    """
    Make a `Secret` of *key*, without the white space that files and shells leave around it.

    Raises:
        FiberAuthError: It holds characters that no header can carry; the key itself is not quoted.
    """
    if isinstance(key, Secret) and type(key) is not Secret:
        return key  # it has parts, and has looked at them itself
    # No variable here holds the bare key: a traceback may be printed with its variables.
    secret = Secret((key.reveal() if isinstance(key, Secret) else str(key)).strip())
    if not _sendable(secret.reveal()):
        raise FiberAuthError(
            f"The key for {provider} is empty or has characters that cannot be sent: check where it is read from.",
            provider=provider,
            outcome="not_sent",
        )
    return secret


def _sendable(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()
