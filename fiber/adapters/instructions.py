"""
What is asked of the model in words, where a format has no switch for it.

Words hold a model less than a switch does: whoever uses them adds a note of kind `warned`.
"""

from __future__ import annotations

import msgspec

from fiber.types.content import CacheHint
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest

JSON_OBJECT = (
    "Answer with exactly one JSON object and nothing else: no text before or after it, and no code fence around it."
)

_SYSTEM = ("system", "developer")


def instructed(
    messages: tuple[ChatMessage, ...], text: str, cache_hint: CacheHint | None = None
) -> tuple[ChatMessage, ...]:
    """
    Return *messages* with *text* as the last of what the system says in front of the conversation.

    It joins a system message of plain text, for some servers take only one; beside parts or a cache hint it is a
    message of its own, so that every breakpoint stays where it was.

    Args:
        cache_hint: Prompt caching asked for up to the end of *text*.
    """
    at = next((place for place, message in enumerate(messages) if message.role not in _SYSTEM), len(messages))
    leading, rest = messages[:at], messages[at:]
    if leading and isinstance(leading[-1].content, str) and leading[-1].cache_hint is None:
        joined = "\n\n".join(filter(None, (leading[-1].content, text)))
        return (*leading[:-1], msgspec.structs.replace(leading[-1], content=joined, cache_hint=cache_hint), *rest)
    return (*leading, ChatMessage.system(text, cache_hint=cache_hint), *rest)


def json_in_words(request: ChatRequest, why: str) -> tuple[ChatRequest, Note]:
    """Return *request* with JSON mode asked for in words, and the note that says so; *why* is the reason."""
    worded = msgspec.structs.replace(request, response_format=None, messages=instructed(request.messages, JSON_OBJECT))
    return worded, Note("warned", "response_format", f"json_object is asked for in words, which hold less: {why}")
