"""What a client is made of, and the views of it: other defaults, bound fields, a further provider."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from fiber._chain import Call, Handler, Listener
from fiber._errors import FiberClosedError, FiberValidationError
from fiber.metering.metrics import Metrics
from fiber.providers.keys import KeyPool, credential_of
from fiber.providers.row import Credential, Provider, in_region_of, with_row
from fiber.registry.balance import Balance, check_names
from fiber.registry.catalog import BUNDLED, ModelCatalog
from fiber.registry.lockfile import NONE, Lockfile
from fiber.registry.models import ModelRegistry
from fiber.registry.prices import PriceSource
from fiber.transports.base import Transport
from fiber.types.calls import KNOWN
from fiber.types.config import OpenAIAPI, RetryPolicy, Timeouts
from fiber.types.fetch import FetchPolicy
from fiber.types.telemetry import Telemetry

if TYPE_CHECKING:  # loaded when somebody asks for it
    from fiber.usage.log import UsageLog

BOUND: ContextVar[tuple[Mapping[str, Any], ...]] = ContextVar("fiber bound fields", default=())
"""Fields of the `with fiber.bind(...)` blocks around the caller: one entry a block, those of outer blocks included."""


@dataclass(slots=True)
class State:
    """What all copies of one client share."""

    closed: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """
    All that a client is made of.

    Attributes:
        rows: Providers by name.
        keys: Credentials by provider name.
        defaults: Keywords of a call that are used where the caller said nothing.
        context: Bound fields.
        fetch: What `fetch_part` may fetch; nothing when None.
        caches: A cache is among the layers.
        pools: A layer that uses pools of keys is among them.
        balances: Names that stand for several models.
        catalog, prices: What is known about models; price lists that are asked before it.
        lockfile: Aliases; none in an empty one.
        openai_api: Which API of OpenAI is asked, where a call leaves that open.
        metrics: Where calls are counted, if it is among the listeners.
        usage: Where is written down what calls took, if anywhere; it is among the listeners.
        listeners: Who hears of calls, around all layers.
        telemetry: What is told of calls, and in which words.
        plans: Calls for others to be made like; see `fiber._calls`.
    """

    rows: Mapping[str, Provider]
    keys: Mapping[str, Credential]
    registry: ModelRegistry
    handler: Handler
    transport: Transport
    timeouts: Timeouts
    retry: RetryPolicy
    defaults: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    state: State = field(default_factory=State)
    fetch: FetchPolicy | None = None
    caches: bool = False
    pools: bool = False
    balances: Mapping[str, Balance] = field(default_factory=dict)
    catalog: ModelCatalog = BUNDLED
    prices: tuple[PriceSource, ...] = ()
    lockfile: Lockfile = NONE
    openai_api: OpenAIAPI = "chat"
    metrics: Metrics = field(default_factory=Metrics)
    usage: UsageLog | None = None
    listeners: tuple[Listener, ...] = ()
    telemetry: Telemetry = Telemetry()
    plans: dict[Any, Call] = field(default_factory=dict, init=False, compare=False, repr=False)


def check_open(settings: Settings) -> None:
    """Raise when the client is closed."""
    if settings.state.closed:
        raise FiberClosedError("This client is closed: make a new Fiber.", outcome="not_sent")


def over(settings: Settings, transport: Transport) -> Settings:
    """Return *settings* over another transport."""
    return replace(settings, transport=transport)


def with_defaults(settings: Settings, options: Mapping[str, Any]) -> Settings:
    """Return *settings* with further call defaults; `timeouts` and `retry` replace those of the client."""
    options = dict(options)
    timeouts = options.pop("timeouts", None) or settings.timeouts
    retry = options.pop("retry", None) or settings.retry
    known(options)
    said = {name: value for name, value in options.items() if value is not None}
    return replace(settings, timeouts=timeouts, retry=retry, defaults={**settings.defaults, **said})


def with_provider(
    settings: Settings, row: Provider, said: Credential | Sequence[Credential], *, replacing: bool
) -> Settings:
    """Return *settings* with *row*; a key of the row that it replaces is not its key."""
    key = credential_of(said)
    check_pools([key], pools=settings.pools)
    keys = {name: known for name, known in settings.keys.items() if name != row.name}
    if key is not None:
        keys[row.name] = key
    row = in_region_of(row, key)
    rows = with_row(settings.rows, row, replace=replacing)
    registry = settings.registry.with_provider(row)
    check_names(settings.balances, registry)
    return replace(settings, rows=rows, keys=keys, registry=registry)


def looking(settings: Settings) -> Settings:
    """Return *settings* for calls that are prepared once more, or only looked at: they take no turn of a balance."""
    if not settings.balances:
        return settings
    return replace(settings, balances={name: balance.copy() for name, balance in settings.balances.items()})


def check_pools(keys: Iterable[Credential], *, pools: bool) -> None:
    """Raise when one of *keys* is a pool and no layer uses *pools*."""
    if not pools and any(isinstance(key, KeyPool) for key in keys):
        raise FiberValidationError(
            "No layer of this client uses pools of keys: say layers=(..., *default_layers(keys=True)).",
            parameter="api_keys",
            outcome="not_sent",
        )


def bound(settings: Settings, fields: Mapping[str, Any]) -> Settings:
    """Return *settings* with further bound fields; the newer win."""
    return replace(settings, context={**settings.context, **fields})


def enter(settings: Settings) -> None:
    """Enter a block that binds the fields of *settings*."""
    BOUND.set((*BOUND.get(), {**around(), **settings.context}))


def leave() -> None:
    """Leave the innermost block of this task or thread."""
    BOUND.set(BOUND.get()[:-1])


def known(options: Mapping[str, Any], names: Set[str] = KNOWN) -> None:
    """Raise `TypeError` when a keyword is none of *names*."""
    if not options.keys() <= names:
        unknown = min(options.keys() - names)
        near = get_close_matches(unknown, names, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise TypeError(f"unknown keyword {unknown!r}{hint}; known: {', '.join(sorted(names))}")


def around() -> Mapping[str, Any]:
    """Return the fields bound by the blocks around the caller."""
    blocks = BOUND.get()
    return blocks[-1] if blocks else {}
