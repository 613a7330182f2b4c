"""
Decode a whole answer.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber._errors import FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.assembly import Assembly
from fiber.adapters.bedrock_converse import schema
from fiber.adapters.bedrock_converse.blocks import read_block
from fiber.adapters.bedrock_converse.usage import usage_from
from fiber.adapters.failures import unreadable
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult, FinishReason
from fiber.types.target import Target

FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode one complete answer.

    Args:
        head: Status 200; header names are lower-case.
        body: UTF-8 JSON, shape `{"output": {"message": {"content": [{...}]}}, "stopReason", "usage": {...}}`.

    Returns:
        The result. Reasoning with a signature, and blocks this library does not know, carry their JSON.

    Raises:
        FiberParsingError: The body is not JSON, or has no content list.
    """
    try:
        reply = jsons.decode(body, schema.REPLY)
    except FiberParsingError:
        raise unreadable(head, target, body, "no Converse answer") from None
    message = reply.output.message if reply.output is not None else None
    contents = None if message is None else schema.items_of(message.content)
    if contents is None:
        raise unreadable(head, target, body, "JSON that has no content list")
    answer = Assembly(head, target)
    answer.start()
    for key, raw in enumerate(contents):
        read_block(answer, key, raw)
    read_end(answer, reply.stop_reason)
    read_facts(answer, reply.usage, reply.trace)
    return answer.result(body=body)


def read_end(answer: Assembly, said: Any) -> None:
    """Read why the answer ended."""
    if reason := jsons.text(said):
        answer.finish(FINISH_REASONS.get(reason, "other"), reason)


def read_facts(answer: Assembly, usage: Any, trace: Any) -> None:
    """Read the counts, and from the trace which model answered and what a guardrail did."""
    answer.usage = usage_from(usage)
    answer.model = _word(trace, "promptRouter", "invokedModelId") or answer.model
    if action := _word(trace, "guardrail", "actionReason"):
        answer.warnings.append(f"A guardrail of the provider said: {action}")


def _word(trace: Any, *names: str) -> str:
    for name in names:
        trace = trace.get(name) if isinstance(trace, dict) else None
    return jsons.text(trace)
