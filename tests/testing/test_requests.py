"""Tests of how the mock's formats read requests, and refuse what their providers refuse."""

from __future__ import annotations

from typing import Any

import pytest

from fiber.testing.formats import FORMATS
from fiber.testing.formats.common import Asked
from fiber.testing.script import RefusedError
from fiber.testing.view import ChatView, OfferedTool

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def read(format: str, body: dict[str, Any], **more: Any) -> ChatView:
    """Read a request in a format, with the header that Anthropic wants."""
    headers = {"anthropic-version": "1", **more.pop("headers", {})}
    return FORMATS[format].read(Asked(body, headers, **more))


def question(format: str, said: str, /, **more: Any) -> dict[str, Any]:
    """Make the smallest request of a format."""
    message = {"role": "user", "content": said}
    match format:
        case "openai_chat" | "cohere":
            return {"model": "m", "messages": [message], **more}
        case "openai_responses":
            return {"model": "m", "input": [message], **more}
        case "ollama":
            return {"model": "m", "stream": False, "messages": [message], **more}
        case "anthropic":
            return {"model": "m", "max_tokens": 99, "messages": [message], **more}
        case "bedrock_invoke":
            return {"anthropic_version": "1", "max_tokens": 99, "messages": [message], **more}
        case "bedrock_converse":
            return {"messages": [{"role": "user", "content": [{"text": said}]}], **more}
        case "replicate":
            return {"input": {"prompt": said}, **more}
        case _:
            return {"contents": [{"role": "user", "parts": [{"text": said}]}], **more}


@pytest.mark.parametrize("format", FORMATS)
def test_smallest_request_is_read(format: str) -> None:
    """The text of the user and the count of its words come out of every format."""
    view = read(format, question(format, "two words", unknown=1), model="m")

    assert (view.model, view.last_text, view.words) == ("m", "two words", 2)
    assert (view.tools, view.tool_results, view.schema) == ((), (), None)
    assert not view.stream
    assert not view.reasoning


@pytest.mark.parametrize(
    ("format", "tools", "choices"),
    [
        (
            "openai_chat",
            [
                {"type": "custom", "custom": {"name": "no"}},
                {"type": "function", "function": {"name": "weather", "parameters": CITY}},
            ],
            {
                "auto": {"tool_choice": "auto", "parallel_tool_calls": False},
                "none": {"tool_choice": "none"},
                "required": {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required"}}},
                "named": {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
            },
        ),
        (
            "openai_responses",
            [{"type": "web_search"}, {"type": "function", "name": "weather", "parameters": CITY}],
            {
                "auto": {"tool_choice": {"type": "web_search"}, "parallel_tool_calls": False},
                "none": {"tool_choice": "none"},
                "required": {"tool_choice": {"type": "allowed_tools", "mode": "required"}},
                "named": {"tool_choice": {"type": "function", "name": "weather"}},
            },
        ),
        (
            "anthropic",
            [{"type": "bash_20250124", "name": "no"}, {"name": "weather", "input_schema": CITY}],
            {
                "auto": {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
                "none": {"tool_choice": {"type": "none"}},
                "required": {"tool_choice": {"type": "any"}},
                "named": {"tool_choice": {"type": "tool", "name": "weather"}},
            },
        ),
        (
            "cohere",
            [{"type": "function", "function": {"name": "weather", "parameters": CITY}}],
            {"auto": {}, "none": {"tool_choice": "NONE"}, "required": {"tool_choice": "REQUIRED"}},
        ),
        (
            "gemini",
            [
                {"googleSearch": {}},
                {"function_declarations": [{"name": "weather", "parametersJsonSchema": CITY}]},
            ],
            {
                "auto": {},
                "none": {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
                "required": {"tool_config": {"function_calling_config": {"mode": "ANY"}}},
                "named": {
                    "toolConfig": {
                        "functionCallingConfig": {
                            "mode": "ANY",
                            "allowedFunctionNames": ["weather"],
                        }
                    }
                },
            },
        ),
    ],
)
def test_tools_and_choice_are_read(format: str, tools: list[Any], choices: dict[str, dict[str, Any]]) -> None:
    """Function tools are found among others, and the choice in each format's words."""
    views = {name: read(format, question(format, "x", tools=tools, **more)) for name, more in choices.items()}

    assert all(view.tools == (OfferedTool("weather", CITY),) for view in views.values())
    wanted = {"auto": "auto", "none": "none", "required": "required", "named": "required"}
    assert [view.tool_choice for view in views.values()] == [wanted[name] for name in choices]
    assert [view.tool_name for view in views.values()] == ["weather" if name == "named" else None for name in choices]
    assert views["auto"].parallel is (format in ("gemini", "cohere"))


def test_tools_of_ollama_are_offered_without_a_choice() -> None:
    """There is none: what is offered may be called."""
    tool = {"type": "function", "function": {"name": "weather", "parameters": CITY}}
    view = read("ollama", question("ollama", "x", tools=[tool]))

    assert (view.tools, view.tool_choice) == ((OfferedTool("weather", CITY),), "auto")


@pytest.mark.parametrize(
    ("format", "more"),
    [
        ("openai_chat", {"stream": True, "stream_options": {"include_usage": True}}),
        ("openai_chat", {"reasoning_effort": "low", "max_tokens": 5}),
        ("openai_responses", {"reasoning": {"effort": "low"}, "max_output_tokens": 5}),
        ("anthropic", {"thinking": {"type": "adaptive"}, "max_tokens": 5}),
        ("cohere", {"stream": True}),
        ("cohere", {"thinking": {"type": "enabled"}, "max_tokens": 5}),
        ("ollama", {"stream": True}),
        ("ollama", {"think": "low", "options": {"num_predict": 5}}),
        (
            "gemini",
            {
                "generationConfig": {
                    "maxOutputTokens": 5,
                    "thinkingConfig": {"includeThoughts": True},
                }
            },
        ),
    ],
)
def test_options_are_read(format: str, more: dict[str, Any]) -> None:
    """Streaming, thinking and the limit of the answer are understood."""
    view = read(format, question(format, "x", **more))

    if "stream" in more:
        assert view.stream
        assert view.include_usage
    else:
        assert view.reasoning
        assert view.max_tokens == 5


@pytest.mark.parametrize(
    ("format", "more", "schema"),
    [
        ("openai_chat", {"response_format": {"type": "json_object"}}, {}),
        (
            "openai_chat",
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": CITY},
                }
            },
            CITY,
        ),
        ("openai_responses", {"text": {"format": {"type": "json_object"}}}, {}),
        (
            "openai_responses",
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": CITY}}},
            CITY,
        ),
        ("anthropic", {"output_config": {"format": {"type": "json_schema", "schema": CITY}}}, CITY),
        ("cohere", {"response_format": {"type": "text"}}, None),
        ("cohere", {"response_format": {"type": "json_object"}}, {}),
        ("cohere", {"response_format": {"type": "json_object", "json_schema": CITY}}, CITY),
        ("ollama", {"format": "json"}, {}),
        ("ollama", {"format": CITY}, CITY),
        ("gemini", {"generationConfig": {"responseMimeType": "application/json"}}, {}),
        ("gemini", {"generation_config": {"response_json_schema": CITY}}, CITY),
    ],
)
def test_schema_of_the_answer_is_read(format: str, more: dict[str, Any], schema: Any) -> None:
    """A schema asked for is found; any JSON is an empty one."""
    assert read(format, question(format, "x", **more)).schema == schema


@pytest.mark.parametrize(
    ("format", "turns"),
    [
        (
            "openai_chat",
            [
                {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}, {"id": "2"}]},
                {"role": "tool", "tool_call_id": "2", "content": "rain"},
                {"role": "tool", "tool_call_id": "1", "content": [{"text": "sun"}]},
            ],
        ),
        (
            "openai_responses",
            [
                {"type": "function_call", "call_id": "1"},
                {"type": "function_call", "call_id": "2"},
                {"type": "function_call_output", "call_id": "1", "output": "rain"},
                {"type": "function_call_output", "call_id": "2", "output": [{"text": "sun"}]},
            ],
        ),
        (
            "anthropic",
            [
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "1"}, {"type": "tool_use", "id": "2"}],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "1", "content": "rain"},
                        {"type": "tool_result", "tool_use_id": "2", "content": [{"text": "sun"}]},
                    ],
                },
            ],
        ),
        (
            "cohere",
            [
                {"role": "assistant", "tool_calls": [{"id": "1"}, {"id": "2"}]},
                {"role": "tool", "tool_call_id": "2", "content": "rain"},
                {"role": "tool", "tool_call_id": "1", "content": [{"text": "sun"}]},
            ],
        ),
        (
            "gemini",
            [
                {"role": "model", "parts": [{"functionCall": {}}, {"functionCall": {}}]},
                {
                    "role": "user",
                    "parts": [
                        {"functionResponse": {"name": "a", "response": {"output": "rain"}}},
                        {"functionResponse": {"name": "b", "response": {"result": "sun"}}},
                    ],
                },
            ],
        ),
    ],
)
def test_tool_results_are_read_and_missing_ones_refused(format: str, turns: list[Any]) -> None:
    """Results behind the model's last turn are found in order; a call without one is an error."""
    key = {"openai_responses": "input", "gemini": "contents"}.get(format, "messages")
    body = question(format, "x")
    body[key] += turns

    assert read(format, body).tool_results == ("rain", "sun")
    assert read(format, body).last_text == "x"

    body[key] = body[key][:-1]
    with pytest.raises(RefusedError, match=r"tool|function"):
        read(format, body)


def test_results_of_ollama_are_read_in_order() -> None:
    """Ids are not looked at."""
    body = question("ollama", "x")
    body["messages"] += [{"role": "assistant"}, {"role": "tool", "content": "rain"}, {"role": "tool", "content": "sun"}]

    assert read("ollama", body).tool_results == ("rain", "sun")


def test_ollama_streams_when_nothing_is_said() -> None:
    """No stream has to be asked for; a question without messages is none."""
    view = read("ollama", {"model": "m"})

    assert (view.stream, view.last_text) == (True, "")


def test_gemini_result_without_a_known_field_is_given_as_json() -> None:
    """A response object of another shape is told whole."""
    part = {"functionResponse": {"name": "a", "response": {"degrees": 3}}}
    body = {"contents": [{"role": "model", "parts": [{"functionCall": {}}]}, {"parts": [part]}]}

    assert read("gemini", body).tool_results == ('{"degrees":3}',)
