"""
Count the tokens of an input: `POST {base_url}/responses/input_tokens`.

Documentation: https://platform.openai.com/docs/api-reference/responses/input-tokens, read 2026-11-20.
"""

from __future__ import annotations

from fiber.adapters.base import Counting
from fiber.adapters.counting import asking, body_of, counted, kept
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.target import Target

_MEMBERS = (
    *("model", "input", "instructions", "previous_response_id", "conversation", "truncation"),
    *("tools", "tool_choice", "parallel_tool_calls", "text", "reasoning"),
)


def build_count(chat: HTTPRequest, target: Target) -> HTTPRequest:
    """Ask for the tokens of *chat*."""
    return asking(chat, kept(body_of(chat), *_MEMBERS), "", "/input_tokens")


def parse_count(head: HTTPHead, body: bytes, target: Target) -> int:
    """Read the answer."""
    return counted(head, body, target, "input_tokens")


COUNTING = Counting(build_count, parse_count)
