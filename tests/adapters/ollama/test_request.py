"""Requests in Ollama's words: options, tools, the shape of the answer, thinking."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Opaque
from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice
from tests.adapters.ollama.conftest import Tools

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("weather", "Look it up.", CITY)


def test_request_says_whether_it_streams(tools: Tools) -> None:
    """A stream is the default of the server, so that no stream has to be said."""
    whole, streamed = tools.build(), tools.build(stream=True)

    assert (whole.method, whole.url) == ("POST", "http://localhost:11434/api/chat")
    assert tools.body() == {"model": "qwen3:4b", "messages": [{"role": "user", "content": "Hi"}], "stream": False}
    assert dict(whole.headers)["accept"] == "application/json"
    assert dict(streamed.headers)["accept"] == "application/x-ndjson"
    assert b'"stream":true' in streamed.body


def test_what_steers_the_model_stands_under_options(tools: Tools) -> None:
    """The size of the context and how long the model stays are said in extra_body."""
    body = tools.body(
        temperature=0.0,
        top_p=0.5,
        top_k=7,
        max_tokens=9,
        stop=("a",),
        seed=1,
        frequency_penalty=0.5,
        presence_penalty=-1.0,
        extra_body={"options": {"num_ctx": 8192}, "keep_alive": "5m"},
    )

    assert body["options"] == {
        "temperature": 0.0,
        "top_p": 0.5,
        "top_k": 7,
        "num_predict": 9,
        "stop": ["a"],
        "seed": 1,
        "frequency_penalty": 0.5,
        "presence_penalty": -1.0,
        "num_ctx": 8192,
    }
    assert body["keep_alive"] == "5m"


def test_alternatives_ask_for_probabilities(tools: Tools) -> None:
    """The API wants both."""
    body = tools.body(top_logprobs=3)

    assert (body["logprobs"], body["top_logprobs"]) == (True, 3)
    assert "top_logprobs" not in tools.body(logprobs=True)


def test_tools_are_functions(tools: Tools) -> None:
    """A description that is missing stays so; nothing holds the model to a schema, and that is told."""
    strict = Tool("clock", strict=True)
    body = tools.body(tools=(WEATHER, strict, Opaque('{"type":"x"}')))

    assert body["tools"] == [
        {"type": "function", "function": {"name": "weather", "description": "Look it up.", "parameters": CITY}},
        {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}},
        {"type": "x"},
    ]
    assert tools.notes(tools=(WEATHER, strict)) == [("dropped", "strict of tool clock")]


def test_no_tool_is_to_be_called(tools: Tools) -> None:
    """Then none is offered; auto is the default."""
    assert tools.body(tools=(WEATHER,), tool_choice=ToolChoice("auto"))["tools"]
    assert "tools" not in tools.body(tools=(WEATHER,), tool_choice=ToolChoice("none"))
    assert tools.notes(tools=(WEATHER,), tool_choice=ToolChoice("none")) == [("mapped", "tool_choice")]
    assert tools.notes(tool_choice=ToolChoice("none")) == []


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "weather")])
def test_a_call_cannot_be_forced(tools: Tools, choice: ToolChoice) -> None:
    """It is refused, or the tools are offered all the same."""
    with pytest.raises(FiberCapabilityError, match="cannot be told to call"):
        tools.build(tools=(WEATHER,), tool_choice=choice)

    assert tools.body(tools=(WEATHER,), tool_choice=choice, on_unsupported="drop")["tools"]


@pytest.mark.parametrize("tool", [ServerTool("web_search"), Opaque("{}", "openai", "", "custom")])
def test_tools_of_others_are_refused(tools: Tools, tool: Any) -> None:
    """What the server does not run, and what belongs to another provider."""
    with pytest.raises(FiberCapabilityError):
        tools.build(tools=(tool,))

    assert "tools" not in tools.body(tools=(tool,), on_unsupported="drop")


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (ResponseFormat("text"), None),
        (ResponseFormat("json_object"), "json"),
        (ResponseFormat("json_schema", CITY), CITY),
        (ResponseFormat("json_schema"), {}),
    ],
)
def test_shape_of_the_answer(tools: Tools, wanted: ResponseFormat, sent: Any) -> None:
    """A word, or the schema as it is."""
    assert tools.body(response_format=wanted).get("format") == sent


@pytest.mark.parametrize(
    ("asked", "sent", "notes"),
    [
        (ReasoningOptions(), True, []),
        (ReasoningOptions(summary=True), True, []),
        (ReasoningOptions(effort="none"), False, []),
        (ReasoningOptions(budget_tokens=0), False, []),
        (ReasoningOptions(effort="medium"), "medium", []),
        (ReasoningOptions(effort="max"), "max", []),
        (ReasoningOptions(effort="minimal"), "low", [("mapped", "reasoning")]),
        (ReasoningOptions(effort="xhigh"), "high", [("mapped", "reasoning")]),
    ],
)
def test_thinking_is_off_on_or_a_level(tools: Tools, asked: Any, sent: Any, notes: Any) -> None:
    """A level that is not there becomes the nearest, and that is told."""
    assert tools.body(reasoning=asked)["think"] == sent
    assert tools.notes(reasoning=asked) == notes


@pytest.mark.parametrize("asked", [ReasoningOptions(budget_tokens=99), ReasoningOptions(summary=False)])
def test_thinking_has_no_budget_and_no_cover(tools: Tools, asked: ReasoningOptions) -> None:
    """Both are refused, or left out: then the model thinks."""
    with pytest.raises(FiberCapabilityError, match="reasoning"):
        tools.build(reasoning=asked)

    assert tools.body(reasoning=asked, on_unsupported="drop")["think"] is True


@pytest.mark.parametrize(("strict", "notes"), [(True, []), (False, [("mapped", "response_format")])])
def test_loose_schema_is_held_to_all_the_same(tools: Tools, strict: bool, notes: Any) -> None:
    """There is one way to send a schema, and a note where another was asked for."""
    assert tools.notes(response_format=ResponseFormat("json_schema", CITY, strict=strict)) == notes
