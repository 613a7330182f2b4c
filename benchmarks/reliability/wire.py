"""Bytes of OpenAI chat answers, whole and in pieces; no I/O."""

from __future__ import annotations

import json

JSON = "application/json"
EVENTS = "text/event-stream"
DONE = b"data: [DONE]\n\n"


def answer(text: str) -> bytes:
    """Return the body of a whole answer."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return json.dumps({"id": "chatcmpl-1", "model": "gpt-mock", "choices": [choice], "usage": usage}).encode()


def event(text: str | None, finish: str | None = None, **delta: object) -> bytes:
    """Return one event of a stream: a piece of text, or other members of a delta."""
    if text is not None:
        delta["content"] = text
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "model": "gpt-mock", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def stream(*texts: str) -> bytes:
    """Return a whole stream."""
    return b"".join(map(event, texts)) + event(None, "stop") + DONE


def head(kind: str, length: int | None = None, status: str = "200 OK", **headers: str) -> bytes:
    """Return the head of an answer; chunked when it has no *length*."""
    framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", f"content-type: {kind}", framing, *lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    """Frame one chunk of a body; an empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def full(kind: str, body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Return a whole answer, head and body."""
    return head(kind, len(body), status, **headers) + body
