"""
Whole replies.

Documentation: https://docs.cohere.com/reference/chat, read 2026-11-21.
"""

from __future__ import annotations

from fiber._errors import FiberParsingError
from fiber.adapters.assembly import Assembly, with_partial
from fiber.adapters.cohere.answer import Answer
from fiber.adapters.cohere.errors import FAILED, failed, parse_error
from fiber.adapters.cohere.schema import Message, objects, read_reply
from fiber.adapters.cohere.usage import usage_from
from fiber.adapters.failures import unreadable
from fiber.adapters.jsons import text
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode one complete answer.

    Args:
        head: Status 2xx.
        body: JSON, shape `{"id", "message": {"content": [...], "tool_plan", "tool_calls": [...],
            "citations": [...]}, "finish_reason", "usage": {...}, "logprobs": [...]}`.

    Raises:
        FiberError: The body is an error, or an answer that failed; then with the part that was made.
        FiberParsingError: The body is not this format.
    """
    try:
        reply = read_reply(body)
    except FiberParsingError:
        raise unreadable(head, target, body, "something that is no Cohere answer") from None
    message, reason = reply.message, text(reply.finish_reason)
    if isinstance(message, str) or (message is None and reply.error):
        raise parse_error(head, body, target)
    if message is None or not (reason or message.content or message.tool_calls):
        raise unreadable(head, target, body, "JSON without an answer")
    assembly = Assembly(head, target)
    assembly.start(response_id=text(reply.id) or None)
    answer = Answer(assembly)
    _read(answer, message)
    answer.logprobs(reply.logprobs)
    assembly.usage = usage_from(reply.usage)
    answer.close(reason)
    if reason in FAILED:
        error = failed(reason, reply.error, reply.error_type, head, body, target)
        raise with_partial(error, assembly.result(whole=False))
    return assembly.result(body=body)


def _read(answer: Answer, message: Message) -> None:
    answer.plan(message.tool_plan)
    content = message.content
    for block in objects({"type": "text", "text": content} if isinstance(content, str) else content):
        answer.begin(block)
    answer.end()
    for index, call in enumerate(objects(message.tool_calls)):
        answer.begin_call(index, call)
        answer.end_call(index)
    answer.cite(message.citations)
