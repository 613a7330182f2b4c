"""What is wrong with the models of a lockfile."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fiber import PROVIDERS, Lockfile, ModelCatalog, ModelRegistry
from fiber.registry.lockfile import Binding
from fiber.registry.locking.checking import drifted, findings

TODAY = date(2026, 11, 21)
MODEL = "openai:gpt-test"
REGISTRY = ModelRegistry(PROVIDERS)


def found(model: str = MODEL, constraints: dict[str, Any] | None = None, **said: Any) -> list[str]:
    """Return what is told of one binding of *model*, of which the catalogue says *said*."""
    lockfile = Lockfile(profiles={"dev": {"fast": Binding((model,), constraints or {})}})
    catalog = ModelCatalog(overrides={MODEL: said} if said else {})
    return [str(finding) for finding in findings(lockfile, REGISTRY, catalog, TODAY)]


@pytest.mark.parametrize(
    ("constraints", "said", "expected"),
    [
        ({}, {"name": "Test"}, []),
        ({"tools": True, "max_input_tokens": 10}, {"can": "tools", "max_input": 10}, []),
        ({"tools": True}, {"cannot": "tools"}, ["problem: tools must be True, and is False"]),
        ({"max_input_tokens": 10}, {"name": "Test"}, ["problem: max_input_tokens must be 10, and is not known"]),
        ({}, {}, ["note: the catalogue does not know it"]),
        ({"tools": True}, {}, ["problem: the catalogue does not know it, so nobody knows of tools"]),
        ({}, {"shutdown": "2026-11-22"}, ["note: its provider ends it on 2026-11-22"]),
        ({}, {"shutdown": "2026-11-21"}, ["problem: its provider ends it on 2026-11-21"]),
        ({}, {"deprecated": True}, ["note: its provider calls it deprecated"]),
    ],
)
def test_a_model_is_checked(constraints: dict[str, Any], said: dict[str, Any], expected: list[str]) -> None:
    """Against its constraints, and whether it lives."""
    assert [line.replace(f"dev, fast, {MODEL}: ", "") for line in found(constraints=constraints, **said)] == expected


def test_a_model_of_nobody_is_a_problem() -> None:
    """Calls of its alias would fail."""
    (line,) = found("nobodys-model")

    assert line.startswith("problem: dev, fast, nobodys-model: No provider is known")


def test_another_revision_of_the_catalogue_is_a_note() -> None:
    """It tells what to do; without a pin, or with the same day, there is nothing to tell."""
    catalog = ModelCatalog()
    old = Lockfile(catalog=date(2026, 1, 1))

    (finding,) = findings(old, REGISTRY, catalog, TODAY)

    assert str(finding).startswith(f"note: the catalogue is of {catalog.revision}, the lockfile of 2026-01-01")
    assert finding == drifted(old, catalog)
    assert drifted(Lockfile(), catalog) is drifted(Lockfile(catalog=catalog.revision), catalog) is None
