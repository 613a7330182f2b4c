"""Requests in Cohere's words: parameters, tools, the shape of the answer, thinking."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Opaque
from fiber.types.reading import Reading
from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice
from tests.adapters.cohere.conftest import Tools

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER, CLOCK = Tool("weather", "Look it up.", CITY), Tool("clock")


def test_request_is_a_post_with_the_stream_said(tools: Tools) -> None:
    """The path, and whether it is a stream."""
    whole, streamed = tools.build(), tools.build(stream=True)

    assert (whole.method, whole.url) == ("POST", "https://api.cohere.com/v2/chat")
    assert tools.body() == {
        "model": "command-x",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": False,
    }
    assert dict(streamed.headers)["accept"] == "text/event-stream"
    assert b'"stream":true' in streamed.body


def test_parameters_have_cohere_names(tools: Tools) -> None:
    """Sampling, limits and stops stand where Cohere looks for them; extra members are merged in."""
    body = tools.body(
        temperature=0.0,
        top_p=0.5,
        top_k=7,
        max_tokens=9,
        stop=("a",),
        seed=1,
        frequency_penalty=0.5,
        presence_penalty=1.0,
        logprobs=True,
        extra_body={"safety_mode": "STRICT", "priority": 3},
    )

    sent = {name: value for name, value in body.items() if name not in ("model", "messages", "stream")}
    assert sent == {
        "temperature": 0.0,
        "p": 0.5,
        "k": 7,
        "max_tokens": 9,
        "stop_sequences": ["a"],
        "seed": 1,
        "frequency_penalty": 0.5,
        "presence_penalty": 1.0,
        "logprobs": True,
        "safety_mode": "STRICT",
        "priority": 3,
    }


@pytest.mark.parametrize(
    ("name", "value"), [("top_p", 1.0), ("top_k", 501), ("frequency_penalty", -0.1), ("presence_penalty", 1.5)]
)
def test_value_out_of_range_is_refused_before_it_is_sent(tools: Tools, name: str, value: Any) -> None:
    """Ranges are smaller than elsewhere."""
    with pytest.raises(FiberCapabilityError, match="Cohere takes") as caught:
        tools.build(**{name: value})

    assert (caught.value.parameter, caught.value.outcome) == (name, "not_sent")
    assert tools.notes(**{name: value}, on_unsupported="drop") == [("dropped", name)]


def test_tools_are_functions(tools: Tools) -> None:
    """A tool has its schema; one without a description has none."""
    body = tools.body(tools=(WEATHER, CLOCK))

    assert body["tools"] == [
        {"type": "function", "function": {"name": "weather", "description": "Look it up.", "parameters": CITY}},
        {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}},
    ]
    assert "strict_tools" not in body
    assert "tool_choice" not in body


def test_strict_is_one_switch_for_all_tools(tools: Tools) -> None:
    """One strict tool makes all strict, and that is told."""
    strict = Tool("weather", "", CITY, strict=True)

    assert tools.body(tools=(strict,))["strict_tools"] is True
    assert tools.notes(tools=(strict,)) == []
    assert tools.notes(tools=(strict, CLOCK)) == [("mapped", "tools")]


@pytest.mark.parametrize(("mode", "sent"), [("auto", None), ("none", "NONE"), ("required", "REQUIRED")])
def test_tool_choice_is_written_in_capitals(tools: Tools, mode: Any, sent: Any) -> None:
    """Auto is the default, and not said."""
    assert tools.body(tools=(WEATHER,), tool_choice=ToolChoice(mode)).get("tool_choice") == sent


def test_named_tool_is_the_only_one_that_is_offered(tools: Tools) -> None:
    """No tool can be named, but one that is alone has to be called."""
    asked: dict[str, Any] = {"tools": (WEATHER, CLOCK), "tool_choice": ToolChoice("named", "clock")}
    body = tools.body(**asked)

    assert [tool["function"]["name"] for tool in body["tools"]] == ["clock"]
    assert body["tool_choice"] == "REQUIRED"
    assert tools.notes(**asked) == [("mapped", "tool_choice")]


def test_tools_of_others_are_refused(tools: Tools) -> None:
    """Cohere's own definition goes as it is; a server's tool and another provider's do not go."""
    own = Opaque('{"type":"function","function":{"name":"x"}}')
    foreign = Opaque("{}", "openai", "", "custom")

    assert tools.body(tools=(own,))["tools"] == [{"type": "function", "function": {"name": "x"}}]
    for tool, said in ((ServerTool("web_search"), "server tool"), (foreign, "the tool 'custom'")):
        with pytest.raises(FiberCapabilityError, match=said):
            tools.build(tools=(tool,))
        assert "tools" not in tools.body(tools=(tool,), on_unsupported="drop")


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (ResponseFormat("text"), {"type": "text"}),
        (ResponseFormat("json_object"), {"type": "json_object"}),
        (ResponseFormat("json_schema", CITY), {"type": "json_object", "json_schema": CITY}),
        (ResponseFormat("json_schema"), {"type": "json_object"}),
    ],
)
def test_shape_of_the_answer(tools: Tools, wanted: ResponseFormat, sent: Any) -> None:
    """A schema stands beside the type of any JSON object."""
    assert tools.body(response_format=wanted)["response_format"] == sent


@pytest.mark.parametrize(
    ("asked", "sent", "notes"),
    [
        (ReasoningOptions(), {"type": "enabled"}, []),
        (ReasoningOptions(summary=True), {"type": "enabled"}, []),
        (ReasoningOptions(effort="none"), {"type": "disabled"}, []),
        (ReasoningOptions(budget_tokens=0), {"type": "disabled"}, []),
        (ReasoningOptions(budget_tokens=99), {"type": "enabled", "token_budget": 99}, []),
        (ReasoningOptions(effort="high"), {"type": "enabled"}, [("mapped", "reasoning")]),
        (
            ReasoningOptions(effort="low", budget_tokens=99),
            {"type": "enabled", "token_budget": 99},
            [("dropped", "reasoning.effort")],
        ),
    ],
)
def test_thinking_is_on_or_off_with_a_budget(tools: Tools, asked: Any, sent: Any, notes: Any) -> None:
    """There are no levels; what is made of them is told."""
    assert tools.body(reasoning=asked)["thinking"] == sent
    assert tools.notes(reasoning=asked) == notes


def test_thinking_cannot_be_hidden(tools: Tools) -> None:
    """What is thought is shown."""
    with pytest.raises(FiberCapabilityError, match=r"reasoning\.summary"):
        tools.build(reasoning=ReasoningOptions(summary=False))


@pytest.mark.parametrize("strict", [True, False])
def test_schema_is_bent_to_what_cohere_takes(tools: Tools, strict: bool) -> None:
    """An object at the root, with something required; strict or not, for a schema is always held to."""
    schema = {"type": "array", "items": {"type": "string", "maxLength": 9}}
    wanted = ResponseFormat("json_schema", schema, strict=strict)

    built = tools.build(response_format=wanted)

    sent = tools.body(response_format=wanted)["response_format"]["json_schema"]
    assert sent["properties"] == {"value": {"type": "array", "items": {"type": "string"}}}
    assert built.reading == Reading("value")
    assert [note.detail for note in built.notes] == [
        *([] if strict else ["strict=False sent as a schema that is held to"]),
        "$: sent as the member 'value' of an object; $.items: maxLength removed",
    ]


def test_loss_of_a_schema_is_refused_unless_allowed(tools: Tools) -> None:
    """As everywhere."""
    wanted = ResponseFormat("json_schema", {"type": "object", "properties": {"a": {"not": {}}}, "required": ["a"]})

    with pytest.raises(FiberCapabilityError, match="Cohere cannot say all of the schema"):
        tools.build(response_format=wanted)
    assert tools.notes(response_format=wanted, on_unsupported="warn") == [("lossy", "response_format")]


def test_only_strict_tools_are_bent(tools: Tools) -> None:
    """A loose one is sent as it is; what a strict one leaves out is known."""
    parameters = {"type": "object", "properties": {"city": {"type": "string", "minLength": 1}}}
    strict, loose = (Tool(name, "", parameters, strict=name == "s") for name in "sl")

    built = tools.build(tools=(strict, loose))

    sent = [tool["function"]["parameters"] for tool in tools.body(tools=(strict, loose))["tools"]]
    assert sent[0]["required"] == ["city"]
    assert sent[0]["properties"] == {"city": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    assert sent[1] == parameters
    assert built.reading == Reading("", {"s": parameters})
    assert tools.notes(tools=(strict, loose)) == [("mapped", "tool s"), ("mapped", "tools")]
