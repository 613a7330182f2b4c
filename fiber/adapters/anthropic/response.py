"""
Decode a whole answer.

Documentation: https://platform.claude.com/docs/en/api/messages and
https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons.
"""

from __future__ import annotations

from typing import Any

from fiber._errors import FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.anthropic import schema
from fiber.adapters.anthropic.answer import Answer
from fiber.adapters.anthropic.blocks import Block
from fiber.adapters.anthropic.errors import parse_error
from fiber.adapters.anthropic.usage import usage_from
from fiber.adapters.failures import unreadable
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult, FinishReason
from fiber.types.target import Target

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "other",
    "compaction": "other",
}
_PAUSED = (
    "The provider paused a long turn (pause_turn): append result.message to the messages and send"
    " them again, and it goes on."
)


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode one complete answer.

    Args:
        head: Status 200; header names are lower-case.
        body: UTF-8 JSON, shape
            `{"id", "model", "content": [{"type", ...}], "stop_reason", "usage": {...}}`.

    Returns:
        The result. Blocks with a signature, and those this library does not know, carry their JSON.

    Raises:
        FiberError: The body is an error object; typed as `parse_error` types it.
        FiberParsingError: The body is not JSON, or has no content list.
    """
    try:
        message = schema.read(body, schema.MESSAGE)
    except FiberParsingError:
        raise unreadable(head, target, body, "no Messages answer") from None
    answer = Answer(head, target)
    if not read_message(answer, message):
        if message.error is not None:
            raise parse_error(head, body, target)
        raise unreadable(head, target, body, "JSON that has no content list")
    answer.usage = usage_from(message.usage)
    return answer.result(body=body)


def read_message(answer: Answer, message: schema.Message, first_key: int = 0) -> bool:
    """Read a message, or what `message_start` holds of one; False when it has no content list."""
    contents = schema.items_of(message.content)
    if contents is None:
        return False
    answer.start(jsons.text(message.model), jsons.text(message.id) or None)
    for key, raw in enumerate(contents, first_key):
        Block(answer, key, bytes(raw)).close()
    read_end(answer, message)
    return True


def read_end(answer: Answer, said: schema.Message | schema.Delta) -> None:
    """Read why the answer ended, and what the caller should know about it."""
    if isinstance(said.container, dict) and (name := jsons.text(said.container.get("id"))):
        # Streams leave no body to find it in, and calls made from inside it need it in the answer.
        answer.warn(f"The provider keeps container {name!r}: send extra_body={{'container': {name!r}}} to go on in it.")
    reason = jsons.text(said.stop_reason)
    if not reason:
        return
    answer.finish(FINISH_REASONS.get(reason, "other"), reason)
    if reason == "pause_turn":
        answer.warn(_PAUSED)
    if reason == "refusal" and isinstance(said.stop_details, dict):
        _warn_of_refusal(answer, said.stop_details)


def _warn_of_refusal(answer: Answer, details: dict[str, Any]) -> None:
    facts = [
        f"{name.replace('_', ' ')}: {found}"
        for name in ("category", "explanation", "recommended_model")
        if (found := jsons.text(details.get(name)))
    ]
    if facts:
        answer.warn(f"The provider refused. {'; '.join(facts)}")
