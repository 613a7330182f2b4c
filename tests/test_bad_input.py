"""Bad input: a typed error that says what to do, before any byte is sent, on every format."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import (
    ChatMessage,
    Fiber,
    FiberAuthError,
    FiberCapabilityError,
    FiberError,
    FiberModelNotFoundError,
    FiberValidationError,
    Image,
    Tool,
)
from fiber.testing import FakeTransport

MODELS = ("openai:gpt-x", "openai-responses:gpt-x", "anthropic:claude-x", "gemini:gemini-x")
TOOL = {"name": "f", "parameters": {"type": "object", "properties": {}}}
SURROGATE = "lone \ud83d surrogate"

CASES: dict[str, tuple[Any, dict[str, Any], type[FiberError], str]] = {
    # What is wrong: messages, keywords, the error, and words that tell what to do.
    "unknown model": ("hi", {"model": "gtp-5"}, FiberModelNotFoundError, "provider:model"),
    "near model": ("hi", {"model": "gemni-3"}, FiberModelNotFoundError, "Near: gemini"),
    "unknown provider": ("hi", {"provider": "opnai"}, FiberValidationError, "Did you mean 'openai'"),
    "no messages": ([], {}, FiberValidationError, "give at least one message"),
    "empty text": ("", {}, FiberValidationError, "give it text or parts"),
    "wrong role": ([("boss", "hi")], {}, FiberValidationError, "use one of system"),
    "wrong role in a dict": ([{"role": "bot", "content": "x"}], {}, FiberValidationError, "use one of system"),
    "unknown member": ([{"role": "user", "text": "x"}], {}, FiberValidationError, "known are"),
    "bytes": (b"hi", {}, FiberValidationError, "must be a string"),
    "a number": (7, {}, FiberValidationError, "must be a string"),
    "tool message without id": ([{"role": "tool", "content": "x"}], {}, FiberValidationError, "tool_call_id"),
    "unknown part": ([("user", [{"type": "hologram"}])], {}, FiberValidationError, "Opaque.of"),
    "duplicate tool names": ("hi", {"tools": [TOOL, TOOL]}, FiberValidationError, "give each its own name"),
    "tool without name": ("hi", {"tools": [{"description": "x"}]}, FiberValidationError, "has no name"),
    "bad tool name": ("hi", {"tools": [{"name": "has space"}]}, FiberValidationError, "letters, digits"),
    "invalid schema": (
        "hi",
        {"tools": [{"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "strng"}}}}]},
        FiberValidationError,
        "properties.a is not a valid JSON Schema",
    ),
    "schema that is no object": (
        "hi",
        {"tools": [{"name": "f", "parameters": {"type": "array"}}]},
        FiberValidationError,
        '"type": "object"',
    ),
    "choice of an unknown tool": ("hi", {"tools": [TOOL], "tool_choice": "g"}, FiberValidationError, "the tools are"),
    "choice without tools": ("hi", {"tool_choice": "required"}, FiberValidationError, "needs tools"),
    "untyped function": ("hi", {"tools": [lambda x: x]}, FiberValidationError, "Type every parameter"),
    "tool of the provider in words": (
        "hi",
        {"tools": [{"type": "web_search"}], "emulate_tools": True},
        FiberCapabilityError,
        "Leave it out",
    ),
    "no flag": ("hi", {"tools": [TOOL], "emulate_tools": 1}, FiberValidationError, "True or False"),
    "NaN temperature": ("hi", {"temperature": float("nan")}, FiberValidationError, "from 0 to 2"),
    "NaN in extra_body": ("hi", {"extra_body": {"a": [float("inf")]}}, FiberValidationError, "JSON cannot say"),
    "temperature out of range": ("hi", {"temperature": 2.5}, FiberValidationError, "from 0 to 2"),
    "top_p out of range": ("hi", {"top_p": -0.1}, FiberValidationError, "from 0 to 1"),
    "penalty out of range": ("hi", {"presence_penalty": 3}, FiberValidationError, "from -2 to 2"),
    "n out of range": ("hi", {"n": 0}, FiberValidationError, "from 1"),
    "max_tokens as text": ("hi", {"max_tokens": "10"}, FiberValidationError, "whole number"),
    "flag as number": ("hi", {"store": 1}, FiberValidationError, "True or False"),
    "empty stop": ("hi", {"stop": [""]}, FiberValidationError, "non-empty string"),
    "unknown effort": ("hi", {"reasoning": "huge"}, FiberValidationError, "use one of none, minimal"),
    "unknown format": ("hi", {"response_format": "xml"}, FiberValidationError, "json_object"),
    "unknown policy": ("hi", {"on_unsupported": "ignore"}, FiberValidationError, "'warn' or 'drop'"),
    "header that is no text": ("hi", {"extra_headers": {"a": 1}}, FiberValidationError, "must be strings"),
    "negative timeout": ("hi", {"timeout": -1}, FiberValidationError, "positive number of seconds"),
}


def client(**options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client that fails the test if anything is sent."""
    transport = FakeTransport()
    keys = dict.fromkeys(("openai", "anthropic", "gemini"), "key-for-tests")
    return Fiber(**{"api_keys": keys, "transport": transport} | options), transport


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_before_anything_is_sent(case: str, model: str) -> None:
    """Whole and streamed alike, the error is typed, tells what to do, and nothing was sent."""
    messages, options, kind, advice = CASES[case]
    fiber, transport = client()
    for call in (fiber.sync.chat, fiber.sync.chat_stream):
        with pytest.raises(kind) as failure:
            call(messages, **{"model": model} | options)
        assert advice in str(failure.value)

    assert transport.requests == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "messages",
    [SURROGATE, [("system", SURROGATE), ("user", "hi")], [ChatMessage.user([Image(url="https://x/" + SURROGATE)])]],
    ids=["text", "system", "url"],
)
def test_lone_surrogate_is_refused(messages: Any, model: str) -> None:
    """Text that no UTF-8 can carry is refused, and the error does not repeat the prompt."""
    fiber, transport = client()

    with pytest.raises(FiberValidationError, match="surrogate") as failure:
        fiber.sync.chat(messages, model=model)

    assert transport.requests == []
    assert "lone \ud83d" not in str(failure.value)


@pytest.mark.parametrize(
    ("model", "variable"),
    [("openai:gpt-x", "OPENAI_API_KEY"), ("anthropic:c", "ANTHROPIC_API_KEY"), ("gemini:g", "GEMINI_API_KEY")],
)
def test_missing_key_names_the_variable(model: str, variable: str) -> None:
    """A provider without a key fails only when it is called, and says which variable to set."""
    fiber, transport = client(api_keys={})

    with pytest.raises(FiberAuthError, match=variable):
        fiber.sync.chat("hi", model=model)

    assert transport.requests == []


def test_no_model_says_how_to_give_one() -> None:
    """Without a model and a default the error names both ways to say it."""
    fiber, _ = client()

    with pytest.raises(FiberValidationError, match="default_model"):
        fiber.sync.chat("hi")


def test_messages_given_twice_are_refused() -> None:
    """Messages and a request are two forms of one thing."""
    fiber, _ = client()

    with pytest.raises(FiberValidationError, match="one of them"):
        fiber.sync.chat("hi", request=object())  # type: ignore[arg-type]


def test_unknown_keyword_is_a_type_error() -> None:
    """A misspelt keyword fails like any Python call, and the known ones are listed."""
    fiber, _ = client()

    with pytest.raises(TypeError, match="temperatur"):
        fiber.sync.chat("hi", temperatur=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Fiber(api_key="x")  # type: ignore[call-arg]


def test_unsupported_parameters_are_all_named_at_once() -> None:
    """One error lists everything that cannot be sent."""
    fiber, transport = client()

    with pytest.raises(FiberCapabilityError) as failure:
        fiber.sync.chat("hi", model="anthropic:claude-x", seed=1, logit_bias={"1": 2}, frequency_penalty=1)

    assert all(name in str(failure.value) for name in ("seed", "logit_bias", "frequency_penalty"))
    assert transport.requests == []


def test_tool_value_checks_itself() -> None:
    """A `Tool` made by hand is checked when it is made."""
    with pytest.raises(FiberValidationError, match="not valid"):
        Tool("no spaces please")
