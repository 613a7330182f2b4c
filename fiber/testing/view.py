"""
What a chat request asks, in words that belong to no provider, and the checks that make it.

Every format reads its own JSON into a `ChatView`; the default answers are made from that alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fiber.testing.script import Failure, RefusedError


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that the request offers: its name and the JSON schema of its arguments."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatView:
    """
    A chat request as the mock model sees it.

    Attributes:
        last_text: Text of the last user message.
        tool_choice: `auto`, `none` or `required`; with `required`, *tool_name* may name one.
        parallel: The model may call several tools at once.
        tool_results: Texts of the tool results behind the last answer of the model.
        schema: JSON schema of the answer; empty when any JSON object will do, None for plain text.
        reasoning: The request asks the model to think.
        max_tokens: Longest answer.
        include_usage: A stream tells its usage (formats that always do ignore this).
        sse: A stream is sent as server-sent events (Gemini without `alt=sse` sends a JSON array).
        words: Words in the whole input, which are its tokens.
    """

    model: str
    stream: bool = False
    last_text: str = ""
    tools: tuple[OfferedTool, ...] = ()
    tool_choice: str = "auto"
    tool_name: str | None = None
    parallel: bool = True
    tool_results: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    reasoning: bool = False
    max_tokens: int | None = None
    include_usage: bool = True
    sse: bool = True
    words: int = 0


def refuse(message: str, parameter: str | None = None, code: str = "bad_request") -> RefusedError:
    """Make the error that becomes the provider's status 400."""
    return RefusedError(Failure(None, code, message=message, parameter=parameter))


def mapping(value: object) -> Mapping[str, Any]:
    """Return *value* when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> Sequence[Mapping[str, Any]]:
    """Return the JSON objects in *value* when it is an array, else nothing."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(content: object) -> str:
    """Return the text of a message: a string, or the `text` of its parts."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in items(content) if isinstance(part.get("text"), str))


def number(value: object) -> int | None:
    """Return *value* when it is a whole number above zero."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def count_words(value: object) -> int:
    """Count the words of all strings in a JSON value, keys not included."""
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, dict):
        return sum(count_words(item) for item in value.values())
    if isinstance(value, list):
        return sum(count_words(item) for item in value)
    return 0


def unanswered(calls: Iterable[str], results: Iterable[str]) -> list[str]:
    """Return the ids of *calls* that have no result."""
    answered = set(results)
    return [call for call in calls if call not in answered]
