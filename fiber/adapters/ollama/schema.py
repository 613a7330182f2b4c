"""
Views of what Ollama sends, a whole reply or a line of a stream: only the members that are read, and
`Any` where a gateway may send something odd.

Documentation: `ChatResponse` in `api/types.go` of ollama/ollama, August 2026.
"""

from __future__ import annotations

from typing import Any

import msgspec

THINKING = "thinking"
"""Member of the message that holds the thinking, and kind of its native."""


class Function(msgspec.Struct):
    """A function that is called; arguments are an object, from some models a text."""

    name: Any = None
    arguments: msgspec.Raw = msgspec.Raw()


class Call(msgspec.Struct):
    """A tool call; old servers give it no id."""

    id: Any = None
    function: Function | None = None


class Message(msgspec.Struct):
    """A message, or a piece of one; calls always come whole."""

    content: Any = None
    thinking: Any = None
    tool_calls: list[Call] | None = None


class Reply(msgspec.Struct):
    """A whole reply, or a line of a stream; the last one is `done`."""

    model: Any = None
    message: Message | None = None
    done: Any = None
    done_reason: Any = None
    logprobs: Any = None
    total_duration: Any = None
    load_duration: Any = None
    prompt_eval_count: Any = None
    prompt_eval_duration: Any = None
    eval_count: Any = None
    eval_duration: Any = None
    error: Any = None


REPLY = msgspec.json.Decoder(Reply)
