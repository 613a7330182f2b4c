"""Requests: parameters, tools, formats, headers and addresses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.openai_chat import ADAPTER
from fiber.adapters.openai_chat.parameters import PARAMETERS
from fiber.types.content import Opaque
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import PARAMETERS as NAMES
from fiber.types.request import ChatRequest
from fiber.types.target import Quirks, Target
from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice

MESSAGES = (ChatMessage.user("hi"),)
SCHEMA = {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}


def target(provider: str = "row", model: str = "m", **quirks: Any) -> Target:
    """Make a target."""
    return Target(
        provider=provider,
        model=model,
        base_url="https://host.example/v1",
        quirks=Quirks(**quirks),
    )


def build(where: Target | None = None, *, stream: bool = False, **options: Any) -> HTTPRequest:
    """Build a request with *options*."""
    request = ChatRequest(**{"messages": MESSAGES, **options})
    return ADAPTER.build_request(request, where or target(), stream=stream)


def body(where: Target | None = None, *, stream: bool = False, **options: Any) -> dict[str, Any]:
    """Build a request with *options*, return its body."""
    decoded: dict[str, Any] = json.loads(build(where, stream=stream, **options).body)
    return decoded


EXAMPLES: dict[str, tuple[Any, dict[str, Any] | None]] = {
    "temperature": (0.0, {"temperature": 0.0}),
    "top_p": (0.5, {"top_p": 0.5}),
    "top_k": (3, None),
    "max_tokens": (7, {"max_completion_tokens": 7}),
    "stop": (("a", "b"), {"stop": ["a", "b"]}),
    "seed": (0, {"seed": 0}),
    "frequency_penalty": (0.0, {"frequency_penalty": 0.0}),
    "presence_penalty": (-1.0, {"presence_penalty": -1.0}),
    "n": (2, {"n": 2}),
    "logprobs": (False, {"logprobs": False}),
    "top_logprobs": (0, {"top_logprobs": 0, "logprobs": True}),
    "logit_bias": ({"5": -100.0, "6": 0.5}, {"logit_bias": {"5": -100, "6": 0.5}}),
    "tools": (
        (Tool("f"),),
        {
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
                }
            ]
        },
    ),
    "tool_choice": (ToolChoice("required"), {"tool_choice": "required"}),
    "parallel_tool_calls": (False, {"parallel_tool_calls": False}),
    "response_format": (
        ResponseFormat("json_object"),
        {"response_format": {"type": "json_object"}},
    ),
    "reasoning": (ReasoningOptions("low"), {"reasoning_effort": "low"}),
    "user": ("u1", {"user": "u1"}),
    "metadata": ({"k": "v"}, {"metadata": {"k": "v"}}),
    "store": (False, {"store": False}),
    "previous_response_id": ("r", None),
    "service_tier": ("flex", {"service_tier": "flex"}),
    "safety_settings": (({"category": "x"},), None),
}


def test_every_parameter_has_an_entry() -> None:
    """The table and the examples below know every parameter of a request."""
    assert set(PARAMETERS) == set(NAMES) == set(EXAMPLES)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_parameter_is_on_the_wire_or_refused(name: str, stream: bool) -> None:
    """Each parameter is sent, in streams as in whole answers, or refused by name; none is silent."""
    value, expected = EXAMPLES[name]
    if expected is None:
        with pytest.raises(FiberCapabilityError) as caught:
            build(stream=stream, **{name: value})
        dropped = build(stream=stream, on_unsupported="drop", **{name: value})

        assert caught.value.parameter == name
        assert [(note.kind, note.subject) for note in dropped.notes] == [("dropped", name)]
    else:
        added = {
            key: item
            for key, item in body(stream=stream, **{name: value}).items()
            if key not in ("model", "messages", "stream", "stream_options")
        }

        assert added == expected


def test_plain_request_is_small() -> None:
    """A request that says nothing else sends the model and the messages."""
    built = build()

    assert built.method == "POST"
    assert built.url == "https://host.example/v1/chat/completions"
    assert built.headers == (("content-type", "application/json"), ("accept", "application/json"))
    assert json.loads(built.body) == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert built.notes == ()


def test_stream_asks_for_events_and_usage() -> None:
    """A stream asks for uncompressed events, and for usage where the server knows how."""
    built = build(stream=True)

    assert dict(built.headers)["accept"] == "text/event-stream"
    assert dict(built.headers)["accept-encoding"] == "identity"
    assert json.loads(built.body)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body(target(stream_usage=False), stream=True)


def test_extras_win() -> None:
    """Extra members, headers and query values are merged last and percent-encoded."""
    built = build(
        target(api_version="2025-01-01"),
        max_tokens=1,
        extra_body={"max_completion_tokens": 2, "top_k": 5},
        extra_headers={"Accept": "x/y", "x-a": "b"},
        extra_query={"q": "a b/ü"},
    )

    assert json.loads(built.body)["max_completion_tokens"] == 2
    assert json.loads(built.body)["top_k"] == 5
    assert dict(built.headers) == {"content-type": "application/json", "Accept": "x/y", "x-a": "b"}
    assert built.url.endswith("/chat/completions?api-version=2025-01-01&q=a%20b%2F%C3%BC")


def test_row_names_the_field_of_the_token_limit() -> None:
    """The limit goes where the row says."""
    assert body(target(max_tokens_field="max_tokens"), max_tokens=9)["max_tokens"] == 9


def test_row_refuses_parameters() -> None:
    """What a row lists as unsupported is refused with its reason."""
    with pytest.raises(FiberCapabilityError, match="no seeds here"):
        build(target(unsupported={"seed": "no seeds here"}), seed=1)


def test_said_logprobs_stay() -> None:
    """`logprobs` is not overruled by `top_logprobs`."""
    assert body(logprobs=False, top_logprobs=2)["logprobs"] is False


def test_thinking_budget_is_refused_and_effort_sent() -> None:
    """A thinking budget is refused or dropped; the effort beside it is sent."""
    reasoning = ReasoningOptions("high", budget_tokens=100)
    with pytest.raises(FiberCapabilityError, match="budget_tokens"):
        build(reasoning=reasoning)

    built = build(reasoning=reasoning, on_unsupported="warn")

    assert json.loads(built.body)["reasoning_effort"] == "high"
    assert [note.subject for note in built.notes] == ["reasoning budget_tokens"]


def test_summary_is_noted() -> None:
    """Asking for a summary of the thinking is noted as not sent."""
    built = build(reasoning=ReasoningOptions(summary=True))

    assert [(note.kind, note.subject) for note in built.notes] == [("dropped", "reasoning summary")]
    assert "reasoning_effort" not in json.loads(built.body)


def test_strict_tool_is_compiled() -> None:
    """A strict tool's schema is closed, every change noted; a loose one is sent as it is."""
    built = build(tools=(Tool("f", "does f", SCHEMA, strict=True), Tool("g", "", SCHEMA, False)))

    strict, loose = (tool["function"] for tool in json.loads(built.body)["tools"])
    assert strict == {
        "name": "f",
        "description": "does f",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": ["string", "null"]}},
            "required": ["a"],
            "additionalProperties": False,
        },
    }
    assert loose == {"name": "g", "strict": False, "parameters": SCHEMA}
    assert {note.kind for note in built.notes} == {"mapped"}
    assert len(built.notes) == 2


def test_web_search_is_an_option() -> None:
    """The web search tool becomes `web_search_options`, alone without a list of tools."""
    sent = body(tools=(ServerTool("web_search", {"search_context_size": "low"}),))

    assert sent["web_search_options"] == {"search_context_size": "low"}
    assert "tools" not in sent


def test_other_server_tools_are_refused() -> None:
    """Tools that the format lacks are refused, or dropped with a note."""
    with pytest.raises(FiberCapabilityError, match="code_execution"):
        build(tools=(ServerTool("code_execution"),))

    assert build(tools=(ServerTool("code_execution"),), on_unsupported="drop").notes


def test_own_definition_is_sent_as_it_is() -> None:
    """An opaque tool is sent byte for byte, and refused where it does not belong."""
    custom = Opaque.of({"type": "custom", "custom": {"name": "sh"}})
    foreign = Opaque.of({"type": "x"}, provider="elsewhere")

    built = build(tools=(custom,), tool_choice=ToolChoice("named", "sh"))

    assert custom.data.encode() in built.body
    assert json.loads(built.body)["tool_choice"] == {"type": "custom", "custom": {"name": "sh"}}
    with pytest.raises(FiberCapabilityError, match="belongs to elsewhere"):
        build(tools=(foreign,))


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_tool_choice_modes(mode: Any) -> None:
    """Modes are sent by their names."""
    assert body(tools=(Tool("f"),), tool_choice=ToolChoice(mode))["tool_choice"] == mode


@pytest.mark.parametrize("tool", [Tool("f"), Opaque.of({"type": "x"}), Opaque("not json")])
def test_named_tool(tool: Any) -> None:
    """A named tool is a function unless a custom tool of that name is offered."""
    expected = {"type": "function", "function": {"name": "f"}}

    assert body(tools=(Tool("f"),), tool_choice=ToolChoice("named", "f"))["tool_choice"] == expected
    request = ChatRequest(messages=MESSAGES, tools=(tool,), tool_choice=ToolChoice("named", "f"))
    built = ADAPTER.build_request(request, target(), stream=False)
    assert b'{"type":"function","function":{"name":"f"}}' in built.body


def test_text_format() -> None:
    """Plain text may be asked for."""
    assert body(response_format=ResponseFormat("text"))["response_format"] == {"type": "text"}


def test_schema_format_is_compiled() -> None:
    """A strict schema is closed and noted, a name is made to fit."""
    wanted = ResponseFormat("json_schema", SCHEMA, name="my answer", description="d")

    built = build(response_format=wanted)

    sent = json.loads(built.body)["response_format"]["json_schema"]
    assert sent["name"] == "my_answer"
    assert sent["description"] == "d"
    assert sent["strict"] is True
    assert sent["schema"]["required"] == ["a"]
    assert built.notes[0].subject == "response_format name"


def test_loose_schema_is_sent_as_it_is() -> None:
    """A schema that is not strict is not touched."""
    wanted = ResponseFormat("json_schema", SCHEMA, strict=False)

    sent = body(response_format=wanted)["response_format"]["json_schema"]

    assert sent == {"name": "response", "schema": SCHEMA, "strict": False}


def test_request_is_deterministic() -> None:
    """The same request gives the same bytes."""
    options = {"tools": (Tool("f"),), "temperature": 0.1, "metadata": {"a": "b"}}

    assert build(stream=True, **options) == build(stream=True, **options)


def test_row_takes_parameters_under_its_own_names() -> None:
    """A seed by another name, and a top_k that the format does not have."""
    where = target(members={"seed": "random_seed", "top_k": "top_k"})

    said = body(where, seed=3, top_k=5)

    assert (said["random_seed"], said["top_k"]) == (3, 5)
    assert "seed" not in said


def test_strict_tools_that_a_row_lacks_are_refused() -> None:
    """Nothing of strictness is sent, not even that it is not wanted, and the schema stays as it was given."""
    where = target(unsupported={"tools.strict": "it knows no strict tools"})
    strict, loose = Tool("f", parameters=SCHEMA, strict=True), Tool("f", parameters=SCHEMA, strict=False)

    with pytest.raises(FiberCapabilityError, match="knows no strict tools"):
        build(where, tools=(strict,))
    built = build(where, tools=(strict,), on_unsupported="warn")

    function = {"name": "f", "parameters": SCHEMA}
    assert json.loads(built.body)["tools"] == [{"type": "function", "function": function}]
    assert [note.kind for note in built.notes] == ["dropped"]
    assert body(where, tools=(loose,))["tools"] == [{"type": "function", "function": function}]


def test_rows_of_one_family_share_its_rules() -> None:
    """A second instance of OpenAI under another name has OpenAI's models."""
    with pytest.raises(FiberCapabilityError, match="while it reasons"):
        build(target("mine", "gpt-6-sol", family="openai"), temperature=0.5)

    assert body(target("mine", "gpt-6-sol"), temperature=0.5)["temperature"] == 0.5
