"""
Prefix routing.

In this order: `provider=`; `provider:model`; `provider/model` (first separator only, known providers only); exact
name; longest prefix; preference among ties. Every step can be read with `explain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from fiber._errors import FiberModelNotFoundError, FiberValidationError
from fiber.providers.row import Provider

_MANY_ROUTES = 1024


@dataclass(frozen=True, slots=True)
class Route:
    """
    Where a model goes.

    Attributes:
        provider: Row name.
        model: Model as the provider spells it.
        steps: What was looked at, in words, the deciding one last.
        by_name: Nobody said the provider; it was found by the name of the model.
    """

    provider: str
    model: str
    steps: tuple[str, ...] = ()
    by_name: bool = False


class ModelRegistry:
    """
    Routes model names to providers; a value without keys, prices or I/O.

    Args:
        providers: Rows whose names, aliases and prefixes are known.
        exact: Model names with their provider, before any prefix.
        prefixes: Further prefixes with their provider.
        preference: Providers in order of preference for prefixes of equal length; others come after, sorted.
            Empty makes a tie an error.
    """

    def __init__(
        self,
        providers: Iterable[Provider],
        *,
        exact: Mapping[str, str] | None = None,
        prefixes: Mapping[str, str] | None = None,
        preference: Iterable[str] | None = None,
    ) -> None:
        rows = tuple(providers)
        self._rows = {row.name: row for row in rows}
        self._names = {row.name: row.name for row in rows}
        for row in rows:
            for alias in row.aliases:
                self._names.setdefault(alias, row.name)  # a name wins over another row's alias
        self._exact = {model: self._known(name) for model, name in (exact or {}).items()}
        self._prefixes: dict[str, list[str]] = {}
        for row in rows:
            for prefix in row.prefixes:
                self._prefixes.setdefault(prefix, []).append(row.name)
        self._further = {prefix: self._known(name) for prefix, name in (prefixes or {}).items()}
        for prefix, name in self._further.items():
            self._prefixes.setdefault(prefix, []).append(name)
        self._given = None if preference is None else tuple(self._known(name) for name in preference)
        self._preference = tuple(self._rows) if self._given is None else self._given
        self._longest = max(map(len, self._prefixes), default=0)
        self._routes: dict[tuple[str, str | None], Route] = {}  # those that were asked for

    def __repr__(self) -> str:
        return f"ModelRegistry(providers={sorted(set(self._names.values()))}, prefixes={sorted(self._prefixes)})"

    @property
    def providers(self) -> tuple[str, ...]:
        """Names of the providers, without aliases."""
        return tuple(dict.fromkeys(self._names.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the providers, with aliases."""
        return tuple(self._names)

    @property
    def prefixes(self) -> Mapping[str, tuple[str, ...]]:
        """Known beginnings of model names, each with its providers."""
        return {prefix: tuple(names) for prefix, names in sorted(self._prefixes.items())}

    def with_provider(self, row: Provider) -> ModelRegistry:
        """
        Return a copy that also knows *row*: its name, aliases and prefixes.

        It comes last, or in the place of the row of its name; exact names, further prefixes and a preference that
        were given stay as they are.
        """
        rows = {**self._rows, row.name: row}
        return ModelRegistry(rows.values(), exact=self._exact, prefixes=self._further, preference=self._given)

    def resolve(self, model: str, *, provider: str | None = None) -> Route:
        """
        Route *model*.

        Raises:
            FiberModelNotFoundError: No provider is known for it, or several are and none is preferred.
            FiberValidationError: *provider* is not known.
        """
        key = (model, provider)
        if key not in self._routes:
            if len(self._routes) >= _MANY_ROUTES:
                self._routes.clear()
            self._routes[key] = self._resolve(model, provider, [])
        return self._routes[key]

    def explain(self, model: str, *, provider: str | None = None) -> tuple[str, ...]:
        """Return the steps that `resolve` takes, the failing one included; no I/O, no exception."""
        steps: list[str] = []
        try:
            return self._resolve(model, provider, steps).steps
        except (FiberModelNotFoundError, FiberValidationError) as error:
            return (*steps, error.message)

    def _resolve(self, model: str, provider: str | None, steps: list[str]) -> Route:
        if provider is not None:
            name = self._known(provider)
            steps.append(f"provider={provider!r} was given: {name}")
            return Route(name, self._stripped(model, name), tuple(steps))
        for separator in (":", "/"):
            left, found, right = model.partition(separator)
            if found and right and left in self._names:
                steps.append(f"{left!r} before the first {separator!r} is a provider: {self._names[left]}")
                return Route(self._names[left], right, tuple(steps))
            if found:
                why = "has nothing after it" if left in self._names else "is no provider"
                steps.append(f"{left!r} before the first {separator!r} {why}")
        if model in self._exact:
            steps.append(f"exact name: {self._exact[model]}")
            return Route(self._exact[model], model, tuple(steps), by_name=True)
        steps.append("no exact name")
        return self._by_prefix(model, steps)

    def _by_prefix(self, model: str, steps: list[str]) -> Route:
        for length in range(min(len(model), self._longest), 0, -1):
            candidates = self._prefixes.get(model[:length])
            if not candidates:
                continue
            unique = sorted(set(candidates), key=self._rank)
            steps.append(f"longest prefix {model[:length]!r}: {', '.join(unique)}")
            if len(unique) > 1 and not self._preference:
                raise FiberModelNotFoundError(
                    f"Model {model!r} fits several providers ({', '.join(unique)}) and none is preferred:"
                    f" say provider=..., write {unique[0]}:{model}, or give the registry a preference.",
                    model=model,
                    outcome="not_sent",
                )
            if len(unique) > 1:
                steps.append(f"preference: {unique[0]}")
            return Route(unique[0], model, tuple(steps), by_name=True)
        steps.append("no prefix")
        raise self._not_found(model)

    def _rank(self, name: str) -> tuple[int, str]:
        return (self._preference.index(name) if name in self._preference else len(self._preference), name)

    def _stripped(self, model: str, name: str) -> str:
        left, found, right = model.partition(":")
        return right if found and right and self._names.get(left) == name else model

    def _known(self, name: str) -> str:
        if name not in self._names:
            near = get_close_matches(name, self._names, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FiberValidationError(
                f"Provider {name!r} is not known: use one of {', '.join(sorted(self._names))}.{hint}",
                parameter="provider",
                outcome="not_sent",
            )
        return self._names[name]

    def _not_found(self, model: str) -> FiberModelNotFoundError:
        known = [*self._exact, *self._prefixes, *self._names]
        near = get_close_matches(model.lower(), known, 3, 0.5)
        hint = f" Near: {', '.join(near)}." if near else ""
        return FiberModelNotFoundError(
            f"No provider is known for model {model!r}.{hint} Write provider:model (providers:"
            f" {', '.join(sorted(set(self._names.values())))}), say provider=..., or add a prefix to ModelRegistry.",
            model=model,
            outcome="not_sent",
        )
