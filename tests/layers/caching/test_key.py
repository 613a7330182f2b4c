"""Names of answers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import ChatMessage, Fiber, ResponseFormat, Text
from fiber._calls import prepare
from fiber.layers.cache import Cache
from fiber.layers.caching.key import cache_key
from fiber.testing.fake import FakeTransport
from fiber.types.functions import schema_of
from tests.kit import KEY, MODEL


class City(msgspec.Struct):
    """What may be asked for."""

    name: str


def key(messages: Any = "Hi", *, client: dict[str, Any] | None = None, **options: Any) -> str | None:
    """Return the key of a call."""
    made = {"api_keys": {"openai": KEY}, "default_model": MODEL, "transport": FakeTransport(), **(client or {})}
    fiber = Fiber(cache=Cache(), **made)
    return cache_key(prepare(fiber._settings, messages, options, stream=False), tools=False, tenant="tenant")


def spellings(role: str, text: str) -> list[Any]:
    """Return the ways to say one message."""
    return [
        (role, text),
        {"role": role, "content": text},
        {"role": role, "content": [{"type": "text", "text": text}]},
        ChatMessage(role, text),  # type: ignore[arg-type]
        ChatMessage(role, [Text(text)]),  # type: ignore[arg-type]
        ChatMessage(role, text, metadata={"never": "sent"}),  # type: ignore[arg-type]
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(min_size=1)), min_size=1, max_size=4),
    st.data(),
)
def test_spellings_of_messages_have_one_key(turns: list[tuple[str, str]], data: st.DataObject) -> None:
    """However each message is said."""
    messages = [data.draw(st.sampled_from(spellings(*turn))) for turn in turns]

    assert key(messages) == key(turns)


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
def test_other_words_have_other_keys(words: list[str]) -> None:
    """Of whatever characters."""
    assert key(words[0]) != key(words[1])


FORMAT = ResponseFormat("json_schema", schema_of(City), "City")
SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "whole numbers": ({"temperature": 1}, {"temperature": 1.0}),
    "stop": ({"stop": "a"}, {"stop": ["a"]}),
    "order of members": ({"extra_body": {"a": 1, "b": [2]}}, {"extra_body": {"b": [2.0], "a": 1}}),
    "model": ({"model": "gpt-test", "provider": "openai"}, {"model": "openai/gpt-test"}),
    "timers": ({"timeout": 5}, {}),
    "label": ({"label": "x", "context": {"run": 1}}, {}),
    "repair": ({"repair": True, "response_format": "json"}, {"response_format": "json_object"}),
    "type and schema": ({"response_format": City}, {"response_format": FORMAT}),
    "raw body": ({"keep_raw": True}, {}),
}


@pytest.mark.parametrize("case", SAME)
def test_what_is_sent_alike_has_one_key(case: str) -> None:
    """Parameters in another spelling, and what is not sent at all."""
    one, other = SAME[case]

    assert key(**one) == key(**other) is not None


OTHER: dict[str, dict[str, Any]] = {
    "model": {"model": "openai:gpt-other"},
    "provider": {"model": "groq:gpt-test"},
    "temperature": {"temperature": 0.5},
    "zero is said": {"temperature": 0},
    "format": {"response_format": "json"},
    "extra": {"extra_body": {"x": 1}},
    "header": {"extra_headers": {"x-team": "a"}},
    "user": {"user": "u1"},
    "tenant": {"context": {"tenant": "t1"}},
    "quiet": {"on_unsupported": "drop"},
    "base URL": {"client": {"base_urls": {"openai": "https://other.example/v1"}}},
    "key": {"client": {"api_keys": {"openai": "another-key"}}},
    "unknown key": {"client": {"api_keys": {"openai": lambda: "x"}}},
    "role": {"messages": [("system", "Hi")]},
    "fallback": {"fallback": ["openai:gpt-other"]},
    "other fallback": {"fallback": ["openai:gpt-third"]},
    "two messages": {"messages": ["Hi", "Hi"]},
    "name": {"messages": [ChatMessage.user("Hi", name="Ann")]},
    "split": {"messages": [ChatMessage.user([Text("H"), Text("i")])]},
}


def test_whatever_changes_the_question_changes_the_key() -> None:
    """No two of these are one."""
    keys = [key(), *(key(**options) for options in OTHER.values())]

    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_a_tenant_shares_its_answers_among_its_keys() -> None:
    """The bound field owns them, not the credential."""
    context = {"tenant": "t1"}

    assert key(context=context) == key(context=context, client={"api_keys": {"openai": "another-key"}})


def test_what_cannot_be_named_has_no_key() -> None:
    """Text that is forgotten, requests with tools unless they are asked for, and what cannot be written as JSON."""
    tool = {"name": "f", "parameters": {"type": "object", "properties": {}}}

    assert key(forget_text=True) is None
    assert key(tools=[tool]) is None
    assert key("\ud800") is None
    assert key(temperature=1.0, extra_body={"x": 1e300}) is not None


def test_other_processes_make_the_same_key() -> None:
    """Whatever the seed of their hashes."""
    program = (
        "from tests.layers.caching.test_key import key\n"
        "print(key([('system', 'Be brief.'), 'Hi'], temperature=1, extra_body={'b': {'d': 1, 'c': 2}, 'a': 1.0}))"
    )
    keys = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["", *sys.path]), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert keys == {key([("system", "Be brief."), "Hi"], temperature=1.0, extra_body={"a": 1, "b": {"c": 2, "d": 1}})}
