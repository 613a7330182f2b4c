"""What is asked in words."""

from __future__ import annotations

import pytest

from fiber.adapters.instructions import JSON_OBJECT, instructed, json_in_words
from fiber.types.content import Text
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.tools import ResponseFormat

system, developer, user = ChatMessage.system, ChatMessage.developer, ChatMessage.user
HI = user("hi")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((HI,), (system("do"), HI)),
        ((system("A"), HI), (system("A\n\ndo"), HI)),
        ((system("A"), developer("B"), HI), (system("A"), developer("B\n\ndo"), HI)),
        ((system(""), HI), (system("do"), HI)),
        ((system("A"),), (system("A\n\ndo"),)),
        ((HI, system("late"), HI), (system("do"), HI, system("late"), HI)),
        ((system((Text("A"),)), HI), (system((Text("A"),)), system("do"), HI)),
        ((system("A", cache_hint="extended"), HI), (system("A", cache_hint="extended"), system("do"), HI)),
    ],
    ids=["none", "one", "two", "empty", "nothing else", "late", "parts", "hint"],
)
def test_instruction_ends_what_the_system_says_in_front(
    before: tuple[ChatMessage, ...], after: tuple[ChatMessage, ...]
) -> None:
    """It joins plain text, and stands alone beside parts and cache hints."""
    assert instructed(before, "do") == after


def test_a_cache_hint_is_put_at_the_end_of_the_instruction() -> None:
    """Whether it joins a message or stands alone."""
    alone = instructed((HI,), "do", "extended")
    joined = instructed((system("A"), HI), "do", "extended")

    assert alone == (system("do", cache_hint="extended"), HI)
    assert joined == (system("A\n\ndo", cache_hint="extended"), HI)


def test_what_else_a_message_has_is_kept() -> None:
    """Joining changes the text alone."""
    message = ChatMessage("system", "A", name="n", metadata={"a": 1})

    assert instructed((message,), "do") == (ChatMessage("system", "A\n\ndo", name="n", metadata={"a": 1}),)


def test_json_mode_in_words() -> None:
    """The parameter is gone, the words are there, and the note warns with the reason."""
    request = ChatRequest(messages=(HI,), response_format=ResponseFormat("json_object"), seed=1)

    worded, note = json_in_words(request, "no switch")

    assert worded == ChatRequest(messages=(system(JSON_OBJECT), HI), seed=1)
    assert note == Note("warned", "response_format", "json_object is asked for in words, which hold less: no switch")
