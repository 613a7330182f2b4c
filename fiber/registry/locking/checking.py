"""What is wrong with the models of a lockfile, as far as that is known without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

import msgspec

from fiber._errors import FiberModelNotFoundError
from fiber.registry.capabilities import meets
from fiber.registry.catalog import ModelCatalog
from fiber.registry.lockfile import Binding, Lockfile
from fiber.registry.models import ModelRegistry


class Finding(msgspec.Struct, frozen=True):
    """
    Something to know about a lockfile.

    Attributes:
        level: `problem`: it does not work, or not as it says; `note`: it does today.
    """

    level: Literal["problem", "note"]
    message: str
    profile: str = ""
    alias: str = ""
    model: str = ""

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.profile, self.alias, self.model)))
        return f"{self.level}: {where}: {self.message}" if where else f"{self.level}: {self.message}"


def findings(lockfile: Lockfile, registry: ModelRegistry, catalog: ModelCatalog, today: date) -> Iterator[Finding]:
    """Yield what there is to know about *lockfile*, the pin first, then binding by binding."""
    if (drift := drifted(lockfile, catalog)) is not None:
        yield drift
    for profile, bindings in lockfile.profiles.items():
        for alias, binding in bindings.items():
            for model in binding.models:
                for level, message in _of_model(model, binding, registry, catalog, today):
                    yield Finding(level, message, profile, alias, model)


def drifted(lockfile: Lockfile, catalog: ModelCatalog) -> Finding | None:
    """Return a note when *lockfile* was made with another revision of the catalogue."""
    if lockfile.catalog in (None, catalog.revision):
        return None
    return Finding(
        "note",
        f"the catalogue is of {catalog.revision}, the lockfile of {lockfile.catalog}: see whether its models are still"
        " the right ones, then `fiber lock bump`",
    )


def _of_model(
    model: str, binding: Binding, registry: ModelRegistry, catalog: ModelCatalog, today: date
) -> Iterator[tuple[Literal["problem", "note"], str]]:
    try:
        route = registry.resolve(model)
    except FiberModelNotFoundError as error:
        yield "problem", error.message
        return
    known = catalog.capabilities(route.model, provider=route.provider, at=today)
    if known is None:
        if binding.constraints:
            yield "problem", f"the catalogue does not know it, so nobody knows of {', '.join(binding.constraints)}"
        else:
            yield "note", "the catalogue does not know it"
        return
    for name, wanted in binding.constraints.items():
        if not meets(known, {name: wanted}):
            yield "problem", f"{name} must be {wanted}, and is {_said(getattr(known, name))}"
    if known.shutdown is not None:
        level: Literal["problem", "note"] = "problem" if known.shutdown <= today else "note"
        yield level, f"its provider ends it on {known.shutdown}"
    elif known.deprecated:
        yield "note", "its provider calls it deprecated"


def _said(value: object) -> str:
    return "not known" if value is None else f"{value}"
