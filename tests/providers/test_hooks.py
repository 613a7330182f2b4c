"""What single providers want otherwise, by the requests that their rows make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters import load
from fiber.providers.table import PROVIDERS
from fiber.types.content import Audio, Document, Image, Opaque, Text, ToolCall, ToolResult
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice

ROWS = {row.name: row for row in PROVIDERS}
HI = (ChatMessage.user("hi"),)
TOOLS = (Tool("f"),)
PDF = b"%PDF-1.7"
WAV = b"RIFF\x00\x00\x00\x00WAVE"


def build(name: str, *, model: str = "m", stream: bool = False, **options: Any) -> HTTPRequest:
    """Build a request to the row *name*."""
    row = ROWS[name]
    target = Target(
        provider=name, model=model, base_url="https://h/v1", quirks=row.quirks, adapt_request=row.adapt_request
    )
    assert isinstance(row.adapter, str)
    return load(row.adapter).build_request(ChatRequest(**{"messages": HI, **options}), target, stream=stream)


def body(name: str, **options: Any) -> dict[str, Any]:
    """Build a request to the row *name*, return its body."""
    decoded: dict[str, Any] = json.loads(build(name, **options).body)
    return decoded


def notes(built: HTTPRequest) -> list[tuple[str, str]]:
    """What was noted of a request."""
    return [(note.kind, note.subject) for note in built.notes]


# -- Mistral ------------------------------------------------------------------------------------------------------


def test_mistral_gets_ids_of_nine_letters() -> None:
    """The same short id for call and result, noted once; one that fits stays."""
    history = (
        *HI,
        ChatMessage("assistant", (ToolCall("call_0123456789", "f"), ToolCall("abcDEF123", "f"))),
        ChatMessage("tool", (ToolResult("call_0123456789", "a"), ToolResult("abcDEF123", "b"))),
    )

    built = build("mistral", messages=history)
    messages = json.loads(built.body)["messages"]

    ids = [call["id"] for call in messages[1]["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in messages[2:]]
    assert (len(ids[0]), ids[0].isalnum(), ids[1]) == (9, True, "abcDEF123")
    assert notes(built) == [("mapped", "id of the tool call call_0123456789")]


def test_mistral_gets_its_own_calls_back() -> None:
    """What came from it is not looked into."""
    raw = '{"id":"abcDEF123","type":"function","function":{"name":"f","arguments":"{}"},"extra":1.0}'
    call = ToolCall("abcDEF123", "f", native=Opaque(raw, "mistral", "h", "tool_calls"))

    built = build("mistral", messages=(*HI, ChatMessage("assistant", (call,))))

    assert raw.encode() in built.body


def test_mistral_gets_media_in_its_own_parts() -> None:
    """Documents, sounds and files; pictures and text as everywhere."""
    parts = (
        Text("read"),
        Document(data=PDF, filename="a.pdf"),
        Document(file_id="f1"),
        Audio(data=WAV),
        Image(url="https://i"),
    )

    said = body("mistral", messages=(ChatMessage("user", parts),))["messages"][0]["content"]

    assert said == [
        {"type": "text", "text": "read"},
        {
            "type": "document_url",
            "document_url": "data:application/pdf;base64,JVBERi0xLjc=",
            "document_name": "a.pdf",
        },
        {"type": "file", "file_id": "f1"},
        {"type": "input_audio", "input_audio": "UklGRgAAAABXQVZF"},
        {"type": "image_url", "image_url": {"url": "https://i"}},
    ]


def test_mistral_goes_on_with_a_begun_answer() -> None:
    """A last message of the assistant has to say that it is a beginning; one that calls is none."""
    begun = body("mistral", messages=(*HI, ChatMessage.assistant("Once upon")))
    called = body("mistral", messages=(*HI, ChatMessage("assistant", (ToolCall("abcDEF123", "f"),))))

    assert begun["messages"][-1] == {"role": "assistant", "content": "Once upon", "prefix": True}
    assert "prefix" not in called["messages"][-1]
    assert "prefix" not in body("mistral")["messages"][-1]


def test_mistral_gets_an_empty_conversation_as_it_is() -> None:
    """When nothing of it could be sent, the provider has to say so."""
    only = (ChatMessage("user", (Image(file_id="f"),)),)

    assert body("mistral", messages=only, on_unsupported="drop")["messages"] == []


def test_mistral_gets_nothing_that_it_does_not_know() -> None:
    """Its names for seed and limit, no options of streams; what it lacks is refused."""
    said = body("mistral", stream=True, seed=3, top_k=4, max_tokens=5)

    assert said == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "random_seed": 3,
        "top_k": 4,
        "max_tokens": 5,
        "stream": True,
    }
    with pytest.raises(FiberCapabilityError, match="422"):
        build("mistral", user="u")


# -- DeepSeek -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("named", "f")], ids=["required", "named"])
def test_deepseek_forces_no_tool_while_it_thinks(choice: ToolChoice) -> None:
    """Refused before it is a 400, unless thinking is turned off."""
    with pytest.raises(FiberCapabilityError, match="while it thinks"):
        build("deepseek", tools=TOOLS, tool_choice=choice)
    dropped = build("deepseek", tools=TOOLS, tool_choice=choice, on_unsupported="drop")
    off = body("deepseek", tools=TOOLS, tool_choice=choice, reasoning=ReasoningOptions("none"))

    assert "tool_choice" not in json.loads(dropped.body)
    assert notes(dropped) == [("dropped", "tool_choice")]
    assert "tool_choice" in off
    assert off["thinking"] == {"type": "disabled"}


def test_deepseek_says_what_is_not_heeded() -> None:
    """Sampling is sent, and a warning says that it does nothing while the model thinks."""
    built = build("deepseek", temperature=0.5, tools=TOOLS, tool_choice=ToolChoice("auto"))

    assert json.loads(built.body)["temperature"] == 0.5
    assert notes(built) == [("warned", "temperature")]
    assert notes(build("deepseek", temperature=0.5, reasoning=ReasoningOptions("none"))) == []


def test_deepseek_has_no_schemas() -> None:
    """The refusal says what there is."""
    with pytest.raises(FiberCapabilityError, match="json_object"):
        build("deepseek", response_format=ResponseFormat("json_schema", schema={"type": "object"}))


# -- Together -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"logprobs": True}, {"logprobs": 1}),
        ({"top_logprobs": 4}, {"logprobs": 4}),
        ({"top_logprobs": 0}, {"logprobs": 1}),
        ({"logprobs": False}, {}),
        ({"logprobs": False, "top_logprobs": 3}, {}),
        ({"reasoning": ReasoningOptions("none")}, {"reasoning": {"enabled": False}}),
        ({"reasoning": ReasoningOptions("xhigh")}, {"reasoning_effort": "high"}),
    ],
)
def test_together_has_words_of_its_own(options: dict[str, Any], expected: dict[str, Any]) -> None:
    """For probabilities and for thinking."""
    said = body("together", **options)

    assert {name: value for name, value in said.items() if name not in ("model", "messages")} == expected


# -- Perplexity and xAI, on the Responses API -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "sent"), [("sonar", "perplexity/sonar"), ("perplexity/sonar", "perplexity/sonar"), ("x/y", "x/y")]
)
def test_perplexity_names_models_in_full(model: str, sent: str) -> None:
    """A name without a vendor is one of its own."""
    assert body("perplexity", model=model)["model"] == sent


def test_perplexity_takes_a_schema_where_chat_has_it() -> None:
    """And plain text needs no word; nothing is included, for there is no such field."""
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    said = body("perplexity", response_format=ResponseFormat("json_schema", schema=schema), store=False)

    assert said["response_format"]["type"] == "json_schema"
    assert said["response_format"]["json_schema"]["schema"] == schema
    assert not said.keys() & {"text", "include"}
    assert "response_format" not in body("perplexity", response_format=ResponseFormat("text"))


def test_xai_runs_code_without_a_container() -> None:
    """Other tools, and a container that somebody named, stay as they are."""
    mine = ServerTool("code_execution", {"container": "c1"})
    tools = (ServerTool("code_execution"), mine, Tool("f"), Opaque('{"type":"x_search"}', "xai", "h", "x_search"))

    said = body("xai", tools=tools)["tools"]

    assert said[:2] == [{"type": "code_interpreter"}, {"type": "code_interpreter", "container": "c1"}]
    assert [tool["type"] for tool in said[2:]] == ["function", "x_search"]
    assert "tools" not in body("xai")


def test_xai_chat_points_to_the_other_api() -> None:
    """Searching is gone from its chat endpoint."""
    with pytest.raises(FiberCapabilityError, match="use the row xai"):
        build("xai-chat", tools=(ServerTool("web_search"),))


# -- Qwen, Z.ai, MiniMax ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ReasoningOptions("none"), {"enable_thinking": False}),
        (ReasoningOptions(budget_tokens=0), {"enable_thinking": False}),
        (ReasoningOptions("high"), {"enable_thinking": True, "reasoning_effort": "high"}),
        (ReasoningOptions(budget_tokens=9), {"enable_thinking": True, "thinking_budget": 9}),
    ],
)
def test_qwen_is_told_how_much_to_think(wanted: ReasoningOptions, expected: dict[str, Any]) -> None:
    """In members of its own."""
    said = body("qwen", model="qwen3-32b", reasoning=wanted)

    assert {name: value for name, value in said.items() if name not in ("model", "messages")} == expected


@pytest.mark.parametrize(
    ("model", "stream", "off"),
    [("qwen3-32b", False, True), ("qwen3.8-27b", False, True), ("qwen3-32b", True, False), ("qwen-plus", False, False)],
)
def test_qwens_open_models_think_in_streams_only(model: str, stream: bool, off: bool) -> None:
    """A whole answer of theirs with thinking would be a 400; that it is turned off is noted."""
    built = build("qwen", model=model, stream=stream)

    assert json.loads(built.body).get("enable_thinking") is (False if off else None)
    assert notes(built) == ([("mapped", "reasoning")] if off else [])


def test_qwen_gets_sounds_as_urls_and_no_documents() -> None:
    """The bytes of a sound in a data URL."""
    parts = (Text("hear"), Audio(data=WAV))

    said = body("qwen", messages=(ChatMessage("user", parts),))["messages"][0]["content"]

    assert said[1]["input_audio"] == {"data": "data:;base64,UklGRgAAAABXQVZF", "format": "wav"}
    with pytest.raises(FiberCapabilityError, match="send their text or pictures"):
        build("qwen", messages=(ChatMessage("user", (Document(data=PDF),)),))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5, "top_p": 0.5}),
        ({"temperature": 0.0}, {"do_sample": False}),
        ({"temperature": 1.5, "top_p": 1.0}, {"temperature": 0.99, "top_p": 0.99}),
        ({"top_p": 0.0}, {"top_p": 0.01}),
        ({"user": "u"}, {"user_id": "u"}),
    ],
)
def test_zai_samples_in_an_open_interval(options: dict[str, Any], expected: dict[str, Any]) -> None:
    """What lies outside is moved in, and noted."""
    built = build("zai", **options)

    said = json.loads(built.body)
    moved = [name for name in options if name != "user" and said.get(name) != options[name]]
    assert {name: value for name, value in said.items() if name not in ("model", "messages")} == expected
    assert notes(built) == [("mapped", name) for name in moved]


@pytest.mark.parametrize(
    ("wanted", "expected", "noted"),
    [
        (None, None, []),
        (ReasoningOptions("none"), {"type": "disabled"}, []),
        (ReasoningOptions(budget_tokens=0), {"type": "disabled"}, []),
        (ReasoningOptions("low"), {"type": "adaptive"}, [("mapped", "reasoning")]),
        (ReasoningOptions(budget_tokens=9), {"type": "adaptive"}, [("mapped", "reasoning")]),
        (ReasoningOptions(summary=True), {"type": "adaptive"}, []),
    ],
)
def test_minimax_thinks_or_does_not(
    wanted: ReasoningOptions | None, expected: dict[str, Any] | None, noted: list[tuple[str, str]]
) -> None:
    """And always beside the text."""
    built = build("minimax", reasoning=wanted)

    said = json.loads(built.body)
    assert (said.get("thinking"), said["reasoning_split"]) == (expected, True)
    assert notes(built) == noted


# -- OpenRouter ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "required"),
    [
        ({}, False),
        ({"max_tokens": 5, "user": "u"}, False),
        ({"temperature": 0.0}, True),
        ({"tools": TOOLS}, True),
        ({"temperature": 0.0, "on_unsupported": "warn"}, False),
    ],
)
def test_openrouter_drops_nothing_silently(options: dict[str, Any], required: bool) -> None:
    """Upstreams must take all that was asked, unless the caller allowed to drop it."""
    assert body("openrouter", **options).get("provider") == ({"require_parameters": True} if required else None)


def test_openrouter_is_told_by_the_caller_in_the_end() -> None:
    """What is said in `extra_body` is added, and wins."""
    extra = {"provider": {"require_parameters": False, "sort": "price"}}

    assert body("openrouter", seed=1, extra_body=extra)["provider"] == extra["provider"]
