"""The HTTP request: URL, headers, plain parameters, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.bedrock_converse import ADAPTER
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import PARAMETERS
from fiber.types.tools import ReasoningOptions, ResponseFormat, Tool, ToolChoice

Ask = Callable[..., HTTPRequest]
Body = Callable[..., Any]
Notes = Callable[..., list[str]]

GUARDRAIL = {"guardrailIdentifier": "g1", "guardrailVersion": "1", "trace": "enabled"}
VALUES: dict[str, tuple[Any, str]] = {
    # A value for each parameter, and what must be found in the body if it is sent.
    "temperature": (0.0, '"temperature":0.0'),
    "top_p": (0.5, '"topP":0.5'),
    "top_k": (3, '"additionalModelRequestFields":{"top_k":3}'),
    "max_tokens": (7, '"inferenceConfig":{"maxTokens":7}'),
    "stop": (("END",), '"stopSequences":["END"]'),
    "seed": (0, ""),
    "frequency_penalty": (0.0, ""),
    "presence_penalty": (0.5, ""),
    "n": (2, ""),
    "logprobs": (True, ""),
    "top_logprobs": (2, ""),
    "logit_bias": ({"1": 1.0}, ""),
    "tools": ((Tool("look"),), '"name":"look"'),
    "tool_choice": (ToolChoice("required"), '"toolChoice":{"any":{}}'),
    "parallel_tool_calls": (False, '"disable_parallel_tool_use":true'),
    "response_format": (ResponseFormat("json_schema", {"type": "object", "properties": {}}), '"json_schema"'),
    "reasoning": (ReasoningOptions(effort="high"), '"effort":"high"'),
    "user": ("u1", ""),
    "metadata": ({"team": "blue"}, '"requestMetadata":{"team":"blue"}'),
    "store": (True, ""),
    "previous_response_id": ("msg_1", ""),
    "service_tier": ("flex", '"serviceTier":{"type":"flex"}'),
    "safety_settings": ((GUARDRAIL,), '"guardrailConfig":{"guardrailIdentifier":"g1"'),
}


def test_table_has_every_parameter() -> None:
    """The table says what becomes of each parameter, and so do these tests."""
    assert set(ADAPTER.parameters) == set(PARAMETERS) == set(VALUES)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_sent_noted_or_refused(name: str, stream: bool, ask: Ask) -> None:
    """No parameter vanishes: it is in the body, in the notes, or named by the refusal."""
    value, on_the_wire = VALUES[name]
    extras = {"tools": (Tool("look"),)} if name in ("tool_choice", "parallel_tool_calls") else {}
    options = {name: value, "stream": stream, **extras}

    if on_the_wire:
        assert on_the_wire in ask(**options).body.decode()
    else:
        with pytest.raises(FiberCapabilityError, match=name) as caught:
            ask(**options)
        assert caught.value.parameter == name
        dropped = ask(**options, on_unsupported="drop")
        assert [(n.kind, n.subject) for n in dropped.notes] == [("dropped", name)]
        assert f'"{name}":'.encode() not in dropped.body


def test_plain_request(ask: Ask) -> None:
    """A question goes to the model's path, percent-encoded, and holds the question alone."""
    request = ask(ChatMessage.user("Hi"), model="arn:aws:bedrock:us-east-1:1:inference-profile/us.x.y-v1:0")

    path = "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x.y-v1%3A0"
    assert request.method == "POST"
    assert request.url == f"https://bedrock-runtime.us-east-1.amazonaws.com/model/{path}/converse"
    assert request.body == b'{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}'
    assert dict(request.headers) == {"content-type": "application/json", "accept": "application/json"}
    assert request.notes == ()


def test_stream_is_asked_for_by_path_and_accepted_type(ask: Ask) -> None:
    """The body of a stream is the same; its path and what is accepted are others."""
    plain, stream = ask(), ask(stream=True)

    assert stream.url == f"{plain.url}-stream"
    assert stream.body == plain.body
    assert dict(stream.headers)["accept"] == "application/vnd.amazon.eventstream"


@pytest.mark.parametrize(
    ("model", "options", "names"),
    [
        ("anthropic.claude-opus-4-7", {"temperature": 0.5}, ["temperature"]),
        ("anthropic.claude-opus-4-7", {"top_k": 3}, ["top_k"]),
        ("anthropic.claude-sonnet-4-6", {"temperature": 1.5}, ["temperature"]),
        ("amazon.nova-lite-v1:0", {"temperature": 1.5}, ["temperature"]),
        ("meta.llama3-1-8b-instruct-v1:0", {"top_k": 3}, ["top_k"]),
        ("amazon.nova-lite-v1:0", {"parallel_tool_calls": False, "tools": (Tool("look"),)}, ["parallel_tool_calls"]),
        ("amazon.nova-lite-v1:0", {"safety_settings": ({"category": "x"},)}, ["safety_settings"]),
        ("amazon.nova-lite-v1:0", {"safety_settings": (GUARDRAIL, GUARDRAIL)}, ["safety_settings"]),
    ],
)
def test_what_a_model_does_not_take_is_refused(model: str, options: dict[str, Any], names: list[str], ask: Ask) -> None:
    """A value that the API or the model would answer with 400 is not sent."""
    with pytest.raises(FiberCapabilityError) as caught:
        ask(model=model, **options)

    assert [caught.value.parameter] == names
    assert [note.subject for note in ask(model=model, **options, on_unsupported="drop").notes] == names


def test_top_k_has_the_vendors_name(body: Body) -> None:
    """Nova takes it in an object of its own."""
    sent = body(model="us.amazon.nova-pro-v1:0", top_k=5)

    assert sent["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}


def test_json_mode_is_asked_for_in_words(body: Body, notes: Notes) -> None:
    """Converse has a switch for schemas alone."""
    wanted = ResponseFormat("json_object")

    assert "JSON object" in body(response_format=wanted)["system"][0]["text"]
    assert notes(response_format=wanted) == ["warned response_format"]


def test_members_of_the_caller_are_merged_deeply(body: Body) -> None:
    """What this library has no name for goes beside what it sends."""
    sent = body(
        top_k=5,
        extra_body={"additionalModelRequestFields": {"x": 1}, "performanceConfig": {"latency": "optimized"}},
    )

    assert sent["additionalModelRequestFields"] == {"top_k": 5, "x": 1}
    assert sent["performanceConfig"] == {"latency": "optimized"}
