"""From the name of a model, or of an alias for several, to where a call goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from fiber._errors import FiberError, FiberModelNotFoundError, FiberValidationError
from fiber._settings import Settings
from fiber.providers.first_party import OPENAI
from fiber.providers.row import Provider
from fiber.registry.estimating import estimated
from fiber.registry.fitting import misfits
from fiber.registry.models import Route
from fiber.types.options import chat_request
from fiber.types.request import ChatRequest
from fiber.types.target import Target

if TYPE_CHECKING:  # it brings two adapters along
    from fiber.registry.openai_apis import Choice


class Routes(NamedTuple):
    """
    Where a call goes.

    Attributes:
        first: Who is asked.
        others: Who is asked when that fails, in order.
        alias: What was asked for, when it was an alias.
        balanced: What was asked for is a balance, which had its turn.
        profile: The profile in which the alias was found.
        why: Why the first is first, where that was decided by cost.
    """

    first: Route
    others: tuple[Route, ...] = ()
    alias: str = ""
    balanced: bool = False
    profile: str = ""
    why: str = ""


def routes(settings: Settings, model: str | None, *, provider: str | None = None, profile: str | None = None) -> Routes:
    """
    Decide where a call goes; an alias goes to its models whose provider is configured, a balance to all of its own.

    Raises:
        FiberValidationError: Neither model nor default is known, or *provider* or *profile* is not.
        FiberModelNotFoundError: No provider is known for it.
    """
    return _routes(settings, model, provider, profile, [])


def explain(
    settings: Settings, model: str, *, provider: str | None = None, profile: str | None = None, request: Any = None
) -> tuple[str, ...]:
    """Return the steps that `routes` takes, and `api_of` for *request*, the failing one included; no exception."""
    steps: list[str] = []
    try:
        found = _routes(settings, model, provider, profile, steps)
        steps[:] = found.first.steps
        asked = None if request is None else chat_request(request)
        if found.others and found.alias and settings.defaults.get("alias_order") == "cost":
            if asked is None:
                return (*steps, "alias_order is 'cost': the cheapest for what is asked, see explain(..., request=...)")
            found = by_cost(settings, found, asked)
            steps[:] = found.first.steps
        if is_open(settings, found.first):
            steps.append(_which(settings, found.first, asked))
    except (FiberModelNotFoundError, FiberValidationError) as error:
        steps.append(error.message)
    return tuple(steps)


def by_cost(settings: Settings, found: Routes, request: ChatRequest, *, stream: bool = False) -> Routes:
    """
    Return *found* with the cheapest for *request* first, as far as prices are known; the order of the list else.

    Behind those with a price come those without, and last those of which the catalogue knows that they cannot take it.
    """
    catalog, now = settings.catalog, datetime.now(UTC)

    def rank(route: Route) -> tuple[bool, bool, Decimal]:
        known = catalog.described(route.provider, route.model)
        is_unfit = known is not None and any(misfits(request, known, stream=stream))
        said = estimated(request, route.provider, route.model, at=now, catalog=catalog, sources=settings.prices)
        return is_unfit, said.usd is None, said.usd or Decimal(0)

    ranked = sorted(((rank(route), route) for route in (found.first, *found.others)), key=itemgetter(0))
    told = ", ".join(f"{route.provider}:{route.model} {_price(*each)}" for each, route in ranked)
    first, *others = (route for _, route in ranked)
    why = f"by estimated cost: {told}"
    return found._replace(first=replace(first, steps=(*found.first.steps, why)), others=tuple(others), why=why)


def _price(is_unfit: bool, is_unknown: bool, usd: Decimal) -> str:
    return "cannot take it" if is_unfit else "has no price" if is_unknown else f"{usd:.6f} USD"


def is_open(settings: Settings, route: Route) -> bool:
    """Say whether *route* leaves open which API of OpenAI is asked, and the client has a word on that."""
    return settings.openai_api != "chat" and route.by_name and route.provider == OPENAI.name


def api_of(settings: Settings, route: Route, request: ChatRequest) -> Choice:
    """Decide which API of OpenAI is asked for *request*, which goes to *route* that leaves it open; no I/O."""
    from fiber.registry.openai_apis import CHAT, RESPONSES, Choice, choose, question

    chat, responses = settings.rows[CHAT], settings.rows[RESPONSES]
    if settings.openai_api == "responses":
        return Choice(RESPONSES, "openai_api says so")
    if (chat.adapter, responses.adapter) != ("openai_chat", "openai_responses"):
        return Choice(CHAT, f"a row of your own stands for {CHAT} or {RESPONSES}")
    if chat.base_url != responses.base_url:
        return Choice(CHAT, f"{RESPONSES} has another base URL")
    if _is_configured(settings, CHAT) and not _is_configured(settings, RESPONSES):
        return Choice(CHAT, f"{RESPONSES} has no key")
    return choose(question(request, target_of(chat, route.model), target_of(responses, route.model)))


def target_of(row: Provider, model: str) -> Target:
    """Return *model* at *row*."""
    return Target(
        provider=row.name, model=model, base_url=row.base_url, quirks=row.quirks, adapt_request=row.adapt_request
    )


def _which(settings: Settings, route: Route, request: ChatRequest | None) -> str:
    said = f"openai_api is {settings.openai_api!r}"
    if request is None and settings.openai_api == "auto":
        return f"{said}: what is asked decides between openai and openai-responses, see explain(..., request=...)"
    choice = api_of(settings, route, request or chat_request("-"))
    return f"{said}: {choice.row}, because {choice.why}"


def _routes(
    settings: Settings, model: str | None, provider: str | None, profile: str | None, steps: list[str]
) -> Routes:
    if not model:
        raise FiberValidationError(
            "No model: say model=..., or make the client with default_model=...",
            parameter="model",
            outcome="not_sent",
        )
    if provider is None and (balance := settings.balances.get(model)) is not None:
        steps.append(str(balance))
        first, *others = [_resolved(settings, name, None, []) for name in balance.turn()]
        return Routes(replace(first, steps=(*steps, *first.steps)), tuple(others), balanced=True)
    lockfile = settings.lockfile
    profile = profile or settings.defaults.get("profile")
    if provider is not None or not (profile or lockfile.path or lockfile.profiles or lockfile.packages):
        return Routes(_resolved(settings, model, provider, steps))
    chosen = lockfile.profile(profile)
    binding = lockfile.find(model, chosen)
    if binding is None:
        steps.append(f"no alias in {lockfile.name}, profile {chosen}")
        return Routes(_resolved(settings, model, None, steps, lambda: lockfile.hint(model, chosen)))
    steps.append(f"alias in {lockfile.name}, profile {chosen}: {', '.join(binding.models)}")
    found = [
        _resolved(settings, name, None, [], lambda: f" It is a model of the alias {model!r}.")
        for name in binding.models
    ]
    usable = [route for route in found if _is_configured(settings, route.provider)]
    for route in found:
        if route not in usable:
            steps.append(f"{route.provider}:{route.model} is left out: {route.provider} has no key, or no place")
    # Without any, the first one says what it needs.
    first, *others = usable or found[:1]
    steps.append(f"first of the alias: {first.provider}:{first.model}")
    return Routes(replace(first, steps=(*steps, *first.steps)), tuple(others), model, profile=chosen)


def _resolved(
    settings: Settings, model: str, provider: str | None, steps: list[str], hint: Callable[[], str] = str
) -> Route:
    """Return the route of *model*, which is no alias, with *steps* before its own; an error ends with the *hint*."""
    try:
        route = settings.registry.resolve(model, provider=provider)
    except (FiberModelNotFoundError, FiberValidationError) as error:
        steps += settings.registry.explain(model, provider=provider)[:-1]
        if not (said := hint() or _nearly(settings, model, error)):
            raise
        raise FiberModelNotFoundError(error.message + said, model=model, outcome="not_sent") from None
    return replace(route, steps=(*steps, *route.steps)) if steps else route


def _nearly(settings: Settings, model: str, error: FiberError) -> str:
    """Return what the catalogue has instead of *model*, which nobody knows."""
    near = settings.catalog.suggest(model) if isinstance(error, FiberModelNotFoundError) else ()
    return f" The catalogue has {', '.join(near)}." if near else ""


def _is_configured(settings: Settings, provider: str) -> bool:
    row = settings.rows.get(provider)
    return row is not None and row.is_placed and (bool(settings.keys.get(provider)) or not row.needs_key)
