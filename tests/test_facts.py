"""What a client knows without a call, from both faces."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fiber import Fiber, ModelCatalog, SyncFiber, openai_compatible

FIBER = Fiber(api_keys={"openai": "sk-x"})
FACES = pytest.mark.parametrize("face", [FIBER, FIBER.sync], ids=["coroutines", "blocking"])


@FACES
def test_has_key_and_routes_need_no_call(face: Fiber | SyncFiber) -> None:
    """A client tells, without a call, for which providers it has keys, and how it routes."""
    assert face.has_key("openai")
    assert face.has_key("ollama")
    assert not face.has_key("claude")
    assert face.route("claude-x").provider == "anthropic"
    assert face.explain("claude-x")[-1] == "longest prefix 'claude-': anthropic"
    assert face.providers["openai"].name == "openai"


@FACES
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
