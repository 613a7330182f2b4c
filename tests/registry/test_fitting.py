"""Whether a request fits a model."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import Audio, ChatMessage, Document, Image, ModelCapabilities
from fiber.registry.capabilities import FLAGS
from fiber.registry.fitting import CHECKED, misfits
from fiber.types.options import chat_request

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


def test_what_is_checked_before_every_call_are_capabilities() -> None:
    """By their names."""
    assert set(CHECKED) <= set(FLAGS)
