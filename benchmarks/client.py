"""The shape of everything that is measured here, and the conversation that all of them are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

Turns: TypeAlias = Sequence[tuple[str, str]]
"""A history: roles and texts."""

Messages: TypeAlias = Any
"""A history as the client takes it."""

FORMATS = ("openai_chat", "openai_responses", "anthropic", "gemini")
MODEL = "gpt-mock"
WHOLE_BYTES = 400
"""Bytes of text in a whole answer of the server."""

TURN_BYTES = 400
"""Bytes of text in a message of the history."""

_SENTENCE = "What stands on the other side of the mountain, and how many days does it take to go there? "


class Client(Protocol):
    """
    One client; making it is measured too, so it takes a URL and a format and nothing else.

    One that blocks has coroutines that never suspend.
    """

    def history(self, turns: Turns) -> Messages:
        """Make of *turns* what the client's users hold; this is not measured."""
        ...

    async def call(self, messages: Messages) -> str:
        """Return the text of a whole answer."""
        ...

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Call *first* at the first text of a stream, read it to its end, and return the number of deltas."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


def turns(count: int) -> list[tuple[str, str]]:
    """Return *count* turns of `TURN_BYTES` each, the last one the user's."""
    text = (_SENTENCE * (TURN_BYTES // len(_SENTENCE) + 1))[:TURN_BYTES]
    return [("assistant" if (count - number) % 2 == 0 else "user", f"{number}: {text}") for number in range(count)]


def no_event() -> None:
    """Ignore the first event."""
