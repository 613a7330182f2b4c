"""
Count the tokens of an input: `POST {base_url}/v1/messages/count_tokens`, in the envelopes of Vertex and Bedrock too.

Documentation: https://platform.claude.com/docs/en/api/messages-count-tokens; the members are those of
anthropic-sdk-python 2.11.0, November 2026.
"""

from __future__ import annotations

from base64 import b64encode

from fiber.adapters.base import Counting
from fiber.adapters.counting import asking, asking_bedrock, body_of, counted, kept
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.target import Target

_MEMBERS = ("messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control")
_VERTEX = ":rawPredict"


def build_count(chat: HTTPRequest, target: Target) -> HTTPRequest:
    """Ask for the tokens of *chat*."""
    if target.quirks.platform == "bedrock":
        return asking_bedrock(chat, {"invokeModel": {"body": b64encode(chat.body).decode()}}, "/invoke")
    body = body_of(chat)
    said = {"model": target.model, **kept(body, "model", *_MEMBERS, "anthropic_version")}
    place, _, last = chat.url.partition("?")[0].rpartition("/")
    if last.endswith(_VERTEX):
        # The model stands in the path of a message, and in the body of this.
        return asking(chat, said, f"{place}/{last}", f"{place}/count-tokens{_VERTEX}")
    return asking(chat, said, "", "/count_tokens")


def parse_count(head: HTTPHead, body: bytes, target: Target) -> int:
    """Read the answer."""
    return counted(head, body, target, "inputTokens" if target.quirks.platform == "bedrock" else "input_tokens")


COUNTING = Counting(build_count, parse_count)
