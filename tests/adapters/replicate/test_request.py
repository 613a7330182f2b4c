"""Requests: where a prediction is made, and how the parameters are named in the input of its model."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.target import Quirks, Target
from fiber.types.tools import ReasoningOptions, ResponseFormat, Tool
from tests.adapters.replicate.conftest import BASE, GPT, LLAMA, Tools

CLAUDE = "anthropic/claude-4-sonnet"
GEMINI = "google/gemini-2.5-flash"
UNKNOWN = "ada/own-model"


@pytest.mark.parametrize(
    ("model", "path", "version"),
    [
        (LLAMA, "/models/meta/meta-llama-3-8b-instruct/predictions", None),
        ("ada/a b", "/models/ada/a%20b/predictions", None),
        ("deployments/ada/mine", "/deployments/ada/mine/predictions", None),
        ("ada/own-model:5c7d5d", "/predictions", "ada/own-model:5c7d5d"),
        ("5c7d5dc6dd8bf75c", "/predictions", "5c7d5dc6dd8bf75c"),
    ],
)
def test_model_says_where_the_prediction_is_made(tools: Tools, model: str, path: str, version: str | None) -> None:
    """At the model, at a deployment, or anywhere with the version in the body."""
    built = tools.build(model=model)

    assert (built.method, built.url) == ("POST", f"{BASE}{path}")
    assert tools.body(model=model).get("version") == version


def test_stream_is_asked_for_and_comes_later(tools: Tools) -> None:
    """The first answer is JSON either way, and nobody waits for the prediction in it."""
    whole, streamed = tools.build(), tools.build(stream=True)

    assert tools.body() == {"input": {"prompt": "Hi"}}
    assert tools.body(stream=True) == {"input": {"prompt": "Hi"}, "stream": True}
    assert whole.headers == streamed.headers
    assert dict(whole.headers) == {"content-type": "application/json", "accept": "application/json"}


def test_parameters_are_inputs(tools: Tools) -> None:
    """Zeros are sent; stop sequences are one text; what no parameter says is said in extra_body."""
    sent = tools.sent(
        temperature=0.0,
        top_p=0.5,
        top_k=7,
        max_tokens=9,
        stop=("END", "<end>"),
        frequency_penalty=0.5,
        presence_penalty=-1.0,
        extra_body={"input": {"min_tokens": 3}},
    )

    assert sent == {
        "prompt": "Hi",
        "temperature": 0.0,
        "top_p": 0.5,
        "top_k": 7,
        "max_tokens": 9,
        "stop_sequences": "END,<end>",
        "frequency_penalty": 0.5,
        "presence_penalty": -1.0,
        "min_tokens": 3,
    }


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LLAMA, "max_tokens"),
        ("meta/llama-2-70b-chat", "max_new_tokens"),
        (GPT, "max_completion_tokens"),
        (CLAUDE, "max_tokens"),
        (GEMINI, "max_output_tokens"),
        (UNKNOWN, "max_tokens"),
    ],
)
def test_limit_has_the_name_of_the_model(tools: Tools, model: str, name: str) -> None:
    """Each schema has its own."""
    assert tools.sent(model=model, max_tokens=2000)[name] == 2000


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (LLAMA, {"seed": 1}),
        (LLAMA, {"reasoning": ReasoningOptions("low")}),
        ("meta/llama-2-70b-chat", {"presence_penalty": 1.0}),
        (GPT, {"temperature": 0.5}),
        ("openai/gpt-4o", {"top_k": 5}),
        (CLAUDE, {"temperature": 0.5}),
        ("anthropic/claude-3.5-sonnet", {"reasoning": ReasoningOptions("low")}),
        (GEMINI, {"stop": ("x",)}),
        (UNKNOWN, {"reasoning": ReasoningOptions("low")}),
        (UNKNOWN, {"tools": (Tool("f"),)}),
        (UNKNOWN, {"response_format": ResponseFormat("json_schema", {"type": "object"})}),
    ],
)
def test_what_a_model_lacks_is_refused_or_left_out(tools: Tools, model: str, fields: dict[str, Any]) -> None:
    """Before anything is sent, with the name of the parameter."""
    with pytest.raises(FiberCapabilityError) as caught:
        tools.build(model=model, **fields)

    (name,) = fields
    assert caught.value.parameter == name
    assert tools.sent(model=model, on_unsupported="drop", **fields) == {"prompt": "Hi"}
    assert ("dropped", name) in tools.notes(model=model, on_unsupported="drop", **fields)


def test_unknown_model_gets_all_parameters(tools: Tools) -> None:
    """Its schema is not known here, so that nothing is held back."""
    assert tools.sent(model=UNKNOWN, seed=7, top_k=5) == {"prompt": "Hi", "seed": 7, "top_k": 5}


def test_stop_sequence_with_a_comma_cannot_be_sent(tools: Tools) -> None:
    """It would be two; the others are sent without it."""
    with pytest.raises(FiberCapabilityError, match="divided by commas"):
        tools.build(stop=("a,b",))

    assert tools.sent(stop=("a,b", "c"), on_unsupported="drop")["stop_sequences"] == "c"
    assert "stop_sequences" not in tools.sent(stop=("a,b",), on_unsupported="drop")


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        (GPT, ReasoningOptions("low"), {"reasoning_effort": "low"}),
        (GPT, ReasoningOptions("max"), {"reasoning_effort": "high"}),
        (GPT, ReasoningOptions(budget_tokens=0), {"reasoning_effort": "none"}),
        (GPT, ReasoningOptions(), {}),
        (CLAUDE, ReasoningOptions(budget_tokens=2000), {"extended_thinking": True, "thinking_budget_tokens": 2000}),
        (CLAUDE, ReasoningOptions("none"), {"extended_thinking": False}),
        (CLAUDE, ReasoningOptions("high"), {"extended_thinking": True}),
        (CLAUDE, ReasoningOptions(), {"extended_thinking": True}),
        (GEMINI, ReasoningOptions(budget_tokens=2000), {"thinking_budget": 2000}),
        (GEMINI, ReasoningOptions("none"), {"thinking_budget": 0}),
        (GEMINI, ReasoningOptions("low"), {"dynamic_thinking": True}),
    ],
)
def test_thinking_is_said_in_the_words_of_the_maker(
    tools: Tools, model: str, asked: ReasoningOptions, sent: dict[str, Any]
) -> None:
    """An effort, a switch with a budget, or a budget; what changes its meaning is told."""
    given = tools.sent(model=model, reasoning=asked)
    changed = asked.effort == "max" or (model != GPT and asked.effort not in (None, "none"))

    assert given == {"prompt": "Hi", **sent}
    assert (("mapped", "reasoning") in tools.notes(model=model, reasoning=asked)) is changed


@pytest.mark.parametrize("asked", [ReasoningOptions("low", summary=True), ReasoningOptions(budget_tokens=500)])
def test_thinking_that_cannot_be_asked_for_is_refused(tools: Tools, asked: ReasoningOptions) -> None:
    """No summary is ever given, and a model with efforts takes no number."""
    with pytest.raises(FiberCapabilityError, match="reasoning"):
        tools.build(model=GPT, reasoning=asked)


def test_row_may_have_inputs_of_its_own(tools: Tools) -> None:
    """As in every format, by a quirk."""
    from fiber.adapters.replicate import ADAPTER
    from fiber.types.messages import ChatMessage
    from fiber.types.request import ChatRequest

    row = Target(provider="own", model=UNKNOWN, base_url=BASE, quirks=Quirks(members={"user": "input.customer"}))
    request = ChatRequest(messages=(ChatMessage.user("Hi"),), user="ada")

    assert b'"customer":"ada"' in ADAPTER.build_request(request, row, stream=False).body
