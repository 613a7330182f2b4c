"""
Models: what they can do, what they cost, when they end.

The data is a dated file of this library, read when it is first asked for; nothing is fetched. What it does not know
is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from fiber._errors import FiberModelNotFoundError, FiberValidationError
from fiber.providers.table import PROVIDERS
from fiber.registry.capabilities import FLAGS, ModelCapabilities, Order, checked, described, known, meets, ranked
from fiber.registry.entries import Entry, Snapshot, Source, bundled, entry_of, over, read, trusted
from fiber.registry.models import ModelRegistry
from fiber.registry.naming import reference, spellings
from fiber.registry.prices import PriceQuery, Rates, held

_MANY_NAMES = 1024


class ModelCatalog:
    """
    Capabilities, limits, dates and prices of models; a value without keys or network.

    Args:
        overrides: What you know better, by `provider:model`: fields of the file, like
            `{"openai:gpt-6-sol": {"max_output": 8000, "can": "vision", "rates": {"input": "1.6", "output": "8"}}}`. A
            field that is said replaces the one of the file; of `can` and `cannot`, only the names that are said.
        rows: Providers of yours that offer the models of another one, like `{"my-proxy": "openai"}`.
        path: Another file, made by `catalog/build.py`, instead of the one of this library.
        sha256: Digest that the file must have, in hexadecimal.

    Raises:
        FiberValidationError: An override is wrong; the file cannot be read, or is another one.
    """

    def __init__(
        self,
        *,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        rows: Mapping[str, str] | None = None,
        path: str | Path | None = None,
        sha256: str | None = None,
    ) -> None:
        self._overrides = {
            reference(name, words=f"The override {name!r}", parameter="overrides"): (said, entry_of(said, name))
            for name, said in (overrides or {}).items()
        }
        self._said: Any = {"overrides": overrides, "rows": rows}
        self._more_rows = dict(rows or {})
        self._given = None if path is None else trusted(read(path), sha256, path)
        self._found: dict[tuple[str, str], tuple[str, str, Entry] | None] = {}  # those that were asked for
        self._repriced: set[tuple[str, str]] = set()
        self._told: set[tuple[str, str]] = set()

    def __repr__(self) -> str:
        return f"ModelCatalog(revision={self.revision})"

    def updated(self, data: bytes, sha256: str | None = None) -> ModelCatalog:
        """Return a catalogue of the file *data*, with the overrides and rows of this one; errors as for making one."""
        catalog = ModelCatalog(**self._said)
        catalog._given = trusted(data, sha256, "What came")
        return catalog

    @property
    def revision(self) -> date:
        """Day of the data."""
        return self._snapshot.revision

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where the data comes from, with licences."""
        return self._snapshot.sources

    def assert_fresh(self, max_age: timedelta, *, at: date | None = None) -> None:
        """
        Check that the data is no older than *max_age*, today or on the day *at*.

        Raises:
            FiberValidationError: It is older.
        """
        age = (at or _today()) - self.revision
        if age > max_age:
            raise FiberValidationError(
                f"The catalogue is of {self.revision}, which is {age.days} days old and more than {max_age.days}:"
                " install a newer release, or use ModelCatalog(path=...) or overrides.",
                parameter="max_age",
            )

    def capabilities(
        self, model: str, *, provider: str | None = None, at: date | None = None
    ) -> ModelCapabilities | None:
        """
        Return what is known about *model*; None when it is not known.

        Args:
            model: A name as calls take it: `provider:model`, or one whose beginning tells the provider.
            at: Day of the prices; today when not given.

        Raises:
            FiberValidationError: *provider* is not known.
        """
        try:
            route = self._registry.resolve(model, provider=provider)
        except FiberModelNotFoundError:
            return None
        return self.described(route.provider, route.model, at=at)

    def described(self, provider: str, model: str, *, at: date | None = None) -> ModelCapabilities | None:
        """Return what is known about *model* of exactly this *provider*, which may be any row."""
        found = self._entry(provider, model)
        return None if found is None else self._described(provider, found[1], found[2], at)

    def suggest(self, model: str, *, most: int = 3) -> tuple[str, ...]:
        """Return at most so many models, as `provider:model`, whose names are spelled nearly like *model*."""
        said, _, rest = model.lower().partition(":")
        names: dict[str, list[str]] = {}
        for row, models in self._models.items():
            for name in models:
                names.setdefault(name.lower().rpartition("/")[2], []).append(f"{row}:{name}")
        nearest = get_close_matches((rest or said).rpartition("/")[2], names, most, 0.5)
        found = [each for name in nearest for each in sorted(names[name], key=lambda one: not one.startswith(said))]
        return tuple(found[:most])

    def list_models(
        self, *, provider: str | None = None, capability: str | None = None, at: date | None = None
    ) -> tuple[ModelCapabilities, ...]:
        """
        Return all models, those of *provider*, those known to have *capability*.

        Raises:
            FiberValidationError: The name of a capability, or of the provider, is not known.
        """
        if capability is not None:
            known(capability, FLAGS)
        wanted = None if provider is None else self._registry.resolve("-", provider=provider).provider
        rows = self._models if wanted is None else [wanted]
        models = (
            self._described(row, name, entry, at)
            for row in rows
            for name, entry in self._models.get(self._same(row), {}).items()
        )
        return tuple(model for model in models if capability is None or getattr(model, capability))

    def find_models(
        self, requirements: Mapping[str, Any], *, order: Order = "cost", at: date | None = None
    ) -> tuple[ModelCapabilities, ...]:
        """
        Return the chat models that are known to meet all *requirements*, best first.

        Models that have been shut down are left out, and deprecated ones unless they are asked for.

        Args:
            requirements: By field of `ModelCapabilities`: True or False, tokens at least, USD per million at most,
                `provider`, `kind`.
            order: What is best: the lowest `cost`, the largest `context` or `output`.

        Raises:
            FiberValidationError: A name is not known, or a value has the wrong type.
        """
        exact = {"kind": "chat", "deprecated": False, **checked(requirements)}
        today = at or _today()
        fitting = (
            model
            for model in self.list_models(provider=exact.pop("provider", None), at=today)
            if meets(model, exact) and (model.shutdown is None or model.shutdown > today)
        )
        return tuple(ranked(fitting, order))

    def find_model(
        self, requirements: Mapping[str, Any], *, order: Order = "cost", at: date | None = None
    ) -> str | None:
        """Return the first of `find_models` as `provider:model`; None when there is none."""
        return next((model.reference for model in self.find_models(requirements, order=order, at=at)), None)

    def rates(self, query: PriceQuery) -> Rates | None:
        """Return the rates that hold for *query*; None when the model is not known. It is a `PriceSource`."""
        found = self._entry(query.provider, query.model)
        if found is None:
            return None
        entry = found[2]
        usd = held(entry.price_rows, query, entry.regions)
        source = "override" if found[:2] in self._repriced else "catalogue"
        return Rates(usd=usd, source=source, revision=self._day)

    def max_output(self, provider: str, model: str) -> int | None:
        """Return how many tokens *model* makes at most, where that is known; *provider* may be any row."""
        found = self._entry(provider, model)
        return None if found is None else found[2].max_output

    def room(self, provider: str, model: str) -> int | None:
        """Return how many tokens *model* reads at most, where that is known; *provider* may be any row."""
        found = self._entry(provider, model)
        return None if found is None else found[2].max_input or found[2].context

    def lacks(self, provider: str, model: str) -> bool:
        """Say whether *model* is known to be without something that others have; quick, for every call asks it."""
        found = self._entry(provider, model)
        return found is not None and bool(found[2].cannot)

    def notice(self, provider: str, model: str) -> str | None:
        """Return a warning when *model* is deprecated or has a date of shutdown; once for each model."""
        found = self._entry(provider, model)
        if found is None or found[:2] in self._told or not (found[2].shutdown or found[2].deprecated):
            return None
        self._told.add(found[:2])
        if found[2].shutdown is None:
            return f"{provider} calls the model {found[1]} deprecated"
        return f"{provider} ends the model {found[1]} on {found[2].shutdown}"

    @property
    def _snapshot(self) -> Snapshot:
        return self._given or bundled()

    @cached_property
    def _day(self) -> str:
        return str(self.revision)

    @cached_property
    def _registry(self) -> ModelRegistry:
        mine = {row.name for row in PROVIDERS}
        more = [
            PROVIDERS[0].replace(name=name, aliases=(), prefixes=()) for name in self._more_rows if name not in mine
        ]
        return ModelRegistry([*PROVIDERS, *more])

    @cached_property
    def _models(self) -> dict[str, dict[str, Entry]]:
        """By provider, the models of the file, with what the user says over them."""
        models = dict(self._snapshot.models)
        for (provider, name), (said, entry) in self._overrides.items():
            row = self._same(provider)
            model = _named(name, _names_of(models.get(row, {}))) or name
            known = models.get(row, {}).get(model)
            models[row] = {**models.get(row, {}), model: entry if known is None else over(known, said, entry)}
            if "rates" in said or "prices" in said:
                self._repriced.add((row, model))
        return models

    @cached_property
    def _names(self) -> dict[str, dict[str, str]]:
        """By provider, each spelling of a model with its name in the file."""
        return {row: _names_of(models) for row, models in self._models.items()}

    def _same(self, provider: str) -> str:
        provider = self._more_rows.get(provider, provider)
        return self._snapshot.rows.get(provider, provider)

    def _entry(self, provider: str, model: str) -> tuple[str, str, Entry] | None:
        key = (provider, model)
        if key not in self._found:
            if len(self._found) >= _MANY_NAMES:
                self._found.clear()
            self._found[key] = self._look_up(provider, model)
        return self._found[key]

    def _look_up(self, provider: str, model: str) -> tuple[str, str, Entry] | None:
        row = self._same(provider)
        name = _named(model, self._names.get(row, {}))
        return None if name is None else (row, name, self._models[row][name])

    def _described(self, provider: str, model: str, entry: Entry, at: date | None) -> ModelCapabilities:
        day = at or _today()
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)  # where hours matter, they are of the morning
        query = PriceQuery(provider=provider, model=model, at=noon)
        usd: Mapping[str, Decimal] = held(entry.price_rows, query, {})
        return described(provider, model, entry, usd)


BUNDLED = ModelCatalog()
"""The catalogue of clients that are given none."""


def _names_of(models: Mapping[str, Entry]) -> dict[str, str]:
    aliases = {alias: model for model, entry in models.items() for alias in entry.aliases}
    return {**aliases, **{model.lower(): model for model in models}}


def _named(model: str, names: Mapping[str, str]) -> str | None:
    return next((names[each] for each in spellings(model) if each in names), None)


def _today() -> date:
    return datetime.now(UTC).date()
