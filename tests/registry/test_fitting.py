"""Whether a request fits a model."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from fiber import (
    Audio,
    ChatMessage,
    Document,
    FiberContextLengthError,
    Image,
    ModelCapabilities,
    ModelCatalog,
    ToolResult,
)
from fiber.registry.capabilities import FLAGS
from fiber.registry.fitting import CHECKED, _words, check_length, misfits
from fiber.registry.tokens import tokens_of
from fiber.types.content import Text
from fiber.types.options import chat_request
from fiber.types.target import Target
from tests.conformance.recordings import FOLDER

NOTHING: dict[str, Any] = dict.fromkeys(FLAGS, False)
SCHEMA = {"type": "object", "properties": {}}
TOOL = {"name": "f", "parameters": SCHEMA}


def user(part: Any) -> list[ChatMessage]:
    """Make one message."""
    return [ChatMessage.user([part])]


ASKS: dict[str, tuple[Any, dict[str, Any], list[tuple[str, str]]]] = {
    "words": ("Hi", {}, []),
    "a picture": (user(Image(url="https://x.example/a.png")), {}, [("messages", "vision")]),
    "sound": (user(Audio(data=b"x", media_type="audio/wav")), {}, [("messages", "audio")]),
    "a document": (user(Document(data=b"x", media_type="application/pdf")), {}, [("messages", "documents")]),
    "a beginning": ([("user", "Hi"), ("assistant", "Well,")], {}, [("messages", "prefill")]),
    "temperature": ("Hi", {"temperature": 0}, [("temperature", "sampling")]),
    "a tool": ("Hi", {"tools": [TOOL]}, [("tools", "tools")]),
    "a tool by force": (
        "Hi",
        {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": True},
        [("tools", "tools"), ("tool_choice", "forced_tools"), ("parallel_tool_calls", "parallel_tools")],
    ),
    "a choice of its own": ("Hi", {"tools": [TOOL], "tool_choice": "auto"}, [("tools", "tools")]),
    "a schema": ("Hi", {"response_format": SCHEMA}, [("response_format", "json_schema")]),
    "any JSON": ("Hi", {"response_format": "json"}, []),
    "thoughts": ("Hi", {"reasoning": "high"}, [("reasoning", "reasoning")]),
    "no thoughts": ("Hi", {"reasoning": "none"}, []),
}


@pytest.mark.parametrize("case", ASKS)
def test_a_model_that_can_nothing_fits_what_asks_for_nothing(case: str) -> None:
    """One that is not known fits everything."""
    messages, options, lacking = ASKS[case]
    request = chat_request(messages, **options)
    found = list(misfits(request, ModelCapabilities(provider="p", model="m", **NOTHING), stream=False))

    assert [(each.parameter, each.capability) for each in found] == lacking
    assert list(misfits(request, ModelCapabilities(provider="p", model="m"), stream=True)) == []
    assert all(each.least is None for each in found)


def test_a_stream_needs_streaming() -> None:
    """And nothing else does."""
    (found,) = misfits(chat_request("Hi"), ModelCapabilities(provider="p", model="m", **NOTHING), stream=True)

    assert (found.parameter, found.why) == ("stream", "p:m has no streaming")


def test_limits_are_named_with_what_is_needed() -> None:
    """An estimate that may be wrong is no misfit."""
    small = ModelCapabilities(provider="p", model="m", max_input_tokens=1000, max_output_tokens=100)
    whole = ModelCapabilities(provider="p", model="m", context_tokens=1000)
    request = chat_request("word " * 2000, max_tokens=101)

    assert [(each.capability, each.least) for each in misfits(request, small, stream=False)] == [
        ("max_output_tokens", 101),
        ("max_input_tokens", 2007),
    ]
    assert [each.capability for each in misfits(request, whole, stream=False)] == ["context_tokens"]
    assert list(misfits(chat_request("word " * 1100, max_tokens=100), small, stream=False)) == []


@pytest.mark.parametrize("text", ["-=" * 5000, "() => {};\n" * 1000, "#" * 9000, "\U0001f600" * 2000])
def test_signs_are_nothing_certain(text: str) -> None:
    """Tokenizers join runs of signs, so that an estimate of them may be far too high: only words are held against."""
    model = ModelCapabilities(provider="p", model="m", max_input_tokens=800)
    request = chat_request(text)

    assert tokens_of(request, "m") > 1.33 * 800
    assert list(misfits(request, model, stream=False)) == []


def test_a_misfit_is_what_would_be_refused() -> None:
    """One count decides both; members that may ask for another window keep both quiet."""
    model = ModelCapabilities(provider="openai", model="small", max_input_tokens=100)
    for words, options in ((133, {}), (136, {}), (136, {"extra_headers": {"anthropic-beta": "context-1m"}})):
        request = chat_request("word " * words, **options)
        target = Target(provider="openai", model="small", base_url="https://example.com")
        found = list(misfits(request, model, stream=False))
        try:
            check_length(request, target, SMALL, 10_000)
        except FiberContextLengthError:
            refused = True
        else:
            refused = False

        assert bool(found) == refused == (words == 136 and not options)


def test_what_is_checked_before_every_call_are_capabilities() -> None:
    """By their names."""
    assert set(CHECKED) <= set(FLAGS)


SMALL = ModelCatalog(overrides={"openai:small": {"max_input": 100}, "openai:whole": {"context": 100}})
WORDS = "word " * 200


def check(messages: Any, model: str = "small", size: int = 10_000, **options: Any) -> None:
    """Check one request."""
    target = Target(provider="openai", model=model, base_url="https://example.com")
    check_length(chat_request(messages, **options), target, SMALL, size)


@pytest.mark.parametrize("model", ["small", "whole"])
@pytest.mark.parametrize(
    "messages",
    [WORDS, [("user", "word " * 99), ("assistant", WORDS)], "1234 " * 100, "\u6771\u4eac" * 1200]
    + [[ChatMessage("tool", (ToolResult("1", said),))] for said in (WORDS, (Text(WORDS),))],
)
def test_what_cannot_fit_is_refused(messages: Any, model: str) -> None:
    """Words, numbers, other scripts, and results of tools; the error says what to do, and that nothing was sent."""
    with pytest.raises(FiberContextLengthError, match="shorten them") as caught:
        check(messages, model)

    error = caught.value
    assert (error.parameter, error.outcome, error.model, error.is_retryable) == ("messages", "not_sent", model, False)


@pytest.mark.parametrize(
    "case",
    [
        {"messages": "word " * 133},
        {"messages": "-" * 100_000},
        {"messages": " " * 100_000},
        {"messages": [ChatMessage.user([Image(data=b"\x89PNG" * 999, media_type="image/png")])]},
        {"messages": WORDS, "model": "unknown"},
        {"messages": WORDS, "size": 300},
        {"messages": WORDS, "on_unsupported": "warn"},
        {"messages": WORDS, "on_unsupported": "drop"},
        {"messages": WORDS, "extra_body": {"truncation": "auto"}},
        {"messages": WORDS, "extra_headers": {"anthropic-beta": "context-1m"}},
        {"messages": WORDS, "extra_query": {"a": "b"}},
    ],
)
def test_what_may_fit_is_sent(case: dict[str, Any]) -> None:
    """The provider has the last word on all that is not certain, and where the caller says so."""
    check(**case)


COUNT = re.compile(r'"(?:prompt_tokens|promptTokenCount|input_?[tT]okens|prompt_eval_count)" ?: ?(\d+)')
CACHED = re.compile(r'"cache_?(?:read|creation|Read|Write)_?[iI]nput_?[tT]okens" ?: ?(\d+)')


def recorded() -> Iterator[tuple[list[str], int]]:
    """Yield the texts of recorded requests, with the tokens that the provider counted."""
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                asked, answer = row["request_json"], row["response_body"] or ""
                if not isinstance(asked, dict) or {"req-elided", "req-scrubbed"} & set(row["tags"]):
                    continue
                said = re.findall(
                    r'"(?:prompt_tokens|promptTokenCount|input_?[tT]okens|prompt_eval_count)" ?: ?(\d+)', answer
                )
                cached = re.findall(r'"cache_?(?:read|creation|Read|Write)_?[iI]nput_?[tT]okens" ?: ?(\d+)', answer)
                if said:
                    texts = [text for name in ("messages", "contents", "input") for text in strings(asked.get(name))]
                    yield texts, max(map(int, said)) + sum({*map(int, cached)})


def strings(value: Any) -> Iterator[str]:
    """Yield the texts in messages of any format."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        for name in ("text", "content", "parts"):
            yield from strings(value.get(name))


def test_what_is_certain_is_certain_over_the_recordings() -> None:
    """Three quarters of the words of a recorded request are never more than the tokens that its provider counted."""
    if not FOLDER.is_dir():
        reason = "../shared/wire is missing: there are no recordings to count"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    ratios = [
        words / true for texts, true in recorded() if true and (words := _words([Text(text) for text in texts])) > 50
    ]

    assert len(ratios) > 400
    assert 0.75 * max(ratios) < 1
