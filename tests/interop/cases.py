"""
One table of logical requests, in fiber's words; `sdk_requests` has the same ones in the words of the official clients.

Both import `material`, so that a picture or a schema is the same on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from material import BIG, CITY, KEY, PDF, PICTURE_URL, PNG, SAID, TOKEN, WAV

from fiber import (
    Audio,
    ChatMessage,
    Document,
    Image,
    ReasoningOptions,
    ResponseFormat,
    ServerTool,
    Text,
    Tool,
    ToolCall,
)

PROVIDERS = {
    # Format -> row of fiber.
    "chat": "openai",
    "responses": "openai-responses",
    "messages": "anthropic",
    "generate": "gemini",
    "cohere": "cohere",
    "ollama": "ollama",
    "azure": "azure",
    "azure-dated": "azure-dated",
    "azure-responses": "azure-responses",
    "mistral": "mistral",
}
MODELS = {
    # Plain models, and those that reason.
    "chat": ("gpt-4o", "o3"),
    "responses": ("gpt-4o", "o3"),
    "messages": ("claude-opus-5", "claude-opus-5"),
    "generate": ("gemini-2.5-flash", "gemini-2.5-flash"),
    "cohere": ("command-a-03-2025", "command-a-reasoning-08-2025"),
    "ollama": ("qwen3:4b", "qwen3:4b"),
    "azure": ("gpt-4o", "o3"),  # names of deployments
    "azure-dated": ("gpt-4o", "o3"),
    "azure-responses": ("gpt-4o", "o3"),
    "mistral": ("mistral-medium-latest", "magistral-medium-latest"),
}

WEATHER = Tool("get_weather", "Weather of a city.", CITY)
STRICT = Tool("get_weather", "Weather of a city.", CITY, strict=True)
CLOCK = Tool("get_time", "Time of day.")
TOOLS = [WEATHER, CLOCK]
SCHEMA = ResponseFormat("json_schema", CITY, "city")
CALL = ToolCall("call_1", "get_weather", '{"city":"Zürich"}')
ROUND = [
    ChatMessage.user(SAID),
    ChatMessage.assistant("I will look.", tool_calls=[CALL]),
    ChatMessage.tool("call_1", "21 degrees"),
]
TWO_ROUNDS = [
    ChatMessage.user(SAID),
    ChatMessage.assistant(tool_calls=[CALL, ToolCall("call_2", "get_time", "{}")]),
    ChatMessage.tool("call_1", "no such city", is_error=True),
    ChatMessage.tool("call_2", "noon"),
    ChatMessage.assistant("It is noon."),
    ChatMessage.user("Thanks!"),
]
SYSTEM = [ChatMessage.system("Be brief."), ChatMessage.user(SAID)]


@dataclass(frozen=True)
class Case:
    """One logical request; `name` is `FORMAT.WHAT`."""

    name: str
    messages: Any = SAID
    options: dict[str, Any] = field(default_factory=dict)
    stream: bool = False
    thinks: bool = False
    key: str = KEY

    @property
    def format(self) -> str:
        """The wire format, the first word of the name."""
        return self.name.partition(".")[0]

    @property
    def model(self) -> str:
        """The model asked for."""
        return MODELS[self.format][self.thinks]


def _everywhere(format: str) -> list[Case]:
    """Make the cases that every format has."""
    return [
        Case(f"{format}.text"),
        Case(f"{format}.system", SYSTEM),
        Case(f"{format}.history", ["Hello", ("assistant", "Hello!"), ("user", SAID)]),
        Case(f"{format}.stream", options={"max_tokens": BIG}, stream=True),
        Case(f"{format}.stop", options={"stop": ["END", "\n\n"], "max_tokens": BIG}),
        Case(f"{format}.tools_auto", options={"tools": TOOLS, "tool_choice": "auto"}),
        Case(f"{format}.tools_named", options={"tools": TOOLS, "tool_choice": "get_weather"}),
        Case(f"{format}.tools_required", options={"tools": TOOLS, "tool_choice": "required"}),
        Case(f"{format}.tools_none", options={"tools": TOOLS, "tool_choice": "none"}),
        Case(f"{format}.tools_serial", options={"tools": TOOLS, "parallel_tool_calls": False}),
        Case(f"{format}.tools_strict", options={"tools": [STRICT]}),
        Case(f"{format}.tools_stream", options={"tools": TOOLS}, stream=True),
        Case(f"{format}.tool_result", ROUND, {"tools": TOOLS}),
        Case(f"{format}.tool_results", TWO_ROUNDS, {"tools": TOOLS}),
        Case(f"{format}.image", [ChatMessage.user([Text(SAID), Image(data=PNG)])]),
        Case(f"{format}.image_url", [ChatMessage.user([Text(SAID), Image(url=PICTURE_URL, media_type="image/png")])]),
        Case(f"{format}.document", [ChatMessage.user([Document(data=PDF, filename="a.pdf"), Text(SAID)])]),
        Case(f"{format}.schema", options={"response_format": SCHEMA}),
    ]


def _chat(format: str) -> list[Case]:
    """Make the cases of a provider that speaks Chat Completions."""
    return [
        *_everywhere(format),
        Case(
            f"{format}.sampling",
            options={
                "temperature": 0.2,
                "top_p": 0.9,
                "seed": 7,
                "frequency_penalty": 0.5,
                "presence_penalty": -0.5,
                "n": 2,
                "logprobs": True,
                "top_logprobs": 3,
                "logit_bias": {"50256": -100},
            },
        ),
        Case(f"{format}.labels", options=LABELS),
        Case(f"{format}.developer", DEVELOPER),
        Case(f"{format}.audio", [ChatMessage.user([Text(SAID), Audio(data=WAV)])]),
        Case(f"{format}.json", options={"response_format": "json_object"}),
        Case(f"{format}.reasoning", options={"reasoning": "low"}, thinks=True),
        Case(f"{format}.file_id", FILE),
        Case(f"{format}.detail", [ChatMessage.user([Image(url=PICTURE_URL, detail="low")])]),
        Case(f"{format}.extras", options={"extra_body": {"verbosity": "low"}, "extra_query": {"beta": "a b"}}),
    ]


def _responses(format: str) -> list[Case]:
    """Make the cases of a provider that speaks Responses, which has no stop sequences."""
    return [
        *_but(_everywhere(format), "stop"),
        Case(f"{format}.sampling", options={"temperature": 0.2, "top_p": 0.9, "max_tokens": BIG, "top_logprobs": 3}),
        Case(f"{format}.labels", options=LABELS),
        Case(f"{format}.developer", DEVELOPER),
        Case(f"{format}.json", options={"response_format": "json_object"}),
        Case(f"{format}.reasoning", options={"reasoning": ReasoningOptions(effort="low", summary=True)}, thinks=True),
        Case(f"{format}.sealed", options={"store": False, "reasoning": "high"}, thinks=True),
        Case(f"{format}.previous", options={"previous_response_id": "resp_0"}),
        Case(f"{format}.web_search", options={"tools": [ServerTool("web_search")]}),
        Case(f"{format}.file_id", FILE),
    ]


def _but(cases: list[Case], *names: str) -> list[Case]:
    """Leave out the cases with these names."""
    return [case for case in cases if case.name.partition(".")[2] not in names]


LABELS: dict[str, Any] = {"user": "u1", "metadata": {"k": "v"}, "store": True, "service_tier": "flex"}
DEVELOPER = [ChatMessage.developer("Be brief."), ChatMessage.user(SAID)]
FILE = [ChatMessage.user([Document(file_id="file-1"), Text(SAID)])]
NOTES = Document(data=b"Rome is old.", media_type="text/plain", title="Cities")
_NOT_AT_OLLAMA = ("tools_named", "tools_required", "tools_serial", "tools_strict", "image_url", "document")
_NO_FILES = ("document", "file_id")

CASES: tuple[Case, ...] = (
    *_chat("chat"),
    *_responses("responses"),
    *_but(_chat("azure"), *_NO_FILES),
    Case("azure.token", key=TOKEN),
    *_but(_chat("azure-dated"), *_NO_FILES),
    Case("azure-dated.token", key=TOKEN),
    *_responses("azure-responses"),
    Case("azure-responses.token", key=TOKEN),
    *_but(_chat("mistral"), "sampling", "labels", "extras"),
    Case(
        "mistral.sampling",
        options={
            "temperature": 0.2,
            "top_p": 0.9,
            "top_k": 5,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": -0.5,
            "n": 2,
            "logprobs": True,
            "top_logprobs": 3,
        },
    ),
    Case("mistral.labels", options={"metadata": {"k": "v"}, "service_tier": "auto"}),
    Case("mistral.prefix", [ChatMessage.user(SAID), ChatMessage.assistant("It is")]),
    Case("mistral.extras", options={"extra_body": {"safe_prompt": True, "prompt_mode": "reasoning"}}),
    *_everywhere("messages"),
    Case("messages.serial_named", options={"tools": TOOLS, "tool_choice": "get_time", "parallel_tool_calls": False}),
    Case("messages.user", options={"user": "u1", "service_tier": "auto"}),
    Case("messages.effort", options={"reasoning": "low"}, thinks=True),
    Case(
        "messages.thinking", options={"reasoning": 2048, "max_tokens": 4096, "model": "claude-sonnet-4-5"}, thinks=True
    ),
    Case("messages.no_thinking", options={"reasoning": "none"}, thinks=True),
    Case(
        "messages.cache",
        [ChatMessage.system([Text("Be brief.", cache_hint="ephemeral")]), ChatMessage.user(SAID)],
    ),
    Case("messages.web_search", options={"tools": [ServerTool("web_search")]}),
    *_but(_everywhere("generate"), "tools_serial"),
    Case(
        "generate.sampling",
        options={"temperature": 0.2, "top_p": 0.9, "top_k": 5, "seed": 7, "max_tokens": BIG, "n": 2},
    ),
    Case("generate.penalties", options={"frequency_penalty": 0.5, "presence_penalty": -0.5, "logprobs": True}),
    Case("generate.audio", [ChatMessage.user([Text(SAID), Audio(data=WAV)])]),
    Case("generate.json", options={"response_format": "json_object"}),
    Case("generate.thinking", options={"reasoning": ReasoningOptions(budget_tokens=2048, summary=True)}, thinks=True),
    Case("generate.no_thinking", options={"reasoning": "none"}, thinks=True),
    Case("generate.level", options={"reasoning": "low", "model": "gemini-3-flash-preview"}, thinks=True),
    Case(
        "generate.safety",
        options={"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]},
    ),
    Case("generate.web_search", options={"tools": [ServerTool("web_search")]}),
    Case("generate.code_execution", options={"tools": [ServerTool("code_execution")]}),
    *_but(_everywhere("cohere"), "tools_serial", "document"),
    Case("cohere.documents", [ChatMessage.user([NOTES, Text(SAID)])]),
    Case("cohere.json", options={"response_format": "json_object"}),
    Case(
        "cohere.sampling",
        options={
            "temperature": 0.2,
            "top_p": 0.9,
            "top_k": 5,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": 0.25,
            "logprobs": True,
        },
    ),
    Case("cohere.thinking", options={"reasoning": 2048}),
    Case("cohere.no_thinking", options={"reasoning": "none"}),
    Case(
        "cohere.extras",
        options={"extra_body": {"safety_mode": "STRICT", "priority": 3, "citation_options": {"mode": "FAST"}}},
    ),
    *_but(_everywhere("ollama"), *_NOT_AT_OLLAMA),
    Case("ollama.json", options={"response_format": "json_object"}),
    Case(
        "ollama.sampling",
        options={
            "temperature": 0.2,
            "top_p": 0.9,
            "top_k": 5,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": -0.5,
        },
    ),
    Case("ollama.logprobs", options={"logprobs": True, "top_logprobs": 3}),
    Case("ollama.thinking", options={"reasoning": "low"}),
    Case("ollama.no_thinking", options={"reasoning": "none"}),
    Case("ollama.extras", options={"extra_body": {"options": {"num_ctx": 8192}, "keep_alive": "5m"}}),
)
