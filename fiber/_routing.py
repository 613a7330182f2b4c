"""From the name of a model, or of an alias for several, to where a call goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from fiber._errors import FiberModelNotFoundError, FiberValidationError
from fiber._settings import Settings
from fiber.registry.models import Route


class Routes(NamedTuple):
    """
    Where a call goes.

    Attributes:
        first: Who is asked.
        others: Who is asked when that fails, in order.
        alias: What was asked for, when it was an alias.
        balanced: What was asked for is a balance, which had its turn.
        profile: The profile in which the alias was found.
    """

    first: Route
    others: tuple[Route, ...] = ()
    alias: str = ""
    balanced: bool = False
    profile: str = ""


def routes(settings: Settings, model: str | None, *, provider: str | None = None, profile: str | None = None) -> Routes:
    """
    Decide where a call goes; an alias goes to its models whose provider is configured, a balance to all of its own.

    Raises:
        FiberValidationError: Neither model nor default is known, or *provider* or *profile* is not.
        FiberModelNotFoundError: No provider is known for it.
    """
    return _routes(settings, model, provider, profile, [])


def explain(
    settings: Settings, model: str, *, provider: str | None = None, profile: str | None = None
) -> tuple[str, ...]:
    """Return the steps that `routes` takes, the failing one included; no I/O, no exception."""
    steps: list[str] = []
    try:
        return _routes(settings, model, provider, profile, steps).first.steps
    except (FiberModelNotFoundError, FiberValidationError) as error:
        return (*steps, error.message)


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
        if not (said := hint()):
            raise
        raise FiberModelNotFoundError(error.message + said, model=model, outcome="not_sent") from None
    return replace(route, steps=(*steps, *route.steps)) if steps else route


def _is_configured(settings: Settings, provider: str) -> bool:
    row = settings.rows.get(provider)
    return row is not None and row.is_placed and (bool(settings.keys.get(provider)) or not row.needs_key)
