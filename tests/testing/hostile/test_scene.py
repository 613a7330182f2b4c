"""Tests of what a recipe sees, and of the answers that recipes start from."""

from __future__ import annotations

import pytest

from fiber.testing.hostile.scene import good, half, middle, once
from tests.testing.hostile.wire import FORMATS, NONCE, body, head, scene


@pytest.mark.parametrize("format", FORMATS)
def test_half_a_stream_has_text_and_no_end(format: str) -> None:
    """The first half of the events holds a piece of text, the second half the rest of it."""
    events = scene(format, stream=True).events()
    first, second = b"".join(half(events)), b"".join(events[len(half(events)) :])

    assert b"You " in first
    assert NONCE.encode() not in first
    assert NONCE.encode() in second
    assert b"You " in events[middle(events)] or b"said" in events[middle(events)]


def test_once_is_forgiving() -> None:
    """Only the first request meets the fault."""
    recipe = once(lambda scene: [])

    assert list(recipe(scene(nth=1))) == []
    assert list(recipe(scene(nth=2))) == good(scene())


def test_models_are_the_body_when_they_are_asked() -> None:
    """The list of models takes the place of the answer."""
    assert body(good(scene(models=b"{}"))) == b"{}"


def test_ticks_fill_the_limit() -> None:
    """Signs of life are counted until the limit."""
    assert len(scene(limit_seconds=2.0, tick_seconds=0.5).ticks) == 4


def test_head_has_the_providers_headers() -> None:
    """A good answer has the headers that the provider sends."""
    assert "x-request-id" in head(good(scene())).headers
