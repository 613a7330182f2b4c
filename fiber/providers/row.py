"""What a row says."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import quote, urlsplit

from fiber._errors import FiberAuthError, FiberValidationError
from fiber.adapters import NAMES
from fiber.adapters.base import Adapter
from fiber.providers.auth import Dated, Signer, bearer
from fiber.providers.keys import KeyPool
from fiber.types.draft import AdaptRequest
from fiber.types.http import Secret
from fiber.types.target import Quirks

if TYPE_CHECKING:
    from fiber.transports.base import Transport


class Renewable(Protocol):
    """A credential that keeps itself fresh, like `fiber.credentials.refreshing.Refreshing`."""

    def fresh(self, transport: Transport, until: float | None) -> Awaitable[str | Secret]:
        """Return what is good now; *until* on the clock of *transport* the caller waits."""
        ...


Credential: TypeAlias = str | Secret | Renewable | Callable[[], str | Secret | Awaitable[str | Secret]] | KeyPool | None
"""A key, a callable (sync or async) that returns one at every call, what keeps one fresh, or several of these."""

Words: TypeAlias = Mapping[str, str]
"""What stands in the places of a base URL."""

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """
    One provider, as data.

    Attributes:
        name: Unique, lower-case; the word before the colon in `openai:gpt-6`.
        adapter: Name of a wire format of this library, or an `Adapter` of your own.
        base_url: URL to which the format's paths are appended; with places like `{project}` where it is another for
            every user: see `at`.
        key_env: Environment variables that may hold the key, best first.
        read_key: Makes the key of the environment's variables, where it takes more than one of `key_env`.
        base_url_env: Environment variables that may hold another base URL, best first.
        base_url_from: Makes a base URL of what such a variable says, where that need not be one.
        base_path: Path of a base URL that is given without one.
        places: Environment variables for the places of `base_url`, best first.
        fill: Hook that completes the words for those places, when some follow from others.
        auth: How the key is put on a request.
        needs_key: A call without a key fails before it is sent.
        aliases: Further names.
        prefixes: Beginnings of model names that belong to this provider.
        default_model: Model that `Fiber.from_env()` falls back to.
        models_path: Path of the list of models, for `fiber models`; empty when there is none.
        counting: Wire format in which its endpoint that counts tokens is asked, by name or as an `Adapter`; empty when
            it has none.
        headers: Sent with every request; not in a `repr`.
        idempotency_header: Header that carries a call's `idempotency_key`, where the provider documents one.
        quirks: Deviations from the wire format.
        adapt_request: Hook with the last word on a request, for what no quirk says.
        key_of: Row whose key is used when none is given for this one; its base URL too, when both have the same.
        answer_hosts: Further hosts where an answer may be fetched from, over https and with the key, when the
            provider sends the client there: names, or `.example.com` for all below it.
        docs_url: The provider's own documentation.
        allow_http: Plain `http://` is meant, so that key and prompts travel readable; for another machine only, for
            loopback needs no leave.
    """

    name: str
    base_url: str
    adapter: str | Adapter = "openai_chat"
    key_env: tuple[str, ...] = ()
    read_key: Callable[[Mapping[str, str]], Secret | None] | None = None
    base_url_env: tuple[str, ...] = ()
    base_url_from: Callable[[str], str] = str
    base_path: str = ""
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fill: Callable[[Words], Words] | None = None
    auth: Signer | Dated = bearer
    needs_key: bool = True
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    default_model: str = ""
    models_path: str = "/models"
    counting: str | Adapter = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    idempotency_header: str = ""
    quirks: Quirks = Quirks()
    adapt_request: AdaptRequest | None = None
    key_of: str = ""
    answer_hosts: tuple[str, ...] = ()
    docs_url: str = ""
    allow_http: bool = False

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.lower() or set(self.name) & set(":/ "):
            raise FiberValidationError(
                f"Provider name {self.name!r}: use lower-case letters, digits, '-' and '_'.",
                parameter="providers",
            )
        for format in (self.adapter, self.counting or self.adapter):
            if not isinstance(format, Adapter) and format not in NAMES:
                raise FiberValidationError(
                    f"The adapter of {self.name} must be one of {', '.join(NAMES)}, or an Adapter, not {format!r}.",
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
        path = "" if parts.path.strip("/") else self.base_path
        object.__setattr__(self, "base_url", self.base_url.rstrip("/") + path)

    def replace(self, **changes: Any) -> Provider:
        """
        Return a copy with *changes*, for instance `row.replace(name="mine", base_url=...)`.

        A base URL given here is meant: the environment's does not replace it any more, and it may be anybody's, so the
        key of another row (`key_of`) is not sent there, and its own key not to `answer_hosts`, unless they are said
        again.
        """
        if "base_url" in changes:
            hosts = self.answer_hosts if _host(changes["base_url"]) == _host(self.base_url) else ()
            changes = {"base_url_env": (), "key_of": "", "answer_hosts": hosts, **changes}
        return replace(self, **changes)

    def at(self, **words: str) -> Provider:
        """
        Return a copy whose base URL has *words* in its places, like `row.at(project="p", location="us-central1")`.

        Raises:
            FiberValidationError: A word is missing, empty, or stands nowhere.
        """
        said = self.fill(words) if self.fill is not None else words
        wanted = _PLACE.findall(self.base_url)
        missing = [name for name in wanted if not said.get(name)]
        if missing or not set(words) <= {*wanted, *self.places}:
            raise FiberValidationError(
                f"The base URL of {self.name} is {self.base_url}: say"
                f" {', '.join(self.places or dict.fromkeys(wanted))}, and nothing else.",
                parameter="base_urls",
                outcome="not_sent",
            )
        url = _PLACE.sub(lambda place: quote(said[place[1]], safe=""), self.base_url)
        return self.replace(base_url=url, key_of=self.key_of, answer_hosts=self.answer_hosts)

    @property
    def is_placed(self) -> bool:
        """The base URL is whole: it has no place that is still to be filled."""
        return "{" not in self.base_url or not _PLACE.search(self.base_url)

    def missing_place(self) -> FiberValidationError:
        """Make the error for a call when the base URL is not whole."""
        words = [f"{' or '.join(names)} for {word}" for word, names in self.places.items()]
        variables = " and ".join(filter(None, (" or ".join(self.base_url_env), ", ".join(words))))
        return FiberValidationError(
            f"The base URL of {self.name} is {self.base_url}, and is for you to complete: set"
            f" {variables or 'nothing'} and use Fiber.from_env(), or pass base_urls={{{self.name!r}: ...}}.",
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


def _host(url: Any) -> str:
    try:
        return urlsplit(str(url)).netloc
    except ValueError:
        return ""  # the row says what is wrong with it


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761, section 6.3


def in_region_of(row: Provider, key: Credential) -> Provider:
    """Return *row* in the region that *key* names, where it names one and the row waits for one."""
    region: str = getattr(key, "region", "")
    return row if row.is_placed or not region or "region" not in row.places else row.at(region=region)


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
    # No variable here holds the bare key: a traceback may be printed with its variables.
    secret = key if isinstance(key, Secret) else Secret(str(key))
    if type(secret) is not Secret or secret.is_sendable:  # one that has parts has looked at them itself
        return secret
    secret = Secret(secret.reveal().strip())
    if not secret.is_sendable:
        raise FiberAuthError(
            f"The key for {provider} is empty or has characters that cannot be sent: check where it is read from.",
            provider=provider,
            outcome="not_sent",
        )
    return secret
