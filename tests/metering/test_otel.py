"""The API of OpenTelemetry is taken where it is, and not imported for nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CALL = """
import sys
from tests.kit import scripted, whole

{before}
fiber, _ = scripted(whole())
fiber.sync.chat("Hi")
print(*sorted(sys.modules.keys() & {{"opentelemetry.metrics", "opentelemetry.trace"}}))
"""


@pytest.mark.parametrize(
    ("before", "variables", "imported"),
    [
        ("", {}, []),
        ("import opentelemetry.trace", {}, ["opentelemetry.trace"]),
        ("", {"OTEL_PYTHON_TRACER_PROVIDER": "default_tracer_provider"}, ["opentelemetry.trace"]),
        ("", {"OTEL_PYTHON_METER_PROVIDER": "default_meter_provider"}, ["opentelemetry.metrics"]),
    ],
    ids=["nobody", "a host", "a tracer by name", "a meter by name"],
)
def test_a_call_imports_the_api_for_somebody_only(before: str, variables: dict[str, str], imported: list[str]) -> None:
    """For a host that has imported it already, or that names a provider in the environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}

    said = subprocess.run(
        [sys.executable, "-c", CALL.format(before=before)],
        cwd=ROOT,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    assert said.split() == imported
