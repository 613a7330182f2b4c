"""Tools, tool choice and the format of the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Opaque, ToolCall
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice

Ask = Callable[..., HTTPRequest]
Body = Callable[..., Any]
Notes = Callable[..., list[str]]

NOVA, CLAUDE = "amazon.nova-2-lite-v1:0", "anthropic.claude-sonnet-4-6"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
LOOK = Tool("look", "Look.", SCHEMA)
NAMED = ToolChoice("named", "look")
HISTORY = (
    ChatMessage.user("Hi"),
    ChatMessage.assistant(tool_calls=[ToolCall("c", "look")]),
    ChatMessage.tool("c", "seen"),
)


def test_tool_is_defined_with_its_schema(body: Body) -> None:
    """A strict one is bent to what strict mode takes; an empty description, which is a 400, is left out."""
    tools = body(tools=(LOOK, Tool("b", parameters={"properties": {}}), Tool("c", "C", SCHEMA, strict=True)))

    first, second, third = [tool["toolSpec"] for tool in tools["toolConfig"]["tools"]]
    assert first == {"name": "look", "description": "Look.", "inputSchema": {"json": SCHEMA}}
    assert second == {"name": "b", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    assert third["strict"] is True
    assert third["inputSchema"]["json"] == {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "additionalProperties": False,
    }


def test_tools_of_the_provider_are_named(body: Body) -> None:
    """Nova has two; options go beside the name."""
    tools = (ServerTool("web_search"), ServerTool("code_execution", {"x": 1}))

    assert body(model=NOVA, tools=tools)["toolConfig"]["tools"] == [
        {"systemTool": {"name": "nova_grounding"}},
        {"systemTool": {"name": "nova_code_interpreter", "x": 1}},
    ]


@pytest.mark.parametrize(
    ("tool", "model", "subject"),
    [
        (ServerTool("web_search"), CLAUDE, "server tool 'web_search'"),
        (ServerTool("file_search"), NOVA, "server tool 'file_search'"),
        (Opaque("{}", "anthropic", "", "x"), CLAUDE, "opaque tool 'x'"),
    ],
)
def test_tool_that_cannot_be_sent_is_refused(tool: Any, model: str, subject: str, ask: Ask) -> None:
    """Another provider's definitions and tools that the model lacks go nowhere."""
    with pytest.raises(FiberCapabilityError) as caught:
        ask(model=model, tools=(tool,))

    assert caught.value.parameter == subject
    assert b"toolConfig" not in ask(model=model, tools=(tool,), on_unsupported="drop").body


def test_own_definition_is_sent_as_it_is(body: Body) -> None:
    """An opaque tool is Bedrock's JSON already."""
    assert body(tools=(Opaque.of({"systemTool": {"name": "x"}}),))["toolConfig"]["tools"] == [
        {"systemTool": {"name": "x"}}
    ]


@pytest.mark.parametrize(
    ("model", "choice", "parallel", "sent", "own", "expected"),
    [
        (CLAUDE, None, None, None, None, []),
        (CLAUDE, ToolChoice("auto"), None, {"auto": {}}, None, []),
        (CLAUDE, ToolChoice("required"), True, {"any": {}}, None, []),
        (CLAUDE, NAMED, None, {"tool": {"name": "look"}}, None, []),
        (CLAUDE, ToolChoice("none"), None, None, {"type": "none"}, []),
        (CLAUDE, ToolChoice("none"), False, None, {"type": "none"}, ["dropped parallel_tool_calls"]),
        (CLAUDE, None, False, None, {"type": "auto", "disable_parallel_tool_use": True}, []),
        (CLAUDE, ToolChoice("required"), False, None, {"type": "any", "disable_parallel_tool_use": True}, []),
        (CLAUDE, NAMED, False, None, {"type": "tool", "name": "look", "disable_parallel_tool_use": True}, []),
        (NOVA, NAMED, True, {"tool": {"name": "look"}}, None, []),
    ],
)
def test_choice_is_said_by_converse_or_in_claudes_own_words(
    model: str, choice: Any, parallel: Any, sent: Any, own: Any, expected: list[str], body: Body, notes: Notes
) -> None:
    """Converse has no `none` and no switch for parallel calls; Claude has both, and never gets two choices."""
    options = {"model": model, "tools": (LOOK,), "tool_choice": choice, "parallel_tool_calls": parallel}

    said = body(**options)

    assert said["toolConfig"].get("toolChoice") == sent
    assert said.get("additionalModelRequestFields", {}).get("tool_choice") == own
    assert notes(**options) == expected


def test_none_means_no_tools_where_nothing_says_it(body: Body, notes: Notes, ask: Ask) -> None:
    """Without calls in the history the tools stay at home; with them they cannot."""
    options = {"model": NOVA, "tools": (LOOK,), "tool_choice": ToolChoice("none")}

    assert "toolConfig" not in body(**options)
    assert notes(**options) == ["mapped tool_choice"]
    with pytest.raises(FiberCapabilityError, match="tool_choice"):
        ask(*HISTORY, **options)
    kept = body(*HISTORY, **options, on_unsupported="drop")
    assert kept["toolConfig"] == {"tools": [{"toolSpec": {**_spec()}}]}


def _spec() -> dict[str, Any]:
    return {"name": "look", "description": "Look.", "inputSchema": {"json": SCHEMA}}


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("anthropic.claude-sonnet-5-5", None),
        ("anthropic.claude-haiku-4-5", ReasoningOptions(budget_tokens=2000)),
    ],
)
@pytest.mark.parametrize("choice", [ToolChoice("required"), NAMED])
def test_forced_choice_is_refused_where_it_is_a_400(model: str, thinking: Any, choice: ToolChoice, ask: Ask) -> None:
    """Some models take none, others none while they think."""
    options = {"model": model, "tools": (LOOK,), "tool_choice": choice, "reasoning": thinking}

    with pytest.raises(FiberCapabilityError, match="tool_choice"):
        ask(**options)

    assert b"toolChoice" not in ask(**options, on_unsupported="drop").body


def test_choice_without_tools_is_left_out(notes: Notes, body: Body) -> None:
    """Nothing can be called; with tools in the caller's own members it is sent."""
    options = {"tool_choice": ToolChoice("auto"), "parallel_tool_calls": False}

    assert notes(**options) == ["dropped tool_choice", "dropped parallel_tool_calls"]
    assert notes(parallel_tool_calls=True) == []
    sent = body(tool_choice=ToolChoice("auto"), extra_body={"toolConfig": {"tools": [{"x": 1}]}})
    assert sent["toolConfig"] == {"toolChoice": {"auto": {}}, "tools": [{"x": 1}]}


@pytest.mark.parametrize(("model", "own"), [(CLAUDE, {"tool_choice": {"type": "none"}}), (NOVA, None)])
def test_history_with_calls_brings_definitions(model: str, own: Any, body: Body, notes: Notes) -> None:
    """Converse answers calls without definitions with 400; Claude is also kept from calling again."""
    sent = body(*HISTORY, model=model)

    spec = {"name": "look", "inputSchema": {"json": {"type": "object"}}}
    assert sent["toolConfig"] == {"tools": [{"toolSpec": spec}]}
    assert sent.get("additionalModelRequestFields") == own
    assert notes(*HISTORY, model=model) == ["mapped tools"]


def test_schema_of_the_answer_travels_as_a_string(body: Body, notes: Notes) -> None:
    """Bent to strict mode, with its name and description."""
    wanted = ResponseFormat("json_schema", SCHEMA, "count", "A number.", strict=False)

    form = body(response_format=wanted)["outputConfig"]["textFormat"]

    described = form["structure"]["jsonSchema"]
    assert form["type"] == "json_schema"
    assert (described["name"], described["description"]) == ("count", "A number.")
    assert json.loads(described["schema"]) == {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert notes(response_format=wanted) == ["mapped response_format", "mapped response_format"]
    assert "outputConfig" not in body(response_format=ResponseFormat("text"))


def test_format_without_a_schema_is_refused(ask: Ask) -> None:
    """There is nothing to hold the answer to."""
    wanted = ResponseFormat("json_schema")

    with pytest.raises(FiberCapabilityError, match="needs a schema"):
        ask(response_format=wanted)

    assert b"outputConfig" not in ask(response_format=wanted, on_unsupported="drop").body
