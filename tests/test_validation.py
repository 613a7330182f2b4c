"""All that is wrong with a call, said before it is made."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber import (
    ChatMessage,
    Document,
    Fiber,
    FiberCapabilityError,
    Image,
    ModelCatalog,
    Problem,
    Tool,
    openai_compatible,
)
from fiber.testing.fake import FakeTransport
from fiber.types.request import ChatRequest
from tests.kit import scripted, whole

PICTURE = ChatMessage.user([Image(data=b"\x89PNG\r\n", media_type="image/png")])
CATALOG = ModelCatalog(
    overrides={
        "openai:blind": {"cannot": "vision tools streaming", "max_output": 100, "max_input": 1000},
        "openai:seeing": {"can": "vision", "rates": {"input": "1", "output": "1"}},
        "mistral:seeing": {"can": "vision", "rates": {"input": "0", "output": "0"}},
        "groq:seeing": {"can": "vision", "rates": {"input": "0", "output": "0"}},
    }
)
KEYS = dict.fromkeys(("openai", "anthropic", "gemini", "mistral"), "k")


def client(**options: Any) -> Fiber:
    """Make a client that can send nothing."""
    options = {"api_keys": KEYS, "catalog": CATALOG, "default_model": "openai:blind", **options}
    return Fiber(transport=FakeTransport(), **options)


def about(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Return what *problems* are about."""
    return [(problem.kind, problem.parameter) for problem in problems]


def test_a_call_without_fault_has_no_problem() -> None:
    """In any spelling."""
    fiber = client()

    assert fiber.validate("Hi") == ()
    assert fiber.validate(request=ChatRequest(messages=(ChatMessage.user("Hi"),))) == ()
    assert fiber.sync.validate("Hi", temperature=0.5, tools=None) == ()


def test_every_wrong_value_is_named() -> None:
    """The first does not hide the others; the kind of the error, and what is allowed."""
    problems = client().validate("Hi", temperature=7, top_p="a", max_tokens=-1, label="x")

    assert about(problems) == [("invalid", "temperature"), ("invalid", "top_p"), ("invalid", "max_tokens")]
    assert problems[0].message == "temperature must be a number from 0 to 2, not 7."
    assert about(client().validate([], n=0)) == [("invalid", "messages"), ("invalid", "n")]


def test_what_no_single_value_shows_is_named_too() -> None:
    """Values that do not go together, an unknown model, a switch that is none."""
    fiber = client()

    assert about(fiber.validate("Hi", tool_choice="required")) == [("invalid", "tool_choice")]
    assert about(fiber.validate("Hi", model="nobody-knows")) == [("invalid", "model")]
    assert about(fiber.validate("Hi", keep_raw=1)) == [("invalid", "keep_raw")]
    with pytest.raises(TypeError, match="temprature"):
        fiber.validate("Hi", temprature=1)


def test_what_the_provider_does_not_have_comes_with_others_that_do() -> None:
    """All of it at once, whatever the call does about it."""
    for options in ({}, {"on_unsupported": "drop"}):
        problems = client().validate("Hi", model="anthropic:claude-sonnet-5-5", seed=1, logprobs=True, **options)

        assert about(problems) == [("unsupported", "seed"), ("unsupported", "logprobs")]
        assert problems[0].message == "anthropic:claude-sonnet-5-5 cannot take it: the Messages API has no seed."
        assert {name.partition(":")[0] for name in problems[0].alternatives} == {"openai", "gemini", "mistral"}


def test_another_model_of_a_provider_takes_what_its_default_one_does_not() -> None:
    """One of each provider, known to take it; a provider where no model does is left out."""
    fiber = Fiber(api_keys={**KEYS, "openai-responses": "k", "cohere": "k"}, transport=FakeTransport())
    for model in ("claude-sonnet-5-5", "gemini-3.8-flash"):
        (problem,) = fiber.validate("Hi", model=model, temperature=0.5)
        others = [name.partition(":") for name in problem.alternatives]

        assert problem.message.startswith(f"{fiber.route(model).provider}:{model} cannot take it: ")
        assert [provider for provider, *_ in others] == ["openai", "gemini", "mistral"]
        assert not any(name.startswith(("gpt-6.1-terra", "gemini-3.8-flash")) for *_, name in others)
        for name in problem.alternatives:
            assert fiber.validate("Hi", model=name, temperature=0.5) == ()


def test_a_row_of_ones_own_is_asked_for_its_default_model_only() -> None:
    """It is in no catalogue, and may well have none."""
    rows = [openai_compatible(name, "http://127.0.0.1:1/v1", needs_key=False) for name in ("mine", "ours")]
    rows[1] = rows[1].replace(default_model="m", base_url=rows[1].base_url)
    fiber = Fiber(providers=rows, api_keys={"mine": "k", "ours": "k", "anthropic": "k"}, transport=FakeTransport())

    (problem,) = fiber.validate("Hi", model="claude-sonnet-5-5", seed=1)

    assert problem.alternatives == ("ours:m",)


def test_what_the_model_cannot_do_comes_with_others_that_can() -> None:
    """The cheapest first, of providers with a key."""
    problems = client().validate(PICTURE, model="openai:blind", max_tokens=500, stream=True)

    assert about(problems) == [("incapable", "messages"), ("incapable", "stream"), ("incapable", "max_tokens")]
    assert problems[0].message == "openai:blind has no vision."
    assert problems[0].alternatives[0] == "mistral:seeing"
    assert len(problems[0].alternatives) == 3
    assert not any(name.startswith("groq:") for name in problems[0].alternatives)


def test_content_that_cannot_be_left_out_is_one_problem() -> None:
    """Even `drop` would leave nothing to send."""
    fiber = client(api_keys={"cohere": "k"}, default_model="cohere:command-a")
    (problem,) = fiber.validate(ChatMessage.user([Document(url="https://x.example/a.pdf")]))

    assert problem.kind == "unsupported"
    assert problem.parameter


def test_a_call_is_held_to_what_the_catalogue_knows() -> None:
    """Before anything is sent, unless the call says that it wants to try."""
    fiber, transport = scripted(whole(), whole(), catalog=CATALOG, default_model="openai:blind")

    for options in ({"messages": PICTURE}, {"messages": "Hi", "tools": [{"name": "f"}]}):
        with pytest.raises(FiberCapabilityError) as caught:
            fiber.sync.chat(**options)
        assert caught.value.outcome == "not_sent"
        assert "The catalogue says that openai:blind has no" in str(caught.value)
    with pytest.raises(FiberCapabilityError, match="streaming"):
        fiber.sync.chat_stream("Hi")

    assert transport.requests == []
    assert fiber.sync.ask(PICTURE, on_unsupported="warn") == "Hello"
    assert fiber.sync.ask("Hi", tools=[{"name": "f"}], emulate_tools=True) == "Hello"


def test_limits_of_a_model_are_the_models_to_refuse() -> None:
    """An estimate, or an old table, refuses no call."""
    fiber, _ = scripted(whole(), catalog=CATALOG, default_model="openai:blind")

    assert fiber.sync.ask("word " * 1300, max_tokens=500) == "Hello"


class Tree(msgspec.Struct):
    """A type that holds itself."""

    branches: list[Tree] = []


def test_a_schema_that_the_provider_cannot_say_is_a_problem() -> None:
    """With its losses, beside all else, and with models that would take it; what is only said otherwise is none."""
    alone = client().validate("Hi", model="openai:any", response_format=dict[str, int])
    beside = client().validate("Hi", model="anthropic:claude-sonnet-5-5", response_format=Tree, seed=1)
    strict = Tool("f", parameters={"type": "object", "additionalProperties": {}}, strict=True)
    tool = client().validate("Hi", model="openai:any", tools=[strict])

    assert about(alone) == [("unsupported", "response_format")]
    assert "the names of its members are free" in alone[0].message
    assert {name.partition(":")[0] for name in alone[0].alternatives} == {"gemini"}
    assert about(beside) == [("unsupported", "seed"), ("unsupported", "response_format")]
    assert "the schema refers to itself" in beside[1].message
    assert about(tool) == [("unsupported", "tool f")]
    assert client().validate("Hi", model="openai:any", response_format=list[int]) == ()
