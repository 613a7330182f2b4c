"""An SDK of OpenTelemetry that keeps what it hears, for one test."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry import trace

MISSING = "opentelemetry-sdk is missing: nothing hears the spans"


def needed(module: str, reason: str) -> None:
    """Skip the test where *module* is not installed; fail it in CI."""
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # not even the package that it is in
        found = None
    if found is None:
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


class Spans:
    """The spans that ended, in the order in which they began."""

    def __init__(self, **options: Any) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.memory = InMemorySpanExporter()
        self.provider = TracerProvider(**options)
        self.provider.add_span_processor(SimpleSpanProcessor(self.memory))

    @property
    def all(self) -> list[Any]:
        """All of them."""
        return sorted(self.memory.get_finished_spans(), key=lambda span: span.start_time)

    @property
    def calls(self) -> list[Any]:
        """Those of calls."""
        return [span for span in self.all if "gen_ai.operation.name" in attributes(span)]

    @property
    def attempts(self) -> list[Any]:
        """Those of attempts."""
        return [span for span in self.all if "http.request.method" in attributes(span)]


def attributes(span: Any) -> Mapping[str, Any]:
    """Return the attributes of *span*."""
    return dict(span.attributes or {})


def events(span: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of *span*."""
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def heard_by(monkeypatch: pytest.MonkeyPatch, provider: Any) -> None:
    """Make *provider* what the API finds; a real host tells it once for all."""
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
