"""A last message of the assistant."""

from __future__ import annotations

import pytest

from fiber._errors import FiberCapabilityError
from fiber.adapters.claude_models import UNKNOWN, Model
from fiber.adapters.claude_prefill import without_prefill
from fiber.types.content import Opaque
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

TARGET = Target(provider="acme", model="m", base_url="https://acme.test")
REFUSES = UNKNOWN._replace(prefill=False)
ASKED = ChatMessage.user("Hi")
BEGUN = ChatMessage.assistant("Hel")
PAUSED = ChatMessage.assistant([Opaque("{}")])


@pytest.mark.parametrize(
    ("messages", "model"),
    [((ASKED, BEGUN), UNKNOWN), ((ASKED,), REFUSES), ((ASKED, PAUSED), REFUSES), ((), REFUSES)],
    ids=["goes on", "user", "paused", "none"],
)
def test_what_the_model_takes_is_kept(messages: tuple[ChatMessage, ...], model: Model) -> None:
    """A begun answer where the model goes on writing it, and whatever is none."""
    notes: list[Note] = []

    assert without_prefill(ChatRequest(messages=messages), TARGET, model, notes) == messages
    assert notes == []


def test_a_begun_answer_is_refused_or_left_out() -> None:
    """By models that do not go on writing it."""
    notes: list[Note] = []
    with pytest.raises(FiberCapabilityError, match="does not continue a message"):
        without_prefill(ChatRequest(messages=(ASKED, BEGUN)), TARGET, REFUSES, notes)
    kept = without_prefill(ChatRequest(messages=(ASKED, BEGUN), on_unsupported="drop"), TARGET, REFUSES, notes)

    assert kept == (ASKED,)
    assert [note.subject for note in notes] == ["last assistant message"]
