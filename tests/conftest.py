"""What every test shares: no real environment."""

from __future__ import annotations

import gc
import os
from itertools import chain

import pytest
from hypothesis import settings

from fiber.credentials import aws
from fiber.providers.table import PROVIDERS

# No test fails because a machine is busy, and each run tries the same examples: `nox -s thorough` tries new ones.
settings.register_profile("fiber", deadline=None, derandomize=True)
settings.register_profile("thorough", deadline=None, derandomize=False, max_examples=2000)
settings.load_profile("fiber")


@pytest.fixture(autouse=True)
def no_real_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Hide the variables that the library or an HTTP library reads, so that a test sees only what it sets.

    `FIBER_HTTP` stays: the whole suite runs over each HTTP library in turn.
    """
    documented = {name for row in PROVIDERS for name in (*row.key_env, *row.base_url_env, *chain(*row.places.values()))}
    documented |= {*aws.VARIABLES, "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"}
    for name in list(os.environ):
        ours = name.upper().startswith("FIBER_") and name != "FIBER_HTTP"
        if name in documented or ours or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)


def pytest_collection() -> None:
    """Collect no garbage while collecting tests: nearly all that is made then lives to the end."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage from here on; each module sets aside what is there when it begins."""
    gc.enable()


@pytest.fixture(autouse=True, scope="module")
def few_objects() -> None:
    """Spare the collector what lives to the end: a test that calls it to see what is left pays for them all."""
    gc.collect()
    gc.freeze()
