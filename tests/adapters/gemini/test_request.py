"""Requests to Gemini: where they go, and what becomes of each parameter."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.gemini import ADAPTER
from fiber.types.request import PARAMETERS
from fiber.types.tools import ReasoningOptions, ResponseFormat, Tool, ToolChoice

HOST = "https://generativelanguage.googleapis.com"
WEATHER = Tool("weather", "Weather of a city", {"type": "object", "properties": {"city": {}}})
VALUES: dict[str, Any] = {
    "temperature": 0.0,
    "top_p": 0.5,
    "top_k": 3,
    "max_tokens": 5,
    "stop": ("a", "b"),
    "seed": 0,
    "frequency_penalty": 0.25,
    "presence_penalty": -0.25,
    "n": 2,
    "logprobs": True,
    "top_logprobs": 0,
    "logit_bias": {"5": 1.0},
    "tools": (WEATHER,),
    "tool_choice": ToolChoice("none"),
    "parallel_tool_calls": True,
    "response_format": ResponseFormat("json_object"),
    "reasoning": ReasoningOptions(effort="low"),
    "user": "u",
    "metadata": {"a": "b"},
    "store": False,
    "previous_response_id": "r",
    "service_tier": "flex",
    "safety_settings": ({"category": "C", "threshold": "BLOCK_NONE"},),
}


def at(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body[name]
    return body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", PARAMETERS)
def test_no_parameter_is_lost_in_silence(tools: Any, name: str, stream: bool) -> None:
    """Each parameter is on the wire, in a note, or refused by name."""
    try:
        bare = tools.body(stream=stream)
        body = tools.body(stream=stream, **{name: VALUES[name]})
        notes = tools.notes(stream=stream, **{name: VALUES[name]})
    except FiberCapabilityError as error:
        kept = tools.build(stream=stream, on_unsupported="drop", **{name: VALUES[name]})
        refused = [error.parameter, *(note.subject for note in kept.notes)]
    else:
        refused = [name, name] if body != bare or ("mapped", name) in notes else []

    assert refused == [name, name]


@pytest.mark.parametrize("name", [n for n, rule in ADAPTER.parameters.items() if rule.plain])
def test_plain_parameters_are_sent_unchanged(tools: Any, name: str) -> None:
    """A plain value stands at its path as it was given, zeros and false included."""
    value = VALUES[name]

    body = tools.body(**{name: value})

    assert at(body, ADAPTER.parameters[name].path) == (list(value) if isinstance(value, tuple) else value)


def test_table_has_every_parameter() -> None:
    """The table has one entry for every parameter and no other."""
    assert set(ADAPTER.parameters) == set(PARAMETERS)


@pytest.mark.parametrize(
    ("model", "version", "path"),
    [
        ("gemini-2.5-pro", "", "/v1/models/gemini-2.5-pro"),
        ("gemini-2.5-pro", "v1beta", "/v1beta/models/gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "", "/v1/models/gemini-2.5-pro"),
        ("tunedModels/mine-1", "", "/v1/tunedModels/mine-1"),
        ("a/b c?", "", "/v1/models/a%2Fb%20c%3F"),
        ("gemini-2.5-pro", "-", "/models/gemini-2.5-pro"),
    ],
)
def test_model_and_version_make_the_path(tools: Any, model: str, version: str, path: str) -> None:
    """The model is one encoded segment behind its folder; `-` means the base URL has the rest."""
    target = tools.target(model, api_version=version)

    plain, stream = tools.build(to=target), tools.build(to=target, stream=True)

    assert plain.url == f"{HOST}{path}:generateContent"
    assert stream.url == f"{HOST}{path}:streamGenerateContent?alt=sse"


def test_stream_differs_in_url_and_headers_only(tools: Any) -> None:
    """Both kinds have the same body and no credential."""
    plain, stream = tools.build(), tools.build(stream=True)

    assert plain.body == stream.body
    assert plain.headers == (
        ("content-type", "application/json"),
        ("accept", "application/json"),
    )
    assert dict(stream.headers) == {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "accept-encoding": "identity",
    }
    assert plain == tools.build()


def test_extras_come_last(tools: Any) -> None:
    """Extra members, headers and query parameters win and are encoded."""
    made = tools.build(
        temperature=0.5,
        extra_body={"generationConfig": {"temperature": 1, "new": 2}, "cachedContent": "c/1"},
        extra_headers={"Accept": "x", "x-a": "b"},
        extra_query={"a b": "c&d"},
        stream=True,
    )

    assert made.url.endswith("?alt=sse&a%20b=c%26d")
    assert ("Accept", "x") in made.headers
    assert ("accept", "text/event-stream") not in made.headers
    assert b'"generationConfig":{"temperature":1,"new":2},"cachedContent":"c/1"' in made.body


@pytest.mark.parametrize("model", ["gemini-3.5-flash-lite", "gemini-3.6-flash", "gemini-3.7-flash", "gemini-3.8-flash"])
@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_is_refused_where_the_model_refuses_it(tools: Any, model: str, name: str) -> None:
    """The newest Flash models take no sampling parameters."""
    with pytest.raises(FiberCapabilityError) as caught:
        tools.build(to=tools.target(model), **{name: 1})

    assert caught.value.parameter == name


def test_sampling_is_warned_of_on_gemini_3(tools: Any) -> None:
    """Gemini 3 still takes sampling parameters, and older models have nothing against them."""
    assert tools.notes(temperature=1.0, to=tools.target("gemini-4-argon")) == [("warned", "temperature")]
    assert tools.notes(temperature=1.0, to=tools.target("gemini-2.5-pro")) == []
    assert tools.notes(temperature=1.0, to=tools.target("my-tuned-model")) == []


def test_logprobs_are_refused_in_streams_but_not_on_vertex(tools: Any) -> None:
    """The API has token probabilities in whole replies only."""
    with pytest.raises(FiberCapabilityError):
        tools.build(logprobs=True, stream=True)

    vertex = tools.body(top_logprobs=3, stream=True, to=tools.target(api_version="-"))
    assert vertex["generationConfig"] == {"responseLogprobs": True, "logprobs": 3}
    assert tools.body(logprobs=False, stream=True)["generationConfig"] == {"responseLogprobs": False}


def test_one_call_at_a_time_is_refused(tools: Any) -> None:
    """Parallel calls cannot be turned off."""
    with pytest.raises(FiberCapabilityError) as caught:
        tools.build(parallel_tool_calls=False)

    assert caught.value.parameter == "parallel_tool_calls"


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ResponseFormat("text"), {"responseMimeType": "text/plain"}),
        (ResponseFormat("json_object"), {"responseMimeType": "application/json"}),
        (
            ResponseFormat("json_schema", {"type": "object"}, description="Facts"),
            {
                "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object", "description": "Facts"},
            },
        ),
    ],
)
def test_response_format_is_a_mime_type_and_a_schema(
    tools: Any, wanted: ResponseFormat, expected: dict[str, Any]
) -> None:
    """JSON is a MIME type, and a schema stands beside it."""
    assert tools.body(response_format=wanted)["generationConfig"] == expected
