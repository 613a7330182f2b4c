"""Tools, tool choice and response formats."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Opaque
from fiber.types.tools import ResponseFormat, ServerTool, Tool, ToolChoice

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "default": 1}},
    "required": ["city"],
}
STRICT = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": ["integer", "null"]}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
CUSTOM = Opaque.of({"type": "custom", "name": "shout", "format": {"type": "text"}})


def test_function_is_flat(body: Any) -> None:
    """Name, description and schema stand beside the type; `strict` is sent only when said."""
    tools = (Tool("look", "Looks.", SCHEMA), Tool("see", parameters=SCHEMA, strict=False))

    assert body(tools=tools)["tools"] == [
        {"type": "function", "name": "look", "description": "Looks.", "parameters": SCHEMA},
        {"type": "function", "name": "see", "parameters": SCHEMA, "strict": False},
    ]


def test_strict_function_has_a_strict_schema(ask: Any, body: Any) -> None:
    """With `strict` the schema is closed, all of it is required, and a note says what changed."""
    tools = (Tool("look", parameters=SCHEMA, strict=True),)

    (sent,) = body(tools=tools)["tools"]
    (note,) = ask(tools=tools).notes

    assert sent["strict"] is True
    assert sent["parameters"] == STRICT
    assert (note.kind, note.subject) == ("mapped", "tool 'look'")
    assert "$.properties.days" in note.detail or "$.days" in note.detail


def test_strict_schema_that_needs_no_change_has_no_note(notes: Any) -> None:
    """Nothing is noted when nothing changed."""
    assert notes(tools=(Tool("look", parameters=STRICT, strict=True),)) == []


@pytest.mark.parametrize(
    ("tool", "sent"),
    [
        (ServerTool("web_search"), {"type": "web_search"}),
        (
            ServerTool("web_search", {"search_context_size": "low"}),
            {"type": "web_search", "search_context_size": "low"},
        ),
        (
            ServerTool("file_search", {"vector_store_ids": ["vs_1"]}),
            {"type": "file_search", "vector_store_ids": ["vs_1"]},
        ),
        (
            ServerTool("code_execution"),
            {"type": "code_interpreter", "container": {"type": "auto"}},
        ),
        (
            ServerTool("code_execution", {"container": "c1"}),
            {"type": "code_interpreter", "container": "c1"},
        ),
    ],
)
def test_server_tool_has_the_providers_name(tool: ServerTool, sent: Any, body: Any) -> None:
    """The provider's own tools go by its names, with the caller's options merged in."""
    assert body(tools=(tool,))["tools"] == [sent]


def test_web_fetch_is_refused(body: Any, notes: Any) -> None:
    """There is no tool that opens one page; the choice of tools goes with the last tool."""
    said = {"tools": (ServerTool("web_fetch"),), "tool_choice": ToolChoice("auto")}

    with pytest.raises(FiberCapabilityError, match="web_search opens pages"):
        body(**said)
    assert notes(**said, on_unsupported="drop") == [
        "dropped server tool 'web_fetch'",
        "dropped tool_choice",
    ]
    made = body(**said, on_unsupported="drop")
    assert "tools" not in made
    assert "tool_choice" not in made


def test_own_definition_is_sent_byte_for_byte(ask: Any) -> None:
    """A definition in the provider's words goes as the caller wrote it."""
    tool = Opaque('{"type": "mcp",  "server_label": "s"}', "openai", "", "mcp")

    assert tool.data.encode() in ask(tools=(tool,)).body


def test_definition_of_another_provider_is_refused(body: Any) -> None:
    """A definition that belongs elsewhere is not sent here."""
    with pytest.raises(FiberCapabilityError, match="belongs to anthropic"):
        body(tools=(Opaque('{"type":"bash"}', "anthropic", "", "bash"),))


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_choice_of_a_mode_is_a_word(mode: Any, body: Any) -> None:
    """Automatic, none and required are words."""
    assert body(tool_choice=ToolChoice(mode))["tool_choice"] == mode


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("look", {"type": "function", "name": "look"}),
        ("shout", {"type": "custom", "name": "shout"}),
        ("code_execution", {"type": "code_interpreter"}),
    ],
)
def test_choice_of_a_tool_names_its_kind(name: str, sent: Any, body: Any) -> None:
    """A named tool is a function, a custom tool or one of the provider's own."""
    tools = (Tool("look"), Opaque.of({"type": "mcp"}), CUSTOM, ServerTool("code_execution"))

    assert body(tools=tools, tool_choice=ToolChoice("named", name))["tool_choice"] == sent


def test_schema_format_is_flat_and_strict(body: Any, notes: Any) -> None:
    """A schema stands under `text.format` without a wrapper, compiled for strict mode."""
    said = ResponseFormat("json_schema", SCHEMA, name="trip", description="A trip.")

    assert body(response_format=said)["text"] == {
        "format": {
            "type": "json_schema",
            "name": "trip",
            "schema": STRICT,
            "strict": True,
            "description": "A trip.",
        }
    }
    assert notes(response_format=said) == ["mapped response_format"]


def test_loose_schema_is_sent_as_it_is(body: Any, notes: Any) -> None:
    """Without strictness the schema is not touched."""
    said = ResponseFormat("json_schema", SCHEMA, strict=False)

    assert body(response_format=said)["text"]["format"] == {
        "type": "json_schema",
        "name": "response",
        "schema": SCHEMA,
        "strict": False,
    }
    assert notes(response_format=said) == []


def test_text_format_is_sent(body: Any) -> None:
    """Plain text asked for is plain text said."""
    assert body(response_format=ResponseFormat("text"))["text"] == {"format": {"type": "text"}}


def test_name_of_a_schema_is_made_to_fit(body: Any, notes: Any) -> None:
    """An explicit name in other letters is sent in those that are taken, as in chat."""
    said = ResponseFormat("json_schema", STRICT, name="my answer")

    assert body(response_format=said)["text"]["format"]["name"] == "my_answer"
    assert notes(response_format=said) == ["mapped response_format name"]
