"""Tools of Gemini, and how they may be used."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Opaque
from fiber.types.tools import ServerTool, Tool, ToolChoice

WEATHER = Tool("weather", "Weather of a city", {"type": "object", "properties": {"city": {}}})


def test_functions_are_declared(tools: Any) -> None:
    """Functions share one tool; one without arguments has no parameters."""
    body = tools.body(tools=(WEATHER, Tool("clock")))

    assert body["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "weather",
                    "description": "Weather of a city",
                    "parametersJsonSchema": {"type": "object", "properties": {"city": {}}},
                },
                {"name": "clock"},
            ]
        }
    ]
    assert "toolConfig" not in body


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("web_search", "googleSearch"),
        ("code_execution", "codeExecution"),
        ("web_fetch", "urlContext"),
        ("file_search", "fileSearch"),
    ],
)
def test_server_tools_have_their_names(tools: Any, kind: Any, name: str) -> None:
    """Each server tool is an object under its name, with the caller's options."""
    body = tools.body(tools=(ServerTool(kind, {"a": 1}),))

    assert body["tools"] == [{name: {"a": 1}}]


def test_file_search_is_not_on_vertex(tools: Any) -> None:
    """Vertex AI has no file search, so it is refused or dropped."""
    vertex, asked = tools.target(api_version="-"), (ServerTool("file_search"),)

    with pytest.raises(FiberCapabilityError):
        tools.build(to=vertex, tools=asked)

    assert "tools" not in tools.body(to=vertex, tools=asked, on_unsupported="drop")


def test_opaque_tool_is_sent_as_it_is_or_refused(tools: Any) -> None:
    """A definition of the provider's own goes out byte for byte, a foreign one does not."""
    made = tools.build(tools=(Opaque('{"googleMaps":  {}}'),))

    assert b'"tools":[{"googleMaps":  {}}]' in made.body
    with pytest.raises(FiberCapabilityError):
        tools.build(tools=(Opaque("{}", "openai"),))


@pytest.mark.parametrize(
    ("model", "version", "config", "notes"),
    [
        ("gemini-3.5-flash", "", {"includeServerSideToolInvocations": True}, []),
        ("gemini-flash-latest", "", {"includeServerSideToolInvocations": True}, []),
        ("gemini-3.5-flash", "-", None, []),
        ("gemini-2.5-flash", "", None, [("warned", "tools")]),
    ],
)
def test_functions_beside_server_tools_need_a_switch(
    tools: Any, model: str, version: str, config: Any, notes: Any
) -> None:
    """The switch is for Gemini 3 on the Gemini API; older models may refuse the combination."""
    target = tools.target(model, api_version=version)
    asked = (WEATHER, ServerTool("web_search"))

    assert tools.body(to=target, tools=asked).get("toolConfig") == config
    assert tools.notes(to=target, tools=asked) == notes


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", "weather"), {"mode": "ANY", "allowedFunctionNames": ["weather"]}),
    ],
)
def test_tool_choice_is_a_mode(tools: Any, choice: ToolChoice, expected: Any) -> None:
    """All four choices are modes."""
    config = tools.body(tools=(WEATHER,), tool_choice=choice)["toolConfig"]

    assert config == {"functionCallingConfig": expected}


def test_none_leaves_server_tools_out(tools: Any) -> None:
    """Mode NONE covers functions only, so server tools are not sent, and a note says so."""
    fields = {"tools": (WEATHER, ServerTool("web_search")), "tool_choice": ToolChoice("none")}

    assert [list(tool) for tool in tools.body(**fields)["tools"]] == [["functionDeclarations"]]
    assert tools.notes(**fields) == [("mapped", "tool_choice")]


def test_server_tools_cannot_be_forced(tools: Any) -> None:
    """Only functions can be forced, also those of an opaque definition."""
    fields = {"tools": (ServerTool("web_search"),), "tool_choice": ToolChoice("required")}
    declared = Opaque('{"functionDeclarations": [{"name": "f"}]}')

    with pytest.raises(FiberCapabilityError):
        tools.build(**fields)

    assert "toolConfig" not in tools.body(**fields, on_unsupported="drop")
    config = tools.body(tools=(declared,), tool_choice=ToolChoice("required"))["toolConfig"]
    assert config == {"functionCallingConfig": {"mode": "ANY"}}


def test_strict_functions_are_validated(tools: Any) -> None:
    """Strict becomes mode VALIDATED where the model chooses, and is given where it is forced."""
    strict = Tool("f", "", {"type": "object", "properties": {"a": {}}}, strict=True)

    free = tools.body(tools=(strict,))["toolConfig"]
    forced = tools.body(tools=(strict,), tool_choice=ToolChoice("required"))["toolConfig"]

    assert free == {"functionCallingConfig": {"mode": "VALIDATED"}}
    assert forced == {"functionCallingConfig": {"mode": "ANY"}}
    assert tools.notes(tools=(strict,)) == [("mapped", "tools.strict")]


def test_strict_needs_gemini_2_5(tools: Any) -> None:
    """Older models cannot be held to the schema."""
    old = tools.target("gemini-2.0-flash")
    strict = (Tool("f", strict=True),)

    with pytest.raises(FiberCapabilityError):
        tools.build(to=old, tools=strict)

    assert "toolConfig" not in tools.body(to=old, tools=strict, on_unsupported="drop")
