"""Tools, choices and formats as values."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber._errors import FiberValidationError
from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice


@pytest.mark.parametrize("name", ["f", "_f", "get_weather-2", "a.b:c", "F" * 128])
def test_tool_name_is_accepted(name: str) -> None:
    """A name that some provider takes is let through."""
    assert Tool(name).name == name


@pytest.mark.parametrize(
    "name", ["", "2fa", "get weather", "wetter_für", "a\n", "F" * 129, None, 5], ids=lambda name: repr(name)[:12]
)
def test_tool_name_is_refused(name: Any) -> None:
    """A name that no provider takes is refused when the tool is made."""
    with pytest.raises(FiberValidationError, match=r"Tool name .* is not valid: start with a letter") as caught:
        Tool(name)

    assert (caught.value.parameter, caught.value.outcome) == ("tools", "not_sent")


def test_tool_without_parameters_takes_none() -> None:
    """A tool of which nothing is said takes an object without members."""
    assert Tool("f").parameters == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    "parameters",
    [None, [], "{}", {"type": "array"}, {"type": "object", "properties": []}],
    ids=["none", "list", "text", "array", "properties"],
)
def test_parameters_must_be_an_object_schema(parameters: Any) -> None:
    """Parameters that are no object schema are refused, with the tool's name."""
    with pytest.raises(FiberValidationError, match="Tool 'f': parameters must be a JSON Schema") as caught:
        Tool("f", "", parameters)

    assert caught.value.parameter == "tools"


@pytest.mark.parametrize("parameters", [{}, {"properties": {"a": {"type": "string"}}}, {"type": "object"}])
def test_object_schema_may_be_short(parameters: Any) -> None:
    """The type of an object schema may be left out, and so may its properties."""
    assert Tool("f", "", parameters).parameters == parameters


@pytest.mark.parametrize(
    "value",
    [
        Tool("f", "d", {"type": "object", "properties": {"a": {"type": "string"}}}, True, "ephemeral"),
        Tool("f"),
        ServerTool("web_search", {"max_uses": 3}),
        ServerTool("code_execution"),
        ToolChoice("named", "f"),
        ResponseFormat("json_schema", {"type": "object"}, "answer", "d", False),
        ReasoningOptions("high", 1024, True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_survives_json(value: Any) -> None:
    """Every value, written as JSON and read again, is equal to itself."""
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value
