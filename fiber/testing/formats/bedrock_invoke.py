"""
Claude on Amazon Bedrock: `POST /model/{model}/invoke` and `.../invoke-with-response-stream`.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html (read 2026-11-21).
Anthropic's letter in Amazon's envelope: the version stands in the body, errors are Amazon's, and a stream is
Anthropic's events as base64 in a binary event stream.
"""

from __future__ import annotations

from base64 import b64encode

from fiber.testing.formats import anthropic, bedrock_converse, event_stream
from fiber.testing.formats.common import Asked, encode
from fiber.testing.script import Reply
from fiber.testing.view import ChatView, refuse

name = "bedrock_invoke"
content_type = "application/json"
whole = anthropic.whole
stream_type = bedrock_converse.stream_type
error = bedrock_converse.error
error_frame = bedrock_converse.error_frame
headers = bedrock_converse.headers
models = bedrock_converse.models


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: Bedrock would answer 400.
    """
    version = asked.json.get("anthropic_version")
    if not isinstance(version, str):
        raise refuse("anthropic_version: Field required")
    letter = {**asked.json, "model": asked.model, "stream": asked.verb == "invoke-with-response-stream"}
    return anthropic.read(asked._replace(json=letter, headers={**asked.headers, "anthropic-version": version}))


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the events of a streamed answer."""
    events = (frame.partition(b"data: ")[2].strip() for frame in anthropic.frames(view, reply, number))
    return [event_stream.event("chunk", encode({"bytes": b64encode(data).decode(), "p": "ab"})) for data in events]
