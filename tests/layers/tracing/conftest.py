"""Spans that a test hears."""

from __future__ import annotations

import pytest

from tests.layers.tracing.hearing import MISSING, Spans, heard_by, needed


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Hear all spans."""
    needed("opentelemetry.sdk.trace", MISSING)
    heard = Spans()
    heard_by(monkeypatch, heard.provider)
    return heard
