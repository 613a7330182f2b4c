"""
Count the tokens of an input: `POST .../models/{model}:countTokens`.

The Gemini API takes a whole `generateContentRequest`, with the model in it; Vertex AI takes the members themselves.
Documentation: https://ai.google.dev/api/tokens and
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens, read 2026-11-21.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from fiber.adapters.base import Counting
from fiber.adapters.counting import asking, body_of, counted, kept
from fiber.adapters.gemini.tools import VERTEX
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.target import Target

_METHOD = ":generateContent"


def build_count(chat: HTTPRequest, target: Target) -> HTTPRequest:
    """Ask for the tokens of *chat*."""
    body = body_of(chat)
    said: dict[str, Any]
    if target.quirks.api_version == VERTEX:
        said = kept(body, "contents", "systemInstruction", "tools", "generationConfig")
    else:
        folder, model = chat.url.partition("?")[0].removesuffix(_METHOD).rsplit("/", 2)[1:]
        said = {"generateContentRequest": {"model": f"{folder}/{unquote(model)}", **body}}
    return asking(chat, said, _METHOD, ":countTokens")


def parse_count(head: HTTPHead, body: bytes, target: Target) -> int:
    """Read the answer."""
    return counted(head, body, target, "totalTokens")


COUNTING = Counting(build_count, parse_count)
