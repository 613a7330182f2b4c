"""The HTTP request: URL, headers, plain parameters, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.anthropic import ADAPTER
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import PARAMETERS, ChatRequest
from fiber.types.target import Quirks, Target
from fiber.types.tools import ReasoningOptions, ResponseFormat, Tool, ToolChoice

Body = Callable[..., Any]
Ask = Callable[..., HTTPRequest]
Notes = Callable[..., list[str]]

OLD = "2023-06-01"
VALUES: dict[str, tuple[Any, str]] = {
    # A value for each parameter, and what must be found in the body if it is sent.
    "temperature": (0.0, '"temperature":0.0'),
    "top_p": (0.5, '"top_p":0.5'),
    "top_k": (3, '"top_k":3'),
    "max_tokens": (7, '"max_tokens":7'),
    "stop": (("END",), '"stop_sequences":["END"]'),
    "seed": (0, ""),
    "frequency_penalty": (0.0, ""),
    "presence_penalty": (0.5, ""),
    "n": (2, ""),
    "logprobs": (True, ""),
    "top_logprobs": (2, ""),
    "logit_bias": ({"1": 1.0}, ""),
    "tools": ((Tool("look"),), '"name":"look"'),
    "tool_choice": (ToolChoice("none"), '"tool_choice":{"type":"none"}'),
    "parallel_tool_calls": (False, '"disable_parallel_tool_use":true'),
    "response_format": (ResponseFormat("json_schema", {"type": "object", "properties": {}}), '"json_schema"'),
    "reasoning": (ReasoningOptions(effort="high"), '"effort":"high"'),
    "user": ("u1", '"metadata":{"user_id":"u1"}'),
    "metadata": ({"user_id": "u2"}, '"metadata":{"user_id":"u2"}'),
    "store": (True, ""),
    "previous_response_id": ("msg_1", ""),
    "service_tier": ("standard_only", '"service_tier":"standard_only"'),
    "safety_settings": (({"category": "x"},), ""),
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
    options = {name: value, "version": OLD, "stream": stream, **extras}

    if on_the_wire:
        assert on_the_wire in ask(**options).body.decode()
    else:
        with pytest.raises(FiberCapabilityError, match=name) as caught:
            ask(**options)
        assert caught.value.parameter == name
        dropped = ask(**options, on_unsupported="drop")
        assert [(n.kind, n.subject) for n in dropped.notes] == [("dropped", name)]
        assert f'"{name}"'.encode() not in dropped.body


def test_plain_request(ask: Ask) -> None:
    """A question goes to /v1/messages with the version, the model's maximum output and no more."""
    request = ask(ChatMessage.user("Hi"))

    assert (request.method, request.url) == ("POST", "https://api.anthropic.com/v1/messages")
    assert dict(request.headers) == {
        "content-type": "application/json",
        "accept": "application/json",
        "anthropic-version": "2026-10-21",
    }
    assert request.body == (
        b'{"model":"claude-sonnet-4-6","max_tokens":128000,"messages":[{"role":"user","content":"Hi"}]}'
    )
    assert request.notes == ()


def test_stream_differs_in_three_places(ask: Ask) -> None:
    """A streamed request has `stream`, another `accept`, and asks for no compression."""
    request = ask(stream=True)

    assert request.body.endswith(b'"stream":true}')
    assert dict(request.headers)["accept"] == "text/event-stream"
    assert dict(request.headers)["accept-encoding"] == "identity"


def test_extras_win(ask: Ask) -> None:
    """extra_body merges deeply, extra_headers replace, extra_query is percent-encoded."""
    request = ask(
        user="u1",
        extra_body={"metadata": {"more": 1}, "max_tokens": 1},
        extra_headers={"anthropic-beta": "a,b", "Accept": "text/plain"},
        extra_query={"q": "a b&c"},
    )

    body = msgspec.json.decode(request.body)
    assert body["metadata"] == {"user_id": "u1", "more": 1}
    assert body["max_tokens"] == 1
    assert request.url.endswith("?q=a%20b%26c")
    assert ("anthropic-beta", "a,b") in request.headers
    assert [v for k, v in request.headers if k.lower() == "accept"] == ["text/plain"]


@pytest.mark.parametrize(
    ("model", "cap"),
    [
        ("claude-opus-5-5", 128_000),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", 64_000),
        ("claude-opus-4-20250514", 32_000),
        ("claude-3-haiku-20240307", 4096),
        ("claude-opus-5-9", 4096),
        ("claude-opus-55", 4096),
        ("my-deployment", 4096),
    ],
)
def test_max_tokens_defaults_to_the_known_maximum(model: str, cap: int, body: Body) -> None:
    """Unsaid, `max_tokens` is the model's maximum output, and 4096 for a model nobody knows."""
    assert body(model=model)["max_tokens"] == cap


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
@pytest.mark.parametrize(
    ("model", "version", "why"),
    [
        ("claude-sonnet-4-6", "", "2026-10-21"),
        ("my-deployment", "2026-10-21", "2023-06-01 has it"),
        ("claude-opus-4-7", OLD, "this model"),
        ("claude-haiku-5-5", "vertex-2023-10-16", "this model"),
    ],
)
def test_sampling_is_refused(name: str, model: str, version: str, why: str, ask: Ask) -> None:
    """Sampling is refused under version 2026-10-21 for all models, under the older for newer ones."""
    with pytest.raises(FiberCapabilityError, match=why):
        ask(model=model, version=version, **{name: 1})


def test_sampling_is_sent_under_the_older_version(body: Body) -> None:
    """Under 2023-06-01 sampling is sent to models up to 4.6 and to unknown ones."""
    assert body(version=OLD, temperature=0.0)["temperature"] == 0.0
    assert body(version="vertex-2023-10-16", model="x", top_k=1)["top_k"] == 1
    assert body(extra_headers={"Anthropic-Version": OLD}, top_p=0.1)["top_p"] == 0.1


def test_temperature_above_one_is_refused(ask: Ask, body: Body) -> None:
    """The range of this API ends at 1."""
    with pytest.raises(FiberCapabilityError, match="above 1"):
        ask(version=OLD, temperature=1.5)

    assert body(version=OLD, temperature=1)["temperature"] == 1


def test_row_may_refuse_a_parameter(target: Target) -> None:
    """What the row's quirks call unsupported is refused with the row's reason."""
    place = msgspec.structs.replace(target, quirks=Quirks(unsupported={"service_tier": "no tiers"}))

    with pytest.raises(FiberCapabilityError, match="no tiers"):
        ADAPTER.build_request(
            ChatRequest(messages=(ChatMessage.user("Hi"),), service_tier="auto"),
            place,
            stream=False,
        )


def test_metadata_has_only_the_user_id(ask: Ask, body: Body, notes: Notes) -> None:
    """`user_id` is sent, everything else in metadata is refused by name; `user` wins."""
    with pytest.raises(FiberCapabilityError, match="not team"):
        ask(metadata={"team": "x"})

    options = {"metadata": {"team": "x", "user_id": "m"}, "on_unsupported": "warn"}
    assert body(**options)["metadata"] == {"user_id": "m"}
    assert notes(**options) == ["dropped metadata"]
    assert body(**options, user="u")["metadata"] == {"user_id": "u"}


def test_build_is_deterministic(ask: Ask) -> None:
    """The same request gives the same bytes."""
    options = {"tools": (Tool("a"), Tool("b")), "user": "u", "reasoning": ReasoningOptions("low")}

    assert ask(**options) == ask(**options)
