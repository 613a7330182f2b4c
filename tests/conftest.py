"""What every test shares: no real environment."""

from __future__ import annotations

import gc
import os
from itertools import chain

import pytest
from hypothesis import settings

from fiber.providers.table import PROVIDERS

settings.register_profile("fiber", deadline=None)  # no test fails because a machine is busy
settings.load_profile("fiber")


@pytest.fixture(autouse=True)
def no_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Hide the variables that the library or an HTTP library reads, so that a test sees only what it sets.

    `FIBER_HTTP` stays: the whole suite runs over each HTTP library in turn.
    """
    documented = {name for row in PROVIDERS for name in (*row.key_env, *row.base_url_env, *chain(*row.places.values()))}
    for name in list(os.environ):
        ours = name.upper().startswith("FIBER_") and name != "FIBER_HTTP"
        if name in documented or ours or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


def pytest_collection_finish() -> None:
    """Spare the collector thousands of collected tests: they live to the end anyway."""
    gc.collect()
    gc.freeze()
