"""Requests: the URL, the headers, and every parameter sent, mapped or refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.openai_responses import ADAPTER
from fiber.types.messages import ChatMessage
from fiber.types.request import PARAMETERS, ChatRequest
from fiber.types.target import Quirks, Target
from fiber.types.tools import ReasoningOptions, ResponseFormat, Tool, ToolChoice

VALUES: dict[str, Any] = {
    "temperature": 0.0,
    "top_p": 0.5,
    "top_k": 3,
    "max_tokens": 64,
    "stop": ("END",),
    "seed": 0,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.0,
    "n": 2,
    "logprobs": True,
    "top_logprobs": 0,
    "logit_bias": {"1": 1.0},
    "tools": (Tool("look"),),
    "tool_choice": ToolChoice("required"),
    "parallel_tool_calls": False,
    "response_format": ResponseFormat("json_object"),
    "reasoning": ReasoningOptions(effort="low"),
    "user": "u1",
    "metadata": {"k": "v"},
    "store": False,
    "previous_response_id": "resp_0",
    "service_tier": "flex",
    "safety_settings": ({"category": "x"},),
}
SENT: dict[str, Any] = {
    "temperature": ("temperature", 0.0),
    "top_p": ("top_p", 0.5),
    "max_tokens": ("max_output_tokens", 64),
    "logprobs": ("include", ["message.output_text.logprobs"]),
    "top_logprobs": ("top_logprobs", 0),
    "tools": (
        "tools",
        [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}],
    ),
    "tool_choice": ("tool_choice", "required"),
    "parallel_tool_calls": ("parallel_tool_calls", False),
    "response_format": ("text", {"format": {"type": "json_object"}}),
    "reasoning": ("reasoning", {"effort": "low"}),
    "user": ("user", "u1"),
    "metadata": ("metadata", {"k": "v"}),
    "store": ("store", False),
    "previous_response_id": ("previous_response_id", "resp_0"),
    "service_tier": ("service_tier", "flex"),
}


def test_table_has_every_parameter() -> None:
    """The table, and the values of this module, name exactly the parameters of a request."""
    assert set(ADAPTER.parameters) == set(PARAMETERS) == set(VALUES)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_sent_or_refused(name: str, stream: bool, body: Any, notes: Any) -> None:
    """Each parameter is on the wire, or an error names it, or a note when it may be dropped."""
    said = {name: VALUES[name], "stream": stream}

    if name in SENT:
        member, value = SENT[name]
        assert body(**said)[member] == value
        assert notes(**said) == []
    else:
        with pytest.raises(FiberCapabilityError, match=name) as caught:
            body(**said)
        assert caught.value.parameter == name
        assert notes(**said, on_unsupported="drop") == [f"dropped {name}"]


def test_unsaid_parameters_are_not_sent(body: Any) -> None:
    """A bare request is the model and its input."""
    assert body() == {
        "model": "new-model",
        "input": [{"type": "message", "role": "user", "content": "Hi"}],
    }


def test_stream_differs_in_one_member_and_two_headers(ask: Any, body: Any) -> None:
    """A stream is the same request with `stream`, and asks for events without compression."""
    plain, stream = ask(), ask(stream=True)

    assert body(stream=True) == body() | {"stream": True}
    assert plain.headers == (("content-type", "application/json"), ("accept", "application/json"))
    assert stream.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("accept-encoding", "identity"),
    )
    assert plain.method == stream.method == "POST"


def test_same_request_gives_same_bytes(ask: Any) -> None:
    """Building is deterministic."""
    assert ask(temperature=1, store=False) == ask(temperature=1, store=False)


def test_url_has_version_and_extra_query_encoded(ask: Any) -> None:
    """The row's API version and the caller's query stand in the URL, percent-encoded."""
    made = ask(quirks=Quirks(api_version="2025-04-01-preview"), extra_query={"a b": "c&d"})

    base = "https://api.openai.com/v1/responses"
    assert ask().url == base
    assert made.url == f"{base}?api-version=2025-04-01-preview&a%20b=c%26d"


def test_extra_headers_replace_ours(ask: Any) -> None:
    """A header of the caller is added, and replaces one of the same name."""
    made = ask(extra_headers={"X-Team": "t", "Accept": "application/x"})

    assert made.headers == (
        ("content-type", "application/json"),
        ("X-Team", "t"),
        ("Accept", "application/x"),
    )


def test_extra_body_is_merged_last(body: Any) -> None:
    """Members of the caller are merged deeply and win."""
    made = body(
        reasoning=ReasoningOptions(effort="low"),
        extra_body={"reasoning": {"mode": "pro"}, "model": "other", "truncation": "auto"},
    )

    assert made["reasoning"] == {"effort": "low", "mode": "pro"}
    assert made["model"] == "other"
    assert made["truncation"] == "auto"


def test_reasoning_summary_is_asked_as_auto(body: Any) -> None:
    """`summary=True` lets the model choose its length; `False` is the default, not sent."""
    assert body(reasoning=ReasoningOptions(summary=True))["reasoning"] == {"summary": "auto"}
    assert "reasoning" not in body(reasoning=ReasoningOptions(summary=False))


def test_reasoning_budget_is_refused(body: Any, notes: Any) -> None:
    """A number of thinking tokens has no place, and the rest of the options stays."""
    options = ReasoningOptions(effort="high", budget_tokens=1024)

    with pytest.raises(FiberCapabilityError, match="effort"):
        body(reasoning=options)
    assert notes(reasoning=options, on_unsupported="warn") == ["dropped reasoning.budget_tokens"]
    assert body(reasoning=options, on_unsupported="drop")["reasoning"] == {"effort": "high"}


def test_unstored_answer_asks_for_encrypted_reasoning(body: Any) -> None:
    """With `store=False` the reasoning is asked for in a form that can be sent back."""
    assert body(store=False)["include"] == ["reasoning.encrypted_content"]
    assert "include" not in body(store=True)
    assert "include" not in body()


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4.1", "openai/gpt-4o", "gpt-5-chat-latest"])
def test_encrypted_reasoning_is_not_asked_of_models_without(model: str, body: Any) -> None:
    """Models that do not reason answer 400 to that question, so it is not put to them."""
    assert "include" not in body(model=model, store=False)


def test_includes_stand_side_by_side(body: Any) -> None:
    """Log probabilities and encrypted reasoning are asked for together."""
    assert body(store=False, top_logprobs=2)["include"] == [
        "message.output_text.logprobs",
        "reasoning.encrypted_content",
    ]
    assert "include" not in body(logprobs=False)


def test_sampling_is_refused_while_a_model_reasons(body: Any, notes: Any) -> None:
    """A model that reasons refuses temperature; with reasoning off it takes it."""
    off = ReasoningOptions(effort="none")

    with pytest.raises(FiberCapabilityError, match="reasons"):
        body(model="gpt-5.5", temperature=0.2)
    assert body(model="gpt-5.5", temperature=0.2, reasoning=off)["temperature"] == 0.2
    assert notes(model="gpt-5.5", temperature=0.2, on_unsupported="drop") == ["dropped temperature"]


def test_row_refuses_what_it_lacks(body: Any) -> None:
    """A parameter that the row does not have is refused with the row's reason."""
    with pytest.raises(FiberCapabilityError, match="xAI has none"):
        body(metadata={"a": "b"}, quirks=Quirks(unsupported={"metadata": "xAI has none"}))


def test_request_is_not_changed(target: Target) -> None:
    """Building leaves the request as it was."""
    request = ChatRequest(messages=(ChatMessage.user("Hi"),), extra_body={"a": {"b": 1}}, store=False)
    before = msgspec.json.encode(request)

    ADAPTER.build_request(request, target, stream=True)

    assert msgspec.json.encode(request) == before
