"""
Messages inside of Amazon Bedrock's `InvokeModel`: another envelope around the same letter.

The model stands in the path, the API's version and its beta features in the body, the service tier in a header; streams
are AWS event streams of Anthropic's events.
Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html and
.../userguide/model-parameters-anthropic-claude-messages-request-response.html (read 2026-11-21).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from fiber.adapters.anthropic.answer import Answer
from fiber.adapters.anthropic.stream import MessagesDecoder
from fiber.adapters.base import StreamDecoder
from fiber.adapters.event_streamed import CONTENT_TYPE, Chunked
from fiber.adapters.posting import post
from fiber.types.http import HTTPHead, HTTPRequest, Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_BETA, _VERSION = "anthropic-beta", "anthropic-version"


def invocation(
    body: dict[str, Any], request: ChatRequest, target: Target, notes: list[Note], version: str, *, stream: bool
) -> HTTPRequest:
    """Return the request that carries *body*, a Messages body, to Bedrock."""
    letter = {name: value for name, value in body.items() if name not in ("model", "stream", "service_tier")}
    letter["anthropic_version"] = version
    said = {name.lower(): value for name, value in (request.extra_headers or {}).items()}
    if features := [word.strip() for word in said.pop(_BETA, "").split(",") if word.strip()]:
        letter["anthropic_beta"] = features
    said.pop(_VERSION, None)
    headers: tuple[tuple[str, str], ...] = ()
    if request.service_tier is not None:
        headers = (("x-amzn-bedrock-service-tier", request.service_tier),)
    verb = "invoke-with-response-stream" if stream else "invoke"
    return post(
        f"{target.base_url}/model/{quote(target.model, safe='')}/{verb}",
        letter,
        msgspec.structs.replace(request, extra_headers=said),
        notes,
        stream=stream,
        headers=headers,
        stream_type=CONTENT_TYPE,
        target=target,
    )


class InvokeDecoder(Chunked, MessagesDecoder):
    """The state machine of one Messages stream inside of an event stream."""

    assembly: Answer


def stream_decoder(head: HTTPHead, target: Target) -> StreamDecoder:
    """Make the decoder of a stream: of an event stream when it says that it is one."""
    return (InvokeDecoder if head.content_type == CONTENT_TYPE else MessagesDecoder)(head, target)
