"""Cache hints as cache points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber.types.content import CacheHint, Text, ToolResult
from fiber.types.messages import ChatMessage
from fiber.types.tools import Tool

Body = Callable[..., Any]
Notes = Callable[..., list[str]]

SHORT, LONG = {"cachePoint": {"type": "default"}}, {"cachePoint": {"type": "default", "ttl": "1h"}}


def hinted(words: str, hint: CacheHint | None = "ephemeral") -> ChatMessage:
    """A user message with a hint on its part."""
    return ChatMessage.user([Text(words, cache_hint=hint)])


def test_hint_is_a_block_behind_what_it_closes(body: Body) -> None:
    """Tools, system and messages each have theirs, at most one at a place."""
    sent = body(
        ChatMessage.system("A", cache_hint="extended"),
        ChatMessage("user", (Text("b"), Text("c"), Text("d")), cache_hint="ephemeral"),
        ChatMessage.assistant("e"),
        ChatMessage("user", (Text("f", cache_hint="ephemeral"),), cache_hint="ephemeral"),
        tools=(Tool("one"), Tool("two", cache_hint="extended"), Tool("three")),
    )

    tools = [block if "cachePoint" in block else block["toolSpec"]["name"] for block in sent["toolConfig"]["tools"]]
    contents = [message["content"] for message in sent["messages"]]
    assert tools == ["one", "two", LONG, "three"]
    assert sent["system"] == [{"text": "A"}, LONG]
    assert contents[0] == [{"text": "b"}, {"text": "c"}, {"text": "d"}, SHORT]
    assert contents[2] == [{"text": "f"}, SHORT]


def test_hint_of_a_message_replaces_that_of_its_last_part(body: Body) -> None:
    """Both close the same place."""
    message = ChatMessage("user", (Text("a", cache_hint="ephemeral"),), cache_hint="extended")

    assert body(message)["messages"][0]["content"] == [{"text": "a"}, LONG]


def test_only_the_last_four_are_kept(body: Body, notes: Notes) -> None:
    """The API takes four; the longest beginnings are what is worth most."""
    said = [message for word in "abcdef" for message in (ChatMessage.assistant("ok"), hinted(word))]

    contents = [message["content"] for message in body(*said)["messages"]]

    assert [SHORT in content for content in contents[1::2]] == [False, False, True, True, True, True]
    assert notes(*said) == ["dropped cache_hint"]


def test_long_hint_comes_before_short_ones(body: Body, notes: Notes) -> None:
    """A five-minute point before a one-hour one becomes a one-hour one, for the order is a rule."""
    said = (ChatMessage.system("A", cache_hint="ephemeral"), hinted("b", "extended"))

    sent = body(*said)

    assert (sent["system"][1], sent["messages"][0]["content"][1]) == (LONG, LONG)
    assert notes(*said) == ["mapped cache_hint"]
    assert notes(*reversed([hinted("b"), ChatMessage.system("A", cache_hint="extended")])) == []


@pytest.mark.parametrize("hint", ["ephemeral", "extended"])
def test_hint_on_nothing_is_nothing(hint: CacheHint, body: Body) -> None:
    """An empty message has no place for a point."""
    assert body(ChatMessage.user("Hi"), ChatMessage("user", "", cache_hint=hint))["messages"] == [
        {"role": "user", "content": [{"text": "Hi"}]}
    ]


def test_hints_of_results_stand_behind_them(body: Body, notes: Notes) -> None:
    """There are no points inside of a result."""
    result = ToolResult("c", (Text("a", cache_hint="ephemeral"),), cache_hint="ephemeral")
    said = (ChatMessage("tool", (result,)),)

    assert body(*said)["messages"][0]["content"] == [
        {"toolResult": {"toolUseId": "c", "content": [{"text": "a"}]}},
        SHORT,
    ]
    assert notes(*said) == ["dropped cache_hint"]
