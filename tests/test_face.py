"""What both faces know without a call."""

from __future__ import annotations

import pytest

from fiber import FiberModelNotFoundError, FiberValidationError
from tests.kit import scripted


@pytest.mark.parametrize("is_blocking", [False, True])
def test_rows_keys_and_routes_are_known_without_a_call(*, is_blocking: bool) -> None:
    """On both faces alike."""
    fiber, transport = scripted()
    face = fiber.sync if is_blocking else fiber

    assert face.providers["anthropic"].adapter == "anthropic"
    assert (face.has_key("openai"), face.has_key("anthropic"), face.has_key("lmstudio")) == (True, False, True)
    assert face.route("claude-sonnet-5-5").provider == "anthropic"
    assert face.route("gpt-6", provider="openai-responses").provider == "openai-responses"
    assert face.explain("claude-sonnet-5-5") == face.route("claude-sonnet-5-5").steps
    assert transport.requests == []


def test_what_is_not_known_is_told_as_for_a_call() -> None:
    """A model that nobody has, a provider that nobody is."""
    fiber, _ = scripted()

    with pytest.raises(FiberModelNotFoundError):
        fiber.sync.route("nobodys-model")
    with pytest.raises(FiberValidationError):
        fiber.sync.has_key("nobody")
