"""From a client's keywords, or the environment, to its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from os.path import isfile
from typing import Any, TypeVar

from fiber import _env
from fiber._chain import Listener, chain
from fiber._engine import core
from fiber._errors import FiberValidationError
from fiber._options import ClientOptions
from fiber._settings import Settings, check_pools, known, with_defaults
from fiber.layers import budgeted, layered, limited
from fiber.metering.metrics import metrics_of
from fiber.providers.keys import KeyPool, credential_of
from fiber.providers.row import Credential, Provider, in_region_of
from fiber.providers.table import PROVIDERS
from fiber.registry.balance import balances_of
from fiber.registry.catalog import BUNDLED
from fiber.registry.lockfile import NONE, AnyLockfile, Lockfile
from fiber.registry.models import ModelRegistry
from fiber.registry.prices import sources_of
from fiber.transports.base import NAMES, Transport, blocking_face
from fiber.transports.lazy import Lazy
from fiber.types.config import RetryPolicy, Timeouts
from fiber.types.keywords import openai_api
from fiber.types.telemetry import Telemetry

T = TypeVar("T")

_DEFAULTS = {
    # Keywords of a client that are defaults of its calls, and their names there.
    "default_model": "model",
    "default_temperature": "temperature",
    "default_max_tokens": "max_tokens",
    "on_unsupported": "on_unsupported",
    "fallback": "fallback",
    "cache_policy": "cache_policy",
    "profile": "profile",
    "alias_order": "alias_order",
}


def settings_of(options: ClientOptions) -> tuple[Settings, Transport]:
    """
    Return the settings that *options* make, and the transport of blocking code.

    Raises:
        TypeError: A keyword is not known.
        FiberValidationError: A provider is not known, a URL is wrong, or two keywords exclude each other.
    """
    known(options, ClientOptions.__annotations__.keys())
    say: Any = options.get
    rows, keys, names = _assembled(
        say("providers") or (), say("api_keys") or {}, say("base_urls") or {}, allow_http=say("allow_http") or False
    )
    loops, blocking = transports(say("transport"))
    pooled = say("layers") is None and any(isinstance(key, KeyPool) for key in keys.values())
    layers = layered(
        say("layers"),
        log_content=say("log_content"),
        cache=say("cache"),
        budgets=budgeted(say("budgets")),
        hedge=say("hedge"),
        keys=pooled or None,
        rate_limits=limited(say("rate_limits"), names),
        breaker=say("breaker"),
    )
    pools = any(getattr(layer, "pools", False) for layer in layers)
    check_pools(keys.values(), pools=pools)
    registry = say("model_registry") or names
    metrics = metrics_of(say("metrics"))
    usage = _usage_of(say("usage"))
    settings = Settings(
        rows=rows,
        keys=keys,
        registry=registry,
        lockfile=lockfile_of(say("lockfile"), say("profile")),
        handler=chain(layers, core),
        transport=loops,
        timeouts=say("timeouts") or Timeouts(),
        retry=say("retry") or RetryPolicy(),
        fetch=say("fetch"),
        caches=any(getattr(layer, "caches", False) for layer in layers),
        pools=pools,
        balances=balances_of(say("balance"), registry),
        catalog=say("catalog") or BUNDLED,
        prices=sources_of(say("prices")),
        openai_api=openai_api(say("openai_api")),
        metrics=metrics,
        usage=usage,
        listeners=_listeners(metrics if say("metrics") is not False else None, say("on_event"), usage),
        telemetry=Telemetry(
            redact=say("redact"),
            semconv=say("semconv"),
            traceparent=say("traceparent") or False,
            content=_env.captures_content(),
        ),
    )
    return with_defaults(settings, {name: say(keyword) for keyword, name in _DEFAULTS.items()}), blocking


def _listeners(metrics: Listener | None, on_event: Any, usage: Listener | None) -> tuple[Listener, ...]:
    """Return who hears of calls; what is not asked for is not even imported."""
    found = [listener for listener in (metrics, usage) if listener is not None]
    if on_event is not None:
        from fiber.metering.events import events_of

        found.append(events_of(on_event))
    return tuple(found)


def _usage_of(said: Any) -> Any:
    if said is None:
        return None
    from fiber.usage.log import usage_of

    return usage_of(said)


def _assembled(
    providers: Iterable[Provider],
    api_keys: Mapping[str, Credential | Sequence[Credential]],
    base_urls: Mapping[str, str],
    *,
    allow_http: bool,
) -> tuple[dict[str, Provider], dict[str, Credential], ModelRegistry]:
    """
    Return rows and keys by name, and the registry over them.

    A key that is given for a row holds for those that say so (`key_of`) too, unless they have their own; so does a base
    URL, where both rows have the same.

    Raises:
        FiberValidationError: A provider is not known, or a URL is wrong.
    """
    rows = {row.name: row for row in (*PROVIDERS, *providers)}
    names = ModelRegistry(rows.values())
    urls = _by_row(names, base_urls)
    keys = {name: credential_of(key) for name, key in _by_row(names, api_keys).items()}
    keys = _shared(rows.values(), keys)
    for row in rows.values():
        if row.key_of in urls and rows[row.key_of].base_url == row.base_url:
            urls.setdefault(row.name, urls[row.key_of])
    for name, url in urls.items():
        row = rows[name]
        rows[name] = row.replace(base_url=url, key_of=row.key_of, allow_http=allow_http or row.allow_http)
    for name, key in keys.items():
        rows[name] = in_region_of(rows[name], key)
    return rows, keys, names


def transports(said: Transport | str | None) -> tuple[Transport, Transport]:
    """
    Return the transports of coroutines and of blocking code; they are imported and made at their first use.

    Raises:
        FiberValidationError: *said* is neither a name of a transport nor a transport.
    """
    if said is not None and not isinstance(said, str):
        if not hasattr(said, "open"):
            raise _no_transport(said)
        return said, blocking_face(said)
    if said is not None and said not in NAMES:
        raise _no_transport(said)

    def named() -> str:
        return said or _env.transport()

    arguments = (named, _env.http_library, _env.proxy_for)
    threads = Lazy("fiber.transports.choice", "for_threads", *arguments)
    return Lazy("fiber.transports.choice", "for_loops", *arguments, blocking=threads), threads


def lockfile_of(said: AnyLockfile | None, profile: str | None) -> Lockfile:
    """
    Return *said*, read when it is a path; one without an alias when nothing was said.

    Raises:
        FiberValidationError: It cannot be read, is wrong, or has no such *profile*.
    """
    if isinstance(said, str | PathLike):
        from fiber.registry.locking.finding import load

        said = load(said)
    lockfile = NONE if said is None else said
    if not isinstance(lockfile, Lockfile):
        raise FiberValidationError(
            f"The argument lockfile is {said!r}: pass a path, or what find_lockfile() returns.",
            parameter="lockfile",
            outcome="not_sent",
        )
    lockfile.profile(profile)
    return lockfile


def find_lockfile(path: AnyLockfile | None = None, *, package: str | None = None) -> Lockfile:
    """
    Find a lockfile and read it: at *path*, where `FIBER_LOCKFILE` says, or `fiber.lock` in the working directory.

    Nothing is made: without a file it is an empty one.

    Args:
        path: Where it must be; or a lockfile, which is taken as it is.
        package: Who asks, like `acme_notes`. The aliases that it was installed with can be asked for as
            `acme_notes:alias`, whatever file was found; where none was, its own file is the one.

    Raises:
        FiberValidationError: The file is not there, or wrong, in a line and field that the message names; or *package*
            has none.
    """
    from fiber.registry.locking.finding import FILE, bundled, with_package

    said = path or _env.lockfile() or (FILE if isfile(FILE) else None)
    if package is None:
        return lockfile_of(said, None)
    own = None if said is not None else bundled(package)
    return own or with_package(lockfile_of(said, None), package)


def _no_transport(said: object) -> FiberValidationError:
    return FiberValidationError(
        f"The argument transport is {said!r}: say {', '.join(map(repr, NAMES[:-1]))} or {NAMES[-1]!r}, or pass a"
        " Transport.",
        parameter="transport",
        outcome="not_sent",
    )


def from_environment(options: ClientOptions) -> ClientOptions:
    """
    Return *options*, completed from the documented variables.

    Raises:
        FiberValidationError: No provider has a key; the message names the variables.
    """
    providers = tuple(options.get("providers") or ())
    rows = (*PROVIDERS, *providers)
    names = ModelRegistry(rows)
    given = {name: credential_of(key) for name, key in _by_row(names, options.get("api_keys")).items()}
    keys: dict[str, Credential] = {**_env.keys(rows), **given}
    # A region that stands in a key was said by the caller; that of the environment holds for the other rows.
    owned = _shared(rows, given)
    placed = [in_region_of(row, owned.get(row.name)) for row in rows]
    urls = {**_env.base_urls(placed), **_by_row(names, options.get("base_urls"))}
    usable = [row for row in rows if _is_usable(row, keys, urls, given=row in providers)]
    if not usable:
        variables = ", ".join(row.key_env[0] for row in PROVIDERS[:3])
        raise FiberValidationError(
            f"No provider has a key: set one of {variables}, the base URL of a local server like LMSTUDIO_BASE_URL, or"
            " use Fiber(api_keys=...).",
            parameter="api_keys",
            outcome="not_sent",
        )
    first = next((f"{row.name}:{row.default_model}" for row in usable if row.default_model), None)
    model = options.get("default_model") or _env.default_model() or first
    lockfile = find_lockfile(options.get("lockfile"))
    # What is set for many programs is not wrong in one that has no profiles.
    profile = options.get("profile") or (_env.profile() if lockfile.path else None)
    return {
        **options,
        "providers": providers,
        "api_keys": keys,
        "base_urls": urls,
        "default_model": model,
        "lockfile": lockfile,
        "profile": profile,
        "usage": options.get("usage") or _env.usage() or None,
    }


def _shared(rows: Iterable[Provider], keys: Mapping[str, Credential]) -> dict[str, Credential]:
    """Return *keys*, and for each row without one that of the row that it names."""
    found = {row.name: keys[row.key_of] for row in rows if row.key_of in keys}
    return {**found, **keys}


def _by_row(names: ModelRegistry, said: Mapping[str, T] | None) -> dict[str, T]:
    """Return *said* by names of rows, for aliases too."""
    return {names.resolve("-", provider=name).provider: value for name, value in (said or {}).items()}


def _is_usable(row: Provider, keys: Mapping[str, Any], urls: Mapping[str, str], *, given: bool) -> bool:
    if row.needs_key and row.name not in keys:
        return False
    # Nobody knows whether a server runs on this machine; somebody has to say so.
    return row.name in urls or (row.is_placed and (row.needs_key or given))
