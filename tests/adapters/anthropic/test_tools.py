"""Tools, tool choice and structured output on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.instructions import JSON_OBJECT
from fiber.types.content import Opaque
from fiber.types.messages import ChatMessage
from fiber.types.tools import ResponseFormat, ServerTool, Tool, ToolChoice

Body = Callable[..., Any]
Notes = Callable[..., list[str]]

LOOK = (Tool("look"),)


def test_function_tool(body: Body) -> None:
    """A tool has its name, description and schema; the schema is always an object."""
    tools = (
        Tool("look", "Look it up.", {"properties": {"q": {"type": "string", "minLength": 2}}}),
        Tool("bare", strict=False),
    )

    assert body(tools=tools)["tools"] == [
        {
            "name": "look",
            "description": "Look it up.",
            "input_schema": {
                "type": "object",
                "properties": {"q": {"type": "string", "minLength": 2}},
            },
        },
        {"name": "bare", "input_schema": {"type": "object", "properties": {}}, "strict": False},
    ]


def test_strict_tool_has_a_closed_schema(body: Body, notes: Notes) -> None:
    """A strict tool's schema is bent to what strict mode takes, and the changes are noted."""
    tool = Tool("f", parameters={"properties": {"n": {"type": "integer", "minimum": 1}}}, strict=True)

    assert body(tools=(tool,))["tools"] == [
        {
            "name": "f",
            "input_schema": {
                "type": "object",
                "properties": {"n": {"type": "integer"}},
                "additionalProperties": False,
            },
            "strict": True,
        }
    ]
    assert notes(tools=(tool,)) == ["mapped tools.f"]


@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        ("web_search", "web_search_20260318"),
        ("web_fetch", "web_fetch_20260318"),
        ("code_execution", "code_execution_20260521"),
    ],
)
def test_server_tool(kind: Any, wire: str, body: Body) -> None:
    """A server tool is the newest type of its kind, its options merged in and able to override it."""
    assert body(tools=(ServerTool(kind, {"max_uses": 2}),))["tools"] == [{"type": wire, "name": kind, "max_uses": 2}]
    assert body(tools=(ServerTool(kind, {"type": "older"}),))["tools"][0]["type"] == "older"


def test_tools_the_api_has_not_are_refused(body: Body, notes: Notes) -> None:
    """File search, and definitions that belong to another provider, are refused."""
    foreign = Opaque('{"type":"x"}', provider="openai", host="h", kind="x")
    nobody = Opaque("", kind="y")

    for tool in (ServerTool("file_search"), foreign, nobody):
        with pytest.raises(FiberCapabilityError):
            body(tools=(tool,))
        sent = body(tools=(tool, Tool("look")), on_unsupported="drop")
        assert [one["name"] for one in sent["tools"]] == ["look"]


def test_opaque_tool_goes_as_it_is(body: Body) -> None:
    """The provider's own definition is sent unchanged."""
    tool = Opaque.of({"type": "memory_20250818", "name": "memory"})

    assert body(tools=(tool,))["tools"] == [{"type": "memory_20250818", "name": "memory"}]


@pytest.mark.parametrize(
    ("choice", "parallel", "sent"),
    [
        (None, None, None),
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), None, {"type": "any"}),
        (ToolChoice("named", "look"), None, {"type": "tool", "name": "look"}),
        (ToolChoice("none"), False, {"type": "none"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, True, {"type": "auto", "disable_parallel_tool_use": False}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
    ],
)
def test_tool_choice(choice: Any, parallel: Any, sent: Any, body: Body) -> None:
    """All four choices are mapped, and the switch for parallel calls lives inside them."""
    made = body(tools=LOOK, tool_choice=choice, parallel_tool_calls=parallel)

    assert made.get("tool_choice") == sent


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"])
@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "look")])
def test_forced_choice_is_refused(model: str, choice: ToolChoice, body: Body, notes: Notes) -> None:
    """Models that answer a forced choice with 400 refuse it, or get `auto` and a note."""
    options = {"model": model, "tools": LOOK, "tool_choice": choice}

    with pytest.raises(FiberCapabilityError, match="tool_choice"):
        body(**options)

    assert body(**options, on_unsupported="warn")["tool_choice"] == {"type": "auto"}
    assert notes(**options, on_unsupported="warn") == ["dropped tool_choice"]


def test_choice_without_tools_is_not_sent(body: Body, notes: Notes) -> None:
    """Without tools a choice would be a 400; tools in extra_body count."""
    options = {"tool_choice": ToolChoice("auto"), "parallel_tool_calls": False}

    assert "tool_choice" not in body(**options)
    assert notes(**options) == ["dropped tool_choice", "dropped parallel_tool_calls"]
    assert notes(tool_choice=ToolChoice("auto")) == ["dropped tool_choice"]
    mcp = {"tools": [{"type": "mcp_toolset"}]}
    assert "tool_choice" in body(**options, extra_body=mcp)
    assert notes(tools=LOOK, tool_choice=ToolChoice("none"), parallel_tool_calls=True) == [
        "dropped parallel_tool_calls"
    ]


def test_schema_output(body: Body, notes: Notes) -> None:
    """A JSON Schema is closed, rid of what the API refuses, and each change is noted."""
    schema = {
        "type": "object",
        "properties": {
            "minimum": {"type": "integer", "minimum": 0, "maximum": 9},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "some": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "either": {"oneOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["minimum"],
    }
    wanted = ResponseFormat("json_schema", schema, description="A thing.", strict=False)

    sent = body(response_format=wanted)["output_config"]["format"]

    assert sent == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {
                "minimum": {"type": "integer"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "some": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
            "required": ["minimum"],
            "additionalProperties": False,
            "description": "A thing.",
        },
    }
    assert notes(response_format=wanted) == ["mapped response_format", "mapped response_format"]
    assert schema["properties"]["tags"]["minItems"] == 2  # type: ignore[index]


def test_other_formats(body: Body, notes: Notes) -> None:
    """Text needs nothing; a JSON Schema without a schema is refused."""
    assert "output_config" not in body(response_format=ResponseFormat("text"))
    with pytest.raises(FiberCapabilityError, match="needs a schema"):
        body(response_format=ResponseFormat("json_schema"))
    assert notes(response_format=ResponseFormat("json_schema"), on_unsupported="drop") == ["dropped response_format"]


@pytest.mark.parametrize("policy", ["raise", "warn", "drop"])
def test_json_mode_is_asked_for_in_words(body: Body, notes: Notes, policy: str) -> None:
    """The format has no such switch: the system prompt ends with the instruction, and a warning says so."""
    options = {"response_format": ResponseFormat("json_object"), "on_unsupported": policy}

    assert body(ChatMessage.system("Be brief."), ChatMessage.user("Hi"), **options) == {
        "model": "claude-sonnet-4-6",
        "max_tokens": 128_000,
        "system": f"Be brief.\n\n{JSON_OBJECT}",
        "messages": [{"role": "user", "content": "Hi"}],
    }
    assert notes(**options) == ["warned response_format"]


def test_json_mode_leaves_the_breakpoints_where_they_were(body: Body) -> None:
    """The instruction stands behind the cached part of the system prompt."""
    talk = (ChatMessage.system("Long.", cache_hint="ephemeral"), ChatMessage.user("Hi"))

    assert body(*talk, response_format=ResponseFormat("json_object"))["system"] == [
        {"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": JSON_OBJECT},
    ]
