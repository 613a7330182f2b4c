"""What both faces know without a call."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fiber import (
    Fiber,
    FiberModelNotFoundError,
    FiberValidationError,
    Lockfile,
    ModelCatalog,
    SyncFiber,
    openai_compatible,
)
from fiber.registry.lockfile import Binding
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


@pytest.mark.parametrize("face", [Fiber(), Fiber().sync], ids=["coroutines", "blocking"])
def test_a_cost_is_estimated_without_a_call(face: Fiber | SyncFiber) -> None:
    """Estimated input, and as much output as is asked for; at most what the model makes."""
    asked = face.estimate_cost("Name a river.", model="openai:gpt-6-luna", max_tokens=2000)
    assumed = face.estimate_cost("Name a river.", model="openai:gpt-6-luna")
    little = ModelCatalog(overrides={"openai:gpt-6-luna": {"max_output": 10}})
    bounded = Fiber(catalog=little, default_model="gpt-6-luna").estimate_cost("Name a river.")

    outputs = [{line.component: line.quantity for line in each.lines}["output"] for each in (asked, assumed, bounded)]
    assert outputs == [2000, 1000, 10]
    assert asked.usd is not None
    assert asked.usd > Decimal("0.001")


def test_an_unknown_price_is_no_estimate() -> None:
    """A row of one's own is asked like any other."""
    fiber = Fiber(providers=[openai_compatible("local", "http://127.0.0.1:1/v1")])

    assert fiber.estimate_cost("x", model="m", provider="local").status == "model_not_in_catalogue"
    assert fiber.estimate_cost({"messages": "x", "max_tokens": 5, "model": "local:m"}, tools=[]).usd is None


@pytest.mark.parametrize("is_blocking", [False, True])
def test_aliases_are_known_without_a_call(*, is_blocking: bool) -> None:
    """In the profile that is named, or that of the client; what is not known is no alias."""
    profiles = {"dev": {"fast": Binding(("openai:a",))}, "prod": {"slow": Binding(("openai:b",))}}
    lockfile = Lockfile(profiles=profiles, default_profile="dev")
    fiber, _ = scripted(lockfile=lockfile, profile="prod")
    face = fiber.sync if is_blocking else fiber

    assert face.lockfile is lockfile
    assert (face.has_alias("slow"), face.has_alias("fast"), face.has_alias("openai:a")) == (True, False, False)
    assert (face.has_alias("fast", profile="dev"), face.has_alias("fast", profile="stage")) == (True, False)
    face.require_aliases(["slow"])
    face.require_aliases(["fast"], profile="dev")
    with pytest.raises(FiberValidationError, match=r"^notes needs aliases that .* does not have: fast, gone\."):
        face.require_aliases(["slow", "fast", "gone"], context="notes")
    with pytest.raises(FiberValidationError, match="There is no profile 'stage'"):
        face.require_aliases(["slow"], profile="stage")
