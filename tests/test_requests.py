"""Every parameter, every adapter, both modes: sent, mapped or refused, never silent; and the same bytes everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiber._errors import FiberCapabilityError
from fiber.adapters import NAMES, load
from fiber.adapters.parameters import NEUTRAL
from fiber.types.http import HTTPRequest
from fiber.types.options import chat_request
from fiber.types.request import PARAMETERS
from fiber.types.target import Target

WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
MODELS = {
    # One that is not in any table of models (permissive), so that the format alone decides.
    "anthropic": "claude-next",
    "bedrock_converse": "anthropic.claude-next",
    "cohere": "command-next",
    "gemini": "gemini-next",
    "ollama": "llama-next",
    "openai_chat": "gpt-next",
    "openai_responses": "gpt-next",
    "replicate": "ada/model-next",
}
VALUES: dict[str, tuple[Any, str]] = {
    # Parameter: a value, and a mark that is found in the body when it was sent or mapped.
    "temperature": (0.25, "0.25"),
    "top_p": (0.75, "0.75"),
    "top_k": (41, "41"),
    "max_tokens": (4321, "4321"),
    "stop": (["ENOUGH"], "ENOUGH"),
    "seed": (987, "987"),
    "frequency_penalty": (0.125, "0.125"),
    "presence_penalty": (-0.125, "-0.125"),
    "n": (3, "3"),
    "logprobs": (True, "logprobs"),
    "top_logprobs": (7, "7"),
    "logit_bias": ({"777": 5}, "777"),
    "tools": ([WEATHER], "weather"),
    "tool_choice": ("weather", "weather"),
    "parallel_tool_calls": (False, "parallel_tool"),
    "response_format": (PERSON, "required"),
    "reasoning": ("high", "high"),
    "user": ("user-55", "user-55"),
    "metadata": ({"team": "blue"}, "blue"),
    "store": (True, "store"),
    "previous_response_id": ("resp_123", "resp_123"),
    "service_tier": ("flex", "flex"),
    "safety_settings": ([{"category": "HARM", "threshold": "NONE"}], "HARM"),
}


def build(name: str, *, stream: bool = False, **options: Any) -> HTTPRequest:
    """Build a request with one adapter."""
    target = Target(provider="mine", model=MODELS[name], base_url="http://127.0.0.1:1")
    return load(name).build_request(chat_request("hello", **options), target, stream=stream)


def attempt(name: str, *, stream: bool, **options: Any) -> HTTPRequest | FiberCapabilityError:
    """Build a request, or return the error that says why it cannot be."""
    try:
        return build(name, stream=stream, **options)
    except FiberCapabilityError as error:
        return error


def test_table_of_values_is_complete() -> None:
    """Every parameter has a value here, and every adapter an entry for it."""
    assert tuple(VALUES) == PARAMETERS
    for name in NAMES:
        assert set(load(name).parameters) == set(PARAMETERS)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("parameter", PARAMETERS)
@pytest.mark.parametrize("name", NAMES)
def test_parameter_is_sent_mapped_or_refused(name: str, parameter: str, stream: bool) -> None:
    """What the caller says is on the wire, in a note, or in an error that names it."""
    value, mark = VALUES[parameter]
    needed = {"tools": [WEATHER]} if parameter in ("tool_choice", "parallel_tool_calls") else {}
    bare = attempt(name, stream=stream, **needed)
    made = attempt(name, stream=stream, **needed, **{parameter: value})

    match made:
        case FiberCapabilityError():
            assert (parameter in str(made), made.outcome) == (True, "not_sent")
        case HTTPRequest():
            noted = any(parameter.partition("_")[0] in note.subject for note in made.notes)
            sent = (
                mark.lower() in made.body.decode().lower() and isinstance(bare, HTTPRequest) and made.body != bare.body
            )
            assert noted or sent


@pytest.mark.parametrize("policy", ["warn", "drop"])
@pytest.mark.parametrize("name", NAMES)
def test_unsupported_parameters_are_left_out_with_a_note(name: str, policy: str) -> None:
    """With `warn` and `drop` the request is built without them, and each is noted."""
    adapter = load(name)
    unsupported = [parameter for parameter, rule in adapter.parameters.items() if rule.support == "unsupported"]
    assert unsupported

    request = build(name, on_unsupported=policy, **{parameter: VALUES[parameter][0] for parameter in unsupported})

    assert {note.subject for note in request.notes if note.kind == "dropped"} >= set(unsupported)
    assert request.body == build(name).body


@pytest.mark.parametrize("name", NAMES)
def test_neutral_values_ask_for_nothing(name: str) -> None:
    """Values that ask for what happens anyway never fail, on any format."""
    assert build(name, **NEUTRAL)


@pytest.mark.parametrize("name", NAMES)
def test_stream_and_plain_differ_only_in_the_switch(name: str) -> None:
    """Both modes have one builder: the same parameters stand at the same places."""
    sent = {
        parameter: value
        for parameter, (value, _) in VALUES.items()
        if load(name).parameters[parameter].support != "unsupported"
    }
    plain = json.loads(build(name, on_unsupported="drop", **sent).body)
    streamed = json.loads(build(name, stream=True, on_unsupported="drop", **sent).body)

    switches = {key: streamed.pop(key, None) for key in ("stream", "stream_options")}
    assert switches["stream"] in (True, None)
    assert plain.pop("stream", False) is False
    for body in (plain, streamed):
        # Gemini has log probabilities in whole answers alone; the stream says so in a note.
        for key in ("responseLogprobs", "logprobs"):
            body.get("generationConfig", {}).pop(key, None)
    assert streamed == plain


@given(st.data())
@settings(max_examples=settings.default.max_examples // 2)
def test_any_combination_builds_or_names_what_cannot(data: st.DataObject) -> None:
    """However parameters are combined, the answer is a request or a typed error before any byte."""
    name = data.draw(st.sampled_from(NAMES))
    chosen = data.draw(st.sets(st.sampled_from(PARAMETERS)))
    options = {parameter: VALUES[parameter][0] for parameter in sorted(chosen)}
    if "tool_choice" in options:
        options["tools"] = [WEATHER]
    made = attempt(name, stream=data.draw(st.booleans()), **options)

    assert made.parameter if isinstance(made, FiberCapabilityError) else json.loads(made.body)


PROGRAM = """
import hashlib
from tests.test_requests import NAMES, VALUES, build
for name in NAMES:
    options = {parameter: value for parameter, (value, _) in VALUES.items()}
    request = build(name, on_unsupported="drop", extra_body={"b": {"x": 1}, "a": [1, 2]}, **options)
    print(name, hashlib.sha256(repr((request.url, request.headers, request.body)).encode()).hexdigest())
"""


def test_requests_are_byte_identical_over_processes() -> None:
    """The same call gives the same bytes in every process, whatever its hash seed."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            check=True,
            capture_output=True,
            text=True,
            cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(outputs) == 1
    assert outputs.pop().count("\n") == len(NAMES)
