"""
Count the tokens of an input: `POST {base_url}/model/{model}/count-tokens`, for some of the models.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html, read 2026-11-21.
"""

from __future__ import annotations

from fiber.adapters.base import Counting
from fiber.adapters.counting import asking_bedrock, body_of, counted, kept
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.target import Target


def build_count(chat: HTTPRequest, target: Target) -> HTTPRequest:
    """Ask for the tokens of *chat*."""
    said = kept(body_of(chat), "messages", "system", "toolConfig")
    return asking_bedrock(chat, {"converse": said}, "/converse")


def parse_count(head: HTTPHead, body: bytes, target: Target) -> int:
    """Read the answer."""
    return counted(head, body, target, "inputTokens")


COUNTING = Counting(build_count, parse_count)
