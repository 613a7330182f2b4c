"""What OpenAI's own models refuse, and that nobody else's are judged by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.openai_chat import ADAPTER
from fiber.adapters.openai_chat.models import facts
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ReasoningOptions


def at(model: str, provider: str = "openai") -> Target:
    """Make a target."""
    return Target(provider=provider, model=model, base_url="https://host.example/v1")


def body(target: Target, **options: Any) -> dict[str, Any]:
    """Build a request with *options*, return its body."""
    request = ChatRequest(messages=(ChatMessage.user("hi"),), **options)
    built: dict[str, Any] = json.loads(ADAPTER.build_request(request, target, stream=False).body)
    return built


@pytest.mark.parametrize("model", ["o3-mini", "gpt-5", "gpt-5-mini-2025-08-07", "gpt-6-sol"])
@pytest.mark.parametrize("name", ["temperature", "top_p", "logprobs", "stop"])
def test_reasoning_models_refuse_sampling(model: str, name: str) -> None:
    """A model that reasons by default refuses sampling parameters."""
    value: Any = {"logprobs": True, "stop": ("x",)}.get(name, 0.5)
    with pytest.raises(FiberCapabilityError, match=name):
        body(at(model), **{name: value})


def test_reasoning_can_be_turned_off_for_sampling() -> None:
    """Sampling parameters are sent when reasoning is off, by default or by request."""
    off = ReasoningOptions("none")

    assert body(at("gpt-5.4"), temperature=0.5)["temperature"] == 0.5
    assert body(at("gpt-5.5"), temperature=0.5, reasoning=off)["reasoning_effort"] == "none"
    with pytest.raises(FiberCapabilityError, match='effort "none"'):
        body(at("gpt-5.4"), temperature=0.5, reasoning=ReasoningOptions("low"))


def test_first_reasoning_model_takes_stop() -> None:
    """Stop sequences are refused from o3 on, not by o1."""
    assert body(at("o1"), stop=("x",))["stop"] == ["x"]


def test_effort_that_the_model_lacks_is_refused() -> None:
    """An effort outside the model's set is refused, or dropped with a note."""
    with pytest.raises(FiberCapabilityError, match="not minimal"):
        body(at("gpt-6-sol"), reasoning=ReasoningOptions("minimal"))
    with pytest.raises(FiberCapabilityError, match="Responses API"):
        body(at("gpt-6.1-sol"), reasoning=ReasoningOptions("max"))

    sent = body(at("o3"), reasoning=ReasoningOptions("none"), on_unsupported="drop")

    assert "reasoning_effort" not in sent


@pytest.mark.parametrize(
    "target",
    [at("gpt-4o"), at("gpt-5-chat-latest"), at("gpt-9"), at("o3", "gateway"), at("gpt-5.77")],
)
def test_unknown_models_are_permissive(target: Target) -> None:
    """Unknown models, and models of other providers, get what was asked."""
    sent = body(target, temperature=0.5, stop=("x",), reasoning=ReasoningOptions("max"))

    assert sent["temperature"] == 0.5
    assert sent["reasoning_effort"] == "max"


def test_longest_prefix_wins() -> None:
    """A longer entry overrules a shorter one, and a prefix ends at a dash."""
    assert facts(at("gpt-5-pro-2026-01-01")).efforts == ("high",)
    assert facts(at("gpt-5.4-pro", "azure")).thinks
    assert not facts(at("gpt-5.4-nano")).thinks
