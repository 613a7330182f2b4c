"""The keywords of a client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

from fiber._chain import Layer
from fiber.providers.row import Credential, Provider
from fiber.registry.catalog import ModelCatalog
from fiber.registry.lockfile import AnyLockfile
from fiber.registry.models import ModelRegistry
from fiber.registry.prices import PriceSource
from fiber.transports.base import Transport
from fiber.types.config import AliasOrder, BreakerPolicy, CachePolicy, HedgePolicy, OpenAIAPI, RetryPolicy, Timeouts
from fiber.types.fetch import FetchPolicy
from fiber.types.request import OnUnsupported
from fiber.types.telemetry import Redact, Semconv

if TYPE_CHECKING:
    from fiber.layers.breaker import Breaker
    from fiber.layers.budget import Budget, Budgets
    from fiber.layers.cache import Cache
    from fiber.layers.ratelimit import RateLimit, RateLimiter
    from fiber.metering.events import EventHandler, Events
    from fiber.metering.metrics import Metrics
    from fiber.usage.log import AnySink, UsageLog


class ClientOptions(TypedDict, total=False):
    """
    What a client is told; None, and what is not said, is the default.

    Attributes:
        default_model: Model of calls that name none.
        default_temperature, default_max_tokens: Call defaults.
        api_keys: Keys by provider: strings, or callables (sync or async) asked at every call; a list of them is a pool.
        base_urls: Other base URLs by provider.
        providers: Further rows, or second instances of a provider under another name.
        timeouts: The five timers.
        retry: When failed attempts are repeated.
        fallback: Models to ask when that of a call fails, in order.
        balance: Names that calls may use as model, each with the models that share its calls, and their weights.
        breaker: When a target that fails is left alone for a while; never when not given. A `Breaker` shares its open
            circuits with other processes. Part of the default layers.
        hedge: When a slow call is sent a second time; never when not given. Part of the default layers.
        openai_api: Which API of OpenAI is asked for its models, where a call does not name one: `chat` (the default),
            `responses`, or `auto`, by what is asked.
        on_unsupported: What happens to parameters a target does not have: `raise`, `warn` or `drop`.
        model_registry: Routing; made of the rows when not given.
        lockfile: Aliases: the path of a file, which is read when the client is made, or what `find_lockfile` returns.
        profile: Profile of the lockfile in which aliases are looked up; its default one when not given.
        alias_order: Which model of an alias is asked first: the one that is `listed` first (the default), or the
            cheapest by the estimated `cost` of what is asked.
        transport: `direct` (sockets of our own, the default), `h11` or `httptools` (the same, with this parser) or
            `httpx`; or another `Transport`, for instance `fiber.testing.FakeTransport`, which is used for both faces,
            unless its attribute `blocking` is a second one for `fiber.sync`.
        layers: Other layers, outermost first.
        cache: Where answers are kept.
        cache_policy: What calls that say nothing do with the cache; `off` by default.
        budgets: What calls may spend together.
        rate_limits: How fast calls may be, by provider or model family.
        metrics: Where calls are counted, around all layers: `Metrics` that clients share, the client's own when not
            given; False for nowhere.
        redact: What may be told of a bound field, a label or captured content: a function of its name and value that
            returns what is told instead, None for nothing.
        log_content: Share of the calls, from 0 to 1, whose question and answer are logged, as *redact* leaves them;
            none when not given. Part of the default layers.
        semconv: Older version of OpenTelemetry's conventions in whose words spans and metrics speak.
        traceparent: Send the header `traceparent`, so that a provider can say which span its own work belongs to.
        usage: Where is written down what each call took: a sink, the path of a file, a function that takes each record,
            or several of them; or a `UsageLog` that clients share. Nowhere when not given.
        on_event: Takes business events: a function of one `BusinessEvent`, plain or `async def`, or `Events`, which
            clients may share; nothing is told when not given.
        catalog: What is known about models; the file of this library when not given.
        prices: One price list or several, asked for the cost of a call before the catalogue.
        fetch: What `fetch_part` may fetch; nothing when not given.
        allow_http: Accept plain `http://` base URLs of other machines than this one.
    """

    default_model: str | None
    default_temperature: float | None
    default_max_tokens: int | None
    api_keys: Mapping[str, Credential | Sequence[Credential]] | None
    base_urls: Mapping[str, str] | None
    providers: Iterable[Provider] | None
    timeouts: Timeouts | None
    retry: RetryPolicy | None
    fallback: Sequence[str] | None
    balance: Mapping[str, Mapping[str, float]] | None
    breaker: Breaker | BreakerPolicy | None
    hedge: HedgePolicy | None
    openai_api: OpenAIAPI | None
    on_unsupported: OnUnsupported | None
    model_registry: ModelRegistry | None
    lockfile: AnyLockfile | None
    profile: str | None
    alias_order: AliasOrder | None
    transport: Transport | Literal["direct", "h11", "httptools", "httpx"] | None
    layers: tuple[Layer, ...] | None
    cache: Cache | None
    cache_policy: CachePolicy | None
    budgets: Budgets | Iterable[Budget] | None
    rate_limits: RateLimiter | Mapping[str, RateLimit] | None
    metrics: Metrics | Literal[False] | None
    redact: Redact | None
    log_content: float | None
    semconv: Semconv | None
    traceparent: bool
    usage: UsageLog | AnySink | Sequence[AnySink] | None
    on_event: Events | EventHandler | None
    catalog: ModelCatalog | None
    prices: PriceSource | Iterable[PriceSource] | None
    fetch: FetchPolicy | None
    allow_http: bool
