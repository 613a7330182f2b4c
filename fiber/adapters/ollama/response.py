"""
Whole replies.

Documentation: https://docs.ollama.com/api/chat, read 2026-11-21.
"""

from __future__ import annotations

from fiber._errors import FiberParsingError
from fiber.adapters.assembly import Assembly
from fiber.adapters.failures import unreadable
from fiber.adapters.jsons import decode
from fiber.adapters.ollama.answer import Answer
from fiber.adapters.ollama.errors import parse_error
from fiber.adapters.ollama.schema import REPLY
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode one complete answer.

    Args:
        head: Status 2xx.
        body: JSON, shape `{"model", "message": {"content", "thinking", "tool_calls": [...]}, "done": true,
            "done_reason", "prompt_eval_count", "eval_count", "total_duration"}`.

    Raises:
        FiberError: The body is an error.
        FiberParsingError: The body is not this format, or an answer that is not done.
    """
    try:
        reply = decode(body, REPLY)
    except FiberParsingError:
        raise unreadable(head, target, body, "something that is no Ollama answer") from None
    if reply.error:
        raise parse_error(head, body, target)
    assembly = Assembly(head, target)
    if reply.message is None or not Answer(assembly).read(reply):
        raise unreadable(head, target, body, "JSON without an answer that is done")
    return assembly.result(body=body)
